from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charbot.speakers.ngrams import NgramClassifier, counted, ngrams, scale


def _classifier(*known: str) -> NgramClassifier:
    torch.manual_seed(1)
    hashes = sorted({ngram for text in known for ngram in counted(text)})
    size = len(hashes)
    return NgramClassifier(torch.tensor(hashes, dtype=torch.int32), torch.ones(size), torch.randn(size, 3), torch.randn(3))


def test_words_runs_of_words_and_runs_of_characters() -> None:
    assert list(ngrams("No, no")) == [
        "no", ",", "no",
        " no", "no ,", ", no", "no ",
        " no ,", " _ ,", "no , no", "no _ no", ", no ", ", _ ",
        "# n", "#no", "#o ", "# no", "#no ", "# no ",
        "# ,", "#, ", "# , ",
        "# n", "#no", "#o ", "# no", "#no ", "# no ",
    ]  # fmt: skip
    assert list(ngrams(" ")) == []


def test_an_ngram_counts_once_and_less_each_time() -> None:
    line = counted("No no no")
    assert len(line) == len(set(ngrams("No no no")))
    assert max(line.values()) == pytest.approx(1 + log(3))
    assert all(-(2**31) <= ngram < 2**31 for ngram in line)


@given(st.lists(st.text(max_size=60), max_size=4))
def test_scores_are_log_probabilities_and_each_line_s_own(texts: list[str]) -> None:
    model = _classifier("Is there tea?", "No.")
    scores = model.scores([*texts, "Is there tea?"])
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(len(texts) + 1))
    torch.testing.assert_close(scores[-1:], model.scores(["Is there tea?"]))


@pytest.mark.parametrize("text", ["", "Kwyjibo"])
def test_a_line_of_nothing_known_is_anybody_s(text: str) -> None:
    model = _classifier("tea pot")
    torch.testing.assert_close(model.scores([text])[0], model.bias.log_softmax(0))


def test_what_is_not_known_changes_nothing() -> None:
    model = _classifier("tea")
    assert torch.equal(model.scores(["zzz tea"]), model.scores(["qqq tea"]))
    assert not torch.allclose(model.scores(["tea"])[0], model.bias.log_softmax(0))


def test_what_everybody_says_tells_nothing() -> None:
    model = _classifier("tea")
    model.salience[:] = 0.0
    torch.testing.assert_close(model.scores(["tea"])[0], model.bias.log_softmax(0))


def test_of_a_longer_line_there_is_more_to_go_by() -> None:
    assert scale(torch.tensor(1.0)) == 1
    assert 1 < 32 * scale(torch.tensor(32.0)) < 3
    assert torch.isfinite(scale(torch.tensor(0.0)))
