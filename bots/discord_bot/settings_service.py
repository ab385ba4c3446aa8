"""Lookup and change of the settings of servers, channels and threads."""

from collections.abc import Iterable
from dataclasses import replace

from bots.discord_bot.channel_settings import ChannelSettings, Setting
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import Store
from charbot.config import DiscordSettings


class SettingsService:
    """The settings of all places, in memory and in the database."""

    def __init__(self, store: Store, disk: SerialExecutor, config: DiscordSettings) -> None:
        """Access the database in the thread of `disk` only; `config` has the defaults."""
        self._store, self._disk, self._config = store, disk, config
        self._defaults = ChannelSettings(persona=config.persona, mode="mentions", cooldown=config.cooldown, roles=())
        self.places: dict[int, ChannelSettings] = {}

    async def load(self) -> None:
        """Read all settings from the database. Raises StoreError."""
        self.places = await self._disk.run(self._store.places)

    def of(self, channel: object, guild: int | None) -> ChannelSettings:
        """Return the settings of a channel: its own, else its parent channel's, its server's, or the defaults.

        The operator's limits bound them.
        """
        settings = self._defaults
        for place in (guild, getattr(channel, "parent_id", None), getattr(channel, "id", None)):
            if place is not None and place in self.places:
                settings = self.places[place].with_fallback(settings)
        return self._bounded(settings)

    def _bounded(self, settings: ChannelSettings) -> ChannelSettings:
        """Return settings within the limits that the operator has set."""
        temperature = settings.temperature
        return replace(
            settings,
            cooldown=max(settings.cooldown or 0.0, self._config.cooldown),
            temperature=None if temperature is None else min(temperature, self._config.max_temperature),
        )

    async def change(self, place: int, guild: int | None, changes: ChannelSettings, inherit: Setting | None = None) -> None:
        """Change the settings of a place, which is in the server `guild`, and reset the one named `inherit`.

        Raises StoreError, and then nothing has changed.
        """
        self.places[place] = await self._disk.run(self._store.set_place, place, changes, guild, inherit)

    def forget(self, places: Iterable[int]) -> None:
        """Drop the settings of these places from memory."""
        for place in places:
            self.places.pop(place, None)
