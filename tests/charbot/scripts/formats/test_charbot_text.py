from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from charbot.dialogue import Utterance, prepare_turns
from charbot.scripts.formats import read
from charbot.scripts.formats.charbot_text import CharbotText, write_charbot_text
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_account, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "charbot" / "lost_property.txt"
TYPED = st.text(st.characters(codec="utf-8")) | st.lists(
    st.sampled_from(["(waves)", "[Scene: a park]", "Ann: Hi", ":", " ", "!", "<b>", "{", "...", "Written by", "\n"])
).map("".join)  # fmt: skip


def test_the_sample() -> None:
    source = read(CharbotText(), SAMPLE.read_text("utf-8"))
    assert [turn.speaker for turn in source.turns] == ["You", "Ivo", "You", "Maud"] * 2
    assert source.turns[0].text == "Is this (by any chance) the lost property office?"
    assert source.turns[2].text == "[Scene: a man looks for his hat]"
    assert [omission.reason for omission in source.omissions] == ["title"]


@given(st.lists(TYPED, min_size=1))
@example(["<FinalDraft"])
@example(["<br>", *map(str, range(24))])
def test_what_is_written_down_is_read_back_to_the_letter(typed: list[str]) -> None:
    turns = prepare_turns([Utterance(("You", "Mr. Owl")[at % 2], text) for at, text in enumerate(typed)])
    text = write_charbot_text(turns, "Mr. Owl")
    assert detect(text).name == "charbot"
    assert said(CharbotText(), text) == [(0, turn.speaker, turn.text) for turn in turns]


def test_a_line_wrapped_by_hand_goes_on() -> None:
    text = "Written down by charbot: Ann\n\nnobody yet\nYou: Hello,\nAnn.\nAnn: Hi.\n"
    assert said(CharbotText(), text) == [(0, "You", "Hello, Ann."), (0, "Ann", "Hi.")]
    assert [omission.reason for omission in read(CharbotText(), text).omissions] == ["title", "said by nobody"]


@given(st.lists(st.sampled_from(["Written down by charbot: ", "Ann: ", "Hi", "\n", ": ", " ", "(", "\0", "\r"])).map("".join))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(CharbotText(), text)
