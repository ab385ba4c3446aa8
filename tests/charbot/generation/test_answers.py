import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.dialogue import Utterance
from charbot.generation.answers import Answers


def _chat(*texts: str) -> tuple[Utterance, ...]:
    return tuple(Utterance("Ann" if at % 2 else None, text) for at, text in enumerate(texts))


ANSWERS = Answers((
    _chat("What's your name?", "Ann, like my aunt.", "nice name", "It came with a spoon."),
    _chat("how old are you", "Older than the kettle."),
    _chat("how are you", "Warm, thank you."),
    _chat("my cat died", "I am so sorry.", "thanks", "Have some tea."),
    _chat("thanks", "It was only tea."),
    _chat("...", "Cat got your tongue?"),
))  # fmt: skip


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("whats your NAME", "Ann, like my aunt."),
        ("And how old are you?", "Older than the kettle."),
        ("how are you", "Warm, thank you."),
        ("My cat just died.", "I am so sorry."),
        ("...", "Cat got your tongue?"),
    ],
)
def test_the_answer_to_the_message_most_like_it_comes_first(message: str, answer: str) -> None:
    found = ANSWERS.near([Utterance(None, message)])
    assert next(iter(found)) == answer
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_what_goes_on_in_a_conversation_answers_there_alone() -> None:
    thanks = Utterance(None, "thanks")
    assert ANSWERS.near([thanks]) == {"It was only tea.": pytest.approx(1)}
    assert "Have some tea." in ANSWERS.near(_chat("my cat is dead", "I am so sorry.", "thanks"))
    assert "It came with a spoon." not in ANSWERS.near([Utterance(None, "nice name")])


def test_what_is_like_no_message_has_no_answer() -> None:
    assert ANSWERS.near([Utterance(None, "Zebras wear pyjamas")]) == {}
    assert ANSWERS.near([]) == {}
    assert Answers(()).near([Utterance(None, "hi")]) == {}


@given(st.text())
def test_whatever_is_said_it_is_alike_by_a_share(text: str) -> None:
    found = ANSWERS.near([Utterance(None, text)])
    assert all(0 < alike <= 1.000001 for alike in found.values())
    assert len(found) <= 4
