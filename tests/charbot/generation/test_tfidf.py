import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.tfidf import Rarity, TfidfIndex, cosine

TEXTS = ("What's your name?", "what is your favourite colour", "my cat died", "...")
RARITY = Rarity.of(TEXTS)
INDEX = TfidfIndex(RARITY, TEXTS)


@pytest.mark.parametrize(("query", "number"), [("whats ur name", 0), ("favorite color?", 1), ("the cat has died", 2), ("...", 3)])
def test_spellings_that_mean_the_same_are_the_same(query: str, number: int) -> None:
    found = INDEX.search(RARITY.vector(query))
    assert found.argmax() == number


@given(st.text(), st.text())
def test_the_index_finds_what_comparing_finds(query: str, text: str) -> None:
    similarity = TfidfIndex(RARITY, [text]).search(RARITY.vector(query))[0]
    assert similarity == pytest.approx(cosine(RARITY.vector(query), RARITY.vector(text)))
    assert 0 <= similarity <= 1 + 1e-9


@given(st.text(min_size=1).filter(str.strip))
def test_a_text_is_most_like_itself(text: str) -> None:
    assert cosine(RARITY.vector(text), RARITY.vector(text)) == pytest.approx(1)
