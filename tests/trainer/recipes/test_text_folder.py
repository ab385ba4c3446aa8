from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from charbot.cli import main
from charbot.errors import TrainingError
from trainer.recipes import text_folder
from trainer.recipes.text_folder import TEMPERATURES, TextFolder, read_folder

RHYME = "The owl sat up and the baker sat down, and the bread went round and round the town.\n"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_folder, "UNITS", 16)
    monkeypatch.setattr(text_folder, "_BATCH", 16)
    monkeypatch.setattr(text_folder, "_SAMPLED", 20)


def test_a_fit_that_goes_on_is_one_that_never_stopped(tmp_path: Path) -> None:
    text = RHYME * 20
    whole = TextFolder(text, tmp_path / "whole")
    expected = [whole.epoch() for _ in range(3)][-1]
    TextFolder(text, tmp_path / "parts").epoch()
    TextFolder(text, tmp_path / "parts").epoch()
    again = TextFolder(text, tmp_path / "parts")
    assert again.epochs == 2
    found = again.epoch()
    assert (found.number, found.bits, found.samples) == (3, expected.bits, expected.samples)
    assert set(found.samples) == set(TEMPERATURES)
    parts, uninterrupted = load_file(tmp_path / "parts"), load_file(tmp_path / "whole")
    assert parts.keys() == uninterrupted.keys()
    assert all(torch.equal(parts[name], uninterrupted[name]) for name in parts)


def test_text_is_learnt(tmp_path: Path) -> None:
    train = TextFolder(RHYME * 60, tmp_path / "weights")
    first = train.epoch()
    for _ in range(4):
        last = train.epoch()
    assert last.bits < 0.7 * first.bits


def test_weights_of_other_text_or_damaged_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    TextFolder(RHYME * 20, weights).epoch()
    with pytest.raises(TrainingError, match="of other text"):
        TextFolder((RHYME + "Zounds!") * 20, weights)
    with pytest.raises(TrainingError, match="of other text"):
        TextFolder((RHYME + "The bread sat up.\n") * 20, weights)
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(TrainingError, match="are damaged"):
        TextFolder(RHYME * 20, weights)


def test_a_folder_is_read_whole_and_pictures_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("a" * 600)
    (tmp_path / "deep" / "b.txt").write_text("b" * 600)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\0\0")
    assert read_folder(tmp_path) == "a" * 600 + "\n" + "b" * 600
    (tmp_path / "a.txt").unlink()
    with pytest.raises(TrainingError, match="holds 600 characters"):
        read_folder(tmp_path)


def test_the_command_goes_on_where_it_left_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rhyme.txt").write_text(RHYME * 20)
    command = ["recipe", "text-folder", str(tmp_path / "rhyme.txt"), "--out", str(tmp_path / "weights")]
    assert main([*command, "--epochs", "1"]) == 0
    assert "epoch 1: " in capsys.readouterr().out
    assert main([*command, "--epochs", "2"]) == 0
    out = capsys.readouterr().out
    assert "continuing after epoch 1" in out
    assert "epoch 2: " in out
    assert "epoch 1: " not in out
    assert "  1.2: " in out
    assert "six hours" in out


def test_text_of_one_character_is_learnt_too(tmp_path: Path) -> None:
    assert TextFolder("a" * 2_000, tmp_path / "weights").epoch().samples[0.2] == "a" * 20
    assert torch.isfinite(torch.tensor(TextFolder("a" * 2_000, tmp_path / "weights").epoch().bits))
