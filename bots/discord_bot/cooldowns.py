"""The cooldown of each user."""

import math
import time
from collections.abc import Mapping

from bots.bounded_dict import BoundedDict

_USERS = 10_000
"""Users whose cooldowns are remembered, at most."""


class Cooldowns:
    """When each user was last answered."""

    def __init__(self) -> None:
        self._started: BoundedDict[int, float] = BoundedDict(_USERS)

    def remaining(self, user: int, seconds: float | None) -> float:
        """Return how many seconds are left of a user's cooldown, which lasts `seconds`; 0 if it is over."""
        return max(0.0, self._started.get(user, -math.inf) + (seconds or 0.0) - time.monotonic())

    def restore(self, elapsed: Mapping[int, float]) -> None:
        """Start the cooldowns of users who were answered so many seconds ago, before a restart."""
        for user, seconds in elapsed.items():
            self._started[user] = time.monotonic() - seconds

    def start(self, user: int) -> None:
        self._started[user] = time.monotonic()

    def forget(self, user: int) -> None:
        self._started.pop(user, None)
