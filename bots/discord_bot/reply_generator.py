"""Generation of replies under a channel's settings."""

import asyncio
from dataclasses import replace

from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.persona_pool import PersonaInfo, PersonaPool
from charbot.config import ChatSettings
from charbot.errors import UsageError
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply


class ReplyGenerator:
    """Chooses the persona that a channel's settings name, and has it reply."""

    def __init__(self, personas: PersonaPool, scheduler: BatchScheduler, options: ChatSettings) -> None:
        """`options` apply where the settings of a channel say nothing else."""
        self._personas, self._scheduler, self._options = personas, scheduler, options

    def persona(self, settings: ChannelSettings, nsfw: bool) -> tuple[PersonaInfo, bool]:
        """Return who answers under these settings, and whether without profanity. Raises UsageError if nobody can.

        `nsfw` tells whether the channel is age-restricted.
        """
        persona = self._personas.member(settings.persona or "")
        if persona is None:
            raise UsageError(f"{settings.persona} is not here any more. /persona set chooses somebody else.")
        clean = not nsfw if settings.clean is None else settings.clean
        if persona.mature and not clean and not nsfw:
            raise UsageError(f"{persona.name} talks in age-restricted channels, or where `/settings clean:true` is set.")
        return persona, clean

    async def reply(self, settings: ChannelSettings, nsfw: bool, conversation: Conversation, *, seed: int | None = None) -> Reply:
        """Return the reply to a conversation. Raises UsageError, BundleError, BusyError."""
        info, clean = self.persona(settings, nsfw)
        options = replace(self._options, clean=clean)
        if settings.temperature is not None:
            options = replace(options, temperature=settings.temperature)
        persona = await asyncio.to_thread(self._personas.persona, info.name)
        return await asyncio.wrap_future(self._scheduler.submit(persona, conversation, options, seed=seed))
