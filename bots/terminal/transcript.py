"""Saved conversations: Markdown to read, JSON for programs, or a script that `charbot scripts import` reads back."""

import json
from collections.abc import Sequence
from pathlib import Path

from charbot.dialogue import Utterance
from charbot.errors import UsageError
from charbot.storage import replace_bytes

_YOU = "You"


def save(turns: Sequence[Utterance], title: str, path: Path) -> None:
    """Write a conversation to a new file, in the format that its suffix selects. Raises UsageError."""
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        raise UsageError(f"{path}: its ending must be one of {', '.join(_FORMATS)}")
    if not turns:
        raise UsageError("nothing has been said yet")
    try:
        if path.exists():
            raise UsageError(f"{path} is there already; name another file")
        replace_bytes(path, write(turns, title).encode())
    except (OSError, ValueError) as error:
        # A NUL in the path raises ValueError.
        raise UsageError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _markdown(turns: Sequence[Utterance], title: str) -> str:
    return f"# {title}\n\n" + "\n\n".join(f"**{turn.speaker or _YOU}:** {_escaped(turn.text)}" for turn in turns) + "\n"


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|" else char for char in text)


def _json(turns: Sequence[Utterance], title: str) -> str:
    said = [{"speaker": turn.speaker, "text": turn.text} for turn in turns]
    return json.dumps({"title": title, "turns": said}, ensure_ascii=False, indent=1) + "\n"


def _script(turns: Sequence[Utterance], title: str) -> str:
    from charbot.scripts.formats.charbot_text import write_charbot_text

    return write_charbot_text([Utterance(turn.speaker or _YOU, turn.text) for turn in turns], title)


_FORMATS = {".md": _markdown, ".json": _json, ".txt": _script}
