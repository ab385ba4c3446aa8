"""Scenes: several personas talk to one another in a channel."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from bots.discord_bot.markdown import escape
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply

MAX_PEOPLE = 4
"""Personas in a scene, at most."""

_log = logging.getLogger("charbot.discord")

Say: TypeAlias = Callable[[str], Awaitable[None]]
"""Sends a line to the channel."""


async def play(
    people: Sequence[str],
    topic: str,
    turns: int,
    reply: Callable[[str, Conversation], Awaitable[Reply]],
    say: Say,
    pause: float,
) -> None:
    """Play a scene of `turns` lines, in which people speak in turn, `pause` seconds after one another.

    `reply` generates a person's next line.
    """
    conversation = Conversation().add(topic)
    for number in range(turns):
        who = people[number % len(people)]
        answer = await reply(who, conversation)
        conversation = answer.conversation
        await say(f"**{who}**: {escape(answer.text)}")
        await asyncio.sleep(pause)


class Scenes:
    """The running scenes, at most one per channel."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[asyncio.Task[None], Callable[[], Awaitable[None]]]] = {}

    def begin(self, channel: int, play: Coroutine[Any, Any, None], excuse: Callable[[], Awaitable[None]]) -> bool:
        """Start a scene; return False if one is running in the channel. `excuse` tells its user that the bot is closing."""
        if channel in self._running:
            play.close()
            return False
        task = asyncio.create_task(play, name=f"scene {channel}")
        self._running[channel] = task, excuse
        task.add_done_callback(lambda _: self._end(channel, task))
        return True

    def _end(self, channel: int, task: asyncio.Task[None]) -> None:
        del self._running[channel]
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("the scene in channel %d ended early: %s", channel, error)

    def stop(self, channel: int) -> bool:
        """Cancel the scene in a channel; return False if there is none."""
        return channel in self._running and self._running[channel][0].cancel()

    def stop_all(self) -> list[Callable[[], Awaitable[None]]]:
        """Cancel all scenes; return the functions that tell their users that the bot is closing."""
        return [excuse for task, excuse in list(self._running.values()) if task.cancel()]
