"""The parts of the bot that its commands and buttons use."""

from dataclasses import dataclass

from bots.discord_bot.access import Access
from bots.discord_bot.conversations import Conversations
from bots.discord_bot.cooldowns import Cooldowns
from bots.discord_bot.reply_generator import ReplyGenerator
from bots.discord_bot.reply_targets import ReplyTargets
from bots.discord_bot.responder import Responder
from bots.discord_bot.scenes import Scenes
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.settings_service import SettingsService
from bots.discord_bot.timings import Timings
from bots.persona_pool import PersonaPool
from charbot.config import Config


@dataclass(frozen=True)
class Services:
    """What commands and buttons work with; `Bot.services` holds it."""

    config: Config
    access: Access
    personas: PersonaPool
    settings: SettingsService
    conversations: Conversations
    cooldowns: Cooldowns
    generator: ReplyGenerator
    responder: Responder
    targets: ReplyTargets
    scenes: Scenes
    identifier: SerialExecutor
    """The thread that ranks who would have said a line."""
    timings: Timings
