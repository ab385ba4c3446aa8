from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charbot.models.ngrams import NgramClassifier, counted, ngrams

_BUCKETS = 512


def _classifier() -> NgramClassifier:
    torch.manual_seed(1)
    return NgramClassifier(torch.randn(_BUCKETS, 3), torch.ones(_BUCKETS), torch.randn(3))


def test_words_pairs_and_runs_of_characters() -> None:
    assert list(ngrams("No, no")) == [
        "no", ",", "no", "no ,", ", no",
        "# n", "#no", "#o ", "# no", "#no ", "# no ",
        "# ,", "#, ", "# , ",
        "# n", "#no", "#o ", "# no", "#no ", "# no ",
    ]  # fmt: skip


def test_an_ngram_counts_once_and_less_each_time() -> None:
    line = counted("No no no", 2**40)
    assert len(set(line.buckets)) == len(line.buckets) == len(set(ngrams("No no no")))
    assert max(line.weights) == pytest.approx(1 + log(3))
    assert min(line.weights) == pytest.approx(1 + log(2)), "pairs"


def test_buckets_are_used_evenly() -> None:
    used = {bucket for number in range(200) for bucket in counted(str(number), _BUCKETS).buckets}
    assert len(used) > 0.9 * _BUCKETS * (1 - (1 - 1 / _BUCKETS) ** len({n for k in range(200) for n in ngrams(str(k))}))


@given(st.lists(st.text(max_size=60), max_size=4))
def test_scores_are_log_probabilities_and_each_line_s_own(texts: list[str]) -> None:
    model = _classifier()
    scores = model.scores([*texts, "Is there tea?"])
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(len(texts) + 1))
    torch.testing.assert_close(scores[-1:], model.scores(["Is there tea?"]))


def test_a_line_of_nothing_is_anybody_s() -> None:
    model = _classifier()
    torch.testing.assert_close(model.scores([""])[0], model.bias.log_softmax(0))


def test_what_everybody_says_tells_nothing() -> None:
    model = _classifier()
    model.rarity[counted("tea", _BUCKETS).buckets] = 0.0
    torch.testing.assert_close(model.scores(["tea"])[0], model.bias.log_softmax(0))
