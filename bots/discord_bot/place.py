"""What is set for a place: a channel, or the server around it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import discord

from bots.discord_bot import texts
from charbot.errors import UsageError

Mode = Literal["off", "mentions", "always"]
Setting = Literal["persona", "mode", "temperature", "clean", "cooldown", "roles", "faces", "wake", "chance"]
"""What can be set; the fields of a place."""


@dataclass(frozen=True)
class Place:
    """How personas answer somewhere. None stands for what the server, or else charbot's settings, say."""

    persona: str | None = None
    mode: Mode | None = None
    temperature: float | None = None
    clean: bool | None = None
    cooldown: float | None = None
    roles: tuple[int, ...] | None = None
    faces: bool | None = None
    wake: tuple[str, ...] | None = None
    """Words that are answered without a mention."""
    chance: float | None = None
    """Of answering what is not for it."""

    def over(self, other: "Place") -> "Place":
        """This, and the other where this says nothing."""
        return Place(**{one.name: _either(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)})

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def shown(self) -> str:
        """What is set, a line each, as people type it."""
        shown = self.to_json()
        if self.roles is not None:
            shown["roles"] = " ".join(f"<@&{role}>" for role in self.roles) or "@everyone"
        if self.wake is not None:
            shown["wake"] = ", ".join(self.wake) or "-"
        return "\n".join(f"{name}: {value}" for name, value in shown.items())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Place":
        """What another version of charbot wrote and this one does not know is left out."""
        known: dict[str, Any] = {one.name: data[one.name] for one in fields(cls) if one.name in data}
        for name, value in known.items():
            if isinstance(value, list):
                known[name] = tuple(value)
        return cls(**known)


def _either(value: Any, other: Any) -> Any:
    return other if value is None else value


def channel_of(interaction: discord.Interaction[Any]) -> int:
    """Where a command or a button was used. Raises UsageError where Discord does not say."""
    if interaction.channel_id is None:
        raise UsageError("That works in channels only.")
    return interaction.channel_id


def age_restricted(channel: object) -> bool:
    asked = getattr(channel, "is_nsfw", None)
    return bool(asked and asked())


def may_speak(rights: discord.Permissions, channel: object) -> bool:
    """Whether who has these rights may send messages in a channel."""
    return rights.send_messages_in_threads if isinstance(channel, discord.Thread) else rights.send_messages


def refusal(author: discord.User | discord.Member, place: Place) -> str | None:
    """Why somebody is not answered in a place; None where they are."""
    if place.mode == "off":
        return texts.OFF
    if place.roles and isinstance(author, discord.Member) and not {role.id for role in author.roles} & set(place.roles):
        return texts.NOT_ALLOWED
    return None
