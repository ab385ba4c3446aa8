import dataclasses
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError

import pytest

from charbot.config import ChatSettings
from charbot.errors import BundleError, BusyError, Cancelled
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona, Reply, Request
from charbot.personas.library import Library

SETTINGS = ChatSettings(candidates=4, max_words=6)


class Slow:
    """A persona that replies when it is told to, and notes who was answered together."""

    def __init__(self) -> None:
        self.together: list[list[str]] = []
        self.started, self.go = threading.Event(), threading.Event()

    def reply_batch(
        self,
        requests: Sequence[Request],
        options: ChatSettings,
        cancelled: Callable[[], bool],
    ) -> list[Reply]:
        conversations = [request.conversation for request in requests]
        self.together.append([conversation.turns[-1].text for conversation in conversations])
        self.started.set()
        while not self.go.wait(0.01):
            if cancelled():
                raise Cancelled
        if any(conversation.turns[-1].text == "bad" for conversation in conversations):
            raise BundleError("it is broken")
        return [Reply(f"{conversation.turns[-1].text}!", (), conversation, 0.0) for conversation in conversations]


def test_the_replies_are_the_voices_own(shared_library: Library) -> None:
    persona = Persona(shared_library, "ann")
    conversations = [Conversation().add(text) for text in ("More tea?", "Hello", "Where is my mug?")]
    with BatchScheduler(threads=1) as scheduler:
        found = [scheduler.submit(persona, conversation, SETTINGS, seed=seed) for seed, conversation in enumerate(conversations)]
        for seed, (reply, conversation) in enumerate(zip(found, conversations, strict=True)):
            assert reply.result(30).text == persona.reply(conversation, SETTINGS, seed=seed).text


def test_who_asks_under_other_options_is_answered_apart() -> None:
    persona = Slow()
    with BatchScheduler(threads=1) as scheduler:
        first = scheduler.submit(persona, Conversation().add("0"))
        persona.started.wait(10)
        options = [ChatSettings(temperature=0.5 if i % 2 else 1.0) for i in range(1, 6)]
        rest = [scheduler.submit(persona, Conversation().add(str(i)), one) for i, one in enumerate(options, start=1)]
        persona.go.set()
        assert [reply.result(10).text for reply in (first, *rest)] == [f"{i}!" for i in range(6)]
    assert persona.together == [["0"], ["1", "3", "5"], ["2", "4"]]


def test_who_waits_for_the_same_voice_is_answered_together_and_the_first_first() -> None:
    one, other = Slow(), Slow()
    with BatchScheduler(together=3, threads=1) as scheduler:
        first = scheduler.submit(one, Conversation().add("0"))
        one.started.wait(10)
        rest = [scheduler.submit(one if i % 2 else other, Conversation().add(str(i))) for i in range(1, 10)]
        one.go.set()
        other.go.set()
        assert [reply.result(10).text for reply in (first, *rest)] == [f"{i}!" for i in range(10)]
    assert one.together == [["0"], ["1", "3", "5"], ["7", "9"]]
    assert other.together == [["2", "4", "6"], ["8"]]


def test_a_full_queue_lets_nobody_in() -> None:
    persona = Slow()
    with BatchScheduler(waiting=2, threads=1) as scheduler:
        scheduler.submit(persona, Conversation().add("0"))
        persona.started.wait(10)
        waiting = [scheduler.submit(persona, Conversation().add(text)) for text in "12"]
        with pytest.raises(BusyError, match="too many"):
            scheduler.submit(persona, Conversation().add("3"))
        persona.go.set()
        assert [reply.result(10).text for reply in waiting] == ["1!", "2!"]
    with pytest.raises(BusyError, match="closing"):
        scheduler.submit(persona, Conversation())


def test_an_error_reaches_who_asked_and_nobody_else() -> None:
    persona, other = Slow(), Slow()
    persona.go.set()
    other.go.set()
    with BatchScheduler(threads=1) as scheduler:
        with pytest.raises(BundleError, match="broken"):
            scheduler.submit(persona, Conversation().add("bad")).result(10)
        assert scheduler.submit(other, Conversation().add("good")).result(10).text == "good!"


def test_what_is_cancelled_is_not_answered() -> None:
    persona, stop = Slow(), threading.Event()
    with BatchScheduler(threads=1) as scheduler:
        running = scheduler.submit(persona, Conversation().add("0"), cancelled=stop.is_set)
        persona.started.wait(10)
        taken_back = scheduler.submit(persona, Conversation().add("1"))
        stopped = scheduler.submit(persona, Conversation().add("2"), cancelled=stop.is_set)
        other = scheduler.submit(persona, Conversation().add("3"))
        assert taken_back.cancel()
        stop.set()
        with pytest.raises(Cancelled):
            running.result(10)
        with pytest.raises(Cancelled):
            stopped.result(10)
        with pytest.raises(CancelledError):
            taken_back.result(10)
        persona.go.set()
        assert other.result(10).text == "3!"
    assert persona.together == [["0"], ["3"]]


def test_a_missing_model_is_told_to_all_who_asked(library: Library) -> None:
    persona = Persona(library, "ann")
    persona.card = dataclasses.replace(persona.card, models={})
    with BatchScheduler(threads=1) as scheduler:
        for reply in [scheduler.submit(persona, Conversation().add("Hi"), SETTINGS) for _ in range(3)]:
            with pytest.raises(BundleError, match="no word model"):
                reply.result(30)


def test_one_bad_conversation_costs_the_others_nothing() -> None:
    persona = Slow()
    with BatchScheduler(threads=1) as scheduler:
        first = scheduler.submit(persona, Conversation().add("0"))
        persona.started.wait(10)
        good, bad, fine = (scheduler.submit(persona, Conversation().add(text)) for text in ("good", "bad", "fine"))
        persona.go.set()
        assert [reply.result(10).text for reply in (first, good, fine)] == ["0!", "good!", "fine!"]
        with pytest.raises(BundleError):
            bad.result(10)


def test_while_one_thread_is_busy_another_replies() -> None:
    busy, other = Slow(), Slow()
    other.go.set()
    with BatchScheduler(threads=2) as scheduler:
        first = scheduler.submit(busy, Conversation().add("0"))
        busy.started.wait(10)
        assert scheduler.submit(other, Conversation().add("1")).result(10).text == "1!"
        assert not first.done()
        busy.go.set()
        assert first.result(10).text == "0!"
