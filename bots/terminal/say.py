"""`charbot say`: one reply, or one for each line of a pipe."""

import json
from collections.abc import Iterable
from typing import TextIO

from charbot.jsonlines import read_requests
from charbot.replies.engine import Voice
from charbot.replies.memory import Memory


def answer_once(voice: Voice, message: str, out: TextIO) -> None:
    """One reply to one message."""
    print(voice.reply(Memory().said(message)).text, file=out, flush=True)


def answer_lines(voice: Voice, lines: Iterable[str], out: TextIO) -> None:
    """A reply for each line, written as soon as it is there. All of it is one conversation."""
    memory = Memory()
    for line in lines:
        reply = voice.reply(memory.said(line))
        memory = reply.memory
        print(reply.text, file=out, flush=True)


def answer_requests(voice: Voice, lines: Iterable[str], out: TextIO) -> None:
    """A JSON line for each JSON line, each a conversation of its own. Raises UsageError naming a line."""
    for request in read_requests(lines, optional=("message",), one_of=("message", "context")):
        memory = Memory().heard(request.context)
        for text in request.texts.values():
            memory = memory.said(text)
        reply = voice.reply(memory)
        answer = {"id": request.id, "reply": reply.text, "ms": round(reply.seconds * 1000)}
        print(json.dumps(answer, ensure_ascii=False), file=out, flush=True)
