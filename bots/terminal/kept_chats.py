"""Kept conversations: one JSON file per conversation, in the user's state folder."""

import json
import os
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bots.session import Session
from bots.terminal.saved_state import private_folder, state_folder
from charbot.config import ChatSettings, Config, override
from charbot.errors import CharbotError, ConfigError, UsageError
from charbot.storage import replace_bytes
from charbot.text import is_name, normalise

_KEPT_TURNS = 200
"""The number of last turns that are saved, bounded so that saving does not get slower in a long conversation."""

_LOCK_SECONDS = 2.0
"""Maximum seconds that saving waits for another program that is saving."""

_TITLE = 40
"""Maximum code points of the first message, as the name of a conversation that has no other."""


@dataclass(frozen=True)
class SavedChat:
    """A conversation in the terminal, with its participants and settings."""

    name: str | None
    """The name that the user gave it, if any."""
    cast: tuple[str, ...]
    """The names of the personas that take part."""
    user_character: str | None
    """The character that the user plays, if any."""
    session: Session
    settings: ChatSettings
    """How replies were written last, changes by `/set` included."""
    startup_options: ChatSettings
    """How the configuration and the command line of that run asked for replies to be written."""

    @property
    def title(self) -> str:
        """The name that the user gave it, or else the beginning of the first message."""
        texts = [turn.text for turn in self.session.turns]
        messages = [text for text, from_user in zip(texts, self.session.from_user, strict=True) if from_user]
        first = (messages or texts or ["(empty)"])[0]
        return self.name or (first if len(first) <= _TITLE else f"{first[:_TITLE].rstrip()}...")

    def settings_for(self, startup_options: ChatSettings, overridden: Collection[str] = ()) -> ChatSettings:
        """Return the settings to continue with: the saved ones, except those that are newly asked for.

        Those are the ones with names in `overridden`, and those whose value in `startup_options` is neither the one asked for
        then nor the default.
        """
        before = (self.startup_options, ChatSettings())
        names = [
            field.name
            for field in fields(startup_options)
            if field.name in overridden
            or all(getattr(startup_options, field.name) != getattr(options, field.name) for options in before)
        ]
        return replace(self.settings, **{name: getattr(startup_options, name) for name in names})


