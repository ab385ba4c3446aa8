"""The Discord client: starting, the events of Discord, and shutting down."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec

import discord
from discord.ext import commands

from bots.bounded_dict import BoundedDict
from bots.discord_bot import texts
from bots.discord_bot.access import Access
from bots.discord_bot.addressing import (
    GREETING,
    Identity,
    cannot_post,
    is_addressed,
    is_withheld,
    joins_in,
    may_answer,
    message_text,
)
from bots.discord_bot.attachments import attached_text, unseen_kind
from bots.discord_bot.background import BackgroundTasks
from bots.discord_bot.channel_settings import MAX_COOLDOWN, ChannelSettings, age_restricted, rejection_reason
from bots.discord_bot.command_tree import GuardedTree
from bots.discord_bot.conversations import Conversations, kept_turns
from bots.discord_bot.cooldowns import Cooldowns
from bots.discord_bot.database import StoreError
from bots.discord_bot.event_guard import guard_parsers
from bots.discord_bot.metrics import Metrics
from bots.discord_bot.notices import Notices
from bots.discord_bot.rate_limiter import GLOBAL_LIMIT, RateLimiter, limiting_trace
from bots.discord_bot.regenerate_button import RegenerateButton, regenerate_view
from bots.discord_bot.reply_generator import ReplyGenerator
from bots.discord_bot.reply_targets import ReplyTargets
from bots.discord_bot.requests import ReplyRequest
from bots.discord_bot.responder import Responder
from bots.discord_bot.retry import ignore_send_errors
from bots.discord_bot.scenes import Scenes
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.services import Services
from bots.discord_bot.settings_service import SettingsService
from bots.discord_bot.store import PendingMessage, Store
from bots.discord_bot.timings import DEFAULT_TIMINGS, Timings
from bots.discord_bot.webhooks import PersonaWebhooks
from bots.persona_pool import PersonaPool
from charbot.config import Config
from charbot.generation.batching import BatchScheduler
from charbot.text import prepare_message

_RECEIVED = 1000
"""Messages that are remembered as received, at most."""
_LATE_SECONDS = 5 * 60
"""Seconds after which a message is not answered any more, as after a restart: the conversation has moved on."""
_IDENTIFYING = 8
"""Pending /who requests, at most."""

P = ParamSpec("P")

_log = logging.getLogger("charbot.discord")


@dataclass(frozen=True)
class Shards:
    """The shards that a process serves."""

    ids: tuple[int, ...] = ()
    """Empty for all shards."""
    count: int | None = None
    """Number of shards over all processes; None if Discord decides."""


ALL_SHARDS = Shards()


class Bot(commands.AutoShardedBot):
    """The Discord client. Replies are generated, and the disk is accessed, in other threads."""

    def __init__(
        self,
        personas: PersonaPool,
        store: Store,
        scheduler: BatchScheduler,
        config: Config,
        add_commands: Callable[[commands.AutoShardedBot, Services], Awaitable[None]],
        shards: Shards = ALL_SHARDS,
        timings: Timings = DEFAULT_TIMINGS,
        *,
        force_sync: bool = False,
    ) -> None:
        """`add_commands` gives the bot its slash commands when it starts.

        They are registered with Discord where that is needed, or in any case with `force_sync`.
        """
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, moderation=True, webhooks=True)
        intents.message_content = config.discord.message_content
        self.metrics = Metrics()
        # Processes that share the shards share the limit.
        share = len(shards.ids) / (shards.count or 1) if shards.ids else 1.0
        self._limiter = RateLimiter(GLOBAL_LIMIT * share)
        own_shards: dict[str, Any] = {"shard_ids": list(shards.ids), "shard_count": shards.count} if shards.ids else {}
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            tree_cls=GuardedTree,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            http_trace=limiting_trace(self._limiter, self.metrics),
            **own_shards,
        )
        guard_parsers(self._connection.parsers)
        self._store, self._add_commands, self._timings = store, add_commands, timings
        self._force_sync = force_sync
        self._disk = SerialExecutor("store")
        self._background = BackgroundTasks()
        self._notices = Notices(self._background, timings.notice)
        self._received: BoundedDict[int, None] = BoundedDict(_RECEIVED)
        self._webhooks = PersonaWebhooks(config.discord.avatars)
        self.services = self._make_services(personas, scheduler, config)
        self._watch()

    def _watch(self) -> None:
        watch = self.metrics.watch
        watch("charbot_servers", "Servers that the bot is in", lambda: len(self.guilds))
        watch("charbot_gateway_latency_seconds", "From a heartbeat to its answer, averaged over shards", lambda: self.latency)
        watch("charbot_pending", "Requests that wait or are being answered", lambda: self.services.responder.pending)
        watch("charbot_database_errors", "Calls to the database that failed", lambda: self._store.errors)

    def _make_services(self, personas: PersonaPool, scheduler: BatchScheduler, config: Config) -> Services:
        settings = SettingsService(self._store, self._disk, config.discord)
        conversations = Conversations(self._store, self._disk, kept_turns(config.chat), config.discord.memory_days)
        cooldowns, generator = Cooldowns(), ReplyGenerator(personas, scheduler, config.chat)
        targets = ReplyTargets(
            self, self._wrote, self._webhooks, regenerate_view, conversations.add_quote, self._limiter, self._timings.retries
        )
        responder = Responder(
            generator, conversations, cooldowns, self.metrics, self._background, self._restored, config.discord.waiting,
            self._timings,
        )  # fmt: skip
        return Services(
            config, Access(self._store, self._disk, config.discord), personas, settings, conversations, cooldowns, generator,
            responder, targets, Scenes(), SerialExecutor("who", _IDENTIFYING), self._timings,
        )  # fmt: skip

    # Lifecycle

    async def setup_hook(self) -> None:
        await self._disk.run(self._store.claim, self.identity.application)
        parts = [f"shard-{shard}" for shard in self.shard_ids or ()] or ["all"]
        await self._disk.run(self._store.hold, parts)
        await self.services.access.load()
        await self.services.settings.load()
        await self.services.conversations.open()
        self.services.cooldowns.restore(await self._disk.run(self._store.last_spoken, MAX_COOLDOWN))
        # Enqueue these before any new message arrives.
        for late in await self._disk.run(self._store.waiting, _LATE_SECONDS, self._is_our_shard):
            self._received[late.message] = None
            self.services.responder.resume(late)
        await self._add_commands(self, self.services)
        self.add_dynamic_items(RegenerateButton)
        await self._sync()
        self._background.start(self._keep_house())

    async def _sync(self) -> None:
        """Register the commands with Discord if they have changed, or are not registered there any more.

        Without them mentions and direct messages are still answered: errors are logged.
        """
        commands = self.tree.get_commands()
        payload = json.dumps([command.to_dict(self.tree) for command in commands], sort_keys=True)
        wanted = f"{self.application_id} {hashlib.sha256(payload.encode()).hexdigest()}"
        try:
            registered = {command.name for command in await self.tree.fetch_commands()}
            unchanged = await self._disk.run(self._store.get_meta, "commands") == wanted
            if self._force_sync or not unchanged or registered != {command.name for command in commands}:
                await self.tree.sync()
                await self._disk.run(self._store.set_meta, "commands", wanted)
        except (discord.DiscordException, StoreError) as error:
            _log.warning("the slash commands may be missing or old: %s", error)

    async def _keep_house(self) -> None:
        """Regularly do what `chores` lists; an error of one does not keep the others from running."""
        conversations = self.services.conversations
        chores = (
            partial(self._disk.run, self.services.personas.refresh), conversations.flush, conversations.forget_old,
            self._forget_departed, self.services.access.load, partial(self.services.responder.retry_unsent, _LATE_SECONDS),
        )  # fmt: skip
        while True:
            for chore in chores:
                try:
                    await chore()
                except Exception as error:
                    _log.warning("%s", error)
            await asyncio.sleep(self._timings.refresh)

    async def health_problem(self) -> str | None:
        """Return the reason why the bot cannot answer, or None."""
        if not self.is_ready():
            return "not connected to Discord"
        lost = [str(number) for number, shard in self.shards.items() if shard.is_closed()]
        if lost:
            return f"not connected to Discord: shard {', '.join(lost)}"
        try:
            await self._disk.run(self._store.check_writable)
        except StoreError as error:
            return str(error)
        return self.services.responder.problem

    async def backup(self, name: str) -> Path:
        """Copy the database beside itself, and return the file's path. Raises StoreError."""
        return await self._disk.run(self._store.backup, name)

    async def close(self) -> None:
        """Finish pending answers or apologise for them, and disconnect."""
        if not self.is_closed():
            await self.services.responder.close(self._timings.closing if self.is_ready() else 0)
            for excuse in self.services.scenes.stop_all():
                await ignore_send_errors(excuse())
            assert isinstance(self.tree, GuardedTree)
            await self.tree.finish(self._timings.flushing)
            self._background.cancel()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.services.conversations.flush(), self._timings.flushing)
        await super().close()
        await self._webhooks.close()
        await self.services.identifier.close(self._timings.flushing)
        await self._disk.close(self._timings.flushing)

    # Servers and channels

    async def on_ready(self) -> None:
        _log.info("ready as %s in %d servers", self.user, len(self.guilds))
        # The bot may have been removed from servers while it was offline. `guilds` includes those that are only unavailable.
        await self._retried(self._disk.run, self._store.note_departures, {guild.id for guild in self.guilds}, self._is_our_shard)

    async def _retried(self, write: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Write to the database, retrying until it is available."""
        while True:
            try:
                await write(*args, **kwargs)
            except StoreError as error:
                _log.warning("%s", error)
                await asyncio.sleep(self._timings.refresh)
            else:
                return

    async def _forget_departed(self) -> None:
        if await self.services.conversations.forget_departed():
            await self.services.settings.load()

    def _is_our_shard(self, guild: int | None) -> bool:
        """Return whether this process, of all on the same database, serves a server. Direct messages go to shard 0."""
        count = self.shard_count or 1
        return ((guild or 0) >> 22) % count in (self.shard_ids or range(count))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        channels = [channel.id for channel in (*guild.channels, *guild.threads)]
        await self._retried(self._disk.run, self._store.depart, guild.id, channels)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._retried(self._disk.run, self._store.note_departures, {guild.id for guild in self.guilds}, self._is_our_shard)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._forget_places([channel.id])

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        await self._forget_places([thread.thread_id])

    async def on_thread_remove(self, thread: discord.Thread) -> None:
        # A private thread that the bot has left is not its business any more; public ones are only out of sight.
        if thread.is_private():
            await self._forget_places([thread.id])

    async def _forget_places(self, places: Sequence[int]) -> None:
        """Delete all that is stored for these places, retrying until the database is available."""
        self.services.settings.forget(places)
        await self._retried(self.services.conversations.forget_places, places)

    async def on_webhooks_update(self, channel: discord.abc.GuildChannel) -> None:
        self._webhooks.forget(channel.id)

    # Messages

    @property
    def identity(self) -> Identity:
        """The bot as messages speak of it; only after the login."""
        assert self.user is not None
        assert self.application_id is not None
        return Identity(self.user, self.application_id, self.intents.message_content)

    def _wrote(self, message: discord.Message) -> bool:
        return self.identity.wrote(message)

    async def on_message(self, message: discord.Message) -> None:
        """Answer a message if it is for the bot."""
        guild = message.guild.id if message.guild else None
        settings = self.services.settings.of(message.channel, guild)
        addressed = is_addressed(message, settings, self.identity)
        if not may_answer(message) or not (addressed or joins_in(message, settings, self.identity)):
            return
        locale = _locale(message.guild)
        if why := self.services.access.refusal(message.author.id, guild, locale):
            if not self.services.access.is_blocked(message.author.id, guild):
                await self._notify(message, settings, why)
            return
        # Where the bot cannot post, it cannot say so; /settings does.
        if rejection_reason(message.author, settings, locale) or cannot_post(message):
            return
        if is_withheld(message, self.identity):
            await self._notify(message, settings, texts.text("unread", locale))
            return
        # After a reconnection Discord may deliver a message twice.
        if message.id in self._received:
            return
        self._received[message.id] = None
        request = await self._request(message, settings)
        if request and (why := await self.services.responder.answer(request)) and addressed:
            self._notices.left_unanswered(message, request.target, why, locale)

    async def _notify(self, message: discord.Message, settings: ChannelSettings, text: str) -> None:
        """Tell the author of a message something, unless they were told something a short while ago."""
        target = self.services.targets.message(message, message.author.id, "", settings)
        await self._notices.tell(message.author.id, target, text)

    async def on_raw_message_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        if edit.message_id in self._received and (text := await self._text_of(edit.message)):
            await self.services.responder.edit(edit.channel_id, edit.message_id, text)

    async def on_raw_message_delete(self, deletion: discord.RawMessageDeleteEvent) -> None:
        await self._retried(self.services.responder.withdraw, deletion.channel_id, {deletion.message_id})

    async def on_raw_bulk_message_delete(self, deletion: discord.RawBulkMessageDeleteEvent) -> None:
        await self._retried(self.services.responder.withdraw, deletion.channel_id, deletion.message_ids)

    async def on_member_ban(self, guild: discord.Guild, user: discord.User | discord.Member) -> None:
        await self._retried(self.services.conversations.forget_member, guild.id, user.id)

    async def _text_of(self, message: discord.Message) -> str:
        """Return the text of a message and of its text files without mentions of the bot; "" if nothing is left."""
        text = message_text(message, self.identity)
        attached = await attached_text(message)
        return prepare_message(f"{text}\n{attached}") if attached else text

    async def _request(self, message: discord.Message, settings: ChannelSettings) -> ReplyRequest | None:
        """Return the request for a message; None if it holds nothing to answer."""
        text = await self._text_of(message)
        kind = None if text else unseen_kind(message)
        if kind and settings.media_replies is False:
            return None
        author, guild = message.author.id, message.guild.id if message.guild else None
        text = text or (texts.LOOK if kind else GREETING)
        target = self.services.targets.message(message, author, text, settings)
        return ReplyRequest(
            message.id, guild, message.channel.id, author, text, settings,
            age_restricted(message.channel), _locale(message.guild), target, durable=True,
            reply=texts.UNSEEN.format(kind=kind) if kind else None,
        )  # fmt: skip

    async def _restored(self, late: PendingMessage) -> ReplyRequest:
        """Return the request for a message that was stored before a restart."""
        # The channel is not cached before.
        await self.wait_until_ready()
        channel = self.get_channel(late.channel) or self.get_partial_messageable(late.channel)
        settings = self.services.settings.of(channel, late.guild)
        message = discord.PartialMessage(channel=channel, id=late.message)  # type: ignore[arg-type]
        target = self.services.targets.message(message, late.author, late.text, settings)
        return ReplyRequest(
            late.message, late.guild, late.channel, late.author, late.text, settings, age_restricted(channel),
            _locale(getattr(channel, "guild", None)), target, durable=True, reply=late.reply,
        )  # fmt: skip


def _locale(guild: discord.Guild | None) -> str:
    """Return Discord's name of a server's language; English for direct messages, of which it does not tell."""
    return str(guild.preferred_locale) if guild else "en"
