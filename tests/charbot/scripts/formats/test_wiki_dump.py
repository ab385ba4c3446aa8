from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats.wiki_dump import WikiDump
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_account, check_read, found, said

SAMPLES = Path(__file__).parents[4] / "scripts_data" / "samples" / "wiki_dump" / "S01"


def turns(*lines: str) -> list[tuple[int, str, str]]:
    return said(WikiDump(), "\n".join(("A Title", *lines)))


def sample(name: str) -> list[Turn]:
    return found(WikiDump(), (SAMPLES / name).read_text("utf-8"))


def test_names_stand_above_what_they_say() -> None:
    assert turns("NED", "Hello.", "", "OLGA", "  Well,", "hello.  ") == [(0, "NED", "Hello."), (0, "OLGA", "Well, hello.")]


@pytest.mark.parametrize("name", ["NED", "MR. HASSOCK", "NED, OLGA", "NED/OLGA", "NED'S MOM", "ROBOT 7", "NED (off)", "NED [off]",
                                  "PC OWL", "O'HARA JR.", "ÉLODIE"])  # fmt: skip
def test_names(name: str) -> None:
    assert turns("OLGA", "Hi.", name, "Hello.") == [(0, "OLGA", "Hi."), (0, name, "Hello.")]


@pytest.mark.parametrize(
    "shout",
    ["NO!", "WHY?", "NOW, NED,", "WELL...", "GO-", '"MEH"', "'MEH'", "RUN.", "Ned", "LOOK: A", "A" * 61, "(MMH)", "7"],
)
def test_shouts_are_no_names(shout: str) -> None:
    (first, *rest) = turns("OLGA", "Hi.", shout, "NED", "Hello.")
    assert first[1] == "OLGA"
    assert rest == [(0, "NED", "Hello.")]


def test_a_name_may_have_a_colon() -> None:
    assert turns("OLGA", "Hi.", "NED:", "Hello.") == [(0, "OLGA", "Hi."), (0, "NED", "Hello.")]


def test_right_below_a_name_even_capitals_are_speech() -> None:
    assert turns("OLGA", "NED", "NED", "Hello.") == [(0, "OLGA", "NED"), (0, "NED", "Hello.")]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("(Hello there.)", "Hello there."),
        ("(Hello) (there.)", "Hello there."),
        ("(Hello!) [nods] (There!)", "Hello! There!"),
        ("(softly) Hello.", "(softly) Hello."),
        ("Hello (there).", "Hello (there)."),
    ],
)
def test_only_a_wholly_muffled_line_loses_its_parentheses(said: str, text: str) -> None:
    assert turns("NED", said) == [(0, "NED", text)]


@pytest.mark.parametrize("scene", ["[The roof, day. They wait.]", "[The roof.]", "[The roof. All wait.]", "[So, moments later"])
def test_a_place_begins_a_scene(scene: str) -> None:
    assert turns(scene, "NED", "Hello.", scene, scene, "A roof.", "OLGA", "Bye.") == [(0, "NED", "Hello."), (1, "OLGA", "Bye.")]


@pytest.mark.parametrize("action", ["[Ned waves.]", "[Then they wait. It rains.]", "[waving]", "[He and she leave. Goats.]"])
def test_an_action_begins_no_scene(action: str) -> None:
    assert turns("NED", "Hello.", action, "OLGA", "Bye.") == [(0, "NED", "Hello."), (0, "OLGA", "Bye.")]


def test_a_place_right_below_a_name_is_a_direction() -> None:
    assert turns("NED", "[The roof, day.] Hello.") == [(0, "NED", "Hello.")]


def test_directions() -> None:
    turns_ = found(WikiDump(), "A Title\nNED\n[waves [a lot]] Hello, [sits\ndown] you.\nOLGA\n[nods]\nNED\nHi [and so on")
    assert turns_ == [Turn(0, "NED", "Hello, you.", ("waves [a lot]", "sits down")), Turn(0, "NED", "Hi", ("and so on",))]


def test_only_the_end_of_this_episode_is_no_speech() -> None:
    assert turns("NED", "End of story.", "End of a title") == [(0, "NED", "End of story.")]


