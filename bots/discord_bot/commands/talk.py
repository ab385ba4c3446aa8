"""Commands that talk: /chat, /say, /who and /reset."""

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord_bot.addressing import GREETING
from bots.discord_bot.channel_settings import ChannelSettings, age_restricted, channel_of
from bots.discord_bot.commands.base import Interaction, ServicesCog
from bots.discord_bot.interactions import answer_interaction
from bots.discord_bot.texts import NoticeError, text
from charbot.text import prepare_message

_SHOWN = 3
"""Names that /who shows."""


class Talk(ServicesCog):
    """The commands that a persona answers."""

    @app_commands.command(name="chat", description="Say something to whoever talks in this channel")
    @app_commands.describe(message="what you say")
    async def chat(self, interaction: Interaction, message: app_commands.Range[str, 1, 1000]) -> None:
        self.require_accepted(interaction)
        await self._answer(interaction, self.settings_of(interaction), message)

    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.command(name="say", description="One line of anybody's, outside the conversation")
    @app_commands.describe(persona="who says it", message="what it answers")
    async def say(self, interaction: Interaction, persona: str, message: app_commands.Range[str, 1, 1000]) -> None:
        self.require_accepted(interaction)
        settings = ChannelSettings(persona=persona).with_fallback(self.settings_of(interaction))
        self.services.generator.persona(settings, age_restricted(interaction.channel))
        await self._answer(interaction, settings, message, outside_conversation=True)

    @say.autocomplete("persona")
    async def _complete(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        return self.complete_persona(typed)

    async def answer_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Answer any message of the channel, from its menu."""
        self.require_accepted(interaction)
        if not prepare_message(message.content):
            raise NoticeError("no_text")
        await self._answer(interaction, self.settings_of(interaction), message.content)

    async def _answer(
        self, interaction: Interaction, settings: ChannelSettings, message: str, *, outside_conversation: bool = False
    ) -> None:
        """Defer a command and enqueue it, to be answered under these settings."""
        await interaction.response.defer(thinking=True)
        target = self.services.targets.command(interaction, message, named=outside_conversation)
        said = prepare_message(message) or GREETING
        await answer_interaction(
            self.services, interaction, target, settings, said, outside_conversation=outside_conversation
        )  # fmt: skip

    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.command(name="who", description="Who of the shows would have said it")
    @app_commands.describe(line="what somebody said")
    async def who(self, interaction: Interaction, line: app_commands.Range[str, 1, 1000]) -> None:
        self.require_accepted(interaction)
        self.services.cooldowns.start(interaction.user.id)
        await interaction.response.defer(thinking=True)
        ranking = await self.services.identifier.run(self.services.personas.who_said, line)
        likely = "\n".join(f"{name}: {probability:.0%}" for name, probability in ranking[:_SHOWN])
        await self.services.targets.command(interaction, line).send(likely)

    @app_commands.command(name="reset", description="Start the conversation in this channel anew")
    async def reset(self, interaction: Interaction) -> None:
        self.require_answered(interaction)
        self.require_admin(interaction)
        await interaction.response.defer()
        await self.services.conversations.forget_channel(channel_of(interaction))
        await interaction.followup.send(text("new_conversation", str(interaction.locale)))
