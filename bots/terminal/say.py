"""`charbot say`: one reply, or one for each line of a pipe."""

import json
from collections import deque
from collections.abc import Iterable
from typing import TextIO

from charbot.corpus.conversation import Utterance
from charbot.jsonlines import read_requests
from charbot.replies.engine import Voice


def answer_once(voice: Voice, message: str, out: TextIO) -> None:
    """One reply to one message."""
    print(voice.reply([Utterance(None, message)]).text, file=out, flush=True)


def answer_lines(voice: Voice, lines: Iterable[str], out: TextIO) -> None:
    """A reply for each line, written as soon as it is there. All of it is one conversation."""
    context: deque[Utterance] = deque(maxlen=max(1, voice.settings.context_turns))
    for line in lines:
        context.append(Utterance(None, line))
        reply = voice.reply(tuple(context))
        context.append(Utterance(reply.speaker, reply.text))
        print(reply.text, file=out, flush=True)


def answer_requests(voice: Voice, lines: Iterable[str], out: TextIO) -> None:
    """A JSON line for each JSON line, each a conversation of its own. Raises UsageError naming a line."""
    for request in read_requests(lines, optional=("message",)):
        message = [Utterance(None, text) for text in request.texts.values()]
        reply = voice.reply([*request.context, *message])
        answer = {"id": request.id, "reply": reply.text, "ms": round(reply.seconds * 1000)}
        print(json.dumps(answer, ensure_ascii=False), file=out, flush=True)
