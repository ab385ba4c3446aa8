from collections.abc import Iterator

import discord
import pytest

from tests.bots.discord_bot.harness import script


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    script.reset()
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before
