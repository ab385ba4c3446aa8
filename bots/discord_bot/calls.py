"""What is to be answered."""

import time
from dataclasses import dataclass, field
from typing import Protocol

from bots.discord_bot.place import Place


class Target(Protocol):
    """Where an answer goes."""

    async def typing(self) -> None: ...
    async def send(self, text: str, speaker: str | None = None) -> None:
        """Sends what a persona says, or what charbot says in its own name."""


@dataclass(frozen=True)
class Call:
    """Something that is to be answered, by its id; in no guild where it is a direct message, `nsfw` where the channel
    is age-restricted."""

    id: int
    guild: int | None
    channel: int
    author: int
    text: str
    place: Place
    nsfw: bool
    target: Target
    kept: bool = False
    """It is answered even after a crash."""
    reply: str | None = None
    """What was about to be said before one."""
    aside: bool = False
    """It is no part of the channel's conversation."""
    instead: str | None = None
    """It asks for another reply to the last message; this is what the one that it replaces looks like."""
    at: float = field(default_factory=time.monotonic)
