"""Texts that the bot sends in its own name, notices in the language of who reads them, and the splitting of long texts."""

from collections.abc import Mapping
from functools import cache
from math import ceil
from pathlib import Path

import yaml

from charbot.errors import BusyError, UsageError

LIMIT = 2000
"""Characters that Discord allows per message."""

HOURGLASS = "\N{HOURGLASS WITH FLOWING SAND}"
"""The reaction to a message that is left unanswered for now; `help_text` explains it."""
_HELP = ("help_talk", "help_persona", "help_say", "help_answer", "help_scene", "help_left", "help_rest")
_PRIVACY = ("kept_turns", "kept_until", "kept_waiting", "kept_settings", "kept_departed", "kept_nothing_else")
SETTINGS_HELP = "What /settings changes in a channel, or with `server_wide` in the server:"
LOOK = "Look at this!"
UNSEEN = "I can't see {kind} from here, you know. Tell me about it!"
WEBHOOKS_UNREAD = (
    "Replies to a persona's name I cannot read, unless they mention me: Discord gives me their text with the message content "
    "intent alone."
)
MUTE = "I may not write here: an admin has to give me the permission Send Messages (in Threads) in this channel."


CATALOGUES = Path(__file__).parent / "catalogues"
"""The notices: a file of keys and texts for each language, `de.yaml`."""


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    path = CATALOGUES / f"{language}.yaml"
    catalogue: Mapping[str, str] = yaml.safe_load((path if path.exists() else CATALOGUES / "en.yaml").read_text("utf-8"))
    return catalogue


def text(key: str, locale: str, **values: object) -> str:
    """Return the notice with a key in the language of one of Discord's locales, such as "pt-BR", or else in English."""
    return _catalogue(locale.partition("-")[0])[key].format(**values)


class NoticeError(UsageError):
    """A refusal that its user reads in their language."""

    def __init__(self, key: str, **values: object) -> None:
        """Refuse with the notice of a key."""
        super().__init__(text(key, "en", **values))
        self._key, self._values = key, values

    def text(self, locale: str) -> str:
        """Return the notice in the language of a locale."""
        return text(self._key, locale, **self._values)


def refusal_text(error: Exception, locale: str) -> str:
    """Return what users read of an error that they can do something about."""
    if isinstance(error, NoticeError):
        return error.text(locale)
    return text("busy", locale) if isinstance(error, BusyError) else str(error)


def help_text(locale: str) -> str:
    """Return what the bot can do, in the language of a locale."""
    return "\n".join(text(key, locale, hourglass=HOURGLASS) for key in _HELP)


def privacy_text(locale: str, **values: object) -> str:
    """Return what is kept of users, in the language of a locale."""
    return " ".join(text(key, locale, **values) for key in _PRIVACY)


def duration(seconds: float, locale: str) -> str:
    """Return a number of seconds in words, rounded up."""
    count, unit = (ceil(seconds), "second") if seconds <= 90 else (ceil(seconds / 60), "minute")
    return text(unit if count == 1 else f"{unit}s", locale, count=count)


def pieces(text: str, limit: int = LIMIT) -> list[str]:
    """Split a text into parts of at most `limit` characters, between lines or words where possible."""
    parts = []
    text = text.lstrip()
    while len(text) > limit:
        cut = max(text.rfind("\n", 0, limit + 1), text.rfind(" ", 0, limit + 1))
        cut = cut if cut > 0 else limit
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text] if text or not parts else parts
