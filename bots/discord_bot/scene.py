"""Several personas who talk to one another in a channel while people watch."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply

MOST_PEOPLE = 4
PAUSE = 2.0
"""Seconds between two lines, for those who read them."""

_log = logging.getLogger("charbot.discord")

Say: TypeAlias = Callable[[str], Awaitable[None]]
"""Sends a line."""


async def play(
    people: Sequence[str],
    topic: str,
    turns: int,
    reply: Callable[[str, Conversation], Awaitable[Reply]],
    say: Say,
) -> None:
    """Has people speak in turn, so many lines in all. `reply` is what somebody says next."""
    conversation = Conversation().add(topic)
    for number in range(turns):
        who = people[number % len(people)]
        answer = await reply(who, conversation)
        conversation = answer.conversation
        await say(f"**{who}**: {answer.text}")
        await asyncio.sleep(PAUSE)


class Stages:
    """The scenes that are on, one in a channel at the most."""

    def __init__(self) -> None:
        self._on: dict[int, tuple[asyncio.Task[None], Say]] = {}

    def begin(self, channel: int, play: Coroutine[Any, Any, None], say: Say) -> bool:
        """Has a scene played. False where one is on."""
        if channel in self._on:
            play.close()
            return False
        task = asyncio.create_task(play, name=f"scene {channel}")
        self._on[channel] = task, say
        task.add_done_callback(lambda _: self._end(channel, task))
        return True

    def _end(self, channel: int, task: asyncio.Task[None]) -> None:
        del self._on[channel]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("the scene in channel %d ended early: %s", channel, error)

    def stop(self, channel: int) -> bool:
        """Ends the scene in a channel. False where there is none."""
        return channel in self._on and self._on[channel][0].cancel()

    def stop_all(self) -> list[Say]:
        """Ends all scenes; what says in their channels why they end."""
        return [say for task, say in list(self._on.values()) if task.cancel()]
