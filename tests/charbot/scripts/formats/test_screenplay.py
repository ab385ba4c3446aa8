from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.screenplay import Screenplay
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_account, found, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "screenplay" / "slow_ship.txt"


def name(text: str) -> str:
    return "\n" + " " * 25 + text


def speech(*lines: str) -> str:
    return "\n".join(" " * 15 + line for line in lines)


def action(text: str) -> str:
    return "\n" + " " * 5 + text


def turns(*blocks: str) -> list[tuple[int, str, str]]:
    # An exchange that shows where the columns are.
    known = [name("ANN"), speech("Yes."), name("BOB"), speech("No.")] * 2
    return said(Screenplay(), "\n".join([*known, *blocks]))[4:]


@pytest.mark.parametrize(
    "who", ["NED", "MR. O'HARA", "NED (O.S.)", "NED (V.O.) (CONT'D)", "NED [off]", "GUARD #2", "ÉLODIE", "NED (into phone)"]
)
def test_names(who: str) -> None:
    assert turns(name(who), speech("Hello,", "there.")) == [(0, who, "Hello, there.")]


@pytest.mark.parametrize("who", ["Ned", "NED!", "NED:", "A" * 61, "23"])
def test_capitals_in_the_column_of_names_may_be_no_name(who: str) -> None:
    assert [speaker for _, speaker, _ in turns(name("NED"), speech("Hello."), name(who), action("A roof."))] == ["NED"]


def test_columns_may_be_off_by_some_spaces() -> None:
    assert turns("\n" + " " * 22 + "NED", " " * 17 + "Hello,", " " * 12 + "there.") == [(0, "NED", "Hello, there.")]


def test_tabs_are_columns_too() -> None:
    text = "\n\n".join(f"\t\t\t{who}\n\t\t{text}" for who, text in [("ANN", "Yes."), ("BOB", "No."), ("ANN", "Oh.")])
    assert said(Screenplay(), text) == [(0, "ANN", "Yes."), (0, "BOB", "No."), (0, "ANN", "Oh.")]


def test_actions_end_a_speech() -> None:
    assert turns(name("NED"), speech("Hello."), action("He goes."), speech("Who says this?")) == [(0, "NED", "Hello.")]


@pytest.mark.parametrize("scene", ["INT. ROOF - DAY", "EXT. ROOF", "CUT TO:", "FADE OUT.", "[Scene: The roof]"])
def test_scenes(scene: str) -> None:
    assert turns(action(scene), name("NED"), speech("Hello."), action(scene), action(scene), name("OLGA"), speech("Bye.")) == [
        (1, "NED", "Hello."),
        (2, "OLGA", "Bye."),
    ]


def test_parentheticals_over_lines_are_directions() -> None:
    lines = [name("NED"), " " * 20 + "(waves, and", " " * 20 + "sits)", speech("Hello. (beat) You.")]
    blocks = [name("ANN"), speech("Yes."), *lines]
    assert found(Screenplay(), "\n".join(blocks))[-1] == Turn(0, "NED", "Hello. You.", ("waves, and sits", "beat"))


def test_where_squares_hold_the_actions_parentheses_are_said() -> None:
    text = "".join(f"{name('NED')}\n{speech('(Hello.)')}\n{action('[Ned waves.]') * 2}\n" for _ in range(7))
    assert set(said(Screenplay(), text)) == {(0, "NED", "Hello.")}
    assert said(Screenplay(), f"{name('NED')}\n{speech('(sighs) Hello.')}") == [(0, "NED", "Hello.")]


def test_an_action_over_lines_is_left_out_whole() -> None:
    assert turns(action("[A goat comes in,"), " " * 5 + "NED behind it.]", name("NED"), speech("Hello.")) == [
        (0, "NED", "Hello.")
    ]


def test_the_sample() -> None:
    source = read(Screenplay(), SAMPLE.read_text("utf-8"))
    turns_ = found(Screenplay(), SAMPLE.read_text("utf-8"))
    assert len(turns_) == 25
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [11, 9, 5]
    assert {turn.speaker for turn in turns_} == {"CAPTAIN BRILL", "TOBY", "MIRA", "MIRA (O.S.)", "COMPUTER (V.O.)"}
    assert Turn(0, "TOBY", "Four thousand years without tea.", ("crossing himself with a jigsaw piece",)) in turns_
    assert Turn(1, "COMPUTER (V.O.)", "I would notice.", ("with some feeling",)) in turns_
    assert (source.turns[0].source, source.turns[0].speaker) == (21, "CAPTAIN BRILL")


def test_confidence_is_high_in_the_sample() -> None:
    assert Screenplay().confidence(SAMPLE.read_text("utf-8")) > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A Title\n" + "NED\nHello.\nOLGA\nHi.\n" * 20,
        "Ned: Hello.\n" * 20,
        "<pre>" + f"{name('NED')}\n{speech('Hello.')}\n" * 20,
        f"{name('NED')}\n{speech('Hello.')}\n" * 3,
        "Dear aunt,\n\n     how are you?\n" * 20,
    ],
)
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert Screenplay().confidence(text) == 0.0


