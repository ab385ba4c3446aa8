"""A clock that does not jump."""

import time


class SteadyClock:
    """Tells the time in seconds since 1970: the system's when this was made, plus what has passed since then.

    If the system's clock is set meanwhile, conversations do not become old, or new, all at once.
    """

    def __init__(self) -> None:
        self._start = time.time() - _elapsed()

    def __call__(self) -> float:
        return self._start + _elapsed()


def _elapsed() -> float:
    """Return seconds since some moment, including those that the machine slept, where the system counts them."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)
