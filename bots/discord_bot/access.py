"""Who may use the bot at all, by its operator's word: config.yaml, and the list of those who are blocked."""

import json

from bots.discord_bot import texts
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import Store
from charbot.config import DiscordSettings

_BLOCKED = "blocked"
"""Name of the meta value that lists the blocked users and servers."""


class Access:
    """The operators, and whom they keep out."""

    def __init__(self, store: Store, disk: SerialExecutor, config: DiscordSettings) -> None:
        """Access the database in the thread of `disk` only."""
        self._store, self._disk, self._config = store, disk, config
        self._blocked: frozenset[int] = frozenset()

    async def load(self) -> None:
        """Read who is blocked. Raises StoreError."""
        stored = await self._disk.run(self._store.get_meta, _BLOCKED)
        self._blocked = frozenset(json.loads(stored or "[]"))

    def is_operator(self, user: int) -> bool:
        return user in self._config.operators

    def is_blocked(self, user: int, guild: int | None) -> bool:
        """Return whether a user, or the server where they are, is blocked."""
        return not self.is_operator(user) and bool({user, guild} & {*self._blocked, *self._config.blocked})

    def refusal(self, user: int, guild: int | None) -> str | None:
        """Return why a user may not use the bot, or None; `guild` is None in direct messages."""
        if self.is_blocked(user, guild):
            return texts.BLOCKED
        direct = guild is None and not self._config.direct_messages
        return texts.SERVERS_ONLY if direct and not self.is_operator(user) else None

    async def block(self, id_: int) -> None:
        """Block a user or server. Raises StoreError."""
        await self._set(self._blocked | {id_})

    async def unblock(self, id_: int) -> bool:
        """Unblock a user or server; return False if it was not blocked by `block`. Raises StoreError."""
        was_blocked = id_ in self._blocked
        await self._set(self._blocked - {id_})
        return was_blocked

    async def _set(self, blocked: frozenset[int]) -> None:
        await self._disk.run(self._store.set_meta, _BLOCKED, json.dumps(sorted(blocked)))
        self._blocked = blocked
