import signal
from collections.abc import Iterator
from types import FrameType

import pytest
from hypothesis import settings

# A first call imports what it needs, and a busy machine is slow: neither is a failure.
settings.register_profile("charbot", deadline=None)
settings.load_profile("charbot")

_HANGING = 60
"""Seconds of processor time after which a test hangs: a pattern that backtracks without end."""


@pytest.fixture
def quick() -> Iterator[None]:
    """Ends a test that hangs, so that the others run."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("hangs")

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _HANGING)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