def test_a_title_is_no_name_wherever_it_stands() -> None:
    assert found(WikiDump(), "\n\n  GOATS  \nNED\nHello.\nEnd of GOATS\n") == [Turn(0, "NED", "Hello.")]


@pytest.mark.parametrize("text", ["", "\n", "A Title", "A Title\nNED", "A Title\nHello.", "A Title\nNED\n[waves]"])
def test_what_says_nothing_has_no_turns(text: str) -> None:
    assert found(WikiDump(), text) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    assert [turn.text for turn in found(WikiDump(), end.join(["T", "NED", "Hi.", "OLGA", "Yo."]))] == ["Hi.", "Yo."]


def test_the_first_sample() -> None:
    turns_ = sample("S01E01.txt")
    assert len(turns_) == 34
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [14, 9, 11]
    assert Turn(0, "SMALL PETE", "It looks like my uncle.") in turns_
    assert Turn(0, "NED", "STOP THAT MARBLE!") in turns_
    assert Turn(1, "SMALL PETE", "No! It's the only thing holding me together!", ("pulls it up higher",)) in turns_
    (song,) = (turn for turn in turns_ if turn.speaker == "BRASS BAND")
    assert song.text.startswith("Oh, the marble, round and small, it's")
    assert song.directions == ("marching past",)
    assert turns_[-2:] == [
        Turn(2, "OLGA", "End of the road, Ned. Let it go."),
        Turn(2, "NED", "I'll never let it go. What's for lunch?", ("beat",)),
    ]


def test_the_second_sample() -> None:
    turns_ = sample("S01E02.txt")
    assert len(turns_) == 31
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [7, 15, 9]
    assert "NED [whispering]" in {turn.speaker for turn in turns_}
    assert turns_[-1] == Turn(2, "GERARD", "Meh.", ("burps",))


@pytest.mark.parametrize("name", ["S01E01.txt", "S01E02.txt"])
def test_confidence_is_high_in_samples(name: str) -> None:
    assert WikiDump().confidence((SAMPLES / name).read_text("utf-8")) > 0.8


@pytest.mark.parametrize(
    "text", ["", "Dear all,\nno names here.\n" * 20, "<html>\nNED\nHello.\nNED\nBye.", "NED\nHello.\n", "a: b\nc: d\n" * 20]
)
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert WikiDump().confidence(text) == 0.0


HOSTILE = {
    "words": "a " * 100_000,
    "initials": "A B C D " * 25_000,
    "names": "A\n" * 20_000,
    "open names": ("A" * 59 + "(\n") * 600,
    "parentheses": "(" * 200_000,
    "muffled": "(!)" * 30_000 + "a",
    "muffled words": "(a) " * 20_000 + "a",
    "squares": "[a" * 100_000,
    "places": ("[" + "A, " * 30 + "\n") * 400,
    "spaces": " " * 200_000 + "x",
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    check_read(WikiDump(), f"A Title\nNED\n{text}\nOLGA\nHi.\n{text}")


PARTS = ["NED", "OLGA", "\n", "Hello.", " ", "(", ")", "[", "]", "The roof, day.", "End of ", "\0", "\ud800", "\x1c", "!"]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(WikiDump(), text)


def test_a_dump_may_begin_with_a_name() -> None:
    lines = "NED\n\nHello.\n\nOLGA\n\nHi.\n\nNED\n\nBye."
    assert [(turn.speaker, turn.text) for turn in found(WikiDump(), lines)] == [
        ("NED", "Hello."),
        ("OLGA", "Hi."),
        ("NED", "Bye."),
    ]


def test_transitions_and_numbered_headings_are_no_names() -> None:
    text = "A Title\n\n" + "NELE\nIt holds.\n\nCUT TO:\n\n2  THE HERON POND  2\n\nNele walks.\n\nOLD CUTOUT\nYo.\n\n" * 4
    assert [(who, words) for _, who, words in said(WikiDump(), text)] == [("NELE", "It holds."), ("OLD CUTOUT", "Yo.")] * 4
