from math import exp

import numpy as np
import pytest
import torch

from charbot.corpus.examples import full_example
from charbot.dialogue import Utterance
from charbot.evaluation.likelihood import predicted_nats
from charbot.evaluation.perplexity import closed_perplexity, closed_vocabulary
from charbot.tokens.pieces import lower_pieces
from charbot.tokens.render import render
from charbot.tokens.vocabulary import Vocabulary
from charbot.tokens.word import WordTokenizer
from tests.conftest import tiny_model


def test_a_closed_vocabulary_knows_no_case_and_no_space() -> None:
    assert lower_pieces("Tea?  TEA, I said...") == ["tea", "?", "tea", ",", "i", "said", "..."]
    assert closed_vocabulary(["Tea? tea!", "Tea"], 2) == {"tea"}
    assert closed_vocabulary(["Tea? tea!", "Tea"], 4) == frozenset()


def test_perplexity_over_a_closed_vocabulary_sums_spellings() -> None:
    vocabulary = Vocabulary("word", tuple("abTet z"), (" tea", " Tea", "tea", "!", "tet"), ("Ann",))
    model = tiny_model(vocabulary)
    tokenizer = WordTokenizer(vocabulary)
    known = frozenset({"tea", "!", "be", "tet"})
    conversation = full_example([Utterance("Ann", "Tea! zebra be teT")])
    found = closed_perplexity(model, tokenizer, [conversation], known)

    ids = torch.from_numpy(render(tokenizer, conversation).ids.astype(np.int64))
    with torch.inference_mode():
        features, _ = model(ids[:-1, None])
        p = model.logits(features[:, 0]).softmax(1)
    first = vocabulary.first_word
    # ids: SCENE Ann " Tea" "!", " zebra", " be" and " teT" each between SPACED and SPELLED, END;
    # p[i] predicts ids[i + 1].
    zebra, be = 4, 4 + 2 + len(vocabulary.spell_out("zebra"))
    tet = be + 4

    def spelling(start: int, stop: int) -> float:
        return float(np.prod([float(p[i - 1, ids[i]]) for i in range(start, stop)]))

    expected = [
        float(p[1, [first, first + 1, first + 2]].sum()),
        float(p[2, first + 3]),
        float(p[zebra - 1, [vocabulary.spell, vocabulary.spaced]].sum()),
        spelling(be, tet),
        float(p[tet - 1, first + 4]) + spelling(tet, tet + 5),
        float(p[-1, 0]),
    ]
    assert [int(ids[i]) for i in (zebra, be, tet)] == [vocabulary.spaced] * 3
    assert found["word_perplexity"] == pytest.approx(exp(-np.mean(np.log(expected))), rel=1e-3)
    assert found["word_unknown_share"] == pytest.approx(1 / 6)
    assert found["word_vocabulary"] == 4


def test_a_cache_counts() -> None:
    vocabulary = Vocabulary("word", tuple("aet"), (" tea", " at"), ("Ann",))
    model, tokenizer = tiny_model(vocabulary, cache=8), WordTokenizer(vocabulary)
    conversation = full_example([Utterance("Ann", "tea tea at tea"), Utterance(None, "at at")])
    # Every word has one form, so that the class of a word is that word.
    nats = predicted_nats(model, [render(tokenizer, conversation)])[0]
    found = closed_perplexity(model, tokenizer, [conversation], frozenset({"tea", "at"}))
    assert found["word_perplexity"] == pytest.approx(exp(nats.mean()), rel=1e-4)
