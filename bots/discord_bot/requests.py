"""Calls, which are to be answered, and the targets of their answers."""

import time
from dataclasses import dataclass, field
from typing import Protocol

from bots.discord_bot.channel_settings import ChannelSettings


class ReplyTarget(Protocol):
    """Where an answer is sent."""

    async def typing(self) -> None: ...
    async def send(self, text: str, speaker: str | None = None) -> None:
        """Send a reply of the persona `speaker`, or a notice in charbot's own name if it is None."""


@dataclass(frozen=True)
class ReplyRequest:
    """A message, command or button press that is to be answered."""

    id: int
    """Discord's id of the message or interaction."""
    guild: int | None
    """The server's id; None for direct messages."""
    channel: int
    author: int
    text: str
    place: ChannelSettings
    nsfw: bool
    """Whether the channel is age-restricted."""
    target: ReplyTarget
    kept: bool = False
    """Whether it is stored, and so answered even after a crash."""
    reply: str | None = None
    """The reply that was about to be sent before a restart."""
    aside: bool = False
    """Whether it is outside the channel's conversation."""
    instead: str | None = None
    """The text of the channel's last reply, if this call asks for another one to replace it."""
    at: float = field(default_factory=time.monotonic)
    """When it arrived, on the monotonic clock."""
