import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.corpus.conversation import Utterance
from charbot.replies.memory import Memory, Reading

_NUMBERS = st.floats(width=32, allow_nan=False)
_STATES = st.lists(_NUMBERS, min_size=4, max_size=4).map(
    lambda x: (
        np.array([x[:2]], np.float32),
        np.array([x[2:]], np.float32),
        np.array([1, -1, 2**40]),
        np.array([[0.25, 1e-7]], np.float16),
        np.array([[-0.0, 3.0]], np.float16),
        np.array([[0.5, -2.25], [1e-7, 0.1]], np.float16),
        np.array([7, 2**20], np.int32),
    )
)


@given(st.lists(st.tuples(st.none() | st.text(), st.text())), st.dictionaries(st.text(), _STATES), st.integers(0, 3))
def test_a_memory_survives_json_bit_for_bit(
    said: list[tuple[str | None, str]], states: dict[str, tuple[np.ndarray, ...]], read: int
) -> None:
    turns = tuple(Utterance(*turn) for turn in said)
    memory = Memory(turns, {fit: Reading(min(read, len(turns)), state) for fit, state in states.items()})
    again = Memory.from_json(json.loads(json.dumps(memory.to_json())))
    assert again == memory
    assert again.readings.keys() == memory.readings.keys()
    for fit, one in memory.readings.items():
        assert again.readings[fit].turns == one.turns
        for part, other in zip(one.state, again.readings[fit].state, strict=True):
            assert part.tobytes() == other.tobytes()
            assert part.shape == other.shape


def test_a_memory_is_a_value() -> None:
    empty = Memory()
    one = empty.said("Hi")
    two = one.said("Hello", "Ann")
    assert (len(empty.turns), len(one.turns), len(two.turns)) == (0, 1, 2)
    assert two.turns == (Utterance(None, "Hi"), Utterance("Ann", "Hello"))
    assert one.said("  \x00 ") == one


def test_a_memory_forgets_what_is_long_ago() -> None:
    memory = Memory()
    for turn in range(30):
        memory = memory.said(str(turn)).bounded(3)
        assert 1 <= len(memory.turns) <= 6
        assert memory.turns[-1].text == str(turn)
    state = tuple(np.zeros((1, 1), np.float32) for _ in range(3))
    assert Memory(memory.turns[:6], {"x": Reading(2, state)}).bounded(3).readings
    assert not Memory(memory.turns[:1] * 7, {"x": Reading(2, state)}).bounded(3).readings


@pytest.mark.parametrize("parts", [3, 5])
def test_what_was_read_before_there_were_caches_or_attention_is_read_anew(parts: int) -> None:
    kept = {"readings": {"x": {"turns": 1, "state": [[[0], ""]] * parts}}}
    memory = Memory.from_json(Memory().said("Hi").to_json() | kept)
    assert memory == Memory().said("Hi")
    assert not memory.readings


@pytest.mark.parametrize(
    "damage",
    [
        {"turns": [["Ann"]]},
        {"readings": {"x": {"turns": 9, "state": [[[0], ""]] * 7}}},
        {"readings": {"x": {"turns": 0, "state": [[[2], "!"]] * 7}}},
        {"readings": {"x": {"turns": 0, "state": [[[0], ""]] * 8}}},
    ],
)
def test_a_damaged_memory_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Memory.from_json(Memory().said("Hi").to_json() | damage)
