"""Answering of requests: they wait in a queue per channel, and are answered, apologised for, or kept for the next start."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace

from bots.bounded_dict import BoundedDict
from bots.discord_bot.background import BackgroundTasks
from bots.discord_bot.channel_queues import ChannelQueues
from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.conversations import Conversations
from bots.discord_bot.cooldowns import Cooldowns
from bots.discord_bot.markdown import escape
from bots.discord_bot.metrics import Metrics
from bots.discord_bot.reply_generator import Asker, ReplyGenerator
from bots.discord_bot.requests import ReplyRequest
from bots.discord_bot.retry import SEND_ERRORS, ignore_send_errors, is_transient
from bots.discord_bot.store import PendingMessage
from bots.discord_bot.texts import duration, refusal_text, text
from bots.discord_bot.timings import Timings
from charbot.errors import BusyError, CharbotError, UsageError
from charbot.generation.conversation import Conversation

_CHANGED = 1000
"""Messages that are remembered as deleted or edited, at most."""
_FAILING = 3
"""Failures in a row after which the bot, not a single request, counts as faulty."""

_log = logging.getLogger("charbot.discord")


class Responder:
    """Answers requests, one after the other within a channel."""

    def __init__(
        self,
        generator: ReplyGenerator,
        conversations: Conversations,
        cooldowns: Cooldowns,
        metrics: Metrics,
        background: BackgroundTasks,
        restored: Callable[[PendingMessage], Awaitable[ReplyRequest]],
        waiting: int,
        timings: Timings,
    ) -> None:
        """`restored` turns a stored message into a request, once its channel is there; `waiting` limits each queue."""
        self._generator, self._conversations, self._cooldowns = generator, conversations, cooldowns
        self._metrics, self._background, self._restored, self._timings = metrics, background, restored, timings
        self._queues: ChannelQueues[ReplyRequest | PendingMessage] = ChannelQueues(self._process, waiting)
        # Requests whose answers could not be sent: they are tried again from time to time, and after a restart.
        self._unsent: list[ReplyRequest] = []
        self._withdrawn: BoundedDict[int, None] = BoundedDict(_CHANGED)
        self._edited: BoundedDict[int, str] = BoundedDict(_CHANGED)
        # Errors since the last answer that was sent.
        self._errors: list[str] = []

    @property
    def pending(self) -> int:
        """The number of requests that wait or are being answered."""
        return self._queues.pending

    @property
    def problem(self) -> str | None:
        """The error of the last reply, if several in a row have failed; else None."""
        if len(self._errors) < _FAILING:
            return None
        return f"the last {len(self._errors)} replies failed: {self._errors[-1]}"

    def resume(self, message: PendingMessage) -> None:
        """Enqueue a message that was stored before a restart."""
        self._queues.put(message.channel, message, late=True)

    async def withdraw(self, channel: int, messages: Collection[int]) -> None:
        """Forget deleted messages of a channel, and answer them no more. Raises StoreError."""
        for message in messages:
            self._withdrawn[message] = None
        await self._conversations.forget_messages(channel, messages)

    async def edit(self, channel: int, message: int, edited: str) -> None:
        """Change the text of a message, if it waits for its answer."""
        if any(request.id == message for request in self._queues.waiting(channel)):
            self._edited[message] = edited
            await self._conversations.edit(channel, message, edited)

    async def retry_unsent(self, seconds: float) -> None:
        """Enqueue the requests again whose answers could not be sent; give up on those older than `seconds`."""
        unsent, self._unsent = self._unsent, []
        for request in unsent:
            if time.monotonic() - request.received_at < seconds:
                self._queues.put(request.channel, request, late=True)
            else:
                _log.warning("gave up on an answer in channel %d that could not be sent", request.channel)
                await self._conversations.done(request)

    def refusal(self, user: int, channel: int, settings: ChannelSettings, locale: str) -> str | None:
        """Return why a user is not answered now, because of the cooldown or because too many wait, or None."""
        if remaining := self._cooldowns.remaining(user, settings.cooldown):
            cooldown = duration(settings.cooldown or 0.0, locale)
            return text("cooldown", locale, cooldown=cooldown, remaining=duration(remaining, locale))
        return text("queue_full", locale) if self._queues.is_full(channel) and self._queues.open else None

    async def answer(self, request: ReplyRequest) -> str | None:
        """Enqueue a request; return None, or why it is refused: see `refusal`.

        At shutdown a request is not enqueued: it is stored for the next start if `durable`, else its user is told.
        """
        if why := self.refusal(request.author, request.channel, request.settings, request.locale):
            self._metrics.count("left")
            return why
        # Enqueue first: while this waits for the disk, later messages could overtake.
        if self._queues.put(request.channel, request):
            self._cooldowns.start(request.author)
        elif not request.durable:
            await self._announce_shutdown(request)
        if request.durable:
            # The disk thread works in order, so the message is stored before its answer is.
            await self._conversations.receive(request)
        return None

    async def close(self, seconds: float) -> None:
        """Finish pending answers within `seconds`, and tell users whose commands are left."""
        left = await self._queues.close(seconds)
        self._generator.close()
        for request in left:
            if isinstance(request, ReplyRequest):
                await self._announce_shutdown(request)

    async def _process(self, request: ReplyRequest | PendingMessage) -> None:
        """Answer a request, or apologise."""
        if isinstance(request, PendingMessage):
            request = await self._restored(request)
        if request.id in self._edited:
            request = request.edited(self._edited.pop(request.id))
        if request.id in self._withdrawn:
            await self._conversations.done(request)
            return
        if note := self._generator.crisis_note(request.text):
            await self._tell(request, note, "note")
            return
        try:
            async with self._announced(request):
                outside = request.outside_conversation
                before = Conversation() if outside else await self._conversations.conversation(request.channel)
                reply, after = await self._generate(request, before)
        except (UsageError, BusyError) as error:
            await self._tell(request, refusal_text(error, request.locale), "apologised")
        except CharbotError as error:
            _log.warning("no answer in channel %d: %s", request.channel, error)
            self._errors.append(str(error))
            await self._tell(request, text("sorry", request.locale), "apologised")
        except Exception as error:
            _log.exception("no answer in channel %d", request.channel)
            self._errors.append(repr(error))
            await self._tell(request, text("sorry", request.locale), "apologised")
        else:
            await self._deliver(request, reply, before, after)

    async def _generate(self, request: ReplyRequest, before: Conversation) -> tuple[str, Conversation]:
        """Return the reply to a request, and the conversation after it. Raises CharbotError."""
        if request.reply is not None:
            persona, _ = self._generator.persona(request.settings, request.nsfw)
            return request.reply, before.add(request.text).add(request.reply, persona.name)
        self._background.start(ignore_send_errors(request.target.typing()))
        asker = Asker(request.guild, request.author, request.nsfw)
        if request.replaces is None:
            reply = await self._generator.reply(request.settings, before.add(request.text), asker)
        else:
            asked = _without_last(before, request.replaces, request.locale)
            # By the same persona, whose name may stand above it, but not in the same words.
            settings = replace(request.settings, persona=before.turns[-1].speaker)
            again = before.turns[-1].text
            reply = await self._generator.reply(settings, asked, asker, seed=request.id % 2**31, avoid=[again])
        return reply.text, reply.conversation

    async def _deliver(self, request: ReplyRequest, reply: str, before: Conversation, after: Conversation) -> None:
        """Send a reply, and store it."""
        if request.id in self._withdrawn:
            await self._conversations.done(request)
            return
        try:
            async with self._announced(request):
                await self._conversations.sending(request, reply)
                await request.target.send(reply, after.turns[-1].speaker, in_doubt=request.reply is not None)
        except SEND_ERRORS as error:
            _log.warning("no answer could be sent in channel %d: %s", request.channel, error)
            self._metrics.count("unsent")
            self._errors.append(f"it could not be sent: {error}")
            if request.durable and is_transient(error):
                self._unsent.append(replace(request, reply=reply))
            else:
                await self._conversations.done(request)
            return
        self._errors.clear()
        self._metrics.count("answered", time.monotonic() - request.received_at)
        await self._conversations.keep(request, before, after)

    async def _tell(self, request: ReplyRequest, notice: str, outcome: str) -> None:
        """Send a text of charbot's own instead of a reply."""
        self._metrics.count(outcome)
        await ignore_send_errors(request.target.send(notice))
        await self._conversations.done(request)

    @asynccontextmanager
    async def _announced(self, request: ReplyRequest) -> AsyncIterator[None]:
        """Tell the user that the bot is shutting down if the block is cancelled."""
        try:
            yield
        except asyncio.CancelledError:
            await self._announce_shutdown(request)
            raise

    async def _announce_shutdown(self, request: ReplyRequest) -> None:
        """Tell the user that the bot is shutting down, unless the request is stored, to be answered at the next start."""
        if not request.durable:
            await ignore_send_errors(request.target.send(text("closing", request.locale)))


def _without_last(conversation: Conversation, reply: str, locale: str) -> Conversation:
    """Return the conversation without its last turn, which must be this reply. Raises UsageError if it is not."""
    turns = conversation.turns
    last = turns[-1] if len(turns) > 1 else None
    # Older versions sent replies as they are.
    if last is None or last.speaker is None or reply not in (escape(last.text), last.text):
        raise UsageError(text("past", locale))
    return replace(conversation, turns=turns[:-1], encoded={})
