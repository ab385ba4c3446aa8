from pathlib import Path

import pytest

from charbot.errors import TrainingError
from trainer.run import _alone


def test_two_fits_of_the_same_thing_are_refused(tmp_path: Path) -> None:
    with _alone(tmp_path / "fit"):
        with _alone(tmp_path / "another"):
            pass
        with pytest.raises(TrainingError, match="another charbot is at this training run"), _alone(tmp_path / "fit"):
            pass
    with _alone(tmp_path / "fit"):
        pass


def test_what_goes_wrong_within_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="lost the scripts"), _alone(tmp_path):
        raise OSError("lost the scripts")
    with _alone(tmp_path):
        pass


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(TrainingError, match=r"file.*cannot be written"), _alone(tmp_path / "file" / "fit"):
        pass
