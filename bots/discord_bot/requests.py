"""Requests for replies, and the targets that replies are sent to."""

import time
from dataclasses import dataclass, field, replace
from typing import Protocol

from bots.discord_bot.channel_settings import ChannelSettings


class ReplyTarget(Protocol):
    """Where an answer is sent."""

    def edited(self, text: str) -> "ReplyTarget":
        """Return the target after what is answered was edited."""

    async def typing(self) -> None: ...
    async def send(self, text: str, speaker: str | None = None, *, in_doubt: bool = False) -> None:
        """Send a reply of the persona `speaker`, or a notice in charbot's own name if it is None.

        `in_doubt` tells that it may have been sent before. Raises the errors in SEND_ERRORS.
        """


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
    settings: ChannelSettings
    nsfw: bool
    """Whether the channel is age-restricted."""
    locale: str
    """Discord's name of the language in which its user reads notices."""
    target: ReplyTarget
    durable: bool = False
    """Whether it is stored, and so answered even after a crash."""
    reply: str | None = None
    """The reply of an earlier attempt, which may have been sent already."""
    outside_conversation: bool = False
    """Whether it neither reads nor changes the channel's conversation."""
    replaces: str | None = None
    """The channel's last reply as Discord shows it, if this request is for another reply in its place."""
    received_at: float = field(default_factory=time.monotonic)
    """On the monotonic clock."""

    def edited(self, text: str) -> "ReplyRequest":
        """Return the request after its message was edited."""
        return replace(self, text=text, target=self.target.edited(text))
