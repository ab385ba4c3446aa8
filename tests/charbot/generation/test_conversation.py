import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.dialogue import Utterance
from charbot.generation.conversation import MAX_EARLIER, Conversation, EncodedContext

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
    encoded = {fit: EncodedContext(min(read, len(turns)), state) for fit, state in states.items()}
    conversation = Conversation(turns, encoded, turns[:read])
    again = Conversation.from_json(json.loads(json.dumps(conversation.to_json())))
    assert again == conversation
    assert again.encoded.keys() == conversation.encoded.keys()
    for fit, one in conversation.encoded.items():
        assert again.encoded[fit].turns == one.turns
        for part, other in zip(one.state, again.encoded[fit].state, strict=True):
            assert part.tobytes() == other.tobytes()
            assert part.shape == other.shape


def test_a_memory_is_a_value() -> None:
    empty = Conversation()
    one = empty.add("Hi")
    two = one.add("Hello", "Ann")
    assert (len(empty.turns), len(one.turns), len(two.turns)) == (0, 1, 2)
    assert two.turns == (Utterance(None, "Hi"), Utterance("Ann", "Hello"))
    assert one.add("  \x00 ") == one


def test_a_memory_forgets_what_is_long_ago() -> None:
    conversation = Conversation()
    for turn in range(30):
        conversation = conversation.add(str(turn)).truncated(3)
        assert 1 <= len(conversation.turns) <= 6
        assert conversation.turns[-1].text == str(turn)
        assert [one.text for one in conversation.earlier + conversation.turns] == [str(number) for number in range(turn + 1)]
    state = tuple(np.zeros((1, 1), np.float32) for _ in range(3))
    assert Conversation(conversation.turns[:6], {"x": EncodedContext(2, state)}).truncated(3).encoded
    assert not Conversation(conversation.turns[:1] * 7, {"x": EncodedContext(2, state)}).truncated(3).encoded


def test_of_a_long_conversation_the_last_turns_are_kept() -> None:
    turns = [Utterance(None, str(number)) for number in range(MAX_EARLIER + 9)]
    conversation = Conversation.of(turns, 4)
    assert conversation.turns == tuple(turns[-4:])
    assert conversation.earlier == tuple(turns[5:-4])
    assert Conversation.of(turns[:3], 4) == Conversation(tuple(turns[:3]))


@pytest.mark.parametrize("parts", [3, 5])
def test_what_was_read_before_there_were_caches_or_attention_is_read_anew(parts: int) -> None:
    kept = {"readings": {"x": {"turns": 1, "state": [[[0], ""]] * parts}}}
    conversation = Conversation.from_json(Conversation().add("Hi").to_json() | kept)
    assert conversation == Conversation().add("Hi")
    assert not conversation.encoded


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
        Conversation.from_json(Conversation().add("Hi").to_json() | damage)


def test_the_states_of_the_models_that_read_last_are_kept() -> None:
    conversation, state = Conversation().add("Tea?"), EncodedContext(1, ())
    for model in ("a", "b", "c", "d", "a", "e"):
        conversation = conversation.with_state(model, state)
    assert list(conversation.encoded) == ["c", "d", "a", "e"]
