"""What messages have beside their text: text files are read, the rest cannot be seen."""

import asyncio
import logging

import aiohttp
import discord

from charbot.text import MAX_MESSAGE

_MAX_BYTES = 64 * 1024
"""Size of the largest text file that is read, of which the end counts."""

_SECONDS = 10.0
"""Timeout of reading a file."""

_log = logging.getLogger("charbot.discord")


async def attached_text(message: discord.Message) -> str:
    """Return the end of a message's text files, such as Discord makes of a long text, or of what it forwards; else ""."""
    texts = [snapshot.content for snapshot in message.message_snapshots if snapshot.content]
    for attachment in message.attachments:
        if _is_text(attachment) and attachment.size <= _MAX_BYTES:
            try:
                content = await asyncio.wait_for(attachment.read(), _SECONDS)
                texts.append(content.decode("utf-8", "replace"))
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                _log.warning("an attachment in channel %d cannot be read: %s", message.channel.id, error)
    # A few more characters than a message may have: what is no language is removed later.
    return "\n".join(texts)[-2 * MAX_MESSAGE :]


def unseen_kind(message: discord.Message) -> str | None:
    """Return what a message holds that cannot be seen, in the plural, or None if it holds nothing of the kind."""
    if message.stickers:
        return "stickers"
    if message.poll:
        return "polls"
    if message.attachments:
        kind = (message.attachments[0].content_type or "").partition("/")[0]
        return {"image": "pictures", "video": "videos", "audio": "recordings"}.get(kind, "files")
    return "pictures" if message.embeds or message.message_snapshots else None


def _is_text(attachment: discord.Attachment) -> bool:
    return (attachment.content_type or "").startswith("text/plain") or attachment.filename.casefold().endswith(".txt")
