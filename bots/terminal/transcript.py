"""Saved conversations: Markdown to read, JSON for programs, a chat of SillyTavern, or a script that charbot reads back."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bots.session import Session
from charbot.dialogue import Utterance
from charbot.errors import UsageError
from charbot.storage import of_ending, replace_bytes

_YOU = "You"


def save(session: Session, title: str, path: Path) -> None:
    """Write a conversation to a new file, in the format that its suffix selects. Raises UsageError."""
    write = of_ending(path, _FORMATS)
    if not session.turns:
        raise UsageError("nothing has been said yet")
    try:
        if path.exists():
            raise UsageError(f"{path} is there already; name another file")
        replace_bytes(path, write(session, title).encode())
    except (OSError, ValueError) as error:
        # A NUL in the path raises ValueError.
        raise UsageError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _markdown(session: Session, title: str) -> str:
    turns = (f"**{turn.speaker or _YOU}:** {_escaped(turn.text)}" for turn in session.turns)
    return f"# {title}\n\n" + "\n\n".join(turns) + "\n"


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|" else char for char in text)


def _json(session: Session, title: str) -> str:
    turns = [{"speaker": turn.speaker, "text": turn.text} for turn in session.turns]
    return json.dumps({"title": title, "turns": turns}, ensure_ascii=False, indent=1) + "\n"


def _sillytavern(session: Session, title: str) -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    flagged = list(zip(session.turns, session.from_user, strict=True))
    user = next((turn.speaker for turn, from_user in flagged if from_user and turn.speaker), _YOU)
    rows: list[dict[str, object]] = [{"user_name": user, "character_name": title, "create_date": now, "chat_metadata": {}}]
    for number, (turn, from_user) in enumerate(flagged, start=1):
        row = {"name": turn.speaker or _YOU, "is_user": from_user, "is_system": False, "send_date": now, "mes": turn.text}
        if not from_user:
            # The texts between which its arrows change; the candidates are those of the last reply.
            texts = [candidate.text for candidate in session.candidates] if number == len(flagged) else []
            row["swipes"] = texts = texts if turn.text in texts else [turn.text]
            row["swipe_id"] = texts.index(turn.text)
        rows.append(row | {"extra": {}})
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _script(session: Session, title: str) -> str:
    from charbot.scripts.formats.charbot_text import write_charbot_text

    return write_charbot_text([Utterance(turn.speaker or _YOU, turn.text) for turn in session.turns], title)


_FORMATS = {".md": _markdown, ".json": _json, ".jsonl": _sillytavern, ".txt": _script}
