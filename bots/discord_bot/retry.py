"""Sending messages while the network or Discord may fail."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar

import aiohttp
import discord

T = TypeVar("T")

SEND_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)
"""Errors that sending may raise."""
_TRANSIENT = (discord.DiscordServerError, aiohttp.ClientError, OSError)


def is_transient(error: BaseException) -> bool:
    """Return whether a request that raised this error may succeed when it is repeated."""
    # discord.py retries a rate-limited request by itself, but only a few times.
    limited = isinstance(error, discord.HTTPException) and error.status == HTTPStatus.TOO_MANY_REQUESTS
    return limited or isinstance(error, _TRANSIENT)


async def send_with_retry(
    send: Callable[[], Awaitable[T]],
    pauses: Sequence[float],
    arrived: Callable[[], Awaitable[bool]] | None = None,
    *,
    in_doubt: bool = False,
) -> T | None:
    """Send something, and retry after transient errors, each time after the next of `pauses` (in seconds).

    A failed attempt may have arrived all the same. `arrived` checks that before each retry, and before the first attempt
    if `in_doubt`, so that nothing is sent twice. Returns what `send` does, or None if it had arrived. Raises the errors in
    SEND_ERRORS.
    """
    for pause in itertools.chain(pauses, [None]):
        try:
            if arrived and in_doubt and await arrived():
                return None
            return await send()
        except SEND_ERRORS as error:
            if pause is None or not is_transient(error):
                raise
            await asyncio.sleep(pause)
            in_doubt = True
    return None


async def ignore_send_errors(sent: Awaitable[object]) -> None:
    """Wait for something to be sent, ignoring errors."""
    with suppress(*SEND_ERRORS):
        await sent
