"""Who may use the bot at all: its operators decide, in config.yaml and by blocking users and servers."""

import json
from collections.abc import Callable

from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import Store
from bots.discord_bot.texts import text
from charbot.config import DiscordSettings

_BLOCKED = "blocked"
"""Name of the meta value that lists the blocked users and servers."""


class Access:
    """The operators, and the users and servers that they block."""

    def __init__(self, store: Store, disk: SerialExecutor, config: DiscordSettings) -> None:
        """Access the database in the thread of `disk` only."""
        self._store, self._disk, self._config = store, disk, config
        self._blocked: frozenset[int] = frozenset()

    async def load(self) -> None:
        """Read who is blocked, which another process may have changed. Raises StoreError."""
        await self._disk.run(self._load)

    def _load(self) -> None:
        self._blocked = frozenset(json.loads(self._store.get_meta(_BLOCKED) or "[]"))

    def is_operator(self, user: int) -> bool:
        return user in self._config.operators

    def is_blocked(self, user: int, guild: int | None) -> bool:
        """Return whether a user, or the server where they are, is blocked."""
        return not self.is_operator(user) and bool({user, guild} & {*self._blocked, *self._config.blocked})

    def refusal(self, user: int, guild: int | None, locale: str) -> str | None:
        """Return why a user may not use the bot, or None; `guild` is None in direct messages."""
        if self.is_blocked(user, guild):
            return text("blocked", locale)
        direct = guild is None and not self._config.direct_messages
        return text("servers_only", locale) if direct and not self.is_operator(user) else None

    async def block(self, id_: int) -> None:
        """Block a user or server. Raises StoreError."""
        await self._disk.run(self._change, lambda blocked: blocked | {id_})

    async def unblock(self, id_: int) -> bool:
        """Unblock a user or server; return False if it was not blocked by `block`. Raises StoreError."""
        return id_ in await self._disk.run(self._change, lambda blocked: blocked - {id_})

    def _change(self, change: Callable[[frozenset[int]], frozenset[int]]) -> frozenset[int]:
        """Change who is blocked, and return who was before. Raises StoreError."""
        # Read again, or blocks of another process, or of a command at the same moment, would be lost.
        self._load()
        before, after = self._blocked, change(self._blocked)
        self._store.set_meta(_BLOCKED, json.dumps(sorted(after)))
        self._blocked = after
        return before
