import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.spelling import respelled


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("wat r u doin rn", "what are you doing right now"),
        ("WBU?", "what about you?"),
        ("idk, y", "i don't know, why"),
        ("r's are hard", "r's are hard"),
        ("A kettle.", "A kettle."),
    ],
)
def test_chat_spellings_stand_for_words(text: str, meant: str) -> None:
    assert respelled(text) == meant


@given(st.text())
def test_what_is_respelled_stays_so(text: str) -> None:
    assert respelled(respelled(text)) == respelled(text)
