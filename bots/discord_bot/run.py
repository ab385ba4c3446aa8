"""`charbot discord`: run the bot, check its prerequisites, or make its invitation link."""

import asyncio
import logging
import os
import re
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import discord
from dotenv import dotenv_values

from bots.discord_bot.bot import Bot, Shards
from bots.discord_bot.commands import add_commands
from bots.discord_bot.metrics import serve_metrics
from bots.discord_bot.restarts import Restarts
from bots.discord_bot.store import Store
from bots.discord_bot.webhooks import PersonaWebhooks
from bots.logs import start_logs
from bots.persona_pool import PersonaPool
from charbot.config import Config
from charbot.errors import CharbotError, ConfigError, UsageError
from charbot.generation.batching import BatchScheduler
from charbot.personas.library import Library, user_folder

_PORTAL = "https://discord.com/developers/applications"
_PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, read_message_history=True,
)  # fmt: skip
_UNAUTHENTICATED = 4004
"""The gateway's close code for a token that is wrong or was reset."""
_STOP_SECONDS = 35.0
"""Seconds that stopping takes, at most; deploy/ waits a little longer."""
_SETTLED_SECONDS = 600.0
"""Seconds after which a start counts as one that went well."""
_MAX_SHARDS = 100_000
"""Shards of a bot, at most: enough for 250 million servers."""
_MAX_OWN_SHARDS = 1000
"""Shards of a process, at most: Discord lets a bot connect so many in a day."""
_SHOWN = 40
"""Characters of a wrong argument that an error shows."""
_PAGE_SIZE = 200
"""Servers per page of Discord's list."""

T = TypeVar("T")

_log = logging.getLogger("charbot.discord")


def token() -> str:
    """Return the bot's token from the environment or ./.env. Raises ConfigError if there is none."""
    try:
        value = os.environ.get("DISCORD_TOKEN") or dotenv_values(".env").get("DISCORD_TOKEN")
    except UnicodeDecodeError as error:
        raise ConfigError(".env: is not UTF-8 text; save it as that") from error
    if not value:
        raise ConfigError(
            "there is no DISCORD_TOKEN, in the environment or in .env\n"
            f"copy it from {_PORTAL}: your application, Bot, Reset Token"
        )
    return value.strip()