@dataclass(frozen=True)
class ChatFile:
    """A file in which a conversation is kept."""

    path: Path
    version: tuple[int, int] | None
    """Time of the last change (ns) and inode of the file; None if there is no such file."""

    @property
    def changed(self) -> datetime:
        """When the conversation changed last."""
        return datetime.fromtimestamp((self.version or (0, 0))[0] // 10**9)


@dataclass(frozen=True)
class KeptChat(ChatFile):
    """A conversation, and the file in which it is kept."""

    chat: SavedChat

    @property
    def title(self) -> str:
        """The title of the conversation."""
        return self.chat.title


@dataclass(frozen=True)
class DamagedChat(ChatFile):
    """A file that holds no conversation that charbot can read."""

    problem: str
    """What is wrong with it."""

    @property
    def title(self) -> str:
        """The name of the file."""
        return self.path.name


class ChatStore:
    """A folder of kept conversations."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def default(cls) -> "ChatStore":
        """Return the user's folder, into which a conversation that an older charbot kept is moved."""
        folder = state_folder() / "chats"
        last = state_folder() / "last.json"
        with suppress(OSError):
            if last.exists():
                last.replace(private_folder(folder) / f"{uuid.uuid4().hex}.json")
        return cls(folder)

    def files(self) -> Iterator[KeptChat | DamagedChat]:
        """Yield what is in the folder, damaged or not, the one that changed last first."""
        versions = {path: _version(path) for path in self._folder.glob("*.json")}
        for path in sorted(versions, key=lambda path: (versions[path] or (0, 0), path), reverse=True):
            try:
                yield KeptChat(path, versions[path], _parse(json.loads(path.read_bytes())))
            except OSError as error:
                yield DamagedChat(path, versions[path], f"cannot be read: {error.strerror or error}")
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError):
                yield DamagedChat(path, versions[path], "is no conversation that charbot kept")

    def newest(self, report: Callable[[str], object], persona: str | None = None) -> KeptChat:
        """Return the conversation that changed last, of those with a `persona` if one is given.

        `report` a problem of each file before it. Raises UsageError.
        """
        for file in self.files():
            if isinstance(file, DamagedChat):
                report(f"{file.path}: {file.problem}")
            elif persona is None or persona in file.chat.cast:
                return file
        raise UsageError(f"there is no conversation{f' with {persona}' if persona else ''} to continue yet")

    def find(self, wanted: str) -> KeptChat:
        """Return a conversation by its number, 1 being the one that changed last, or by its name. Raises UsageError."""
        file = self.find_file(wanted)
        if isinstance(file, DamagedChat):
            raise UsageError(f"{file.path}: {file.problem}; `charbot chats remove {wanted}` deletes it")
        return file

    def find_file(self, wanted: str) -> KeptChat | DamagedChat:
        """Return what has this number or title in the folder, damaged or not. Raises UsageError."""
        files = list(self.files())
        if wanted.isdecimal() and 1 <= len(wanted) <= 9 and 1 <= int(wanted) <= len(files):
            return files[int(wanted) - 1]
        matching = [file for file in files if file.title.casefold() == wanted.casefold()]
        if len(matching) > 1:
            raise UsageError(f"{len(matching)} conversations are called {wanted!r}; give the number of the one you mean")
        if not matching:
            raise UsageError(f"there is no conversation called {wanted!r}; `charbot chats list`, or /chats, shows them all")
        return matching[0]

    def save(self, chat: SavedChat, before: KeptChat | None = None) -> KeptChat:
        """Keep a conversation in the file of `before`, and return it. Raises OSError.

        It gets a new file if there is none, and if another program has changed or removed it since.
        """
        # Not at the start: importing it would delay the first prompt.
        from filelock import FileLock

        private_folder(self._folder)
        # Locked, so that no other program can change the file after its version is read.
        with FileLock(self._folder / ".lock", timeout=_LOCK_SECONDS, mode=0o600):
            path = self._folder / f"{uuid.uuid4().hex}.json"
            if before is not None and before.version is not None and _version(before.path) == before.version:
                path = before.path
            replace_bytes(path, json.dumps(_to_json(chat)).encode(), 0o600)
            return KeptChat(path, _version(path), chat)

    def rename(self, kept: KeptChat, name: str) -> KeptChat:
        """Give a conversation a name, and return it; it counts as unchanged.

        Raises CharbotError, and UsageError for a name that cannot be.
        """
        chat = replace(kept.chat, name=chat_name(name))
        try:
            saved = self.save(chat, kept)
            if kept.version is not None:
                os.utime(saved.path, ns=(kept.version[0], kept.version[0]))
        except OSError as error:
            raise CharbotError(f"{kept.path}: could not be written: {error.strerror or error}") from error
        return saved

    def remove(self, file: ChatFile) -> None:
        """Delete a conversation. Raises CharbotError."""
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            raise CharbotError(f"{file.path}: could not be removed: {error.strerror or error}") from error


def chat_name(text: str) -> str:
    """Return a name for a conversation as it is stored. Raises UsageError if it would be too long, empty or a number."""
    name = normalise(text)
    if not is_name(name) or name.isdecimal():
        raise UsageError(f"{text!r} cannot be a conversation's name: take a line of at most 80 characters that is no number")
    return name


def _version(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _to_json(chat: SavedChat) -> dict[str, Any]:
    return {
        "name": chat.name, "cast": chat.cast, "me": chat.user_character,
        "session": chat.session.truncated(_KEPT_TURNS).to_json(),
        "settings": asdict(chat.settings), "asked": asdict(chat.startup_options),
    }  # fmt: skip


def _parse(data: dict[str, Any]) -> SavedChat:
    """Return the conversation that `_to_json` wrote.

    Raises ValueError, KeyError, TypeError, AttributeError or ConfigError for any other `data`.
    """
    cast, user_character, name = data["cast"], data["me"], data.get("name")
    if not isinstance(cast, list) or not cast:
        raise TypeError("somebody must take part")
    for text in (*cast, *(text for text in (user_character, name) if text is not None)):
        if not isinstance(text, str) or not is_name(text):
            raise TypeError("names are short texts")
    # Older files lack the settings and the name, and may name a persona twice, or as what the user plays.
    user_character = None if user_character in cast else user_character
    settings, startup_options = (override(Config(), {"chat": data.get(key, {})}, "").chat for key in ("settings", "asked"))
    session = Session.from_json(data["session"])
    return SavedChat(name, tuple(dict.fromkeys(cast)), user_character, session, settings, startup_options)
