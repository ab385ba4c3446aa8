"""A guard against events of the gateway that discord.py cannot parse."""

import logging
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any, TypeAlias

Parser: TypeAlias = Callable[[Any], None]

_ESSENTIAL = ("READY", "RESUMED")
"""Events without which a connection is of no use; their errors still end it."""

_log = logging.getLogger("charbot.discord")


def guard_parsers(parsers: MutableMapping[str, Parser]) -> None:
    """Make parsers, given by event, log their errors: with discord.py's own, an odd event ends the whole program."""
    for event, parse in parsers.items():
        if event not in _ESSENTIAL:
            parsers[event] = partial(_parse, event, parse)


def _parse(event: str, parse: Parser, data: Any) -> None:
    try:
        parse(data)
    except Exception as error:
        # Not the event itself: it may hold what somebody wrote.
        _log.warning("skipped an event that cannot be read: %s: %s", event, type(error).__name__, exc_info=error)
