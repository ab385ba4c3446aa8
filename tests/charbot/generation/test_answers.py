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


NAMED = Answers((
    _chat("hi, my name is Lisa", "Hello, Lisa. I am Ann."),
    _chat("i have a dog named Coco", "Coco! Give Coco a biscuit from me.", "what's my dog's name?", "Coco, of course."),
    _chat("I live in Lima", "Is it warm there?", "where do i live?", "Lima. You told me."),
    _chat("I'm tired", "Then sit down."),
    _chat("what is your name?", "Ann."),
))  # fmt: skip


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("my name is tom", "Hello, Tom. I am Ann."),
        ("hi my name's Lisa", "Hello, Lisa. I am Ann."),
        ("i have a dog called Rex", "Rex! Give Rex a biscuit from me."),
    ],
)
def test_a_name_that_the_user_gives_takes_the_place_of_the_written_one(message: str, answer: str) -> None:
    assert next(iter(NAMED.near([Utterance(None, message)]))) == answer


def test_no_written_name_is_said_where_nobody_gave_one() -> None:
    for message in ("hi, my name", "i have a dog", "I'm tired"):
        assert not any("Lisa" in answer or "Coco" in answer for answer in NAMED.near([Utterance(None, message)]))


@pytest.mark.parametrize(
    ("fact", "question", "answer"),
    [
        ("my dog is named Rex", "so what's my dog's name", "Rex, of course."),
        ("i live in oslo with my mum", "where do i live", "Oslo. You told me."),
    ],
)
def test_what_the_user_told_is_recalled(fact: str, question: str, answer: str) -> None:
    turns = _chat(fact, "How nice.", "it is", "Is it?", question)
    assert next(iter(NAMED.near(turns))) == answer
    assert answer not in NAMED.near([*turns[2:]]), "nobody told"


def test_what_was_told_of_something_else_is_not_recalled() -> None:
    assert not any("Rex" in answer for answer in NAMED.near(_chat("my dog is named Rex", "How nice.", "where do i live?")))
