import json
from pathlib import Path

import pytest

from charbot.errors import TrainingError
from trainer.checkpoint import Epoch
from trainer.runlog import LOG, PAGE, RunLog


def epoch(number: int, bits: float = 2.0) -> Epoch:
    return Epoch(number, 1.5, bits, 60.0 * number, {"0.5": f"Tea & <biscuits> {number}", "1.0": "Spoon."})


def run(folder: Path, first: int, last: int, total: int = 6) -> RunLog:
    """Steps after `first` up to `last`, an epoch being three."""
    log = RunLog(folder, "char base", {"parameters": 1234})
    log.on_start(first, total)
    for done in range(first + 1, last + 1):
        log.on_step(done, 100, float(done))
        if done % 3 == 0:
            log.on_epoch(done, epoch(done // 3, 3.0 - done / 10))
    return log


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / LOG).read_text("utf-8").splitlines()]


def test_a_resumed_fit_leaves_the_log_of_an_uninterrupted_one(tmp_path: Path) -> None:
    run(tmp_path / "whole", 0, 6).finish({"test": 1.0})
    run(tmp_path / "parts", 0, 3)
    # Killed at the fifth step; its last checkpoint is of the third.
    run(tmp_path / "parts", 3, 5)
    run(tmp_path / "parts", 3, 6).finish({"test": 1.0})
    assert entries(tmp_path / "parts") == entries(tmp_path / "whole")
    assert [entry["done"] for entry in entries(tmp_path / "whole")] == [1, 2, 3, 3, 4, 5, 6, 6]
    assert (tmp_path / "parts" / PAGE).read_text("utf-8") == (tmp_path / "whole" / PAGE).read_text("utf-8")


def test_a_fit_that_starts_over_starts_its_log_over(tmp_path: Path) -> None:
    run(tmp_path, 0, 6)
    run(tmp_path, 0, 3)
    assert [entry["done"] for entry in entries(tmp_path)] == [1, 2, 3, 3]


def test_a_long_fits_log_is_bounded(tmp_path: Path) -> None:
    log = RunLog(tmp_path, "char base", {})
    log.on_start(0, 6_000)
    for done in range(1, 6_001):
        log.on_step(done, 100, float(done))
    log.finish({})
    losses = entries(tmp_path)
    assert len(losses) == 1_000
    assert losses[0] == {"done": 6, "loss": 3.5}


def test_the_page_shows_curves_samples_and_scores_and_needs_nothing_else(tmp_path: Path) -> None:
    page = run(tmp_path, 0, 6).finish({"test_bits_per_character": 1.2345}).read_text("utf-8")
    assert page.count("<svg") == 1
    assert "Tea &amp; &lt;biscuits&gt; 2" in page
    assert "test bits per character</span><b>1.2345<" in page
    assert "1,234" in page
    assert "src=" not in page
    assert "<link" not in page
    assert "<script" not in page


def test_tensorboard_finds_its_events(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tmp_path, 0, 6).finish({})
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == [1, 2, 3, 4, 5, 6]
    assert [round(event.value, 3) for event in events.Scalars("valid bits a character")] == [2.7, 2.4]


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text("not json\n")
    with pytest.raises(TrainingError, match=r"log\.jsonl: cannot be read"):
        run(tmp_path, 3, 4)
