from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.delimited import Delimited
from charbot.scripts.line import Turn
from charbot.text import normalise
from tests.charbot.scripts.formats.helpers import check_read, found, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "csv" / "nightshift_dental.csv"


def turns(*lines: str) -> list[tuple[int, str, str]]:
    return said(Delimited(), "\n".join(lines))


def reasons(text: str) -> list[tuple[int, str]]:
    return [(omission.line, omission.reason) for omission in read(Delimited(), text).omissions]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize(
    "header", [("Character", "Line"), ("name", "text"), ("SPEAKER", "Dialogue"), ("Who", "Quote"), ("speaker_", "utterance")]
)
def test_columns_have_many_names(header: tuple[str, str], delimiter: str) -> None:
    rows = (header, ("NED", "Hello."), ("OLGA", f'"Hi{delimiter} you."'))
    assert turns(*map(delimiter.join, rows)) == [(0, "NED", "Hello."), (0, "OLGA", normalise(f"Hi{delimiter} you."))]


def test_columns_stand_in_any_order_among_others() -> None:
    assert turns("id,Line,rating,Character", '1,"Hello, ""Olga"".",5,NED') == [(0, "NED", 'Hello, "Olga".')]


@pytest.mark.parametrize(
    "header",
    [
        "id,season,episode,scene,line_text,speaker,deleted",
        "id,raw_text,season,raw_character_text,spoken_words,speaker,word_count",
    ],
)
def test_tables_that_are_widely_spread(header: str) -> None:
    row = "1,x,1,NED,Hello.,NED,2" if "raw" in header else "1,1,1,1,Hello.,NED,FALSE"
    assert turns(header, row) == [(0, "NED", "Hello.")]


@pytest.mark.parametrize(
    "header", ["character,full_text", "person_scene,dialogue", "speaker_name,utterance_text", "actor,detail"]
)
def test_columns_of_two_words(header: str) -> None:
    assert turns(header, "NED,Hello.", "Scene,A roof.", "OLGA,Hi.") == [(0, "NED", "Hello."), (1, "OLGA", "Hi.")]


def test_a_column_of_numbers_is_no_text() -> None:
    assert turns("Line,Character,Dialogue", "0,NED,Hello.", "1,OLGA,12.") == [(0, "NED", "Hello."), (0, "OLGA", "12.")]
    assert turns("name,line", "NED,12.") == [(0, "NED", "12.")], "there is no other"


def test_whole_numbers_as_programs_write_them() -> None:
    table = ",Character,Dialogue,EpisodeNo,Season\n0,NED,Hello.,1.0,2.0\n1,NED,Bye.,10.0,2.0"
    assert [turn.episode for turn in found(Delimited(), table)] == ["S02E01", "S02E10"]
    table = ",Character,Dialogue,EpisodeNo,SEID,Season\n0,NED,Hello.,1.0,S03E04,3.0"
    assert [turn.episode for turn in found(Delimited(), table)] == ["S03E04"]


def test_a_sep_line_for_excel_is_no_header() -> None:
    assert turns("sep=;", "name;line", "NED;Hello.") == [(0, "NED", "Hello.")]


@pytest.mark.parametrize("speaker", ["NA", "n/a", "None", "Stage Directions", "Scene direction", "-"])
def test_a_placeholder_is_no_name(speaker: str) -> None:
    assert turns("name,line", f"{speaker},It rains.", "NED,Hello.") == [(0, "NED", "Hello.")]
    assert turns("name,line", "Nan,It rains.") == [(0, "Nan", "It rains.")]


def test_parentheses_hold_directions_where_they_often_do() -> None:
    rows = ["NED,Hello (waves)."] * 5
    assert {text for *_, text in turns("name,line", *rows)} == {"Hello."}
    assert {text for *_, text in turns("name,line", *rows[1:])} == {"Hello (waves)."}
    hooded = turns("name,line", *rows, *["OLGA,Oh (What a goat!) and (So it is.) and no."] * 6)
    assert hooded[-1] == (0, "OLGA", "Oh (What a goat!) and (So it is.) and no.")


def test_remains_of_html_are_removed() -> None:
    assert turns("name,line", "NED,It&#39;s <i>my</i> goat &amp; hat.") == [(0, "NED", "It's my goat & hat.")]


def test_squares_hold_directions_and_parentheses_do_not() -> None:
    assert found(Delimited(), "name,line\nNED,[waves] Hello (softly).") == [Turn(0, "NED", "Hello (softly).", ("waves",))]