def database(config: Config) -> str:
    """Return the URL of the database, which is in the user's folder unless the configuration names another one."""
    return config.discord.database or f"sqlite:///{user_folder().parent / 'discord.db'}"


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors of Discord and the network into a CharbotError that says what to do."""
    try:
        yield
    except discord.PrivilegedIntentsRequired as error:
        raise ConfigError(
            "Discord does not give this bot the messages of a channel (`discord.message_content: true`)\n"
            f"switch on Message Content Intent at {_PORTAL}: your application, Bot; or set it to false"
        ) from error
    except (aiohttp.ClientError, discord.DiscordException, OSError) as error:
        reset = isinstance(error, discord.ConnectionClosed) and error.code == _UNAUTHENTICATED
        if reset or isinstance(error, discord.LoginFailure):
            raise ConfigError(
                f"Discord refuses the token\ncopy it anew from {_PORTAL}: your application, Bot, Reset Token"
            ) from error
        raise CharbotError(f"Discord cannot be reached: {error}") from error


def shards(text: str) -> Shards:
    """Parse "0-3/16", shards 0 to 3 of 16, or "2/4". Raises UsageError."""
    match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?/(\d{1,9})", text)
    first, last, count = (int(part or match[1]) for part in match.groups()) if match else (1, 0, 0)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    if not first <= last < count:
        raise UsageError(f"--shards {shown}: give it as FIRST-LAST/COUNT, such as 0-3/16; COUNT is more than LAST")
    if count > _MAX_SHARDS or last - first >= _MAX_OWN_SHARDS:
        raise UsageError(
            f"--shards {shown}: COUNT is at most {_MAX_SHARDS}, of which one process serves at most {_MAX_OWN_SHARDS}; "
            "a shard serves up to 2500 servers"
        )
    return Shards(tuple(range(first, last + 1)), count)


def serve(library: Callable[[], Library], config: Config, which: Shards, *, force_sync: bool = False) -> int:
    """Run the bot until SIGTERM or SIGINT, and return the exit code. Raises CharbotError.

    With `force_sync` it registers its commands anew.
    """
    secret = token()
    start_logs()
    with (
        closing(Store(database(config))) as store,
        closing(Store(database(config))) as unclaimed,
        BatchScheduler() as scheduler,
        _explained(),
    ):
        bot = Bot(PersonaPool(library), store, scheduler, config, add_commands, which, force_sync=force_sync)
        asyncio.run(_run(bot, secret, Restarts(unclaimed, "-".join(map(str, which.ids)))))
    return 0


async def _run(bot: Bot, secret: str, restarts: Restarts) -> None:
    """Run the bot until a signal stops it. Raises the errors of discord.py."""
    stop = asyncio.Event()
    _on_signals(stop.set)
    settings = bot.services.config.discord
    async with serve_metrics(bot.metrics, bot.health_problem, settings.metrics_port, settings.metrics_host):
        running = asyncio.create_task(_start(bot, secret, restarts))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            await asyncio.to_thread(restarts.clear)
        stopping.cancel()
        _exit_after(_STOP_SECONDS)
        # `close` finishes pending answers. If Discord cannot be reached, discord.py would retry for ever: cancel it.
        await bot.close()
        if running.done():
            await running
        else:
            running.cancel()
            await asyncio.wait([running])


def _on_signals(stop: Callable[[], None]) -> None:
    """Have SIGTERM and SIGINT call `stop` in the running event loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:
            # Windows has no such handlers.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


async def _start(bot: Bot, secret: str, restarts: Restarts) -> None:
    """Run the bot, after a wait if it was started often, and forget the starts once it has run for long enough."""
    if seconds := await asyncio.to_thread(restarts.begin):
        _log.warning("started often in the last hour: waiting %d seconds, so as not to log in too often", seconds)
        await asyncio.sleep(seconds)

    async def settle() -> None:
        await asyncio.sleep(_SETTLED_SECONDS)
        await asyncio.to_thread(restarts.clear)

    settling = asyncio.create_task(settle())
    try:
        await bot.start(secret)
    finally:
        settling.cancel()


def _exit_after(seconds: float) -> None:
    """Exit after so many seconds even if a disk or a model hangs. Everything that matters is stored by then."""

    def exit_now() -> None:
        _log.warning("not stopped within %g seconds: left in the middle of it", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, exit_now)
    timer.daemon = True
    timer.start()


def _ask(question: Callable[[discord.Client], Awaitable[T]]) -> T:
    """Log in without connecting to the gateway, and return the answer to a question. Raises CharbotError."""

    async def log_in(secret: str) -> T:
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(secret)
            return await question(client)

    with _explained():
        return asyncio.run(log_in(token()))


@dataclass(frozen=True)
class _BotInfo:
    """The bot as Discord describes it."""

    application: discord.AppInfo
    servers: list[dict[str, Any]]
    """The servers that it is in, as JSON of Discord with their id, their name and the bot's permissions."""


async def _fetch_info(client: discord.Client) -> _BotInfo:
    """Return the bot as Discord describes it. Raises discord.HTTPException."""
    servers: list[Any] = []
    # `Client.fetch_guilds` leaves the permissions out.
    while page := await client.http.get_guilds(_PAGE_SIZE, after=servers[-1]["id"] if servers else None, with_counts=False):
        servers += page
        if len(page) < _PAGE_SIZE:
            break
    return _BotInfo(await client.application_info(), servers)


