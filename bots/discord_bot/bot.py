"""The bot: which messages are for it, and how they are answered."""

import asyncio
import hashlib
import json
import logging
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord.ext import commands

from bots.discord_bot import texts
from bots.discord_bot.bounded_dict import BoundedDict
from bots.discord_bot.channel_queues import ChannelQueues
from bots.discord_bot.channel_settings import ChannelSettings, Setting, age_restricted, channel_of, may_speak, rejection_reason
from bots.discord_bot.conversations import Conversations
from bots.discord_bot.metrics import Metrics
from bots.discord_bot.persona_pool import PersonaInfo, PersonaPool
from bots.discord_bot.regenerate_button import RegenerateButton
from bots.discord_bot.reply_targets import AnyMessage, ToMessage
from bots.discord_bot.requests import ReplyRequest, ReplyTarget
from bots.discord_bot.retry import NETWORK, PASSING, ignore_send_errors
from bots.discord_bot.scene import Stages
from bots.discord_bot.serial_executor import SerialExecutor
from bots.discord_bot.store import PendingMessage, Store, StoreError
from bots.discord_bot.webhooks import PersonaWebhooks
from charbot.config import Config
from charbot.errors import BusyError, CharbotError, UsageError
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply
from charbot.text import normalise, prepare_message, words

if TYPE_CHECKING:
    from charbot.speakers.identifier import Ranking

_REMEMBERED = 1000
"""Users whose cooldowns are remembered, and messages known as received, at most."""
_REFRESH_SECONDS = 30
_NOTICE_SECONDS = 1.0
"""Seconds over which messages left unanswered are counted, before one notice for all of them."""
_LATE_SECONDS = 5 * 60
"""Seconds after which messages that arrived before a restart are dropped: the conversation has moved on."""
_RECOGNISED = 8
"""Pending /who requests, at most."""
_CLOSING_SECONDS = 20
_FLUSHING_SECONDS = 5
"""Seconds that pending writes to the database may take at shutdown."""
_LOOKED_AT = 50
"""Messages after one that are searched for its answer."""

_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)

