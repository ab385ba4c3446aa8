from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats.cornell import Cornell
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_account, found, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "cornell" / "movie_lines.txt"


def record(place: int, movie: str, name: str, text: str) -> str:
    return f"L{place} +++$+++ u1 +++$+++ {movie} +++$+++ {name} +++$+++ {text}\n"


def test_the_newest_comes_first_and_a_gap_begins_a_scene() -> None:
    text = (
        record(15, "m0", "NELE", "Four.") + record(12, "m0", "NELE", "Three.") + record(11, "m0", "BARTOK", "Two.")
        + record(10, "m0", "NELE", "One.") + record(30, "m1", "IVO", "Five +++$+++ six.")
    )  # fmt: skip
    assert detect(text).name == "cornell"
    assert [(turn.episode, turn.scene, turn.speaker, turn.text) for turn in found(Cornell(), text)] == [
        ("m0", 0, "NELE", "One."), ("m0", 0, "BARTOK", "Two."), ("m0", 0, "NELE", "Three."), ("m0", 1, "NELE", "Four."),
        ("m1", 0, "IVO", "Five +++$+++ six."),
    ]  # fmt: skip


def test_records_of_nobody_or_of_another_form_are_left_out() -> None:
    assert said(Cornell(), record(2, "m0", "NELE", "Hi.") + record(1, "m0", "", "Rain.") + "L1 +++$+++ x\n") == [
        (0, "NELE", "Hi.")
    ]


def test_the_sample() -> None:
    turns = found(Cornell(), SAMPLE.read_text("utf-8"))
    assert (len(turns), turns[0].text, {turn.episode for turn in turns}) == (6, "Is that a bucket?", {"m0", "m1"})


@pytest.mark.parametrize("text", ["", "NELE: Hi.\n" * 9, "+++$+++\n" * 9])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert Cornell().confidence(text) == 0.0


PARTS = [record(2, "m0", "NELE", "Hi."), "L1", " +++$+++ ", "\n", "m1", "\0", "\x1c", "[", "9" * 30]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(Cornell(), text)
