from pathlib import Path

import pytest

from charbot.cli import main
from charbot.errors import TrainingError
from trainer.recipes import next_word
from trainer.recipes.next_word import fit_next_word, read_story, symbols

OWN = Path(__file__).parents[3] / "scripts_data" / "stories" / "the_owl_above_the_bakery.txt"


def test_our_story_has_as_many_symbols_as_the_published_one() -> None:
    assert len(set(read_story(OWN))) == 112


def test_symbols_are_words_and_marks() -> None:
    assert symbols('"I said: No!"') == ['"', "i", "said", ":", "no", "!", '"']


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2])
def test_a_story_is_learnt(layers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_word, "UNITS", 32)
    monkeypatch.setattr(next_word, "_RATE", 0.01)
    *_, last = fit_next_word(read_story(OWN)[:40], layers, 2_500)
    assert last.step == 2_500
    assert last.accuracy > 0.9
    assert last.loss < 0.5


@pytest.mark.slow
def test_the_command_prints_the_reference(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(next_word, "UNITS", 8)
    assert main(["recipe", "next-word", "--steps", "5", "--layers", "1"]) == 0
    out = capsys.readouterr().out
    assert "112 different ones" in out
    assert "90.6%" in out
    assert "      5 steps:" in out


def test_no_story_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short, binary = tmp_path / "short.txt", tmp_path / "binary.txt"
    short.write_text("Once upon.")
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrainingError, match="holds 3 words and marks"):
        read_story(short)
    with pytest.raises(TrainingError, match="cannot be read as text"):
        read_story(binary)
    with pytest.raises(TrainingError, match="is larger than 1 MB"):
        read_story(Path("/dev/zero"))
    assert main(["recipe", "next-word", str(tmp_path / "none.txt")]) == 1
    assert "none.txt: cannot be read" in capsys.readouterr().err
