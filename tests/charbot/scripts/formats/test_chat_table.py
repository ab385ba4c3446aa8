from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.chat_table import ChatTable
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_read, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "chat_csv" / "reed_sea.csv"
HEAD = "AuthorID,Author,Date,Content,Attachments,Reactions\n"


def test_messages_are_turns_and_silence_begins_a_scene() -> None:
    rows = (
        '"1","nele","2024-07-01T08:00:00.0000000+00:00","One, two."',
        '"1","nele","2024-07-01T08:01:00+00:00",">> no\nThree."',
        '"2","bartok","2024-07-01T08:02:00+00:00","See https://example.org"',
        '"2","bartok","2024-07-01T19:02:00+00:00","Four."',
    )
    table = HEAD + "".join(f'{row},"",""\n' for row in rows)
    assert said(ChatTable(), table) == [
        (0, "nele", "One, two. Three."), (0, "bartok", "See [link]"), (1, "bartok", "Four.")
    ]  # fmt: skip
    assert detect(table).name == "chat-csv"
    assert [omission.reason for omission in read(ChatTable(), table).omissions] == ["title"]


def test_a_line_may_tell_excel_the_delimiter() -> None:
    table = "sep=;\nauthor;date;content\nnele;2024-07-01T08:00:00;See https://example.org\nivo;2024-07-01T20:00:00;Why?\n"
    assert detect(table).name == "chat-csv"
    assert said(ChatTable(), table) == [(0, "nele", "See [link]"), (1, "ivo", "Why?")]


def test_the_newest_message_may_come_first() -> None:
    times = ("2024-07-01T08:02:00", "2024-07-01T08:01:00", "2024-07-01T08:01:00")
    rows = zip(("nele", "bartok", "ivo"), times, ("Three.", "Two.", "One."), strict=True)
    table = HEAD + "".join(f"1,{name},{time},{text},,\n" for name, time, text in rows)
    assert said(ChatTable(), table) == [(0, "ivo", "One."), (0, "bartok", "Two."), (0, "nele", "Three.")]


def test_the_sample() -> None:
    found = said(ChatTable(), SAMPLE.read_text("utf-8"))
    assert (len(found), found[0]) == (5, (0, "lou", "who left the gate open? the heron is in the bath"))


@pytest.mark.parametrize("text", ["", HEAD, "name,line\nNED,Hello.\n", "date,sender,message\n2024,Nele,Hello.\n" * 9])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert ChatTable().confidence(text) == 0.0


PARTS = [HEAD, "1,nele,2024-07-01 08:00,Hi.,,\n", "x", ",", '"', "\n", "\0", "2024-07-01 08:00", "99:99"]


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    for whole in (text, f"{HEAD}1,nele,2024-07-01 08:00,Hi.,,\n{text}"):
        assert all(turn.speaker.strip() for turn in check_read(ChatTable(), whole).turns)
