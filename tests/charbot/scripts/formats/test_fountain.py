from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.fountain import Fountain
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_account, found, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "fountain" / "flat_3b.fountain"


def turns(*lines: str) -> list[tuple[int, str, str]]:
    return said(Fountain(), "\n".join(("", *lines)))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("NED", "NED"),
        ("  NED", "NED"),
        ("MR. O'HARA 2", "MR. O'HARA 2"),
        ("NED (O.S.)", "NED (O.S.)"),
        ("NED (on the roof)", "NED (on the roof)"),
        ("NED ^", "NED"),
        ("@McNed", "McNed"),
        ("ÉLODIE", "ÉLODIE"),
    ],
)
def test_names(line: str, name: str) -> None:
    assert turns(line, "Hello.", "", "Ned goes.") == [(0, name, "Hello.")]


@pytest.mark.parametrize("line", ["Ned", "!NED", "23", "NED (oh", "A" * 101])
def test_what_is_no_name(line: str) -> None:
    assert turns(line, "Hello.") == []


def test_a_name_needs_room_above_and_speech_below() -> None:
    assert turns("A roof.", "NED", "Hello.") == []
    assert turns("NED", "", "Hello.") == []


def test_speech_ends_at_an_empty_line() -> None:
    assert turns("NED", "Hello,", "there.", "", "Ned goes.", "", "OLGA", "Hi.") == [
        (0, "NED", "Hello, there."),
        (0, "OLGA", "Hi."),
    ]


def test_two_spaces_keep_a_speech_together() -> None:
    assert turns("NED", "One.", "  ", "Two.", "", "OLGA", "Hi.") == [(0, "NED", "One. Two."), (0, "OLGA", "Hi.")]


@pytest.mark.parametrize(
    "scene", ["INT. ROOF - DAY", "ext. roof", "INT/EXT ROOF", "I/E. ROOF", ".ROOF", "> FLASH TO:", "CUT TO:"]
)
def test_scenes(scene: str) -> None:
    assert turns(scene, "", "NED", "Hello.", "", scene, "", scene, "", "OLGA", "Bye.") == [
        (0, "NED", "Hello."),
        (1, "OLGA", "Bye."),
    ]


@pytest.mark.parametrize("line", ["...well", "> A TITLE <", "# Act one", "= An idea", "Interior.", "Ned walks in.", "==="])
def test_other_lines_begin_no_scene(line: str) -> None:
    assert turns("NED", "Hello.", "", line, "", "OLGA", "Bye.") == [(0, "NED", "Hello."), (0, "OLGA", "Bye.")]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("*so* **very** ***good***", "so very good"),
        ("_under **bold** line_", "under bold line"),
        ("_**both**_", "both"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        (r"\*starred\*", "*starred*"),
        ("~La, la", "La, la"),
        ("Yes [[no]] indeed", "Yes indeed"),
        ("Yes /* no */ indeed", "Yes indeed"),
        ("Yes [[no indeed", "Yes [[no indeed"),
    ],
)
def test_markup_is_not_said(raw: str, text: str) -> None:
    assert turns("NED", raw) == [(0, "NED", text)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b"])
def test_notes_over_lines_keep_the_count(end: str) -> None:
    text = end.join(["", "/* NED", "a", "b */", "", "OLGA", "Hi [[c", "d]] there."])
    source = read(Fountain(), text)
    assert [(turn.speaker, turn.text, turn.source) for turn in source.turns] == [("OLGA", "Hi there.", 6)]
    check_account(Fountain(), text)


def test_a_note_of_its_own_does_not_end_a_speech() -> None:
    assert turns("NED", "One.", "[[a note]]", "Two.") == [(0, "NED", "One. Two.")]


def test_a_title_page_is_not_said() -> None:
    text = "Title: NED\nAuthor:\n    OLGA\n    Hello.\n\nNED\nHi.\n"
    source = read(Fountain(), text)
    assert [turn.text for turn in source.turns] == ["Hi."]
    assert {omission.reason for omission in source.omissions} == {"title"}


def test_parentheticals_are_directions() -> None:
    assert found(Fountain(), "\nNED\n(waves)\nHello.\n(sits, and is\nsilent)\nBye.") == [
        Turn(0, "NED", "Hello. Bye.", ("waves", "sits, and is silent"))
    ]


def test_the_sample() -> None:
    turns_ = found(Fountain(), SAMPLE.read_text("utf-8"))
    assert len(turns_) == 23
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [10, 7, 6]
    assert Turn(0, "GHOST", "I was a very clean man.") in turns_
    assert (
        Turn(1, "GHOST", "You are crueller than the man who did this. He at least was brief.", ("turns, shows the candlestick",))
        in turns_
    )
    assert Turn(1, "McAllister", "It was the rent.") in turns_
    assert Turn(2, "NORA", "Alone?") in turns_  # said at once with the ghost
    assert turns_[-1] == Turn(2, "GHOST", "Oh, a hat upon my candle Is a thing I cannot handle!", ("singing",))
    assert not any("mother" in turn.text for turn in turns_)


def test_confidence_is_high_in_the_sample() -> None:
    assert Fountain().confidence(SAMPLE.read_text("utf-8")) > 0.9


@pytest.mark.parametrize(
    "text",
    ["", "\nNED\nHello.\n" * 20, "Title: A\n\nHello.\n", "<p>INT. ROOF\n\nNED\nHi.\n\nNED\nBye.", "INT. ROOF\n\nA roof.\n" * 20],
)
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert Fountain().confidence(text) == 0.0


HOSTILE = {
    "capitals": "A" * 200_000 + "a",
    "parentheses": "A" + "(" * 200_000 + "a",
    "extensions": "A" + "()" * 100_000 + "a",
    "open notes": "[[" * 100_000,
    "open notes and a boneyard": "[[" * 100_000 + "*/",
    "open boneyards": "/*" * 100_000,
    "notes": "[[]]" * 50_000,
    "stars": "*" * 200_000,
    "emphasis": " _a" * 60_000,
    "bold": " **a" * 50_000,
    "blank lines": "\n" * 20_000,
    "transitions": ">" * 200_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    whole = f"Title: {text}\n\n{text}\nHello.\n\nNED\n{text}\n\nINT. {text}\n"
    check_account(Fountain(), whole)


PARTS = ["NED", "@Ned", "\n", "\n\n", "Hello.", "INT. ROOF", "CUT TO:", "Title: a", " ", "(", ")", "[[", "]]", "/*",
         "*/", "*", "_", "\\", "~", ">", "\0", "\ud800", "\x1c", "\u2028", "\r"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(Fountain(), text)
