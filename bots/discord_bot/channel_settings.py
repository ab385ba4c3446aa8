"""The settings of a place: a thread, a channel or a server."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import discord

from bots.discord_bot.markdown import escape
from bots.discord_bot.texts import text
from charbot.errors import UsageError

Mode = Literal["off", "mentions", "always"]
Setting = Literal[
    "persona", "mode", "temperature", "clean", "cooldown", "roles", "webhooks", "trigger_words", "random_reply_chance",
    "media_replies",
    "admins_only",
    "log_channel",
]  # fmt: skip
"""The names of the settings, which are the fields of `ChannelSettings`."""

MAX_COOLDOWN = 3600.0
"""Seconds of the longest cooldown."""

OLD_NAMES = {"faces": "webhooks", "wake": "trigger_words", "chance": "random_reply_chance", "everywhere": "server_wide"}
"""Former names of settings, and of an option of commands, and their present names. Databases may have the former."""


@dataclass(frozen=True)
class ChannelSettings:
    """The settings of a thread, channel or server. None is inherited: from the channel, the server or the configuration."""

    persona: str | None = None
    mode: Mode | None = None
    temperature: float | None = None
    clean: bool | None = None
    """Whether profanity is filtered; by default it is, except in age-restricted channels."""
    cooldown: float | None = None
    """Seconds between two messages of one user."""
    roles: tuple[int, ...] | None = None
    """Ids of the roles whose members are answered; empty for everybody."""
    webhooks: bool | None = None
    """Whether personas post under their own names, by webhook."""
    trigger_words: tuple[str, ...] | None = None
    """Words or phrases that are answered without a mention."""
    random_reply_chance: float | None = None
    """Probability of answering a message that does not address the bot."""
    media_replies: bool | None = None
    """Whether a message without text, such as a picture, is answered by saying that it cannot be seen; by default it is."""
    admins_only: bool | None = None
    """Whether only those who may manage the channel can use /reset and /stop."""
    log_channel: int | None = None
    """Id of the channel where changes of settings are announced."""

    def with_fallback(self, other: "ChannelSettings") -> "ChannelSettings":
        """Return these settings, with those of `other` where this has None."""
        ours, theirs = vars(self), vars(other)
        return ChannelSettings(**{name: theirs[name] if value is None else value for name, value in ours.items()})

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def shown(self) -> str:
        """Return the settings that are not None, one per line, as users type them."""
        shown = self.to_json()
        if self.roles is not None:
            shown["roles"] = " ".join(f"<@&{role}>" for role in self.roles) or "@everyone"
        if self.log_channel is not None:
            shown["log_channel"] = f"<#{self.log_channel}>"
        if self.trigger_words is not None:
            shown["trigger_words"] = escape(", ".join(self.trigger_words)) or "-"
        return "\n".join(f"{name}: {value}" for name, value in shown.items())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "tuple[ChannelSettings, list[str]]":
        """Read what `to_json` returned; return the settings, and an error per value that is left out as invalid.

        Settings that only another version of charbot knows are ignored.
        """
        settings, errors = cls(), []
        for name, value in data.items():
            current = OLD_NAMES.get(name, name)
            if current not in _IS_VALID or value is None:
                continue
            if _IS_VALID[current](value):
                change: dict[str, Any] = {current: tuple(value) if isinstance(value, list) else value}
                settings = replace(settings, **change)
            else:
                errors.append(f"{name} is {value!r}")
        return settings, errors


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)


_IS_VALID: Mapping[str, Callable[[Any], bool]] = {
    "persona": lambda value: isinstance(value, str),
    "mode": lambda value: value in get_args(Mode),
    "temperature": lambda value: _is_number(value, 0.05, 2.0),
    "clean": lambda value: isinstance(value, bool),
    "cooldown": lambda value: _is_number(value, 0.0, MAX_COOLDOWN),
    "roles": lambda value: _is_list(value, int),
    "webhooks": lambda value: isinstance(value, bool),
    "trigger_words": lambda value: _is_list(value, str),
    "media_replies": lambda value: isinstance(value, bool),
    "admins_only": lambda value: isinstance(value, bool),
    "log_channel": lambda value: type(value) is int,
    "random_reply_chance": lambda value: _is_number(value, 0.0, 1.0),
}
"""For each setting, a test of whether a stored value is valid."""


def channel_of(interaction: discord.Interaction[Any]) -> int:
    """Return the id of the channel where a command or button was used. Raises UsageError if Discord does not give it."""
    if interaction.channel_id is None:
        raise UsageError("That works in channels only.")
    return interaction.channel_id


def age_restricted(channel: object) -> bool:
    """Return whether a channel is age-restricted; direct messages are not."""
    is_nsfw = getattr(channel, "is_nsfw", None)
    return bool(is_nsfw and is_nsfw())


def may_speak(rights: discord.Permissions, channel: object) -> bool:
    """Return whether these permissions allow sending messages in a channel or thread."""
    return rights.send_messages_in_threads if isinstance(channel, discord.Thread) else rights.send_messages


def rejection_reason(author: discord.User | discord.Member, settings: ChannelSettings, locale: str) -> str | None:
    """Return why a user is not answered under these settings, or None if they are."""
    if settings.mode == "off":
        return text("off", locale)
    if settings.roles and isinstance(author, discord.Member) and not {role.id for role in author.roles} & set(settings.roles):
        return text("not_allowed", locale)
    return None
