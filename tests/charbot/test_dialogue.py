"""Turns of a conversation."""

import pytest

from charbot import dialogue
from charbot.dialogue import Utterance, prepare_turns


def test_the_last_turns_that_say_something_are_kept() -> None:
    said = [Utterance(None, text) for text in ("One", " ", "Two\u2026", "Three", "")]
    assert [turn.text for turn in prepare_turns(said)] == ["One", "Two...", "Three"]
    assert [turn.text for turn in prepare_turns(said, 2)] == ["Two...", "Three"]
    assert prepare_turns(said, 0) == prepare_turns([], 2) == ()


def test_turns_that_do_not_count_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []

    def prepare(text: str) -> str:
        prepared.append(text)
        return text

    monkeypatch.setattr(dialogue, "prepare_message", prepare)
    prepare_turns([Utterance(None, f"{number}") for number in range(1_000)], 2)
    assert prepared == ["999", "998"]
