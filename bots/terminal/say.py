"""`charbot say`: one reply, or one per line of a pipe."""

import json
from collections.abc import Iterable
from typing import TextIO

from charbot.config import ChatSettings
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.jsonlines import read_requests
from charbot.text import printable


def answer_once(persona: Persona, options: ChatSettings, message: str, out: TextIO) -> None:
    """Write the reply to one message."""
    print(printable(persona.reply(Conversation().add(message), options).text), file=out, flush=True)


def answer_lines(persona: Persona, options: ChatSettings, lines: Iterable[str], out: TextIO) -> None:
    """Write a reply to each line as soon as it is ready. All lines form one conversation."""
    conversation = Conversation()
    for line in lines:
        reply = persona.reply(conversation.add(line), options)
        conversation = reply.conversation
        print(printable(reply.text), file=out, flush=True)


def answer_requests(persona: Persona, options: ChatSettings, lines: Iterable[str], out: TextIO) -> None:
    """Write a JSON line per JSON line, each a conversation of its own. Raises UsageError, naming the line."""
    for request in read_requests(lines, optional=("message",), one_of=("message", "context")):
        conversation = Conversation().extend(request.context)
        for text in request.texts.values():
            conversation = conversation.add(text)
        reply = persona.reply(conversation, options)
        answer = {"id": request.id, "reply": reply.text, "ms": round(reply.seconds * 1000)}
        print(json.dumps(answer, ensure_ascii=False), file=out, flush=True)
