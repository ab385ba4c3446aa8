import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.personas.copy_guard import RUN, CopyGuard

_WORDS = [f"word{i}" for i in range(400)]


def _prose(words: int, seed: int) -> str:
    return " ".join(random.Random(seed).choices(_WORDS, k=words))


GUARD = CopyGuard.of([[_prose(300, i)] for i in range(50)])


@given(st.integers(0, 49), st.integers(0, 300 - RUN), st.integers(RUN, 30))
def test_whatever_runs_through_a_script_is_known(episode: int, start: int, words: int) -> None:
    said = _prose(300, episode).split()
    part = said[start : start + words]
    assert GUARD.copies(" ".join(part)) == (len(part) >= RUN)
    assert GUARD.copies(f"Well: {', '.join(part).upper()}!") == (len(part) >= RUN)


def test_what_no_script_holds_is_seldom_taken_for_known() -> None:
    unknown = [_prose(RUN, 1000 + i) for i in range(3000)]
    rate = sum(map(GUARD.copies, unknown)) / len(unknown)
    assert rate <= 3 * GUARD.false_alarms + 0.005
    assert 0.001 < GUARD.false_alarms < 0.01


def test_runs_go_on_from_one_speaker_to_the_next() -> None:
    guard = CopyGuard.of([["One two three four.", "Five six seven eight!"]])
    assert guard.copies("one two three four five six seven eight")
    assert not guard.copies("two three four five six seven eight nine")


@pytest.mark.parametrize(("episodes", "guarded"), [(1, True), (5, True), (6, False)])
def test_what_many_episodes_share_is_nobodys(episodes: int, guarded: bool) -> None:
    prayer = "so we all say this same thing every day"
    guard = CopyGuard.of([[f"{_prose(20, i)} {prayer}"] for i in range(episodes)])
    assert guard.copies(prayer) == guarded


def test_what_another_guards_is_left_out() -> None:
    own = CopyGuard.of([[_prose(300, 1)], [_prose(300, 99)]], excluded=[GUARD])
    assert own.copies(_prose(300, 99))
    assert len(own.filled) < len(CopyGuard.of([[_prose(300, 1)], [_prose(300, 99)]]).filled)


def test_a_guard_of_nothing_knows_nothing() -> None:
    assert not CopyGuard.of([]).copies(_prose(40, 7))
    assert CopyGuard.of([]).false_alarms == 0