HOSTILE = {
    "capitals": name("A" * 200_000 + "!"),
    "parentheses": name("A" + "(" * 200_000),
    "names": name("A") * 10_000,
    "blank lines": "\n" * 200_000,
    "tabs": "\t" * 50_000 + "A",
    "squares": "\n[" * 20_000,
    "spaces": " " * 200_000 + "x",
    "staircase": "\n".join(" " * (at % 300) + "A" for at in range(5_000)),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    whole = f"{name('NED')}\n{speech('Hello.')}\n{text}\n{speech(text)}\n"
    check_account(Screenplay(), whole)


PARTS = [
    "NED",
    "\n",
    "\n\n",
    " " * 15,
    " " * 25,
    "\t",
    "Hello.",
    "INT. ROOF",
    "(",
    ")",
    "[",
    "]",
    "!",
    "\0",
    "\ud800",
    "\x1c",
    "\r",
]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(Screenplay(), text)


SPEECH, NAME = 15, 25


def cue(name: str, text: str, shift: int = 0) -> str:
    return f"{' ' * (NAME + shift)}{name}\n{' ' * (SPEECH + shift)}{text}\n"


def test_columns_shift_from_page_to_page() -> None:
    text = ""
    for shift in (0, 3, 8, 1):
        text += f"\n{' ' * 60}{shift}.\n\n{' ' * shift}     {shift + 1}  INT. PIER NINE - DAY  {shift + 1}\n\n"
        for day in range(4):
            text += f"{' ' * shift}     Somebody walks to pier {day}.\n\n" + cue("NELE", f"Day {day}.", shift) + "\n"
            text += cue("BARTOK", "Yes.", shift) + "\n"
    found_ = said(Screenplay(), text)
    assert [(who, words) for _, who, words in found_] == [
        (w, t) for day in list(range(4)) * 4 for w, t in (("NELE", f"Day {day}."), ("BARTOK", "Yes."))
    ]
    assert [sum(scene == i for scene, *_ in found_) for i in range(4)] == [8] * 4


@pytest.mark.parametrize(("speech", "goes_on"), [("Day one.", False), ("Day one and", True)])
def test_actions_at_the_top_of_a_page_whose_columns_are_shifted_are_no_speech(speech: str, goes_on: bool) -> None:
    pages = []
    for shift in (0, 12):
        column = " " * shift
        action = f"{column}        They walk to the boat.\n\n"
        pages.append(action + (cue("NELE", speech, shift) + "\n" + cue("BARTOK", speech, shift) + "\n") * 4)
    text = f"\n{' ' * 60}1.\n     CONTINUED:\n\n".join(pages)
    said_ = [words for _, _, words in said(Screenplay(), text)]
    assert said_ == [*[speech] * 7, f"{speech} They walk to the boat." if goes_on else speech, *[speech] * 8]


@pytest.mark.parametrize("gap", ["", "\n"])
def test_a_name_needs_no_empty_line_above(gap: str) -> None:
    text = (
        "     Somebody looks at the boat.\n" + gap + cue("NELE", "It has a hole.") + gap + cue("BARTOK", "So plug it.") + "\n"
    ) * 6
    assert [(who, words) for _, who, words in said(Screenplay(), text)] == [
        ("NELE", "It has a hole."),
        ("BARTOK", "So plug it."),
    ] * 6


def test_actions_in_the_column_of_speech_stand_below_an_empty_line() -> None:
    margin, middle = " " * 10, " " * 26
    nele = f"{margin}Nele ties a rope.\n\n{middle}NELE\n{margin}It holds,\n{margin}I think.\n\n"
    bartok = f"{margin}Bartok drops a bucket.\n\n{' ' * 60}2.\n\n{middle}BARTOK\n{margin}Not for long.\n\n"
    text = f"{margin}1 INT. BOAT HOUSE - DAY 1\n\n{nele}{bartok}" * 5
    assert [(who, words) for _, who, words in said(Screenplay(), text)] == [
        ("NELE", "It holds, I think."),
        ("BARTOK", "Not for long."),
    ] * 5


def test_stars_and_page_numbers_in_the_margin_are_no_words() -> None:
    text = f"{cue('NELE          *', 'Rope holds.      *')}\n{cue('BARTOK', 'Not this.' + ' ' * 20 + '12.')}\n" * 4
    assert [(who, words) for _, who, words in said(Screenplay(), text)] == [("NELE", "Rope holds."), ("BARTOK", "Not this.")] * 4


def test_empty_lines_between_names_and_speech() -> None:
    text = (
        "     INT PIER - DAY\n\n"
        + f"{' ' * 35}NELE\n\nIt holds, I think.\n\n{' ' * 33}BARTOK\n\n(shrugs)\n\nIt does not.\n\nThey walk on.\n\n" * 8
    )
    turns_ = found(Screenplay(), text + "NO!\nNOT THE HERON!\n")
    assert turns_ == [Turn(0, "NELE", "It holds, I think."), Turn(0, "BARTOK", "It does not.", ("shrugs",))] * 8


def test_a_script_with_little_talk_is_one() -> None:
    text = ("     The heron crosses the bay, once more.\n\n" * 30 + cue("NELE", "There it goes.") + "\n") * 8
    assert Screenplay().confidence(text) > 0.3
    assert said(Screenplay(), text) == [(0, "NELE", "There it goes.")] * 8
