"""Whether a message is for the bot, and what it says to it."""

import random
import re
from dataclasses import dataclass

import discord

from bots.discord_bot.channel_settings import ChannelSettings, may_speak
from charbot.text import normalise, prepare_message, words

GREETING = "Hey!"
"""What a message without words, such as a lone mention, counts as."""
_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)
_MARKUP = re.compile(r"<a?:\w+:\d+>|<t:-?\d+(:\w)?>|</[^:>]+:\d+>")
"""Discord's codes for custom emoji, timestamps and slash commands, which are removed from messages."""


@dataclass(frozen=True)
class Identity:
    """The bot, as messages speak of it."""

    user: discord.ClientUser
    application: int
    reads_all: bool
    """Whether Discord gives it the text of messages that do not mention it (the message content intent)."""

    def wrote(self, message: discord.Message) -> bool:
        """Return whether the bot wrote a message, itself or by a webhook."""
        by_webhook = message.webhook_id is not None and message.application_id == self.application
        return by_webhook or message.author == self.user


def may_answer(message: discord.Message) -> bool:
    """Return whether a message may be answered at all. Bots are not: they might reply to each other without end."""
    return not message.author.bot and not message.webhook_id and message.type in _SPOKEN


def is_addressed(message: discord.Message, settings: ChannelSettings, bot: Identity) -> bool:
    """Return whether a message is meant for the bot."""
    if message.guild is None or (settings.mode == "always" and bot.reads_all):
        return True
    answered = message.reference.resolved if message.reference else None
    if isinstance(answered, discord.Message) and bot.wrote(answered):
        return True
    # Discord gives the bot a role of the same name, which people mention too.
    return bot.user in message.mentions or message.guild.self_role in message.role_mentions


def joins_in(message: discord.Message, settings: ChannelSettings, bot: Identity) -> bool:
    """Return whether to answer a message that is not meant for the bot: for a trigger word, or at random."""
    text = _padded(message.content)
    triggered = any(_padded(phrase) in text for phrase in settings.trigger_words or ())
    return triggered or (bot.reads_all and random.random() < (settings.random_reply_chance or 0.0))


def _padded(text: str) -> str:
    """Return the words of a text with a space around each, so that phrases match whole words only."""
    return f" {' '.join(words(normalise(text)))} "


def cannot_post(message: discord.Message) -> bool:
    """Return whether the bot cannot post in a message's channel. Channels that are not cached count as writable."""
    channel = message.channel
    if message.guild is None or isinstance(channel, discord.PartialMessageable):
        return False
    return not may_speak(channel.permissions_for(message.guild.me), channel)


def is_withheld(message: discord.Message, bot: Identity) -> bool:
    """Return whether Discord withholds the text of a message: without the intent, it does so for those without a mention."""
    return bool(message.guild and not message.content and bot.user not in message.mentions and not bot.reads_all)


def message_text(message: discord.Message, bot: Identity) -> str:
    """Return the text of a message without mentions of the bot; "" if nothing is left."""
    role = message.guild.self_role if message.guild else None
    mention = rf"<@!?{bot.user.id}>|<@&{role.id if role else 0}>"
    # `clean_content` is computed from `content`.
    message.content = re.sub(mention, "", _MARKUP.sub("", message.content))
    return prepare_message(message.clean_content)
