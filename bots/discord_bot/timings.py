"""The intervals and timeouts of the bot, in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """Intervals and timeouts, in seconds."""

    refresh: float = 30.0
    """Between two rounds of housekeeping: personas listed again, pending writes retried, old conversations deleted."""
    notice: float = 1.0
    """For which unanswered messages are counted before a notice about all of them."""
    closing: float = 20.0
    """That pending answers may take at shutdown."""
    flushing: float = 5.0
    """That running commands, then pending writes to the database, and then each thread, may take at shutdown."""
    retries: tuple[float, ...] = (1.0, 4.0, 15.0, 30.0)
    """Before each further attempt to send an answer."""
    scene_pause: float = 2.0
    """Between two lines of a scene, so that people can read them."""


DEFAULT_TIMINGS = Timings()
