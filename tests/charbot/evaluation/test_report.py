from math import exp

import numpy as np
import pandas as pd
import pytest
import torch

from charbot.corpus.conversation import Utterance, whole
from charbot.errors import CorpusError
from charbot.evaluation.report import base_report, closed_perplexity, persona_report
from charbot.personas.library import Library
from charbot.tokens.render import render
from charbot.tokens.vocabulary import Vocabulary
from charbot.tokens.word import WordTokenizer
from tests.conftest import tiny_model


def test_reports_have_their_figures(shared_library: Library, corpus: pd.DataFrame) -> None:
    base = base_report(shared_library, corpus)
    assert base["lines"] == (corpus["split"] == "test").sum()
    # Random weights know nothing: about eight bits for one of some 300 characters.
    assert 4 < base["char_bits_per_character"] < 12
    assert base["word_perplexity"] > 10
    persona = persona_report(shared_library, "ann", corpus, 4)
    assert persona["persona"] == "Ann"
    assert persona["lines"] == ((corpus["split"] == "test") & (corpus["speaker"] == "Ann")).sum()
    assert persona["char_base"] != persona["char_persona"]


def test_without_test_episodes_there_is_no_report(shared_library: Library, corpus: pd.DataFrame) -> None:
    train = corpus[corpus["split"] == "train"]
    with pytest.raises(CorpusError, match=r"corpus\.test"):
        base_report(shared_library, train)
    with pytest.raises(CorpusError, match="Ann says nothing"):
        persona_report(shared_library, "ann", train, 4)


def test_perplexity_over_a_closed_vocabulary_sums_spellings() -> None:
    vocabulary = Vocabulary("word", tuple("abTet z"), (" tea", " Tea", "tea", "!", "tet"), ("Ann",))
    model = tiny_model(vocabulary)
    tokenizer = WordTokenizer(vocabulary)
    known = frozenset({"tea", "!", "be", "tet"})
    conversation = whole([Utterance("Ann", "Tea! zebra be teT")])
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
