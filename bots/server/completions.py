"""Chat completions: requests of the protocol, answered by personas through the batch scheduler."""

import asyncio
import json
import re
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Literal

from bots.server.catalogue import Catalogue
from bots.server.messages import Dialogue, read_messages
from bots.server.protocol import Choice, Completion, CompletionRequest, Model, ReplyMessage, Usage
from bots.shortening import shortened
from charbot.config import SEEDS, ChatSettings
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.crisis import crisis_note
from charbot.generation.persona import Persona, Reply
from charbot.tokens import Tokenizer
from charbot.tokens.vocabulary import Unit

_LOWEST = 0.05
"""The lowest temperature and top_p of charbot. The protocol's go down to 0, which means the same: as likely as possible."""

_FEWEST_WORDS = 3
"""The lowest `max_words` of charbot."""

_CHARACTERS_PER_WORD = 6


class ClientGoneError(Exception):
    """The client has gone away before its reply was ready."""


@dataclass(frozen=True)
class PreparedRequest:
    """A request with all that is needed to answer it."""

    id: str
    created: int
    body: CompletionRequest
    model: Model
    persona: Persona
    tokenizer: Tokenizer
    dialogue: Dialogue
    options: ChatSettings
    seeds: tuple[int | None, ...]
    """The seed of each choice."""

    @property
    def warnings(self) -> list[str]:
        """What of the request was ignored."""
        fields = [f"{name[:80]!r} is ignored" for name, value in (self.body.model_extra or {}).items() if value]
        return [*self.dialogue.warnings, *fields]


class Completions:
    """Answers requests. `prepare` blocks and belongs in a thread; the other methods belong in the event loop."""

    def __init__(self, catalogue: Catalogue, scheduler: BatchScheduler, settings: ChatSettings) -> None:
        """`settings` apply to what a request leaves out."""
        self.catalogue, self._scheduler, self._settings = catalogue, scheduler, settings

    def prepare(self, body: CompletionRequest) -> PreparedRequest:
        """Load the persona's model if need be, and read the messages. Raises ProtocolError and BundleError."""
        model = self.catalogue.model(body.model)
        persona = self.catalogue.persona(model)
        engine, _ = persona.load(model.unit)
        speakers = engine.tokenizer.vocabulary.speakers
        # At this length models read all of it: see `Conversation.truncated`.
        dialogue = read_messages(body.messages, persona.card.name, speakers, 2 * self._settings.context_turns)
        dialogue = replace(dialogue, conversation=_bounded(persona, dialogue.conversation, model.unit))
        seed = self._settings.seed if body.seed is None else body.seed
        seeds = tuple(None if seed is None else (seed + index) % SEEDS for index in range(body.n or 1))
        id_ = f"chatcmpl-{secrets.token_hex(12)}"
        options = _options(body, self._settings, model)
        return PreparedRequest(id_, int(time.time()), body, model, persona, engine.tokenizer, dialogue, options, seeds)

    def submit(self, request: PreparedRequest) -> "Submission":
        """Put the choices of a request into the queue. Raises BusyError."""
        stop = threading.Event()
        submission = Submission(request, stop, [])
        try:
            for seed in request.seeds:
                submission.futures.append(
                    self._scheduler.submit(
                        request.persona, request.dialogue.conversation, request.options, seed=seed, cancelled=stop.is_set
                    )
                )
        except Exception:
            stop.set()
            raise
        return submission


