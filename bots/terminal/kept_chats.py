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
class KeptChat:
    """A conversation, and the file in which it is kept."""

    path: Path
    version: tuple[int, int] | None
    """Time of the last change (ns) and inode of the file; None if there is no such file."""
    chat: SavedChat

    @property
    def changed(self) -> datetime:
        """When the conversation changed last."""
        return datetime.fromtimestamp((self.version or (0, 0))[0] // 10**9)


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

    def chats(self, report: Callable[[str], object]) -> Iterator[KeptChat]:
        """Yield the kept conversations, the one that changed last first.

        `report` is called with an error message for each file that is unreadable.
        """
        versions = {path: _version(path) for path in self._folder.glob("*.json")}
        for path in sorted(versions, key=lambda path: (versions[path] or (0, 0), path), reverse=True):
            try:
                yield KeptChat(path, versions[path], _parse(json.loads(path.read_bytes())))
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError):
                report(f"{path}: is no conversation that charbot kept")

    def newest(self, report: Callable[[str], object]) -> KeptChat:
        """Return the conversation that changed last. Raises UsageError if there is none."""
        for kept in self.chats(report):
            return kept
        raise UsageError("there is no conversation to continue yet")

    def find(self, wanted: str, report: Callable[[str], object]) -> KeptChat:
        """Return a conversation by its number, 1 being the one that changed last, or by its name. Raises UsageError."""
        kept = list(self.chats(report))
        if wanted.isdecimal() and 1 <= len(wanted) <= 9 and 1 <= int(wanted) <= len(kept):
            return kept[int(wanted) - 1]
        matching = [each for each in kept if each.chat.title.casefold() == wanted.casefold()]
        if len(matching) > 1:
            raise UsageError(f"{len(matching)} conversations are called {wanted!r}; give the number of the one you mean")
        if not matching:
            raise UsageError(f"there is no conversation called {wanted!r}; `charbot chats list` shows them all")
        return matching[0]

    def save(self, chat: SavedChat, before: KeptChat | None = None) -> KeptChat:
        """Keep a conversation in the file of `before`, and return it. Raises OSError.

        It gets a new file if there is none, and if another program has changed or removed it since.
        """
        path = self._folder / f"{uuid.uuid4().hex}.json"
        if before is not None and before.version is not None and _version(before.path) == before.version:
            path = before.path
        private_folder(self._folder)
        replace_bytes(path, json.dumps(_to_json(chat)).encode(), 0o600)
        return KeptChat(path, _version(path), chat)

    def rename(self, kept: KeptChat, name: str) -> None:
        """Give a conversation a name; it counts as unchanged. Raises CharbotError, and UsageError for a name that cannot be."""
        chat = replace(kept.chat, name=chat_name(name))
        try:
            saved = self.save(chat, kept)
            if kept.version is not None:
                os.utime(saved.path, ns=(kept.version[0], kept.version[0]))
        except OSError as error:
            raise CharbotError(f"{kept.path}: could not be written: {error.strerror or error}") from error

    def remove(self, kept: KeptChat) -> None:
        """Delete a conversation. Raises CharbotError."""
        try:
            kept.path.unlink(missing_ok=True)
        except OSError as error:
            raise CharbotError(f"{kept.path}: could not be removed: {error.strerror or error}") from error


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
