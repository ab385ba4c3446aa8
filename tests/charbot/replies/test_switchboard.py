import dataclasses
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError

import pytest

from charbot.config import ChatSettings
from charbot.errors import BundleError, BusyError, Cancelled
from charbot.personas.library import Library
from charbot.replies.engine import Reply, Voice
from charbot.replies.memory import Memory
from charbot.replies.switchboard import Switchboard

SETTINGS = ChatSettings(candidates=4, max_words=6)


class Slow:
    """A voice that answers when it is told to, and notes who was answered together."""

    def __init__(self) -> None:
        self.together: list[list[str]] = []
        self.started, self.go = threading.Event(), threading.Event()

    def replies(self, memories: Sequence[Memory], seeds: Sequence[int | None], cancelled: Callable[[], bool]) -> list[Reply]:
        self.together.append([memory.turns[-1].text for memory in memories])
        self.started.set()
        while not self.go.wait(0.01):
            if cancelled():
                raise Cancelled
        if any(memory.turns[-1].text == "bad" for memory in memories):
            raise BundleError("it is broken")
        return [Reply(f"{memory.turns[-1].text}!", (), memory, 0.0) for memory in memories]


def test_the_replies_are_the_voices_own(shared_library: Library) -> None:
    voice = Voice(shared_library, "ann", SETTINGS)
    memories = [Memory().said(text) for text in ("More tea?", "Hello", "Where is my mug?")]
    with Switchboard() as board:
        found = [board.ask(voice, memory, seed=seed) for seed, memory in enumerate(memories)]
        for seed, (reply, memory) in enumerate(zip(found, memories, strict=True)):
            assert reply.result(30).text == voice.reply(memory, seed=seed).text


def test_who_waits_for_the_same_voice_is_answered_together_and_the_first_first() -> None:
    one, other = Slow(), Slow()
    with Switchboard(together=3) as board:
        first = board.ask(one, Memory().said("0"))
        one.started.wait(10)
        rest = [board.ask(one if i % 2 else other, Memory().said(str(i))) for i in range(1, 10)]
        one.go.set()
        other.go.set()
        assert [reply.result(10).text for reply in (first, *rest)] == [f"{i}!" for i in range(10)]
    assert one.together == [["0"], ["1", "3", "5"], ["7", "9"]]
    assert other.together == [["2", "4", "6"], ["8"]]


def test_a_full_queue_lets_nobody_in() -> None:
    voice = Slow()
    with Switchboard(waiting=2) as board:
        board.ask(voice, Memory().said("0"))
        voice.started.wait(10)
        waiting = [board.ask(voice, Memory().said(text)) for text in "12"]
        with pytest.raises(BusyError, match="too many"):
            board.ask(voice, Memory().said("3"))
        voice.go.set()
        assert [reply.result(10).text for reply in waiting] == ["1!", "2!"]
    with pytest.raises(BusyError, match="closing"):
        board.ask(voice, Memory())


def test_an_error_reaches_who_asked_and_nobody_else() -> None:
    voice, other = Slow(), Slow()
    voice.go.set()
    other.go.set()
    with Switchboard() as board:
        with pytest.raises(BundleError, match="broken"):
            board.ask(voice, Memory().said("bad")).result(10)
        assert board.ask(other, Memory().said("good")).result(10).text == "good!"


def test_what_is_cancelled_is_not_answered() -> None:
    voice, stop = Slow(), threading.Event()
    with Switchboard() as board:
        running = board.ask(voice, Memory().said("0"), cancelled=stop.is_set)
        voice.started.wait(10)
        taken_back = board.ask(voice, Memory().said("1"))
        stopped = board.ask(voice, Memory().said("2"), cancelled=stop.is_set)
        other = board.ask(voice, Memory().said("3"))
        assert taken_back.cancel()
        stop.set()
        with pytest.raises(Cancelled):
            running.result(10)
        with pytest.raises(Cancelled):
            stopped.result(10)
        with pytest.raises(CancelledError):
            taken_back.result(10)
        voice.go.set()
        assert other.result(10).text == "3!"
    assert voice.together == [["0"], ["3"]]


def test_a_missing_model_is_told_to_all_who_asked(library: Library) -> None:
    voice = Voice(library, "ann", SETTINGS)
    voice.card = dataclasses.replace(voice.card, fits={})
    with Switchboard() as board:
        for reply in [board.ask(voice, Memory().said("Hi")) for _ in range(3)]:
            with pytest.raises(BundleError, match="no word model"):
                reply.result(30)


def test_one_bad_conversation_costs_the_others_nothing() -> None:
    voice = Slow()
    with Switchboard() as board:
        first = board.ask(voice, Memory().said("0"))
        voice.started.wait(10)
        good, bad, fine = (board.ask(voice, Memory().said(text)) for text in ("good", "bad", "fine"))
        voice.go.set()
        assert [reply.result(10).text for reply in (first, good, fine)] == ["0!", "good!", "fine!"]
        with pytest.raises(BundleError):
            bad.result(10)
