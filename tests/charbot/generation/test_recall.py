import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.recall import recall_question, told, told_before

SAID = [
    "hi, i grow giant pumpkins on my roof",
    "My neighbour Olga won a cake contest in May. It had seven layers.",
    "just lost my wig at the fair",
    "do you like boats?",
    "she wants to sail to Malta on friday",
]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("what do i grow on my roof?", "You grow giant pumpkins on your roof"),
        ("do you remember what i grow?", "You grow giant pumpkins on your roof"),
        ("ok quick test, what did i say i'm growing", "You grow giant pumpkins on your roof"),
        ("who won the cake contest?", "Your neighbour Olga won a cake contest in May"),
        ("and how many layers was that?", "It had seven layers"),
        ("what did i lose at the fair again?", '"just lost my wig at the fair"'),
        ("where does she want to sail", "She wants to sail to Malta on friday"),
        ("how many layers did it get", "It had seven layers"),
    ],
)
def test_what_was_told_is_found_by_what_it_shares_with_the_question(question: str, sentence: str) -> None:
    assert told_before(question, SAID) == sentence


@pytest.mark.parametrize(
    "message",
    [
        "what should i do about my pumpkins?",
        "do you grow pumpkins?",
        "i love pumpkins",
        "what is the capital of peru",
        "why pumpkins",
        "",
    ],
)
def test_other_messages_ask_for_nothing_that_was_told(message: str) -> None:
    assert told_before(message, SAID) is None


def test_of_a_long_sentence_what_fits_is_recalled() -> None:
    long = ["my hands are killing me and i smell like a wet goat today, could be worse i guess, we will see"]
    said = "You smell like a wet goat today"
    assert told_before("do you remember what i smell like?", long) == said
    longer = ["my aunt Zora comes to the fair on thursday and i haven't sold a single hat to her in two years"]
    assert told_before("do you still know what day my aunt comes?", longer) == "Your aunt Zora comes to the fair on thursday"


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("which hat is mine again, do you remember?", "which hat is mine again, do you remember?"),
        ("no, i told you. is it cold?", "is it cold?"),
        ("haha. what is my name?", "what is my name?"),
        ("", ""),
    ],
)
def test_what_asks_for_something_told(message: str, question: str) -> None:
    assert recall_question(message) == question


def test_nothing_is_recalled_that_nobody_told() -> None:
    assert told_before("what do i grow on my roof?", SAID[1:]) is None
    assert told_before("what do i grow?", ["do you know what i grow?"]) is None


def test_the_sentence_that_tells_a_value_is_found() -> None:
    assert told("Hello! I am Zora, I herd ducks. They bite.", "Zora") == "You are Zora, you herd ducks"
    assert told("never mind, it is fine. i turned 81 today", "81") == "You turned 81 today"
    assert told("how deep is the sea?", "sea") is None


@given(st.text(), st.lists(st.text()))
def test_any_message_may_ask(question: str, earlier: list[str]) -> None:
    told_before(question, earlier)
