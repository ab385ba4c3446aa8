import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.reflection import exchanged, in_second_person


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("i painted my boat green", "You painted your boat green"),
        ("I'm selling my drum because we moved", "You're selling your drum because you moved"),
        ("i was so late that my aunt left me there", "You were so late that your aunt left you there"),
        ("the ferry is late again", "The ferry is late again"),
    ],
)
def test_a_statement_is_said_in_the_second_person(statement: str, sentence: str) -> None:
    assert in_second_person(statement.split()) == sentence


@pytest.mark.parametrize("sentence", ["", "no", "i do", "You are a goat, you know", "feed the goat now", "i like you a lot"])
def test_what_is_no_statement_about_the_user_is_not(sentence: str) -> None:
    assert in_second_person(sentence.split()) is None


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("have you ever eaten a thistle", "have I ever eaten a thistle"),
        ("what would you do in my place?", "what would I do in your place?"),
        ("are you scared of me?", "am I scared of you?"),
        ("were you sad when I was gone?", "was I sad when you were gone?"),
        ("can you lend me your boat?", "can I lend you my boat?"),
        ("who told you that", "who told me that"),
    ],
)
def test_the_persons_are_exchanged(question: str, sentence: str) -> None:
    assert " ".join(exchanged(question.split())) == sentence


@given(st.lists(st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1)))
def test_any_words_have_as_many_others(spoken: list[str]) -> None:
    assert len(exchanged(spoken)) == len(spoken)
