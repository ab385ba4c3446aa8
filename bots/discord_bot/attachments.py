"""Attachments of messages: text files are read, other kinds cannot be seen."""

import asyncio
import logging

import aiohttp
import discord

from charbot.text import MAX_MESSAGE

_MAX_BYTES = 64 * 1024
"""Size of the largest text file that is read."""
_READ_TIMEOUT = 10.0
"""Seconds that reading a file may take."""

_log = logging.getLogger("charbot.discord")


async def attached_text(message: discord.Message) -> str:
    """Return the end of the text in a message's forwarded messages and text files; "" if there is none.

    Discord itself turns a long message into a text file.
    """
    texts = [snapshot.content for snapshot in message.message_snapshots if snapshot.content]
    for attachment in message.attachments:
        if _is_text(attachment) and attachment.size <= _MAX_BYTES:
            try:
                content = await asyncio.wait_for(attachment.read(), _READ_TIMEOUT)
                texts.append(content.decode("utf-8", "replace"))
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                _log.warning("an attachment in channel %d cannot be read: %s", message.channel.id, error)
    # Longer than a message may be, as `prepare_message` still removes characters.
    return "\n".join(texts)[-2 * MAX_MESSAGE :]


def unseen_kind(message: discord.Message) -> str | None:
    """Return the kind of content in a message that cannot be seen, as a plural noun, or None."""
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