@pytest.mark.parametrize(
    ("header", "first", "second", "episodes"),
    [
        ("Season,Episode", "1,1", "1,2", ["S01E01", "S01E02"]),
        ("season,episode", "Season 1,Episode 12", "Season 2,Episode 1", ["S01E12", "S02E01"]),
        ("episode,x", "The Leak,", "The Flood,", ["The Leak", "The Flood"]),
        ("sid,x", "S02E03,", "S02E04,", ["S02E03", "S02E04"]),
    ],
)
def test_episodes(header: str, first: str, second: str, episodes: list[str]) -> None:
    turns_ = found(Delimited(), f"{header},name,line\n{first},NED,One.\n{first},OLGA,Two.\n{second},NED,Three.")
    assert [turn.episode for turn in turns_] == [episodes[0], episodes[0], episodes[1]]
    assert [turn.scene for turn in turns_] == [0, 0, 0]


def test_scenes() -> None:
    assert turns("scene,name,line", "1,NED,One.", "1,OLGA,Two.", "2,NED,Three.") == [
        (0, "NED", "One."), (0, "OLGA", "Two."), (1, "NED", "Three.")
    ]  # fmt: skip


def test_a_header_in_the_midst_of_a_file_is_not_said() -> None:
    header = "Season,Episode,Character,Line\n"
    text = f'{header}1,1,Ned,"Hi.\n"\n{header}Season,Episode,Character,"Line\n"\n1,2,Ned,"Bye.\n"\n'
    assert [turn.text for turn in found(Delimited(), text)] == ["Hi.", "Bye."]
    assert reasons(text) == [(1, "title"), (4, "title"), (5, "title")]


@pytest.mark.parametrize("record", ["NED", "NED,", ',"who?"', ",", "NED,[nods]", '" ",Hello.'])
def test_what_says_nothing_is_accounted_for(record: str) -> None:
    text = f"name,line\n{record}\nOLGA,Hi."
    source = read(Delimited(), text)
    assert [(turn.speaker, turn.text, turn.source) for turn in source.turns] == [("OLGA", "Hi.", 3)]
    assert source.kept + len(source.omissions) == (3 if record != "," else 2)


def test_a_record_that_is_too_long_loses_no_other_record() -> None:
    source = read(Delimited(), f"name,line\nNED,{'a' * 1_100_000}\nOLGA,Hi.\nNED,Bye.")
    assert [(turn.text, turn.source) for turn in source.turns] == [("Hi.", 3), ("Bye.", 4)]
    assert [(omission.line, omission.reason) for omission in source.omissions] == [(1, "title"), (2, "unreadable record")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end: str) -> None:
    text = end.join(["", "name,line", "NED,One.", "", "OLGA,Two."])
    assert Delimited().confidence(text) > 0.9
    assert [(turn.text, turn.source) for turn in read(Delimited(), text).turns] == [("One.", 3), ("Two.", 5)]


@pytest.mark.parametrize("number", ["9" * 5_000, "9" * 10, "0" * 5_000])
def test_a_number_of_any_length_is_survived(number: str) -> None:
    assert turns("season,episode,name,line", f"{number},{number},NED,Hello.") == [(0, "NED", "Hello.")]


def test_the_sample() -> None:
    source = read(Delimited(), SAMPLE.read_text("utf-8"))
    turns_ = source.turns
    assert len(turns_) == 31
    assert [sum(turn.episode == episode for turn in turns_) for episode in ("S01E01", "S01E02")] == [17, 14]
    assert {turn.speaker for turn in turns_} == {"Vlad", "Mr. Higgs", "Nurse Agnes", "Postman"}
    assert turns_[6].text == "Vanity, Mr. Higgs, is the enemy of gums. Open wide. Oh, how beautiful."
    assert (turns_[6].directions, turns_[6].source) == (("gasps",), 14)
    assert '"We are nice, and we do not bite."' in {turn.text for turn in turns_}
    assert (source.kept, len(source.omissions)) == (31, 1)


def test_confidence_is_high_in_the_sample() -> None:
    assert Delimited().confidence(SAMPLE.read_text("utf-8")) > 0.9


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "Character\nNED\n", "1,1,NED,Hello.\n" * 20, "NED: Hello, name.\n" * 20, '"Hello, you."\n' * 20]
)
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert Delimited().confidence(text) == 0.0
    assert turns(text) == []


