from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.models.ngram_embedding import Kind
from tests.phrases import FOLDED, KINDS, VOCABULARY, rendered, spelled
from trainer.phrases import frequent_phrases


def test_kinds() -> None:
    of = {char: (Kind(int(KINDS[id_])), int(FOLDED[id_])) for char, id_ in VOCABULARY.character_ids.items()}
    ids = VOCABULARY.character_ids
    assert of["A"] == of["a"] == (Kind.WITHIN, ids["a"])
    assert of["é"] == (Kind.WITHIN, ids["é"])
    assert of["'"] == (Kind.WITHIN, ids["'"])
    assert of[","] == (Kind.BETWEEN, ids[","])
    assert set(KINDS[VOCABULARY.scene :].tolist()) == {Kind.RESET}


def test_a_phrase_begins_with_a_word_and_ends_within_the_next() -> None:
    assert spelled(frequent_phrases(rendered(*["Ab. ba b"] * 3), KINDS, FOLDED, 99)) == [
        "", "a", "b", "ab", "b|", "ba", "ab.", "ba ", "ab. ", "ba b", "ab. b", "ba b|", "ab. ba", "ab. ba "
    ]  # fmt: skip


def loss_mask(texts: list[str]) -> Counter[str]:
    """How often each phrase begins: said in another way."""
    found: Counter[str] = Counter()
    for text in texts * 2:
        text = text.lower() + "|"
        word = [char.isalnum() or char == "'" for char in text]
        begins = [at for at, here in enumerate(word) if here and (at == 0 or not word[at - 1])]
        for which, begin in enumerate(begins):
            end = begins[which + 2] if which + 2 < len(begins) else len(text)
            found.update(text[begin:stop] for stop in range(begin + 1, end + 1))
    return found


@given(st.lists(st.text("abAB' .,é", min_size=1, max_size=20), min_size=1, max_size=8), st.sampled_from([3, 10, 10_000]))
def test_every_frequent_phrase_is_found(texts: list[str], room: int) -> None:
    texts *= 4
    keys = frequent_phrases(rendered(*texts), KINDS, FOLDED, room)
    assert (keys.diff() > 0).all()
    wanted = {phrase: count for phrase, count in loss_mask(texts).items() if count >= 5}
    found = spelled(keys)[1:]
    assert len(found) <= room
    if len(wanted) <= room:
        assert sorted(found) == sorted(wanted)
    else:
        least = min((wanted[phrase] for phrase in found), default=max(wanted.values()) + 1)
        assert all(wanted[phrase] < least for phrase in wanted.keys() - set(found))


@pytest.mark.parametrize("room", [0, 99])
def test_nothing_frequent_makes_no_phrases(room: int) -> None:
    assert len(frequent_phrases(rendered("ab"), KINDS, FOLDED, room)) == 0
