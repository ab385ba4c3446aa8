from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console

from charbot.errors import TrainingError
from charbot.tokens.vocabulary import Vocabulary
from tests.conftest import tiny_config, tiny_model
from trainer.compare_cells import compare_cells, draw_cells, gradient_norms
from trainer.run import prepare_run


@pytest.mark.slow
def test_every_cell_reads_as_much_and_leaves_a_picture(corpus: pd.DataFrame, tmp_path: Path) -> None:
    run = prepare_run(tiny_config(), corpus, tmp_path, Console(quiet=True))
    compared = compare_cells(run, "char", 12)
    assert [one.cell for one in compared] == ["lstm", "gru", "rnn"]
    assert compared[0].parameters > compared[1].parameters > compared[2].parameters
    for one in compared:
        assert 1 < one.bits < 9
        assert len(one.gradient) == 100
        assert one.gradient[0] == 1.0
        log = (tmp_path / "runs" / f"cell-char-{one.cell}" / "log.jsonl").read_text("utf-8").splitlines()
        assert len(log) == 12 + 1
    draw_cells(compared, tmp_path / "deep" / "cells.png")
    assert (tmp_path / "deep" / "cells.png").read_bytes().startswith(b"\x89PNG")


def test_gradients_by_distance_are_what_nudging_the_input_says(vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies["word"])
    ids = torch.randint(0, model.architecture.outputs, (8, 1), generator=torch.Generator().manual_seed(3))
    found = gradient_norms(model, ids)
    assert len(found) == 7

    def loss(at: int, direction: int, by: float) -> float:
        embedded = model.embedding(ids[:-1]) * model.architecture.embedding**0.5
        embedded[at, 0, direction] += by
        hidden, _ = model.recurrent(embedded)
        return float(torch.nn.functional.cross_entropy(model.logits(model.projection(hidden[-1])), ids[-1]))

    with torch.no_grad():
        norms = [
            torch.tensor([loss(at, direction, 0.01) - loss(at, direction, -0.01) for direction in range(16)]).norm()
            for at in (6, 5, 3)
        ]
    for norm, distance in zip(norms, (0, 1, 3), strict=True):
        assert float(norm / norms[0]) == pytest.approx(found[distance], rel=0.02)


def test_scripts_too_short_are_refused(corpus: pd.DataFrame, tmp_path: Path) -> None:
    few = corpus[corpus["split"] == "train"].head(20)
    run = prepare_run(tiny_config(), few, tmp_path, Console(quiet=True))
    with pytest.raises(TrainingError, match="too short to compare cells on"):
        compare_cells(run, "word", 2)
