"""What the terminal keeps between runs, in the user's state folder: history, the last persona, the last conversation.

Nothing here is needed: where the folder cannot be read or written, charbot does without it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from bots.session import Session
from charbot.errors import UsageError
from charbot.storage import replace_bytes

_KEPT_TURNS = 200
"""Turns of a conversation that are kept, the last: a reply late in a long one costs no more than an early one."""


@dataclass(frozen=True)
class Kept:
    """A conversation to go on with: who takes part, whom the user plays, and what was said."""

    cast: tuple[str, ...]
    me: str | None
    session: Session


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
    data = {"cast": kept.cast, "me": kept.me, "session": kept.session.cut(_KEPT_TURNS).to_json()}
    try:
        replace_bytes(_private_folder() / "last.json", json.dumps(data, ensure_ascii=False).encode(), 0o600)
    except OSError:
        return


def last() -> Kept:
    """The conversation that was kept last. Raises UsageError where there is none."""
    path = _folder() / "last.json"
    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
        return Kept(tuple(map(str, data["cast"])), data["me"], Session.from_json(data["session"]))
    except FileNotFoundError as error:
        raise UsageError("there is no conversation to go on with yet") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: the last conversation cannot be read; delete the file to start anew") from error


def last_persona() -> str | None:
    """Who replied last, if anybody."""
    try:
        return last().cast[0]
    except (UsageError, IndexError):
        return None