@dataclass(frozen=True)
class Submission:
    """A request whose choices are in the queue."""

    request: PreparedRequest
    stop: threading.Event
    """Makes the scheduler drop the choices."""
    futures: "list[Future[Reply]]"

    async def completion(self, gone: Callable[[], Awaitable[None]]) -> Completion:
        """Return the whole response. `gone` returns when the client has gone away.

        Raises ClientGoneError, BundleError, and what else the persona raises.
        """
        choices = await self._choices(gone)
        request = self.request
        return Completion(
            id=request.id, created=request.created, model=request.model.id, choices=choices,
            usage=self._usage(choices), warnings=request.warnings or None,
        )  # fmt: skip

    async def chunks(self, gone: Callable[[], Awaitable[None]]) -> AsyncIterator[dict[str, Any]]:
        """Yield the chunks of a streamed response; it raises what `completion` does.

        The first ones come at once, the words only when the reply has been chosen among its candidates.
        """
        # The client may go away at any chunk, even at the first.
        try:
            for index in range(len(self.futures)):
                warnings = {"warnings": self.request.warnings} if self.request.warnings and not index else {}
                yield self._chunk(index, {"role": "assistant", "content": ""}, None) | warnings
            choices = await self._choices(gone)
            for choice in choices:
                for piece in re.findall(r"\s*\S+\s*", choice.message.content):
                    yield self._chunk(choice.index, {"content": piece}, None)
                last = self._chunk(choice.index, {}, choice.finish_reason)
                if choice.candidates is not None:
                    last["choices"][0]["candidates"] = choice.candidates
                yield last
            if self.request.body.stream_options and self.request.body.stream_options.include_usage:
                yield self._chunk(0, {}, None) | {"choices": [], "usage": self._usage(choices).model_dump()}
        finally:
            self.stop.set()

    async def _choices(self, gone: Callable[[], Awaitable[None]]) -> list[Choice]:
        replies = [asyncio.wrap_future(future) for future in self.futures]
        all_replies, departure = asyncio.create_task(asyncio.wait(replies)), asyncio.ensure_future(gone())
        either: list[asyncio.Future[Any]] = [all_replies, departure]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not all_replies.done():
                raise ClientGoneError
            if errors := [error for reply in replies if (error := reply.exception())]:
                raise errors[0]
            return [self._choice(index, reply.result()) for index, reply in enumerate(replies)]
        finally:
            self.stop.set()
            for future in (*either, *replies):
                future.cancel()

    def _choice(self, index: int, reply: Reply) -> Choice:
        body = self.request.body
        stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
        text, finish_reason = cut(reply.text, self.request.tokenizer, _max_tokens(body), stops)
        candidates = [candidate.to_json() for candidate in reply.candidates] if body.candidates else None
        # What charbot itself adds to a reply goes into the content here, where nothing cuts it off.
        message = ReplyMessage(content=text)
        return Choice(index=index, message=message, finish_reason=finish_reason, candidates=candidates)

    def _chunk(self, index: int, delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
        return {
            "id": self.request.id,
            "object": "chat.completion.chunk",
            "created": self.request.created,
            "model": self.request.model.id,
            "choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}],
        }

    def _usage(self, choices: list[Choice]) -> Usage:
        from charbot.tokens.render import render_turn

        tokenizer = self.request.tokenizer
        prompt = sum(len(render_turn(tokenizer, turn)) for turn in self.request.dialogue.conversation.turns)
        completion = sum(len(tokenizer.encode(choice.message.content)) for choice in choices)
        return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def cut(text: str, tokenizer: Tokenizer, max_tokens: int | None, stops: list[str]) -> tuple[str, Literal["stop", "length"]]:
    """Return a text up to the first of the stop sequences, or to its last token, and which of the two ended it."""
    text = text[: min((text.index(stop) for stop in stops if stop and stop in text), default=None)]
    tokens = tokenizer.encode(text)
    if max_tokens is None or len(tokens) <= max_tokens:
        return text, "stop"
    # The last token may be a part of a character or word that is spelled.
    parts = (tokenizer.decode(tokens[:count]) for count in range(max_tokens, -1, -1))
    return next(part for part in parts if text.startswith(part)), "length"


def event(data: dict[str, Any]) -> bytes:
    """Return a server-sent event."""
    # Escaped to ASCII: a line separator within the data would end the event for some clients.
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _bounded(persona: Persona, conversation: Conversation, unit: Unit) -> Conversation:
    """Return a conversation of whose messages models read no more tokens than they may."""
    turns = conversation.turns
    if turns and crisis_note(turns[-1].text):
        # It may be said at the beginning of a long message. The note answers it: no model reads it.
        return conversation
    return replace(conversation, turns=shortened(persona, turns, unit))


def _max_tokens(body: CompletionRequest) -> int | None:
    return body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens


def _options(body: CompletionRequest, settings: ChatSettings, model: Model) -> ChatSettings:
    """Return the settings of a request."""
    temperature = settings.temperature if body.temperature is None else max(_LOWEST, body.temperature)
    top_p = settings.top_p if body.top_p is None else max(_LOWEST, body.top_p)
    max_words, max_tokens = settings.max_words, _max_tokens(body)
    if max_tokens is not None:
        # Rounded up in whole numbers: a client may send one that is too large for a float.
        words = max_tokens if model.unit == "word" else -(-max_tokens // _CHARACTERS_PER_WORD)
        max_words = min(max_words, max(_FEWEST_WORDS, words))
    return replace(settings, unit=model.unit, temperature=temperature, top_p=top_p, max_words=max_words)