_MARKUP = re.compile(r"<a?:\w+:\d+>|<t:-?\d+(:\w)?>|</[^:>]+:\d+>")
"""Discord's codes for custom emoji, timestamps and slash commands, which are removed from messages."""

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
        cast: PersonaPool,
        store: Store,
        scheduler: BatchScheduler,
        config: Config,
        add_commands: Callable[["Bot"], None],
        shards: Shards = ALL_SHARDS,
    ) -> None:
        """`add_commands` gives the bot its slash commands when it starts."""
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, webhooks=True)
        intents.message_content = config.discord.message_content
        some: dict[str, Any] = {"shard_ids": list(shards.ids), "shard_count": shards.count} if shards.ids else {}
        super().__init__(
            commands.when_mentioned,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            **some,
        )
        self.cast, self.store, self.scheduler, self.config = cast, store, scheduler, config
        self.places: dict[int, ChannelSettings] = {}
        self.metrics = Metrics()
        self._add_commands = add_commands
        self._desk: ChannelQueues[ReplyRequest | PendingMessage] = ChannelQueues(self._attend, config.discord.waiting)
        self.stages = Stages()
        self._faces = PersonaWebhooks(config.discord.avatars)
        self._disk = SerialExecutor("store")
        self._identifier = SerialExecutor("who", _RECOGNISED)
        self.conversations = Conversations(store, self._disk, 2 * config.chat.context_turns, config.discord.memory_days)
        self._spoke: BoundedDict[int, float] = BoundedDict(_REMEMBERED)
        self._left: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard: BoundedDict[int, None] = BoundedDict(_REMEMBERED)

    def do(self, work: Awaitable[None]) -> None:
        """Run an awaitable as a background task."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Settings of places

    def place(self, guild: int | None, *channels: int | None) -> ChannelSettings:
        """Return the settings of a channel: its own, else its parent channel's, its server's, or the configuration's."""
        settings = self.config.discord
        found = ChannelSettings(persona=settings.persona, mode="mentions", cooldown=settings.cooldown, roles=())
        for where in (guild, *reversed(channels)):
            found = self.places.get(where, ChannelSettings()).with_fallback(found) if where else found
        return found

    def place_of(self, channel: object, guild: int | None) -> ChannelSettings:
        return self.place(guild, getattr(channel, "id", None), getattr(channel, "parent_id", None))

    async def change_place(self, where: int, changes: ChannelSettings, inherit: Setting | None = None) -> None:
        """Change a place's settings, and reset the one named `inherit`. Raises StoreError, and then nothing has changed."""
        self.places[where] = await self._disk.run(self.store.set_place, where, changes, self._server_of(where), inherit)

    def _server_of(self, place: int) -> int | None:
        """Return the id of the server that a place is, or is in, or None."""
        if self.get_guild(place):
            return place
        guild: discord.Guild | None = getattr(self.get_channel(place), "guild", None)
        return guild.id if guild else None

    # Lifecycle

    async def setup_hook(self) -> None:
        self.places = await self._disk.run(self.store.places)
        await self.conversations.open()
        # Enqueue these before any new message arrives.
        for late in await self._disk.run(self.store.waiting, _LATE_SECONDS, self._ours):
            self._heard[late.message] = None
            self._desk.put(late.channel, late, late=True)
        self._add_commands(self)
        self.add_dynamic_items(RegenerateButton)
        await self._sync()
        self.do(self._look_after())

    async def _sync(self) -> None:
        """Register the commands with Discord if they have changed."""
        payload = json.dumps([command.to_dict(self.tree) for command in self.tree.get_commands()], sort_keys=True)
        wanted = f"{self.application_id} {hashlib.sha256(payload.encode()).hexdigest()}"
        if await self._disk.run(self.store.fact, "commands") != wanted:
            await self.tree.sync()
            await self._disk.run(self.store.note, "commands", wanted)

    async def _look_after(self) -> None:
        """Regularly list the personas again, retry pending writes and forget old conversations."""
        while True:
            for task in (partial(self._disk.run, self.cast.refresh), self.conversations.flush, self.conversations.forget_old):
                try:
                    await task()
                except Exception as error:
                    _log.warning("%s", error)
            await asyncio.sleep(_REFRESH_SECONDS)

    async def on_ready(self) -> None:
        _log.info("ready as %s in %d servers", self.user, len(self.guilds))
        # The bot may have been removed from servers while it was offline. `guilds` includes those that are only unavailable.
        try:
            if gone := await self._disk.run(self.store.forget_others, {guild.id for guild in self.guilds}, self._ours):
                _log.info("forgot %d servers that it is not in any more", len(gone))
                self.places = await self._disk.run(self.store.places)
        except StoreError as error:
            _log.warning("%s", error)

    def _ours(self, guild: int | None) -> bool:
        """Return whether this process, of all on the same database, serves a server. Direct messages go to shard 0."""
        count = self.shard_count or 1
        return ((guild or 0) >> 22) % count in (self.shard_ids or range(count))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        # Rows from before the server was stored are found by their channel only.
        await self._forget_places([guild.id, *(channel.id for channel in (*guild.channels, *guild.threads))])

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._forget_places([channel.id])

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        await self._forget_places([thread.thread_id])

    async def _forget_places(self, places: Sequence[int]) -> None:
        """Delete all that is stored for these places, retrying until the database is available."""
        for place in places:
            self.places.pop(place, None)
        while True:
            try:
                return await self.conversations.forget_places(places)
            except StoreError as error:
                _log.warning("%s", error)
                await asyncio.sleep(_REFRESH_SECONDS)

    async def on_webhooks_update(self, channel: discord.abc.GuildChannel) -> None:
        self._faces.forget(channel.id)

    async def ailment(self) -> str | None:
        """Return what keeps the bot from answering, or None."""
        if not self.is_ready():
            return "not connected to Discord"
        lost = [str(number) for number, shard in self.shards.items() if shard.is_closed()]
        if lost:
            return f"not connected to Discord: shard {', '.join(lost)}"
        try:
            await self._disk.run(self.store.fact, "commands")
        except StoreError as error:
            return str(error)
        return None

    async def close(self) -> None:
        """Finish pending answers or apologise for them, and disconnect."""
        if not self.is_closed():
            for call in await self._desk.close(_CLOSING_SECONDS if self.is_ready() else 0):
                if isinstance(call, ReplyRequest):
                    await self._excuse(call)
            for say in self.stages.stop_all():
                await ignore_send_errors(say(texts.CLOSING))
            for task in self._tasks:
                task.cancel()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.conversations.flush(), _FLUSHING_SECONDS)
        await super().close()
        await self._faces.close()
        await self._identifier.close()
        await self._disk.close()

    # Messages

    async def on_message(self, message: discord.Message) -> None:
        """Answer a message if it is for the bot. Bots are never answered: they might reply to each other without end."""
        if message.author.bot or message.webhook_id or message.type not in _SPOKEN:
            return
        place = self.place_of(message.channel, message.guild.id if message.guild else None)
        addressed = self._addressed(message, place)
        if not (addressed or self._joins_in(message, place)) or rejection_reason(message.author, place):
            return
        if self._mute(message):
            # The bot cannot say so here; /settings does.
            return
        if message.guild and not message.content and self.user not in message.mentions and not self.intents.message_content:
            # Without the intent, Discord withholds the text of a reply that does not mention the bot.
            if not self.hasty(message.author.id, place):
                await ignore_send_errors(self._to(message, message.author.id, ChannelSettings()).send(texts.UNREAD))
            return
        # After a reconnection Discord may deliver a message twice.
        if message.id in self._heard:
            return
        self._heard[message.id] = None
        role = message.guild.self_role if message.guild else None
        called = rf"<@!?{self.user.id if self.user else 0}>|<@&{role.id if role else 0}>"
        message.content = re.sub(called, "", _MARKUP.sub("", message.content))
        guild, nsfw = message.guild.id if message.guild else None, age_restricted(message.channel)
        # An empty message, such as a lone mention, counts as a greeting.
        text = prepare_message(message.clean_content) or "Hey!"
        target = self._to(message, message.author.id, place)
        call = ReplyRequest(message.id, guild, message.channel.id, message.author.id, text, place, nsfw, target, kept=True)
        if not await self.answer(call) and addressed:
            self._leave(call)

    def _addressed(self, message: discord.Message, place: ChannelSettings) -> bool:
        if message.guild is None or (place.mode == "always" and self.intents.message_content):
            return True
        answered = message.reference.resolved if message.reference else None
        if isinstance(answered, discord.Message) and self._mine(answered):
            return True
        # Discord gives the bot a role of the same name, which people mention too.
        return self.user in message.mentions or message.guild.self_role in message.role_mentions

    def _mute(self, message: discord.Message) -> bool:
        """Return whether the bot cannot post in the message's channel. Channels that are not cached count as writable."""
        channel = message.channel
        if message.guild is None or isinstance(channel, discord.PartialMessageable):
            return False
        return not may_speak(channel.permissions_for(message.guild.me), channel)

    def _joins_in(self, message: discord.Message, place: ChannelSettings) -> bool:
        """Return whether to answer a message that does not address the bot: for a wake word, or by chance."""

        def padded(text: str) -> str:
            return f" {' '.join(words(normalise(text)))} "

        woken = any(padded(phrase) in padded(message.content) for phrase in place.wake or ())
        return woken or (self.intents.message_content and random.random() < (place.chance or 0.0))

    def _mine(self, message: discord.Message) -> bool:
        """Return whether the bot wrote a message, itself or by a webhook."""
        by_webhook = message.webhook_id is not None and message.application_id == self.application_id
        return by_webhook or message.author == self.user

    def _to(self, message: AnyMessage, author: int, place: ChannelSettings, *, in_doubt: bool = False) -> ToMessage:
        return ToMessage(message, author, self._stands, self._faces if place.faces else None, in_doubt)

    def hasty(self, author: int, place: ChannelSettings) -> bool:
        """Return whether a user's cooldown is not over."""
        return time.monotonic() - self._spoke.get(author, -1e9) < (place.cooldown or 0.0)

    def heed(self, author: int) -> None:
        """Start a user's cooldown."""
        self._spoke[author] = time.monotonic()

    async def answer(self, call: ReplyRequest) -> bool:
        """Enqueue a call; return False if it is refused, by the cooldown or because too many wait.

        At shutdown a call is not enqueued: it is stored for the next start if `kept`, else its user is told.
        """
        if self.hasty(call.author, call.place):
            return False
        # Enqueue first: while this waits for the disk, later messages could overtake.
        taken = self._desk.put(call.channel, call)
        if taken:
            self.heed(call.author)
        if call.kept and (taken or not self._desk.open):
            # The disk thread works in order, so the message is stored before its answer is.
            await self.conversations.receive(call)
        elif not taken and not self._desk.open:
            await self._excuse(call)
        return taken or not self._desk.open

    async def answer_use(
        self,
        interaction: discord.Interaction,
        target: ReplyTarget,
        place: ChannelSettings,
        text: str = "",
        *,
        aside: bool = False,
        instead: str | None = None,
    ) -> None:
        """Enqueue a command or a button press, or tell its user that it is refused."""
        call = ReplyRequest(
            interaction.id, interaction.guild_id, channel_of(interaction), interaction.user.id, text, place,
            age_restricted(interaction.channel), target, aside=aside, instead=instead,
        )  # fmt: skip
        if not await self.answer(call):
            await target.send(texts.BUSY.format(count="that"))

    def _leave(self, call: ReplyRequest) -> None:
        """Count a message that was refused; its channel gets one notice for all of them."""
        self.metrics.count("left")
        self._left[call.channel] = self._left.get(call.channel, 0) + 1
        if self._left[call.channel] == 1:
            self.do(self._tell_left(call))

    async def _tell_left(self, call: ReplyRequest) -> None:
        await asyncio.sleep(_NOTICE_SECONDS)
        await ignore_send_errors(call.target.send(texts.BUSY.format(count=self._left.pop(call.channel))))

    # Answers

    async def _attend(self, call: ReplyRequest | PendingMessage) -> None:
        if isinstance(call, PendingMessage):
            # The channel is not cached before.
            await self.wait_until_ready()
            call = self._late(call)
        await self._answer(call)

    def _late(self, one: PendingMessage) -> ReplyRequest:
        """Return the call for a message that was stored before a restart."""
        channel = self.get_channel(one.channel) or self.get_partial_messageable(one.channel)
        place, nsfw = self.place_of(channel, one.guild), age_restricted(channel)
        message = discord.PartialMessage(channel=channel, id=one.message)  # type: ignore[arg-type]
        target = self._to(message, one.author, place, in_doubt=one.reply is not None)
        return ReplyRequest(one.message, one.guild, one.channel, one.author, one.text, place, nsfw, target, True, one.reply)

    async def _answer(self, call: ReplyRequest) -> None:
        """Answer a call, or apologise."""
        try:
            async with self._excused(call):
                conversation = Conversation() if call.aside else await self.conversations.conversation(call.channel)
                text, after = await self._continued(call, conversation)
        except (UsageError, BusyError) as error:
            await self._apologise(call, str(error))
        except CharbotError as error:
            _log.warning("no answer in channel %d: %s", call.channel, error)
            await self._apologise(call, texts.SORRY)
        except Exception:
            _log.exception("no answer in channel %d", call.channel)
            await self._apologise(call, texts.SORRY)
        else:
            await self._deliver(call, text, conversation, after)

    async def _continued(self, call: ReplyRequest, conversation: Conversation) -> tuple[str, Conversation]:
        """Return the reply to a call, and the conversation after it. Raises CharbotError."""
        if call.reply is not None:
            member, _ = self.member(call.place, call.nsfw)
            return call.reply, conversation.add(call.text).add(call.reply, member.name)
        self.do(self._typing(call))
        if call.instead is None:
            reply = await self.reply(call.place, call.nsfw, conversation.add(call.text))
        else:
            asked = _before(conversation, call.instead)
            # By the same persona, whose name may stand above it; with a new seed, or it might be the same reply again.
            place = replace(call.place, persona=conversation.turns[-1].speaker)
            reply = await self.reply(place, call.nsfw, asked, seed=call.id % 2**31)
        return reply.text, reply.conversation

    @asynccontextmanager
    async def _excused(self, call: ReplyRequest) -> AsyncIterator[None]:
        """Tell the user that the bot is shutting down if the block is cancelled."""
        try:
            yield
        except asyncio.CancelledError:
            await self._excuse(call)
            raise

    async def _deliver(self, call: ReplyRequest, text: str, conversation: Conversation, after: Conversation) -> None:
        """Send a reply, and store it."""
        speaker = after.turns[-1].speaker
        try:
            async with self._excused(call):
                with suppress(StoreError):
                    await self._disk.run(self.store.sending, call.id, text)
                await call.target.send(text, speaker)
        except NETWORK as error:
            _log.warning("no answer could be sent in channel %d: %s", call.channel, error)
            self.metrics.count("unsent")
            # After a transient error the message stays stored, and is answered at the next start.
            if not isinstance(error, PASSING):
                await self.conversations.done(call)
            return
        self.metrics.count("answered", time.monotonic() - call.at)
        await self.conversations.keep(call, conversation, after)

    async def _stands(self, message: AnyMessage, answer: str) -> bool:
        """Return whether an answer to a message is in its channel already. Raises the errors in PASSING."""
        channel = message.channel

        async def answers(one: discord.Message) -> bool:
            if one.reference is not None and one.reference.message_id != message.id:
                return False
            said = one.content or (one.webhook_id and await self._faces.said(channel, one))
            return said == answer

        try:
            # One by one, as the text of a webhook's message costs a request.
            async for one in self.get_partial_messageable(channel.id).history(after=message, limit=_LOOKED_AT):
                if self._mine(one) and await answers(one):
                    return True
        except discord.HTTPException as error:
            if isinstance(error, PASSING):
                raise
            _log.warning("what was said last in channel %d cannot be read: %s", channel.id, error)
        return False

    async def _excuse(self, call: ReplyRequest) -> None:
        """Tell the user that the bot is shutting down, unless the call is stored, to be answered at the next start."""
        if not call.kept:
            await ignore_send_errors(call.target.send(texts.CLOSING))

    async def _apologise(self, call: ReplyRequest, text: str) -> None:
        self.metrics.count("apologised")
        await ignore_send_errors(call.target.send(text))
        await self.conversations.done(call)

    async def _typing(self, call: ReplyRequest) -> None:
        await ignore_send_errors(call.target.typing())

    def member(self, place: ChannelSettings, nsfw: bool) -> tuple[PersonaInfo, bool]:
        """Return who answers in a place, and whether without profanity. Raises UsageError if nobody can."""
        member = self.cast.member(place.persona or "")
        if member is None:
            raise UsageError(f"{place.persona} is not here any more. /persona set chooses somebody else.")
        clean = not nsfw if place.clean is None else place.clean
        if member.mature and not clean and not nsfw:
            raise UsageError(f"{member.name} talks in age-restricted channels, or where `/settings clean:true` is set.")
        return member, clean

    async def reply(self, place: ChannelSettings, nsfw: bool, conversation: Conversation, *, seed: int | None = None) -> Reply:
        """Return the reply of a place's persona to a conversation. Raises UsageError, BundleError, BusyError."""
        member, clean = self.member(place, nsfw)
        settings = replace(self.config.chat, clean=clean)
        if place.temperature is not None:
            settings = replace(settings, temperature=place.temperature)
        persona = await asyncio.to_thread(self.cast.persona, member.name)
        return await asyncio.wrap_future(self.scheduler.submit(persona, conversation, settings, seed=seed))

    async def who_said(self, line: str) -> "Ranking":
        """Rank who would have said a line, most likely first. Raises BundleError, BusyError."""
        return await self._identifier.run(self.cast.who_said, line)

    async def forget_user(self, user: int) -> None:
        """Delete a user's messages and the answers to them. Raises StoreError."""
        await self.conversations.forget_user(user)
        self._spoke.pop(user, None)


def _before(conversation: Conversation, reply: str) -> Conversation:
    """Return the conversation without its last turn, which must be this reply. Raises UsageError if it is not."""
    turns = conversation.turns
    if len(turns) < 2 or turns[-1].speaker is None or turns[-1].text != prepare_message(reply):
        raise UsageError(texts.PAST)
    return Conversation(turns[:-1])
