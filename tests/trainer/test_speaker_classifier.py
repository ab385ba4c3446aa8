import dataclasses
from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console

from charbot.errors import BundleError, CorpusError, UsageError
from charbot.personas.bundle import read_classifier
from charbot.personas.library import Library
from charbot.speakers.identifier import SpeakerIdentifier, rank_lines
from charbot.speakers.ngrams import counted
from tests.conftest import SAYINGS, tiny_config
from trainer.run import TrainingRun, prepare_run
from trainer.speaker_classifier import Evidence, LineStream, _best, fit_ngrams, train_classifier


def _shop(corpus: pd.DataFrame, out: Path) -> TrainingRun:
    config = tiny_config()
    train = dataclasses.replace(config.train.classifier.fit, batch=16, epochs=4, learning_rate=5e-3)
    classifier = dataclasses.replace(config.train.classifier, fit=train, min_lines=20, hidden=8, ngrams=256)
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, classifier=classifier))
    return prepare_run(config, corpus, out, Console(quiet=True))


@pytest.fixture(scope="module")
def fitted(corpus: pd.DataFrame, shared_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Library:
    out = tmp_path_factory.mktemp("classifier")
    train_classifier(_shop(corpus, out), shared_library)
    return Library((out, *shared_library.folders))


@pytest.mark.slow
def test_who_always_says_the_same_is_told_apart(fitted: Library) -> None:
    card, _ = read_classifier(fitted.classifier)
    assert card.scores["test_right_1"] == card.scores["test_right_10"] == 1
    assert card.scores["test_bits_10"] <= card.scores["test_bits_1"] < 0.2
    recogniser = SpeakerIdentifier(fitted)
    for name, texts in SAYINGS.items():
        for text in texts:
            ranking = recogniser.rank([text])
            assert ranking[0][0] == name
            assert sum(p for _, p in ranking) == pytest.approx(1)


@pytest.mark.slow
def test_a_cast_can_be_chosen(fitted: Library) -> None:
    assert {name for name, _ in SpeakerIdentifier(fitted, ["bob", "Cy"]).rank(["More tea?"])} == {"Bob", "Cy"}
    assert len(SpeakerIdentifier(fitted, ["demo"]).rank(["More tea?"])) == 3
    with pytest.raises(UsageError, match=r"called 'Zed' is known here; known are .*Ann.*Demo"):
        SpeakerIdentifier(fitted, ["Zed"])
    with pytest.raises(UsageError, match="two people"):
        SpeakerIdentifier(fitted, ["Ann"])


@pytest.mark.slow
def test_json_lines(fitted: Library) -> None:
    recogniser = SpeakerIdentifier(fitted)
    asked = ['{"id": 1, "text": "More tea?"}', '{"id": 2, "lines": ["More tea?", "The kettle is on!"]}', '{"id": 3}']
    one, two, nothing = rank_lines(recogniser, asked)
    assert one["ranking"][0][0] == two["ranking"][0][0] == "Ann"
    assert nothing == {"id": 3, "error": "line 3: `text` or `lines` is missing"}
    (mistake,) = rank_lines(recogniser, ['{"id": 4, "lines": "More tea?"}'])
    assert mistake == {"id": 4, "error": "line 1: `lines` must be a list of texts"}


def test_each_line_is_read_once_an_epoch_and_a_fit_goes_on_where_it_was() -> None:
    stream = LineStream([[place] * (1 + place % 3) for place in range(50)], [place % 2 for place in range(50)], 4, 1)
    windows = list(stream.epoch(0))
    assert len(windows) == stream.steps
    read = [(int(window.ids[0, i]), int(window.ids[-1, i])) for window in windows for i in range(window.ids.shape[1])]
    assert sorted(read) == [(place, place % 2) for place in range(50)]
    for window in windows:
        assert window.loss_mask[-1].all()
        assert not window.loss_mask[:-1].any()
    for one, other in zip(stream.epoch(0, 5), windows[5:], strict=True):
        assert torch.equal(one.ids, other.ids)
    assert not all(torch.equal(one.ids, other.ids) for one, other in zip(stream.epoch(1), windows, strict=True))


def test_one_person_cannot_be_told_apart(corpus: pd.DataFrame, shared_library: Library, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="two people with 20 lines"):
        train_classifier(_shop(corpus[corpus["speaker"] == "Ann"], tmp_path), shared_library)


def test_without_a_classifier_its_fit_is_suggested(shared_library: Library) -> None:
    with pytest.raises(BundleError, match="charbot train --classifier"):
        SpeakerIdentifier(shared_library)


@pytest.mark.parametrize("speakers", [[0, 1], [0, 1, 2]])
def test_ngrams_learn_who_says_what(speakers: list[int]) -> None:
    said = ["More tea?", "The bus is late.", "I found a frog!"]
    model = fit_ngrams([said[who] for who in speakers] * 20, speakers * 20, 1024)
    assert model.scores(said).argmax(1).tolist()[: len(speakers)] == speakers
    assert model.weight.shape == (len(model.known), len(speakers))
    assert torch.equal(model.known, model.known.unique(sorted=True))
    assert (model.salience >= 0).all()


def test_of_the_ngrams_those_are_kept_that_tell_most() -> None:
    lines = ["tea now", "bus now", "tea now", "bus now"] * 3 + ["frog now"] * 2
    kept = fit_ngrams(lines, [0, 1] * 6 + [0, 1], 8).known.tolist()
    assert len(kept) == 8
    assert set(counted("tea")) & set(kept)
    assert not set(kept) & {ngram for ngram in counted("now") if ngram not in counted("tea")}, "everybody says it"
    everything = fit_ngrams(lines, [0, 1] * 6 + [0, 1], 1024).known.tolist()
    assert not set(everything) & (set(counted("frog")) - set(counted("tea")) - set(counted("bus"))), "said too seldom"


def test_where_no_word_comes_again_nobody_can_be_told_apart() -> None:
    with pytest.raises(CorpusError, match="no word is in 3 lines"):
        fit_ngrams(["tea pot", "frog", "bus"], [0, 1, 0], 8)


def test_evidence_of_several_lines() -> None:
    scores = torch.tensor([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.3, 0.7], [0.3, 0.7]]).log()
    even = torch.tensor([0.5, 0.5]).log()
    evidence = Evidence(scores, even, [0, 0, 0, 1, 0])
    assert evidence.right(1, 1.0) == pytest.approx(4 / 5)
    assert evidence.right(2, 1.0) == 1, "of lines 1 and 2, and of 3 and 5; one of the other's is none of two"
    assert evidence.bits(2, 1.0) < evidence.bits(2, 0.5) < evidence.bits(2, 0.0)
    assert evidence.right(4, 1.0) == 1
    assert evidence.right(5, 1.0) != evidence.right(5, 1.0), "nothing to measure on"


def test_the_best_share_is_found_and_half_where_nothing_can_be_measured() -> None:
    assert _best(lambda tenth: (tenth - 0.3) ** 2) == 0.3
    assert _best(lambda tenth: float("nan")) == 0.5
