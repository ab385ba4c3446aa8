import itertools
from math import exp

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charbot.corpus.examples import full_example, response_example
from charbot.dialogue import Utterance
from charbot.evaluation.likelihood import predicted_nats
from charbot.evaluation.mixture import chunk_nats, mixed_nats, spaced_ids
from charbot.models.language_model import LanguageModel
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.render import render
from charbot.tokens.vocabulary import UNITS, Unit, Vocabulary
from tests.conftest import tiny_model

TEXTS = ["", "Tea", " Tea", "Tea  spoon", "More tea? No! Zebra, aaa", "a ", "Ω tea\tx 'tis", "  ", "tea-tea's \u00a0b"]
VOCABULARIES = {
    unit: Vocabulary(unit, tuple(" aet.,'"), (" tea", " a", "!", " ", "?") * (unit == "word"), ("Ann",)) for unit in UNITS
}


def tools(unit: Unit) -> tuple[LanguageModel, Tokenizer]:
    return tiny_model(VOCABULARIES[unit], cache=8), tokenizer_for(VOCABULARIES[unit])


@pytest.mark.parametrize("unit", UNITS)
@given(text=st.sampled_from(TEXTS) | st.text())
def test_chunks_make_up_the_text(unit: Unit, text: str) -> None:
    model, tokenizer = tools(unit)
    talk = [
        full_example([Utterance("Ann", text), Utterance(None, "tea a")]),
        response_example([Utterance(None, "a")], Utterance("Ann", text)),
    ]
    chunks = chunk_nats(model, tokenizer, talk)
    totals = [part.sum() for part in predicted_nats(model, [render(tokenizer, one) for one in talk])]
    assert [sum(one) for one in chunks] == pytest.approx(totals, rel=1e-4)
    assert [len(one) for one in chunks] == [text.count(" ") + 1 + 2, text.count(" ") + 1]


@given(st.lists(st.tuples(st.floats(0.01, 50), st.floats(0.01, 50)), max_size=20))
def test_a_mixture_lies_between_and_costs_little_more_than_the_better(pairs: list[tuple[float, float]]) -> None:
    (mixed,) = mixed_nats({"char": [[c for c, _ in pairs]], "word": [[w for _, w in pairs]]})
    assert (
        sum(map(min, pairs)) - 1e-6 <= mixed <= min(sum(map(max, pairs)), sum(min(c + 1.61, w + 0.23) for c, w in pairs)) + 1e-6
    )


@pytest.mark.parametrize("unit", UNITS)
def test_the_chunks_that_may_come_next_are_no_more_likely_than_one(unit: Unit) -> None:
    """All short second chunks of a text, and how likely they are after the first."""
    model, tokenizer = tools(unit)
    with torch.no_grad():
        model.bias[tokenizer.encode("a a")] += 6.0  # so that most of the probability is in what is tried
    total = 0.0
    for length in range(4):
        for chars in itertools.product("aet.,'", repeat=length):
            for text in (f"a {''.join(chars)} a", f"a {''.join(chars)}"):
                ((_, second, *_),) = chunk_nats(model, tokenizer, [response_example([], Utterance("Ann", text))])
                total += exp(-second)
    assert 0.5 < total <= 1 + 1e-5


def test_spaced_ids() -> None:
    vocabulary = VOCABULARIES["word"]
    ids = [vocabulary.spaced, *(vocabulary.word_ids[word] for word in (" tea", " a", " "))]
    assert spaced_ids(vocabulary).nonzero()[:, 0].tolist() == sorted(ids)
