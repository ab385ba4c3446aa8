"""`charbot say`: one reply, or one per line of a pipe."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from charbot.config import SEEDS, ChatSettings
from charbot.errors import UsageError
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.jsonlines import BadRequest, read_requests
from charbot.text import prepare_message, printable

_RECENT = 100
"""Number of answers to JSON lines that are not given again at once."""


def answer_once(persona: Persona, options: ChatSettings, message: str, out: TextIO) -> None:
    """Write the reply to one message. Raises UsageError if it is empty."""
    if not prepare_message(message):
        raise UsageError("the message is empty: there is nothing to reply to")
    print(printable(persona.reply(Conversation().add(message), options).text), file=out, flush=True)


def answer_lines(
    persona: Persona, options: ChatSettings, lines: Iterable[str], out: TextIO, report: Callable[[str], object]
) -> None:
    """Write a reply to each line as soon as it is ready. All lines form one conversation.

    With a seed, each line has a seed of its own, so that the same line again does not always get the same reply. Empty lines
    are answered by empty ones, and reported.
    """
    conversation = Conversation()
    for number, line in enumerate(lines):
        if not prepare_message(line):
            report(f"line {number + 1} is empty: there is nothing to reply to")
            print(file=out, flush=True)
            continue
        seed = None if options.seed is None else (options.seed + number) % SEEDS
        reply = persona.reply(conversation.add(line), options, seed=seed)
        conversation = reply.conversation
        print(printable(reply.text), file=out, flush=True)


def answer_requests(persona: Persona, options: ChatSettings, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield an answer to each JSON line, which is a conversation of its own.

    Without a seed, an answer is none of the last ones; with a seed, it depends on its line alone.
    """
    recent: deque[str] = deque(maxlen=_RECENT)
    for request in read_requests(lines, optional=("message",), one_of=("message", "context")):
        if isinstance(request, BadRequest):
            yield request.answer()
            continue
        conversation = Conversation().extend(request.context)
        for text in request.texts.values():
            conversation = conversation.add(text)
        reply = persona.reply(conversation, options, avoid=tuple(recent) if options.seed is None else ())
        recent.append(reply.text)
        yield {"id": request.id, "reply": reply.text, "ms": round(reply.seconds * 1000)}
