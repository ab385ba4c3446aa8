from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.tokens import tokenizer_for
from charbot.tokens.pieces import pieces
from charbot.tokens.vocabulary import END, UNITS, Unit, Vocabulary, build_vocabulary, frequent

TEXTS = ["I don't know, Bob!", "Tea? Tea... tea -- tea.", '"Quoted" (aside)', "Ça va?"]
VOCABULARIES = {
    u: build_vocabulary(u, [(text, 1) for text in TEXTS], ["Ann", "Bob"], min_characters=1, min_words=1) for u in UNITS
}
ANY_TEXT = st.text(st.characters(codec=None), max_size=60) | st.text("ab  '.!\n\tÇ😀\u202e\ud800", max_size=40)


@pytest.mark.parametrize("unit", UNITS)
@given(text=ANY_TEXT)
def test_any_text_round_trips(unit: Unit, text: str) -> None:
    tokenizer = tokenizer_for(VOCABULARIES[unit])
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    # Text is made of what a model predicts, and never ends itself.
    assert all(0 < id_ < tokenizer.vocabulary.predicted for id_ in ids)
    assert END not in ids


@given(text=ANY_TEXT)
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == " " + text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't know, Bob!", [" I", " don't", " know", ",", " Bob", "!"]),
        ("goin' home...", [" goin", "'", " home", "..."]),
        ("well--no?!", [" well", "--", "no", "?", "!"]),
        ("a  b", [" a", " ", " b"]),
    ],
)
def test_words_are_whole_and_punctuation_is_apart(text: str, expected: list[str]) -> None:
    assert list(pieces(text)) == expected


def test_the_first_word_is_the_same_word_as_inside() -> None:
    tokenizer = tokenizer_for(VOCABULARIES["word"])
    assert tokenizer.encode("Tea")[0] == tokenizer.encode("I Tea")[-1]


def test_an_unknown_word_is_spelled_and_a_known_one_is_not() -> None:
    vocabulary = VOCABULARIES["word"]
    ids = tokenizer_for(vocabulary).encode("Bob knew")
    assert len([id_ for id_ in ids if id_ >= vocabulary.first_word]) == 1
    assert ids[1] == vocabulary.spaced
    assert ids[-1] == vocabulary.spelled
    assert len(ids) == 1 + 2 + len("knew")


def test_an_unknown_word_without_a_space_before_it_is_told_apart() -> None:
    vocabulary = VOCABULARIES["word"]
    ids = tokenizer_for(vocabulary).encode("#knew")
    assert [id_ for id_ in ids if vocabulary.opens_spelling(id_)] == [vocabulary.spaced, vocabulary.spell]


def test_broken_bytes_become_replacement_characters() -> None:
    vocabulary = VOCABULARIES["char"]
    ids = vocabulary.spell_out("😀")[:2]
    assert "\ufffd" in vocabulary.read_spelling(ids)


@pytest.mark.parametrize("unit", UNITS)
def test_every_id_has_one_meaning(unit: Unit) -> None:
    vocabulary = VOCABULARIES[unit]
    named = [
        END, *vocabulary.spell_out("\u4e00"), *vocabulary.character_ids.values(), *vocabulary.word_ids.values(),
        vocabulary.scene, vocabulary.anonymous, vocabulary.knowing("Zed").speaker("Zed"),
        *map(vocabulary.speaker, ["Ann", "Bob"]),
    ]  # fmt: skip
    assert len(set(named)) == len(named)
    assert max(named) == len(vocabulary) - 1
    assert vocabulary.scene == vocabulary.predicted


def test_speakers() -> None:
    vocabulary = VOCABULARIES["word"]
    assert vocabulary.speaker(None) == vocabulary.speaker("Nobody") == vocabulary.anonymous
    assert vocabulary.knowing("Ann") == vocabulary
    newcomer = vocabulary.knowing("Zed")
    assert newcomer.speaker("Zed") not in (newcomer.anonymous, newcomer.speaker("Ann"))
    assert newcomer.speaker("Yan") == newcomer.anonymous


@pytest.mark.parametrize("unit", UNITS)
def test_json_round_trip(unit: Unit) -> None:
    assert Vocabulary.from_json(VOCABULARIES[unit].to_json()) == VOCABULARIES[unit]


def test_frequent_is_ordered_and_repeatable() -> None:
    assert frequent(Counter({"b": 2, "a": 2, "c": 5, "d": 1}), 2) == ("c", "a", "b")
