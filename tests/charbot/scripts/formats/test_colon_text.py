from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.colon_text import ColonText
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_account, found, said

SAMPLES = Path(__file__).parents[4] / "scripts_data" / "samples" / "colon_text"


def turns(*lines: str) -> list[tuple[int, str, str]]:
    return said(ColonText(), "\n".join(lines))


def sample(name: str) -> list[Turn]:
    return found(ColonText(), (SAMPLES / name).read_text("utf-8"))


@pytest.mark.parametrize(
    "name",
    ["Ned", "NED", "Mr. Loam", "MRS. O'HARA", "Ned and Olga", "NED/OLGA", "Ned, Olga", "Ned & Olga", "Dora's Mum", "Man #2",
     "2nd Goat", "Élodie", "Woman on Phone"],
)  # fmt: skip
def test_names(name: str) -> None:
    assert turns(f"{name}: Hello.", "Zoe: Bye.") == [(0, name, "Hello."), (0, "Zoe", "Bye.")]


@pytest.mark.parametrize("line", ["it is: go.", "See http://example.org", "Http://example.org", ": oh", "(Ned): oh", "::"])
def test_a_colon_alone_makes_no_turn(line: str) -> None:
    assert turns(line) == []


@pytest.mark.parametrize(
    "line", ["Ned (softly): Hello.", "Ned: (softly) Hello.", "Ned [softly] : Hello.", "NED: Hello. {softly}"]
)
def test_directions(line: str) -> None:
    (turn,) = found(ColonText(), line)
    assert (turn.speaker.upper(), turn.text, turn.directions) == ("NED", "Hello.", ("softly",))


@pytest.mark.parametrize(
    "lines",
    [
        ("Ned: Hello,", "there.", "Olga: Hi."),
        ("Ned: Hello,", "there.", "", "Olga: Hi."),
        (" Ned: Hello,", "      there.", "Olga: Hi."),
        ("Ned: Hello,", "     there.", "Olga: Hi."),
    ],
)
def test_speech_is_wrapped_in_many_ways(lines: tuple[str, ...]) -> None:
    assert turns(*lines) == [(0, "Ned", "Hello, there."), (0, "Olga", "Hi.")]


def test_below_a_column_of_speech_prose_is_narration() -> None:
    script = ("   Ned: Hello,", "        there.", "  Olga: Hi.", "They wait. A goat goes by.", "   Ned: Bye.", "He goes.")
    assert turns(*script) == [(0, "Ned", "Hello, there."), (0, "Olga", "Hi."), (0, "Ned", "Bye.")]


def test_a_colon_inside_of_a_speech_column_names_nobody() -> None:
    script = ["   Ned: I tell you", "        this:", "        Olga: a goat. Yes.", "  Olga: Hi."]
    assert turns(*script, *script) == [(0, "Ned", "I tell you this: Olga: a goat. Yes."), (0, "Olga", "Hi.")] * 2


def test_paragraphs_that_were_not_wrapped_are_no_speech() -> None:
    long = "Hello. " * 30
    assert [text for _, _, text in turns(f"Ned: {long}", "They sit.", f"Olga: {long}", "They go.")] == [long.strip()] * 2


@pytest.mark.parametrize(
    "credit",
    ["Written by: Nobody", "Directed By: Nobody", "Transcribed by Nobody: ok", "Teleplay: Nobody", "Original Airdate: Never",
     "NED ........ Somebody", "Cast:", "Note: Ned is a goat.", "Production code: 7", "Episode Number: 12"],
)  # fmt: skip
def test_credits_are_no_turns(credit: str) -> None:
    assert turns(credit, "", "Ned: Hello.", "", credit) == [(0, "Ned", "Hello.")]


@pytest.mark.parametrize(
    "scene", ["[Scene: The roof.]", "(Scene: The roof)", "[Cut to the roof]", "Scene One - The roof.", "Act Two.", "INT. ROOF"]
)
def test_scenes(scene: str) -> None:
    assert turns(scene, "", "Ned: Hello.", "", scene, scene, "", "Olga: Bye.") == [(0, "Ned", "Hello."), (1, "Olga", "Bye.")]


def test_a_direction_over_lines_is_left_out_whole() -> None:
    source = read(ColonText(), "Ned: Hello.\n\n(A goat comes in,\nlooks round,\nand sits.)\n\nOlga: Hi.")
    assert [turn.text for turn in source.turns] == ["Hello.", "Hi."]
    assert [omission.line for omission in source.omissions] == [3, 4, 5]


