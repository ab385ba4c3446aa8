"""Sending messages while the network or Discord may fail."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import discord

NETWORK = (discord.HTTPException, aiohttp.ClientError, OSError)
"""Errors that sending may raise."""
PASSING = (discord.DiscordServerError, aiohttp.ClientError, OSError)
"""Transient ones among them, after which sending is retried."""
PAUSES = (1.0, 4.0, 15.0)
"""Seconds before each retry."""


async def send_with_retry(
    send: Callable[[], Awaitable[object]], arrived: Callable[[], Awaitable[bool]] | None = None, *, in_doubt: bool = False
) -> None:
    """Send something, and retry after transient errors.

    A failed attempt may have arrived all the same. `arrived` checks that before each retry, and before the first attempt
    if `in_doubt`, so that nothing is sent twice. Raises the errors in NETWORK.
    """
    for pause in itertools.chain(PAUSES, [None]):
        try:
            if not (arrived and in_doubt and await arrived()):
                await send()
        except PASSING:
            if pause is None:
                raise
            await asyncio.sleep(pause)
            in_doubt = True
        else:
            return


async def ignore_send_errors(sent: Awaitable[object]) -> None:
    """Wait for something to be sent, ignoring errors."""
    with suppress(*NETWORK):
        await sent