def _missing_permissions(server: Mapping[str, Any], needed: discord.Permissions) -> list[str]:
    """Return the names of the permissions that the bot lacks in a server."""
    has = discord.Permissions(int(server["permissions"]))
    return [] if has.administrator else [name.replace("_", " ") for name, need in needed if need and not getattr(has, name)]


def _invitation(application: int, *, manage_webhooks: bool = False) -> str:
    permissions = discord.Permissions(_PERMISSIONS.value)
    permissions.manage_webhooks = manage_webhooks
    # Without it, what is left unanswered for now gets a message instead of a reaction.
    permissions.add_reactions = True
    return discord.utils.oauth_url(application, permissions=permissions, scopes=("bot", "applications.commands"))


def invite() -> str:
    """Return the link by which an admin adds the bot to a server, with only the permissions that it uses."""
    return _invitation(_ask(discord.Client.application_info).id)


def check(library: Callable[[], Library], config: Config) -> bool:
    """Print a line per prerequisite, with what to do if it is missing, and return whether all are met."""
    with ThreadPoolExecutor(1) as pool:
        # Discord is asked while the personas are checked.
        asked = pool.submit(_ask, _fetch_info)
        personas = _outcome("personas", lambda: _check_personas(library, config))
        lines = [
            _outcome("token", lambda: f"it belongs to {asked.result().application.name}"),
            _outcome("message content", lambda: _check_intent(config, asked)),
            _outcome("permissions", lambda: _check_permissions(config, asked)),
            personas,
            _outcome("pictures", lambda: _check_pictures(config)),
            _outcome("database", lambda: _check_database(config)),
        ]
    print("\n".join(lines))
    return all(line.startswith("pass") for line in lines)


def _outcome(name: str, test: Callable[[], str]) -> str:
    """Return the line for a prerequisite; `test` returns a comment if it is met, and raises CharbotError if not."""
    try:
        return f"pass  {name}: {test()}"
    except CharbotError as error:
        return f"FAIL  {name}: {error}"


def _answer_of(asked: Future[_BotInfo]) -> _BotInfo:
    """Return the answer of Discord. Raises CharbotError if it could not be asked."""
    if asked.exception() is not None:
        raise CharbotError("could not be asked")
    return asked.result()


def _check_intent(config: Config, asked: Future[_BotInfo]) -> str:
    if not config.discord.message_content:
        return "not needed: mentions, replies and direct messages are enough"
    flags = _answer_of(asked).application.flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        return "granted"
    raise ConfigError(f"not granted: switch on Message Content Intent at {_PORTAL}: your application, Bot")


def _check_permissions(config: Config, asked: Future[_BotInfo]) -> str:
    answer = _answer_of(asked)
    with closing(Store(database(config))) as store:
        webhooks = store.guilds_with_webhooks()
    needed = discord.Permissions(_PERMISSIONS.value)
    lacking = []
    for server in answer.servers:
        needed.manage_webhooks = int(server["id"]) in webhooks
        if missing := _missing_permissions(server, needed):
            lacking.append(f"{server['name']}: no {', '.join(missing)}")
    if lacking:
        link = _invitation(answer.application.id, manage_webhooks=bool(webhooks))
        raise ConfigError("\n".join([*lacking, f"add it to them once more: {link}"]))
    return f"it has what it needs in {len(answer.servers)} server{'' if len(answer.servers) == 1 else 's'}"


def _check_personas(library: Callable[[], Library], config: Config) -> str:
    personas = PersonaPool(library)
    if personas.member(config.discord.persona) is None:
        raise ConfigError(f"`discord.persona` is {config.discord.persona!r}, which nobody has trained")
    # A reply would check them too, but takes seconds.
    library().verify()
    return f"{len(personas.members)}, {config.discord.persona} where nobody has chosen"


def _check_pictures(config: Config) -> str:
    PersonaWebhooks(config.discord.avatars)
    return f"{len(config.discord.avatars)}"


def _check_database(config: Config) -> str:
    with closing(Store(database(config))) as store:
        store.check_writable()
    return "it can be read and written"
