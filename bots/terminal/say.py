"""`charbot say`: one reply, or one for each line of a pipe."""

import json
from collections.abc import Iterable
from typing import Any, TextIO

from charbot.corpus.conversation import Utterance
from charbot.errors import UsageError
from charbot.evaluation.scoring import read_context
from charbot.replies.engine import Voice


def answer_once(voice: Voice, message: str, out: TextIO) -> int:
    """One reply to one message."""
    print(voice.reply([Utterance(None, message)], seed=voice.settings.seed).text, file=out, flush=True)
    return 0


def answer_pipe(voice: Voice, lines: Iterable[str], out: TextIO, *, as_json: bool) -> int:
    """A reply for each line, written as soon as it is there.

    Plain lines are one conversation, each line its next message. JSON lines stand alone.
    """
    context: list[Utterance] = []
    for number, line in enumerate(lines, start=1):
        if as_json:
            if line.strip():
                print(json.dumps(_answer_json(voice, line, number), ensure_ascii=False), file=out, flush=True)
            continue
        context.append(Utterance(None, line.rstrip("\n")))
        reply = voice.reply(context, seed=voice.settings.seed)
        context.append(Utterance(reply.speaker, reply.text))
        del context[: -voice.settings.context_turns or None]
        print(reply.text, file=out, flush=True)
    return 0


def _answer_json(voice: Voice, line: str, number: int) -> dict[str, Any]:
    try:
        request = json.loads(line)
        message = request.get("message")
    except (ValueError, AttributeError) as error:
        raise UsageError(f'line {number}: not {{"id", "message"}} as JSON ({error})') from error
    if message is not None and not isinstance(message, str):
        raise UsageError(f"line {number}: `message` must be text")
    turns = read_context(request, number)
    if message is not None:
        turns.append(Utterance(None, message))
    reply = voice.reply(turns, seed=voice.settings.seed)
    return {"id": request.get("id"), "reply": reply.text, "ms": round(reply.seconds * 1000)}
