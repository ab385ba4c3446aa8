"""Settings of a place: a thread, a channel or a server."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import discord

from bots.discord_bot import texts
from charbot.errors import UsageError

Mode = Literal["off", "mentions", "always"]
Setting = Literal["persona", "mode", "temperature", "clean", "cooldown", "roles", "faces", "wake", "chance"]
"""The names of the settings, which are the fields of `Place`."""


@dataclass(frozen=True)
class ChannelSettings:
    """The settings of a thread, channel or server. None inherits from what is around it, or the configuration."""

    persona: str | None = None
    mode: Mode | None = None
    temperature: float | None = None
    clean: bool | None = None
    """Whether profanity is filtered; by default it is, except in age-restricted channels."""
    cooldown: float | None = None
    """Seconds between two messages of one user."""
    roles: tuple[int, ...] | None = None
    """Ids of the roles whose members are answered; empty for everybody."""
    faces: bool | None = None
    """Whether personas post under their own names, by webhook."""
    wake: tuple[str, ...] | None = None
    """Words or phrases that are answered without a mention."""
    chance: float | None = None
    """Probability of answering a message that does not address the bot."""

    def with_fallback(self, other: "ChannelSettings") -> "ChannelSettings":
        """Return these settings, with those of `other` where this has None."""
        return ChannelSettings(**{one.name: _either(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)})

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def shown(self) -> str:
        """Return the settings that are not None, one per line, as users type them."""
        shown = self.to_json()
        if self.roles is not None:
            shown["roles"] = " ".join(f"<@&{role}>" for role in self.roles) or "@everyone"
        if self.wake is not None:
            shown["wake"] = ", ".join(self.wake) or "-"
        return "\n".join(f"{name}: {value}" for name, value in shown.items())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ChannelSettings":
        """Read what `to_json` returned; ignore settings that only another version of charbot knows."""
        known: dict[str, Any] = {one.name: data[one.name] for one in fields(cls) if one.name in data}
        for name, value in known.items():
            if isinstance(value, list):
                known[name] = tuple(value)
        return cls(**known)


def _either(value: Any, other: Any) -> Any:
    return other if value is None else value


def channel_of(interaction: discord.Interaction[Any]) -> int:
    """Return the id of the channel where a command or button was used. Raises UsageError if Discord does not give it."""
    if interaction.channel_id is None:
        raise UsageError("That works in channels only.")
    return interaction.channel_id


def age_restricted(channel: object) -> bool:
    asked = getattr(channel, "is_nsfw", None)
    return bool(asked and asked())


def may_speak(rights: discord.Permissions, channel: object) -> bool:
    """Return whether these permissions allow sending messages in a channel or thread."""
    return rights.send_messages_in_threads if isinstance(channel, discord.Thread) else rights.send_messages


def rejection_reason(author: discord.User | discord.Member, place: ChannelSettings) -> str | None:
    """Return why a user is not answered under these settings, or None if they are."""
    if place.mode == "off":
        return texts.OFF
    if place.roles and isinstance(author, discord.Member) and not {role.id for role in author.roles} & set(place.roles):
        return texts.NOT_ALLOWED
    return None
