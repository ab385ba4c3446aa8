"""Pauses between starts that fail again and again: each start is a login, and Discord limits those."""

import json
from contextlib import suppress

from bots.discord_bot.database import StoreError
from bots.discord_bot.store import Store

_HOUR = 3600.0
_UNDELAYED = 3
"""Starts per hour that need not wait."""
_SHORTEST, _LONGEST = 10.0, 900.0
"""Seconds of the first wait, which doubles with each further start, and of the longest."""


class Restarts:
    """The recent starts of a process that have not gone well, in the database."""

    def __init__(self, store: Store, process: str) -> None:
        """`store` belongs to no application yet, as before the login; `process` names this process among those that share it."""
        self._store, self._name = store, f"starts {process}"

    def begin(self) -> float:
        """Record a start, and return how many seconds to wait before it."""
        now = self._store.clock()
        recent = [start for start in self._read() if 0 <= now - start < _HOUR]
        self._write([*recent, now])
        return min(_LONGEST, _SHORTEST * 2.0 ** (len(recent) - _UNDELAYED)) if len(recent) >= _UNDELAYED else 0.0

    def _read(self) -> list[float]:
        try:
            starts = json.loads(self._store.get_meta(self._name) or "[]")
            return [float(start) for start in starts]
        except (StoreError, TypeError, ValueError):
            return []

    def _write(self, starts: list[float]) -> None:
        # A disk that is full or read-only keeps nobody from starting.
        with suppress(StoreError):
            self._store.set_meta(self._name, json.dumps(starts))

    def clear(self) -> None:
        """Forget the starts, after one that went well."""
        self._write([])