HOSTILE = {
    "quotes": '"' * 200_001,
    "open quotes": 'NED,"a\n' * 20_001,
    "commas": "," * 200_000,
    "records": "NED,a\n" * 10_000,
    "short records": "a\n" * 30_000,
    "squares": "NED," + "[a" * 100_000,
    "returns": "\r" * 200_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    for whole in (text, f"name,line\n{text}"):
        check_read(Delimited(), whole)


PARTS = ["season,name,line\n", "NED", ",", '"', '""', "\n", "\r", "Hello.", "[", "]", "1", "\0", "\ud800", "\x1c", "\u2028"]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    for whole in (text, f"season,name,line\n{text}"):
        source = check_read(Delimited(), whole)
        assert all(turn.speaker.strip() for turn in source.turns)
        assert source.kept == len(source.turns)  # a record is a line, however many it runs over


@given(st.lists(st.sampled_from(["NED,Hello.", "NED", ",Hello.", "NED,", "NED,[nods]", '"NED","Hel""lo."'])))
def test_every_record_is_accounted_for(records: list[str]) -> None:
    source = read(Delimited(), "\n".join(["name,line", *records]))
    assert source.kept + len(source.omissions) == len(records) + 1


@pytest.mark.parametrize(
    "header",
    [
        ("char", "dialog"),
        ("NAME", "MESSAGE"),
        ("sender", "message"),
        ("from", "text"),
        ("details", "text"),
        ("Author", "Content"),
    ],
)
def test_columns_of_other_collections(header: tuple[str, str]) -> None:
    assert turns(",".join(header), "Nele,Hello.", "Bartok,Hi.") == [(0, "Nele", "Hello."), (0, "Bartok", "Hi.")]


def test_a_name_and_its_value_are_no_dialogue() -> None:
    assert turns("name,value", "width,Seven feet.", "width,Eight feet.") == []


def test_a_column_of_all_characters_is_not_the_speaker() -> None:
    table = ("characters,who,text", "\"['NELE', 'BARTOK']\",NELE,Hello.", "\"['NELE', 'BARTOK']\",BARTOK,Hi.")
    assert turns(*table) == [(0, "NELE", "Hello."), (0, "BARTOK", "Hi.")]


def test_names_as_python_prints_them() -> None:
    table = ("Utterance,Speaker", "Hello.,['Nele Karst']", 'Hi.,"[\'Bartok\', ""O\'Mara""]"', "Bye.,[]")
    assert turns(*table) == [(0, "Nele Karst", "Hello."), (0, "Bartok and O'Mara", "Hi.")]


@pytest.mark.parametrize(
    ("header", "values", "episode"),
    [
        ("Season,Episode", "1,The Heron 3000", "1 The Heron 3000"),
        ("Season,Episode", "5,The Pier Part 1", "5 The Pier Part 1"),
        ("Season,Episode", "Season 1,Episode 2", "S01E02"),
        ("Season,Episode", "1,3 - The Boat", "S01E03"),
        ("movie,x", "Reed Sea 2,", "Reed Sea 2"),
        ("book,book_num,chapter,chapter_num", "Water,1,The Heron,2", "S01E02"),
    ],
)
def test_names_of_episodes(header: str, values: str, episode: str) -> None:
    (turn,) = found(Delimited(), f"{header},name,line\n{values},NED,One.")
    assert turn.episode == episode


def test_records_of_another_kind_are_no_speech() -> None:
    text = "text,type,details\nHello.,talk,NELE\nA pier.,location,PIER\nHi.,talk,BARTOK\n"
    assert turns(*text.splitlines()) == [(0, "NELE", "Hello."), (0, "BARTOK", "Hi.")]
    assert reasons(text) == [(1, "title"), (3, "stage direction")]


def test_a_table_with_names_of_rows() -> None:
    assert turns('"character" "dialogue"', '"1" "NELE" "Hello, you."', '"2" "BARTOK" "Hi."') == [
        (0, "NELE", "Hello, you."), (0, "BARTOK", "Hi.")
    ]  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_two_columns_need_no_header(delimiter: str) -> None:
    rows = [("Nele Karst", "Hello."), ("Bartok", '"Hi, you."')] * 3
    assert turns(*map(delimiter.join, rows)) == [(0, "Nele Karst", "Hello."), (0, "Bartok", "Hi, you.")] * 3
    assert turns(*["Well, I think so.", "Oh, never mind."] * 6) == []


def test_the_user_may_name_the_columns() -> None:
    table = "a,b,c\nHello.,x,NELE\nHi.,x,BARTOK\n"
    assert Delimited().confidence(table) == 0.0
    assert said(Delimited({"speaker": "c", "text": "a"}), table) == [(0, "NELE", "Hello."), (0, "BARTOK", "Hi.")]
