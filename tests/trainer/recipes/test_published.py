from dataclasses import replace
from math import log
from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console

from charbot.errors import CorpusError
from tests.conftest import tiny_config
from trainer.recipes.plain import PlainLSTM
from trainer.recipes.published import PUBLISHED, _held_out_nats, compare_published
from trainer.run import prepare_run


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_both_are_fitted_for_as_long_and_scored_alike(name: str, corpus: pd.DataFrame, tmp_path: Path) -> None:
    run = prepare_run(tiny_config(), corpus, tmp_path, Console(quiet=True))
    theirs, ours = compare_published(run, replace(PUBLISHED[name], units=32), 0.05)
    assert (theirs.whose, ours.whose) == ("theirs", "ours")
    for one in (theirs, ours):
        assert one.epochs > 0
        assert 0 < one.loss < 6
        assert one.sample
    if name == "words":
        # Some 40 words and marks are all that this show says.
        assert 1 < theirs.score < 40
        assert 1 < ours.score < 40
    else:
        assert 0 < theirs.score < 6
        assert 0 < ours.score < 6


def test_without_test_episodes_nothing_is_compared(corpus: pd.DataFrame, tmp_path: Path) -> None:
    run = prepare_run(tiny_config(), corpus[corpus["split"] == "train"], tmp_path, Console(quiet=True))
    with pytest.raises(CorpusError, match="test split"):
        list(compare_published(run, PUBLISHED["words"], 0.05))


@pytest.mark.parametrize("length", [1, 4, 9, 10, 11, 57])
def test_held_out_text_is_counted_once_each(length: int) -> None:
    model = PlainLSTM(7, 4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    # A model without an opinion gives each of seven symbols a seventh.
    assert _held_out_nats(model, torch.zeros(length, dtype=torch.int64), 10) == pytest.approx(length * log(7), rel=1e-5)
