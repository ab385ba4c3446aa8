"""What the terminal keeps between runs, in the user's state folder: history, the last persona, the last conversation.

Nothing here is needed: where the folder cannot be read or written, charbot does without it.
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
"""Turns of a conversation that are kept, the last: a reply late in a long one costs no more than an early one."""


@dataclass(frozen=True)
class Kept:
    """A conversation to go on with: who takes part, whom the user plays, what was said, how replies are written, and how
    they would have been had nobody changed that meanwhile."""

    cast: tuple[str, ...]
    me: str | None
    session: Session
    settings: ChatSettings
    asked: ChatSettings

    def settings_for(self, asked: ChatSettings, given: Collection[str] = ()) -> ChatSettings:
        """How replies are written when it goes on: as before, but for what is asked for anew: by the names that are `given`,
        or as neither what was asked for then nor a default."""
        known = (self.asked, ChatSettings())
        names = [
            one.name
            for one in fields(asked)
            if one.name in given or all(getattr(asked, one.name) != getattr(old, one.name) for old in known)
        ]
        return replace(self.settings, **{name: getattr(asked, name) for name in names})


class _History(FileHistory):
    """A history that goes on without its file where that cannot be written any more."""

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError:
            return


def _folder() -> Path:
    return Path(platformdirs.user_state_dir("charbot"))


def _private_folder() -> Path:
    """The folder, for nobody else to look into. Raises OSError where it cannot be made so."""
    _folder().mkdir(parents=True, exist_ok=True)
    _folder().chmod(0o700)
    return _folder()


def history() -> History:
    """What the user typed, in this run and those before; in this run alone where it cannot be kept."""
    try:
        path = _private_folder() / "history"
        path.touch(mode=0o600)
        with path.open("r+b"):
            return _History(str(path))
    except OSError:
        return InMemoryHistory()


def keep(kept: Kept) -> None:
    """Keeps a conversation, in the place of the one before."""
    data = {
        "cast": kept.cast, "me": kept.me, "session": kept.session.cut(_KEPT_TURNS).to_json(),
        "settings": asdict(kept.settings), "asked": asdict(kept.asked),
    }  # fmt: skip
    _write("last.json", json.dumps(data, ensure_ascii=False))


def last() -> Kept:
    """The conversation that was kept last. Raises UsageError where there is none, ValueError where it is damaged."""
    path = _folder() / "last.json"
    try:
        return _kept(json.loads(path.read_bytes()))
    except FileNotFoundError as error:
        raise UsageError("there is no conversation to go on with yet") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError) as error:
        raise ValueError(f"{path}: is no conversation that charbot kept") from error


def _kept(data: dict[str, Any]) -> Kept:
    cast, me = data["cast"], data["me"]
    if not isinstance(me, str | None) or not isinstance(cast, list) or not cast or not all(isinstance(one, str) for one in cast):
        raise TypeError("names are texts")
    # Conversations were kept without their settings once, and somebody could take part twice.
    settings, asked = (override(Config(), {"chat": data.get(name, {})}, "").chat for name in ("settings", "asked"))
    return Kept(tuple(dict.fromkeys(cast)), me, Session.from_json(data["session"]), settings, asked)


def remember(persona: str) -> None:
    """Remembers who was chosen."""
    _write("persona", persona)


def last_persona() -> str | None:
    """Who was chosen last, if anybody."""
    try:
        return (_folder() / "persona").read_text("utf-8")
    except (OSError, ValueError):
        return None


def _write(name: str, text: str) -> None:
    try:
        replace_bytes(_private_folder() / name, text.encode(), 0o600)
    except (OSError, ValueError):
        return
