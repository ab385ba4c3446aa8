"""`charbot discord`: starts the bot, checks what it needs, or says how to invite it."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import discord
from dotenv import dotenv_values

from bots.discord_bot.bot import Bot, Shards
from bots.discord_bot.cast import Cast
from bots.discord_bot.logs import start_logs
from bots.discord_bot.metrics import served
from bots.discord_bot.store import Store
from charbot.config import Config
from charbot.errors import CharbotError, ConfigError, UsageError
from charbot.personas.library import Library, user_folder
from charbot.replies.switchboard import Switchboard

_PORTAL = "https://discord.com/developers/applications"
_PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, read_message_history=True,
)  # fmt: skip


def token() -> str:
    """The bot's token, from the environment or from ./.env. Raises ConfigError."""
    found = os.environ.get("DISCORD_TOKEN") or dotenv_values(".env").get("DISCORD_TOKEN")
    if not found:
        raise ConfigError(
            "there is no DISCORD_TOKEN, in the environment or in .env\n"
            f"copy it from {_PORTAL}: your application, Bot, Reset Token"
        )
    return found.strip()


def database(config: Config) -> str:
    return config.discord.database or f"sqlite:///{user_folder().parent / 'discord.db'}"


@contextmanager
def _explained() -> Iterator[None]:
    """Discord's refusals as errors that people can act on."""
    try:
        yield
    except discord.LoginFailure as error:
        raise ConfigError(
            f"Discord refuses the token\ncopy it anew from {_PORTAL}: your application, Bot, Reset Token"
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise ConfigError(
            "Discord does not give this bot the messages of a channel (`discord.message_content: true`)\n"
            f"switch on Message Content Intent at {_PORTAL}: your application, Bot; or set it to false"
        ) from error
    except (aiohttp.ClientError, discord.DiscordException, OSError) as error:
        raise CharbotError(f"Discord cannot be reached: {error}") from error


def shards(text: str) -> Shards:
    """Reads "0-3/16", shards 0 to 3 of 16, or "2/4". Raises UsageError."""
    match = re.fullmatch(r"(\d+)(?:-(\d+))?/(\d+)", text)
    first, last, count = (int(part or match[1]) for part in match.groups()) if match else (1, 0, 0)
    if not first <= last < count:
        raise UsageError(f"--shards {text}: give it as FIRST-LAST/COUNT, such as 0-3/16")
    return Shards(tuple(range(first, last + 1)), count)


def serve(library: Callable[[], Library], config: Config, which: Shards) -> int:
    """Runs the bot until it is told to stop (SIGTERM, SIGINT). Returns the exit code. Raises CharbotError."""
    secret = token()
    start_logs()
    store = Store(database(config))
    try:
        with Switchboard() as board, _explained():
            asyncio.run(_run(Bot(Cast(library), store, board, config, which), secret))
    finally:
        store.close()
    return 0


async def _run(bot: Bot, secret: str) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with served(bot.metrics, bot.ailment, bot.config.discord.metrics_port):
        running, stopping = asyncio.create_task(bot.start(secret)), asyncio.create_task(told.wait())
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        # Answers in hand are finished first. Where Discord cannot be reached, discord.py would go on trying for ever.
        await bot.close()
        if running.done():
            await running
        else:
            running.cancel()
            await asyncio.wait([running])


async def _application(secret: str) -> discord.AppInfo:
    client = discord.Client(intents=discord.Intents.none())
    async with client:
        await client.login(secret)
        return await client.application_info()


def invite() -> str:
    """The address by which a server's admin adds the bot, with the permissions that it needs and no others."""
    with _explained():
        found = asyncio.run(_application(token()))
    return discord.utils.oauth_url(found.id, permissions=_PERMISSIONS, scopes=("bot", "applications.commands"))


def check(library: Callable[[], Library], config: Config) -> bool:
    """Prints a line on each thing that the bot needs, with the cure where it is missing. Whether all are there."""
    found: list[discord.AppInfo] = []

    def logs_in() -> str:
        with _explained():
            found.append(asyncio.run(_application(token())))
        return f"it belongs to {found[0].name}"

    def reads() -> str:
        if not config.discord.message_content:
            return "not needed: mentions, replies and direct messages are enough"
        flags = found[0].flags if found else discord.ApplicationFlags()
        if flags.gateway_message_content or flags.gateway_message_content_limited:
            return "granted"
        raise ConfigError(f"not granted: switch on Message Content Intent at {_PORTAL}: your application, Bot")

    def people() -> str:
        cast = Cast(library)
        if cast.member(config.discord.persona) is None:
            raise ConfigError(f"`discord.persona` is {config.discord.persona!r}, whom nobody has fitted")
        return f"{len(cast.members)}, {config.discord.persona} where nobody has chosen"

    def keeps() -> str:
        Store(database(config)).close()
        return "it can be read and written"

    parts = {"token": logs_in, "message content": reads, "personas": people, "database": keeps}
    passed = [_passes(name, test) for name, test in parts.items()]
    return all(passed)


def _passes(name: str, test: Callable[[], str]) -> bool:
    try:
        print(f"pass  {name}: {test()}")
    except CharbotError as error:
        print(f"FAIL  {name}: {error}")
        return False
    return True
