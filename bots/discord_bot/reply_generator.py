"""Generation of replies under a channel's settings."""

import asyncio
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace

from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.fair_slots import FairSlots
from bots.discord_bot.texts import NoticeError
from bots.persona_pool import PersonaInfo, PersonaPool
from bots.shortening import shortened
from charbot.config import ChatSettings
from charbot.generation.batching import MAX_BATCH, BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.crisis import crisis_note
from charbot.generation.persona import Persona, Reply

_SLOTS = 2 * MAX_BATCH
"""Replies that are generated or wait in the scheduler at once, so that those who wait get their turns fairly."""


@dataclass(frozen=True)
class Asker:
    """Who asks for a reply, and where."""

    guild: int | None
    """The server's id; None for direct messages."""
    user: int
    nsfw: bool
    """Whether the channel is age-restricted."""


class ReplyGenerator:
    """Chooses the persona that a channel's settings name, and has it reply."""

    def __init__(self, personas: PersonaPool, scheduler: BatchScheduler, options: ChatSettings) -> None:
        """`options` apply where the settings of a channel say nothing else."""
        self._personas, self._scheduler, self._options = personas, scheduler, options
        self._slots = FairSlots(_SLOTS)
        self._closed = threading.Event()

    def persona(self, settings: ChannelSettings, nsfw: bool) -> tuple[PersonaInfo, bool]:
        """Return the persona that answers under these settings, and whether without profanity. Raises UsageError if none can.

        `nsfw` tells whether the channel is age-restricted.
        """
        persona = self._personas.member(settings.persona or "")
        if persona is None:
            raise NoticeError("persona_gone", name=settings.persona)
        clean = not nsfw if settings.clean is None else settings.clean
        if persona.mature and not clean and not nsfw:
            raise NoticeError("mature", name=persona.name)
        return persona, clean

    def crisis_note(self, text: str) -> str | None:
        """Return the note that answers a message about suicide, abuse or violence instead of a reply; None for other messages."""
        return crisis_note(text, self._options.crisis_note)

    async def reply(
        self,
        settings: ChannelSettings,
        conversation: Conversation,
        asker: Asker,
        *,
        seed: int | None = None,
        avoid: Collection[str] = (),
    ) -> Reply:
        """Return the reply to a conversation, whose last turn is shortened; it is none of the texts to `avoid`.

        Raises UsageError, BundleError, BusyError, and Cancelled after `close`.
        """
        info, clean = self.persona(settings, asker.nsfw)
        options = replace(self._options, clean=clean)
        if settings.temperature is not None:
            options = replace(options, temperature=settings.temperature)
        async with self._slots.slot(asker.guild or asker.user, asker.user):
            persona = await asyncio.to_thread(self._personas.persona, info.name)
            bounded = await asyncio.to_thread(_shortened, persona, conversation, options)
            future = self._scheduler.submit(persona, bounded, options, seed=seed, avoid=avoid, cancelled=self._closed.is_set)
            return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Cancel the replies that are being generated."""
        self._closed.set()


def _shortened(persona: Persona, conversation: Conversation, options: ChatSettings) -> Conversation:
    """Return a conversation whose last turn is shortened."""
    turns = conversation.turns
    return replace(conversation, turns=turns[:-1] + shortened(persona, turns[-1:], options.unit))