def test_a_bracket_that_is_never_closed_ends_with_its_paragraph() -> None:
    assert turns("Ned: Hello.", "", "[A goat comes in", "", "Olga: Hi.") == [(0, "Ned", "Hello."), (0, "Olga", "Hi.")]


def test_a_name_may_follow_a_direction() -> None:
    assert turns("Ned: Hello.", "Olga: Hi.", "[Ned sits] Ned: Ah.", "Olga: Oh.")[2:] == [(0, "Ned", "Ah."), (0, "Olga", "Oh.")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    assert said(ColonText(), end.join(["Ned: One.", "", "Olga: Two."])) == [(0, "Ned", "One."), (0, "Olga", "Two.")]


def test_the_column_sample() -> None:
    turns_ = sample("wrong_trombone.txt")
    assert len(turns_) == 35
    assert {turn.speaker for turn in turns_} == {"Ivo", "Maud", "Desmond", "Man"}
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [13, 17, 5]
    assert Turn(0, "Maud", '"Claimed."', ("making a note",)) in turns_
    assert (
        Turn(0, "Desmond", "There's a dent where I hit the conductor, and a second dent where the conductor hit me back.")
        in turns_
    )
    assert Turn(1, "Maud", "Ivo! Put the Bishop's umbrella back!", ("shouting, from the counter",)) in turns_
    assert turns_[-1] == Turn(2, "Desmond", "Nobody has ever stayed to find out.")


def test_the_wrapped_sample() -> None:
    turns_ = sample("second_opinion.txt")
    assert len(turns_) == 30
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [10, 9, 11]
    assert turns_[1] == Turn(
        0, "Hester", "He won't eat. He won't eat cat food. He ate the cat flap, the cat's bed, and a picture of the cat.",
        ("The basket growls",),
    )  # fmt: skip
    assert turns_[4] == Turn(0, "Nurse", "Next, please! Next but one, please!", ("sees the basket",))
    assert Turn(2, "Hester, Mr. Loam", "Aww!") in turns_
    assert turns_[-1] == Turn(2, "Doctor Bunting", "Forty pounds, then.")


@pytest.mark.parametrize("name", ["wrong_trombone.txt", "second_opinion.txt"])
def test_confidence_is_high_in_samples(name: str) -> None:
    assert ColonText().confidence((SAMPLES / name).read_text("utf-8")) > 0.8


@pytest.mark.parametrize(
    "text",
    ["", "<p>Ned: Hello.</p>\n" * 20, "Ned: Hello.\nOlga: Hi.\n", "A Title\n" + "NED\nHello.\n" * 20, "Dear aunt,\n" * 20,
     "Written by: Nobody\n" * 20, '{"Ned": 1}\n' * 20],
)  # fmt: skip
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert ColonText().confidence(text) == 0.0


HOSTILE = {
    "words": "a " * 100_000,
    "initials": "A B C D " * 25_000,
    "names": "Ann and " * 25_000 + ":",
    "possessives": "A" + "'s" * 30_000 + ":",
    "asides": "Ann " + "(b) " * 50_000 + ":",
    "colons": "Ann: " * 40_000,
    "turns": "Ann: a\n" * 4_000,
    "parentheses": "(" * 50_000,
    "open asides": "Ann (" * 40_000 + ":",
    "squares": "[a" * 100_000,
    "dots": "." * 200_000 + "a",
    "capitals as": "A" * 100_000 + " as",
    "spaces": "Ann" + " " * 200_000 + "x",
    "blank lines": "\n" * 100_000,
    "additional": "additional " * 20_000,
    "later": "[" + "later " * 30_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    whole = f"Ned: Hello.\n\n{text}\n\nOlga: {text}\n"
    check_account(ColonText(), whole)


PARTS = ["Ned", "OLGA", ":", "Hello.", " ", "        ", "\n", "\n\n", "(", ")", "[", "]", "[Scene: a]", "Written by",
         "and", ", ", "\0", "\ud800", "\x1c", "\r"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(ColonText(), text)


def test_people_who_speak_together_once_are_known_each() -> None:
    text = "Ann: Hi.\nMr. Bob: Yo.\nAnn and Mr. Bob: Aww!\n\nAnn: Bye."
    assert [turn.speaker for turn in found(ColonText(), text)] == ["Ann", "Mr. Bob", "Ann and Mr. Bob", "Ann"]


def test_a_sentence_with_a_colon_names_nobody() -> None:
    text = " Ann: Hi.\n Bob: Well, I was\n      going.\n\nThey wait: a goat goes by.\n\n Ann: Bye.\n"
    assert [turn.speaker for turn in found(ColonText(), text)] == ["Ann", "Bob", "Ann"]


def test_narration_that_begins_with_a_bracket_is_not_said() -> None:
    text = " Ann: Well, I was\n      going.\n\n(Slowly) a goat goes by.\n\n Bob: Bye.\n"
    assert [turn.text for turn in found(ColonText(), text)] == ["Well, I was going.", "Bye."]


def test_a_turn_behind_a_direction_is_said_once() -> None:
    text = "Ann: Hi.\nBob: Yo.\n(He waves.) Ann: Bye.\n"
    assert [(turn.speaker, turn.text) for turn in found(ColonText(), text)] == [("Ann", "Hi."), ("Bob", "Yo."), ("Ann", "Bye.")]


@pytest.mark.parametrize(
    "turn",
    ["**{}:** {}", "**{}**: {}", "- **{}:** {}", "'''{}:''' {}", ":'''{}''': {}", "*{}*: {}", "1. {}: {}", "> {}: {}",
     "[00:01:10] {}: {}"],
)  # fmt: skip
def test_turns_in_markdown_and_wikis(turn: str) -> None:
    text = "\n\n".join(turn.format(name, said) for name, said in (("Ned", "Hello."), ("Olga", "Hi.")) * 3)
    assert ColonText().confidence(text) > 0.3
    assert turns(text) == [(0, "Ned", "Hello."), (0, "Olga", "Hi.")] * 3


def test_bold_words_of_a_bold_turn_are_plain() -> None:
    assert turns("**Ned:** That is **my** goat.\n\n**Olga:** It is.")[0] == (0, "Ned", "That is my goat.")


def test_a_list_in_a_note_is_none_of_turns() -> None:
    text = "Ned: Hello.\n\nOlga: Hi.\n\n" * 5 + "Prizes\n\n* Best Goat: Mab\n"
    assert {speaker for _, speaker, _ in turns(text)} == {"Ned", "Olga"}


def test_a_short_name_is_no_speech_because_of_a_stray_remark() -> None:
    text = "  Barnaby: I have a goat, and\n           it has a hat.\n      Bo: Where?\n" * 4 + "  Barnaby: There.\n      (bows)\n"
    assert [speaker for _, speaker, _ in turns(text)] == ["Barnaby", "Bo"] * 4 + ["Barnaby"]


@pytest.mark.parametrize(
    "label", ["Location", "Time", "Int", "Synopsis", "Posted by", "Writer’s Note", "Episode 3", "Performed By"]
)
def test_labels_name_nobody(label: str) -> None:
    assert turns(f"Ned: Hello.\n\n{label}: The barn.\n\nNed: Bye.") == [(0, "Ned", "Hello."), (0, "Ned", "Bye.")]


def test_a_paragraph_without_a_name_is_speech_where_nothing_is_narrated() -> None:
    text = (
        "Nele Karst: We start with the pier.\n\nI think it was built for herons, long before my time.\n\n"
        "Bartok Brin: I see.\n\nAnd what did they do with it?\n\n"
    )
    assert turns(*(text * 4).splitlines(), "Nele Karst: Sleep.", "", "Posted by nobody.")[:2] == [
        (0, "Nele Karst", "We start with the pier. I think it was built for herons, long before my time."),
        (0, "Bartok Brin", "I see. And what did they do with it?"),
    ]
    assert turns(*(text * 4).splitlines(), "Nele Karst: Sleep.", "", "Posted by nobody.")[-1][2] == "Sleep."


def test_a_paragraph_without_a_name_is_narration_where_others_are() -> None:
    text = "Nele: Look.\n\nNele points at the heron, which you cannot see.\n\nBartok: Where?\n\nThe heron flies off.\n\n"
    assert turns(*(text * 4).splitlines()) == [(0, "Nele", "Look."), (0, "Bartok", "Where?")] * 4


def test_double_spaced_lines_are_one_speech() -> None:
    lines = "Nele: I walked along the pier, and\n\nthere was nobody but the heron, who\n\nlooked at me."
    text = f"{lines}\n\n\n\nBartok: Did he?\n\n\n\n"
    speech = "I walked along the pier, and there was nobody but the heron, who looked at me."
    assert turns(*(text * 4).splitlines()) == [(0, "Nele", speech), (0, "Bartok", "Did he?")] * 4


def test_a_sentence_that_goes_on_below_an_empty_line_is_one_speech() -> None:
    assert turns("Nele: I walked, and", "", "there he was.", "", "He waves.", "", "Bartok: Who?") == [
        (0, "Nele", "I walked, and there he was."), (0, "Bartok", "Who?")
    ]  # fmt: skip


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_names_alone_above_their_speech(gap: str) -> None:
    script = ("Nele", "The tide is out."), ("Bartok", "Listen: it is late."), ("Harbour Master", "Setting aside the tide.")
    text = "\n\n".join(f"{name}:{gap}{speech}" for name, speech in script * 2)
    assert turns(*text.splitlines(), "") == [(0, name, speech) for name, speech in script * 2]


def test_a_verse_that_begins_like_a_scene_heading_is_speech() -> None:
    text = "Nele: I will not keep the heron in the house,\nSetting aside the smell,\nScene after scene of it.\n\nBartok: Aye.\n\n"
    assert turns(*(text * 3).splitlines())[:2] == [
        (0, "Nele", "I will not keep the heron in the house, Setting aside the smell, Scene after scene of it."),
        (0, "Bartok", "Aye."),
    ]


def test_unusual_names_where_every_line_is_a_turn() -> None:
    script = (
        ("Nele", "Is it open?"), ("Bartok", "No."), ("Nele and Bartok together", "Never!"), ("Nele", "Oh."),
        ("Woman with the green umbrella", "Is this the ferry?"), ("Maitre d’", "One ferry."), ("Bartok", "Yes."),
    )  # fmt: skip
    lines = [f"{name}: {speech}" for name, speech in script]
    assert turns(*lines) == [(0, name, speech) for name, speech in script]
    assert turns(*lines, "Nele: What", "My point about all of this: no.")[-1] == (
        0,
        "Nele",
        "What My point about all of this: no.",
    )


def test_a_name_with_a_remark_or_a_semicolon_is_known_elsewhere() -> None:
    (_, _, third, fourth) = found(
        ColonText(), "Nele: Hello.\nBartok: Hi.\nNele, from the boat: Come on!\nBartok; Wait for me.\nMirna; no.\n"
    )
    assert (third.speaker, third.text, third.directions) == ("Nele", "Come on!", ("from the boat",))
    assert (fourth.speaker, fourth.text) == ("Bartok", "Wait for me. Mirna; no.")


def test_full_width_colons_and_names_in_small_letters() -> None:
    assert turns("Nele：Hello.", "Bartok： Hi.") == [(0, "Nele", "Hello."), (0, "Bartok", "Hi.")]
    script = [("nele", "Hello."), ("old bartok", "Hi.")] * 3
    assert turns(*(f"{name}: {speech}" for name, speech in script)) == [(0, *turn) for turn in script]
    assert {speaker for _, speaker, _ in turns("Nele: One.", "then: two.", "Bartok: Three.", "then: four.")} == {"Nele", "Bartok"}


def test_a_dash_in_the_place_of_the_colon() -> None:
    script = [("Nele", "Hello - you."), ("Old Bartok", "Hi.")] * 4
    text = "\n".join(f"{name} - {speech}" for name, speech in script)
    assert turns(*text.splitlines()) == [(0, *turn) for turn in script]
    assert ColonText().confidence(text) > 0.3


@pytest.mark.parametrize("break_", [" ", "\n"])
def test_plays_with_a_full_stop_after_the_name(break_: str) -> None:
    play = f"NELE.{break_}Day one on the pier.\nIt is cold.\n\nBARTOK [_yawning_].{break_}And not a _single_ fish.\n\n"
    text = "THE HERON\n\nACT I\n\n" + play * 4
    turns_ = found(ColonText(), text)
    assert turns_[:2] == [
        Turn(0, "NELE", "Day one on the pier. It is cold."),
        Turn(0, "BARTOK", "And not a single fish.", ("yawning",)),
    ]
    assert len(turns_) == 8
    assert ColonText().confidence(text) > 0.3


@pytest.mark.parametrize("label", ["Like this", "Share this", "Jump to", "Related", "Twenty minutes later", "Categories"])
def test_web_furniture_and_captions_name_nobody(label: str) -> None:
    assert {who for _, who, _ in turns("Ned: Hello.", "Olga: Hi.", f"{label}: Heronbook", "Ned: Bye.")} == {"Ned", "Olga"}


def test_a_file_of_several_episodes() -> None:
    text = "1.01 - The Heron\nNele: One.\nBartok: Two.\nS01E02: The Pier\nNele: Three.\n"
    assert [(turn.episode, turn.text) for turn in found(ColonText(), text)] == [
        ("S01E01", "One."), ("S01E01", "Two."), ("S01E02", "Three.")
    ]  # fmt: skip
    check_account(ColonText(), text)
    assert {turn.episode for turn in found(ColonText(), text.partition("S01")[0])} == {None}
