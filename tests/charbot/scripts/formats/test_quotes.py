from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.quotes import Quotes
from charbot.scripts.line import Turn
from charbot.scripts.reader import read_scripts
from tests.charbot.scripts.formats.helpers import check_account, found

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "one_character" / "Aunt Cressida.csv"


def texts(*lines: str) -> list[str]:
    return [turn.text for turn in found(Quotes(), "\n".join(lines))]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Well, I never.", "Well, I never."),
        ('"Well, I never."', "Well, I never."),
        ('"So ""this"" is it."', 'So "this" is it.'),
        ("  Hello.  ", "Hello."),
        ('Say "ah".', 'Say "ah".'),
    ],
)
def test_a_record_is_what_is_said(line: str, text: str) -> None:
    assert texts(line) == [text]


def test_each_line_is_a_scene_of_its_own() -> None:
    assert found(Quotes(), '"One, two."\n\nThree.\n"[nods] Four, five."\n') == [
        Turn(0, "", "One, two."),
        Turn(1, "", "Three."),
        Turn(2, "", "Four, five.", ("nods",)),
    ]


def test_a_record_may_run_on_over_lines() -> None:
    source = read(Quotes(), '"One,\n\ntwo.\n"\nThree.')
    assert [(turn.text, turn.source) for turn in source.turns] == [("One, two.", 1), ("Three.", 5)]
    assert source.kept == 3
    assert [(omission.line, omission.reason) for omission in source.omissions] == [(4, "nothing said")]


@pytest.mark.parametrize("line", ['""', '" "', ",", '"",""', '"[nods]"'])
def test_what_says_nothing_is_accounted_for(line: str) -> None:
    source = read(Quotes(), f"{line}\nHello.")
    assert [turn.text for turn in source.turns] in (["Hello."], [",", "Hello."])
    assert source.kept + len(source.omissions) == 2


def test_a_record_that_is_too_long_loses_no_other_record() -> None:
    assert texts("One.", "a" * 2_000_000, "Two.") == ["One.", "Two."]
    check_account(Quotes(), "One.\n" + "a" * 2_000_000 + "\nTwo.")


def test_the_sample_is_said_by_whom_the_file_is_named_after() -> None:
    turns = found(Quotes(), SAMPLE.read_text("utf-8"))
    assert len(turns) == 23
    assert turns[2] == Turn(2, "", "You'll have a biscuit.")
    assert turns[5].text == 'I said to the vicar, "Vicar," I said, "that is not a hymn, and those are not trousers."'
    assert turns[12] == Turn(12, "", "Is that perfume, or has something gone wrong?", ("sniffs",))
    assert {line.speaker for line in read_scripts([SAMPLE]).lines} == {"Aunt Cressida"}


def test_confidence_is_high_in_the_sample() -> None:
    assert Quotes().confidence(SAMPLE.read_text("utf-8")) > 0.8


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"One."\n"Two."',
        "No quotes here.\n" * 20,
        '1,1,Ned,"Hello.\n"\n' * 20,
        '"I can\'t," I said. "It is hers."\n' * 20,
        "''\n\"\n" * 20,
    ],
)
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert Quotes().confidence(text) == 0.0


HOSTILE = {
    "quotes": '"' * 200_001,
    "quoted nothing": '""\n' * 20_000,
    "commas": "," * 200_000,
    "open": '"a\n' * 10_001,
    "squares": '"' + "[a" * 100_000,
    "blank lines": "\n" * 50_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    check_account(Quotes(), text)


PARTS = ['"', '""', ",", "\n", "\r", "Hello.", " ", "[", "]", "\0", "\ud800", "\x1c", "\u2028"]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(Quotes(), text)
