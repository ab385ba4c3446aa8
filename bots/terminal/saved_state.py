"""Files that the terminal keeps between runs, in the user's state folder: history, last persona, last conversation.

They are optional: where the folder cannot be read or written, charbot runs without it.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import platformdirs
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from bots.session import Session
from charbot.config import ChatSettings, Config, override
from charbot.errors import ConfigError, UsageError
from charbot.storage import replace_bytes

_KEPT_TURNS = 200
"""The number of last turns that are saved, bounded so that saving does not get slower in a long conversation."""


@dataclass(frozen=True)
class SavedChat:
    """A saved conversation that can be continued."""

    cast: tuple[str, ...]
    """The names of the personas that take part."""
    me: str | None
    """The character that the user plays, if any."""
    session: Session
    settings: ChatSettings
    """How replies were written last, changes by `/set` included."""
    asked: ChatSettings
    """How the configuration and the command line of that run asked for replies to be written."""

    def settings_for(self, asked: ChatSettings, given: Collection[str] = ()) -> ChatSettings:
        """Return the settings to continue with: the saved ones, except those that are newly asked for.

        Those are the ones whose names are `given`, or whose value in `asked` is neither the one asked for then nor the
        default.
        """
        known = (self.asked, ChatSettings())
        names = [
            one.name
            for one in fields(asked)
            if one.name in given or all(getattr(asked, one.name) != getattr(old, one.name) for old in known)
        ]
        return replace(self.settings, **{name: getattr(asked, name) for name in names})


class _History(FileHistory):
    """A history that continues in memory when its file can no longer be written."""

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError:
            return


def _folder() -> Path:
    return Path(platformdirs.user_state_dir("charbot"))


def _private_folder() -> Path:
    """Create the state folder, closed to other users, and return it. Raises OSError."""
    _folder().mkdir(parents=True, exist_ok=True)
    _folder().chmod(0o700)
    return _folder()


def history() -> History:
    """Return the history of what the user typed, limited to this run where its file cannot be used."""
    try:
        path = _private_folder() / "history"
        path.touch(mode=0o600)
        with path.open("r+b"):
            return _History(str(path))
    except OSError:
        return InMemoryHistory()


def save_chat(kept: SavedChat) -> None:
    """Save a conversation, replacing the one before."""
    data = {
        "cast": kept.cast, "me": kept.me, "session": kept.session.truncated(_KEPT_TURNS).to_json(),
        "settings": asdict(kept.settings), "asked": asdict(kept.asked),
    }  # fmt: skip
    _write("last.json", json.dumps(data, ensure_ascii=False))


def load_last_chat() -> SavedChat:
    """Return the conversation saved last. Raises UsageError where there is none, ValueError where it is damaged."""
    path = _folder() / "last.json"
    try:
        return _saved_chat(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise UsageError("there is no conversation to go on with yet") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError) as error:
        raise ValueError(f"{path}: is no conversation that charbot kept") from error


def _saved_chat(data: dict[str, Any]) -> SavedChat:
    cast, me = data["cast"], data["me"]
    if not isinstance(me, str | None) or not isinstance(cast, list) or not cast or not all(isinstance(one, str) for one in cast):
        raise TypeError("names are texts")
    # Older files lack the settings, and may name a persona twice.
    settings, asked = (override(Config(), {"chat": data.get(name, {})}, "").chat for name in ("settings", "asked"))
    return SavedChat(tuple(dict.fromkeys(cast)), me, Session.from_json(data["session"]), settings, asked)


def save_last_persona(persona: str) -> None:
    """Save the name of the persona that was chosen."""
    _write("persona", persona)


def last_persona() -> str | None:
    """Return the name of the persona chosen last, if any."""
    try:
        return (_folder() / "persona").read_text("utf-8")
    except (OSError, ValueError):
        return None


def _write(name: str, text: str) -> None:
    try:
        replace_bytes(_private_folder() / name, text.encode(), 0o600)
    except (OSError, ValueError):
        return
