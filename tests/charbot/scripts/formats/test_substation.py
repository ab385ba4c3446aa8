from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats.substation import SubStation
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_account, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "ass" / "low_tide.ass"
HEAD = "[Script Info]\nTitle: Pier\n\n[Events]\n"
FORMAT = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def event(name: str, text: str) -> str:
    return f"Dialogue: 0,0:00:01.00,0:00:02.00,Default,{name},0,0,0,,{text}\n"


def turns(text: str) -> list[tuple[int, str, str]]:
    return said(SubStation(), text)


def test_the_column_name_says_who_speaks() -> None:
    text = HEAD + FORMAT + event("Nele", "The tide, Bartok,{\\i1} is{\\i0}\\Nout.") + event("Bartok", "So am I.")
    assert turns(text) == [(0, "Nele", "The tide, Bartok, is out."), (0, "Bartok", "So am I.")]
    assert detect(text).name == "ass"


def test_columns_may_stand_in_another_order() -> None:
    text = HEAD + "Format: Start, Name, Text\nDialogue: 0:00:01.00,Nele,Hello, you.\nDialogue: 0:00:02.00,Bartok,Hi.\n"
    assert turns(text) == [(0, "Nele", "Hello, you."), (0, "Bartok", "Hi.")]


def test_an_event_without_a_name_is_nobodys_where_others_have_one() -> None:
    text = HEAD + FORMAT + event("Nele", "Hello.") + event("", "THE PIER, DAY") + event("Bartok", "Hi.")
    assert turns(text) == [(0, "Nele", "Hello."), (0, "Bartok", "Hi.")]


def test_names_may_stand_in_the_text() -> None:
    text = HEAD + FORMAT + event("", "NELE: Hello,") + event("", "you.") + event("", "BARTOK: Hi.")
    assert turns(text) == [(0, "NELE", "Hello, you."), (0, "BARTOK", "Hi.")]


def test_drawings_and_comments_are_not_said() -> None:
    text = HEAD + FORMAT + event("Nele", "{\\p1}m 0 0 l 9 9") + "Comment: 0,0,0,D,Nele,0,0,0,,Hm\n" + event("Nele", "Hello.")
    assert turns(text) == [(0, "Nele", "Hello.")]


def test_the_sample() -> None:
    found = turns(SAMPLE.read_text("utf-8"))
    assert len(found) == 10
    assert found[0] == (0, "Mirna", "You cannot park a boat on a bench.")
    assert {speaker for _, speaker, _ in found} == {"Mirna", "Ivo"}


@pytest.mark.parametrize("text", ["", HEAD + FORMAT, HEAD + FORMAT + event("", "Hello.") * 9, event("Nele", "Hi.") * 9])
def test_confidence_is_none_where_nobody_is_named(text: str) -> None:
    assert SubStation().confidence(text) == 0.0


PARTS = [HEAD, FORMAT, event("Nele", "Hi."), "Dialogue:", "Format: Text", "Nele", ",", "\n", "{", "}", "\\N", "♪", "\0", "\x1c"]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(SubStation(), text)
