"""Sending where the network, or Discord, may fail."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import discord

NETWORK = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What sending may raise."""
PASSING = (discord.DiscordServerError, aiohttp.ClientError, OSError)
"""That of it which may go by itself."""
PAUSES = (1.0, 4.0, 15.0)
"""Seconds before something is sent again."""


async def patiently(
    send: Callable[[], Awaitable[object]], arrived: Callable[[], Awaitable[bool]] | None = None, *, in_doubt: bool = False
) -> None:
    """Sends something, again after a while where that fails and may not for long. What failed may have `arrived` all the
    same: where twice would be wrong, that is found out before it is sent again, and before the first time where it is
    `in_doubt`. Raises what NETWORK has."""
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


async def quietly(sent: Awaitable[object]) -> None:
    """Waits for what may be lost."""
    with suppress(*NETWORK):
        await sent
