import json

import pytest
import torch

from charbot.cli import main
from charbot.config import Hyperparameters
from trainer import bench


@pytest.mark.slow
def test_every_figure_is_there_and_hangs_together(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "WORDS", 200)
    monkeypatch.setattr(bench, "WIDTH", 16)
    monkeypatch.setattr(bench, "_SAMPLE", 20)
    monkeypatch.setattr("charbot.models.peak._SIZE", 64)
    assert main(["bench", "train", "--rounds", "1", "--steps", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for name in ("exact", "sampled"):
        ratio = found[f"{name}_tokens_per_second"] / found["plain_tokens_per_second"]
        assert found[f"{name}_against_plain"] == pytest.approx(ratio, rel=0.01)
    assert found["exact_against_peak"] == pytest.approx(found["exact_gflops"] / found["peak_gflops"], rel=0.1, abs=1e-3)


def test_operations_are_counted() -> None:
    # One multiplication and one addition for each weight and token, and twice that again backwards.
    weights = 4 * bench.WIDTH * 2 * bench.WIDTH + bench.WIDTH**2 + bench.WIDTH * bench.WORDS
    assert bench._flops(0) == 6 * bench.BATCH * bench.WINDOW * weights


def test_the_plain_loop_learns() -> None:
    torch.manual_seed(0)
    model = bench._PlainModel(0.0)
    before = model.decoder.bias.detach().clone()
    assert bench._plain(model, 2) > 0
    assert not torch.equal(before, model.decoder.bias)


def test_made_up_words_are_as_frequent_as_words() -> None:
    (window,) = bench._Windows(1).epoch(0)
    assert window.ids.shape == (bench.WINDOW + 1, bench.BATCH)
    assert Hyperparameters().batch == window.ids.shape[1]
    assert int((window.ids < 100).sum()) > window.ids.numel() / 3


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--steps", "1"]])
def test_too_few_rounds_are_refused(arguments: list[str]) -> None:
    assert main(["bench", "train", *arguments]) == 2
