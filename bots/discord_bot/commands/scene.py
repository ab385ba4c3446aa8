"""The commands /scene and /stop."""

from functools import partial

from discord import app_commands
from discord.app_commands import Choice

from bots.discord_bot.channel_settings import ChannelSettings, age_restricted, channel_of
from bots.discord_bot.commands.base import Interaction, ServicesCog, choices, error_text
from bots.discord_bot.markdown import quote
from bots.discord_bot.reply_generator import Asker
from bots.discord_bot.retry import ignore_send_errors
from bots.discord_bot.scenes import MAX_PEOPLE, play
from bots.discord_bot.texts import NoticeError, text
from charbot.errors import UsageError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply


class SceneCommands(ServicesCog):
    """Scenes, in which several personas talk to one another."""

    @app_commands.command(name="scene", description="Several people of the shows talk to one another")
    @app_commands.describe(personas="two to four, with commas between", topic="what it begins with", turns="how many lines")
    async def scene(
        self,
        interaction: Interaction,
        personas: str,
        topic: app_commands.Range[str, 1, 500] = "Hey!",
        turns: app_commands.Range[int, 2, 20] = 6,
    ) -> None:
        self.require_accepted(interaction)
        people, locale = self._people(interaction, personas), str(interaction.locale)
        if note := self.services.generator.crisis_note(topic):
            raise UsageError(note)
        settings = self.settings_of(interaction)
        asker = Asker(interaction.guild_id, interaction.user.id, age_restricted(interaction.channel))

        async def reply(who: str, conversation: Conversation) -> Reply:
            return await self.services.generator.reply(ChannelSettings(persona=who).with_fallback(settings), conversation, asker)

        async def say(line: str) -> None:
            if interaction.is_expired():
                await interaction.client.get_partial_messageable(channel_of(interaction)).send(line)
            else:
                await interaction.followup.send(line)

        async def perform() -> None:
            await interaction.response.send_message(f"*{' and '.join(people)}:*\n{quote(topic)}")
            try:
                await play(people, topic, turns, reply, say, self.services.timings.scene_pause)
            except Exception as error:
                await ignore_send_errors(say(error_text(error, locale)))
                raise

        if not self.services.scenes.begin(channel_of(interaction), perform(), partial(say, text("closing", locale))):
            raise NoticeError("scene_on")
        self.services.cooldowns.start(interaction.user.id)

    def _people(self, interaction: Interaction, personas: str) -> list[str]:
        """Return the names of the personas of a scene. Raises UsageError."""
        names = [name.strip() for name in personas.split(",") if name.strip()]
        if not 2 <= len(names) <= MAX_PEOPLE:
            raise NoticeError("scene_size", most=MAX_PEOPLE)
        settings, nsfw = self.settings_of(interaction), age_restricted(interaction.channel)
        people = []
        for name in names:
            self.require_persona(name)
            persona, _ = self.services.generator.persona(ChannelSettings(persona=name).with_fallback(settings), nsfw)
            people.append(persona.name)
        if len(set(people)) < len(people):
            raise NoticeError("scene_twice")
        return people

    @scene.autocomplete("personas")
    async def _complete(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        """Complete the last of several names with commas between."""
        before, comma, last = typed.rpartition(",")
        lead = f"{before}, " if comma else ""
        return choices([(f"{lead}{choice.value}", f"{lead}{choice.value}") for choice in self.complete_persona(last.strip())])

    @app_commands.command(name="stop", description="End the scene in this channel")
    async def stop(self, interaction: Interaction) -> None:
        self.require_admin(interaction)
        stopped = self.services.scenes.stop(channel_of(interaction))
        told = text("cut" if stopped else "no_scene", str(interaction.locale))
        await interaction.response.send_message(told, ephemeral=not stopped)
