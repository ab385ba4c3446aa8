from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.daily_dialog import DailyDialog
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_read, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "daily_dialog" / "umbrellas.txt"
TEXT = (
    "Is the heron back ? __eou__ It isn ’ t , sorry . __eou__ Then I ' ll wait . __eou__\n"
    "\n"
    "Do you sell umbrellas ? __eou__ Only wet ones . __eou__\n"
)


def test_two_people_speak_in_turn_and_each_line_is_a_scene() -> None:
    assert detect(TEXT).name == "daily-dialog"
    assert said(DailyDialog(), TEXT) == [
        (0, "A", "Is the heron back?"), (0, "B", "It isn't, sorry."), (0, "A", "Then I'll wait."),
        (1, "A", "Do you sell umbrellas?"), (1, "B", "Only wet ones."),
    ]  # fmt: skip


def test_a_line_without_a_mark_or_without_words_is_left_out() -> None:
    source = read(DailyDialog(), TEXT + "Downloaded from a page.\n__eou__ __eou__\n")
    assert len(source.turns) == 5
    assert [(omission.line, omission.reason) for omission in source.omissions] == [(4, "no dialogue"), (5, "no dialogue")]


def test_the_sample() -> None:
    turns = said(DailyDialog(), SAMPLE.read_text("utf-8"))
    assert (len(turns), turns[0]) == (11, (0, "A", "Good morning. Do you repair umbrellas here?"))


@pytest.mark.parametrize("text", ["", "NELE: Hi.\n" * 9, "One. __eou__\n" * 9, "A: What is __eou__ for?\nB: No idea.\n" * 9])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert DailyDialog().confidence(text) == 0.0


PARTS = ["Hi . ", "__eou__", "\n", " ’ ", "t", "\0", "\x1c", "["]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    check_read(DailyDialog(), text)
