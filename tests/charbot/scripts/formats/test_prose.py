from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import FORMATS, read
from charbot.scripts.formats.prose import NARRATOR, Prose
from tests.charbot.scripts.formats.helpers import check_account, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "prose" / "the_foghorn.txt"


def test_a_paragraph_is_a_turn() -> None:
    assert said(Prose(), "One,\n  two.\n\n \nThree.") == [(0, NARRATOR, "One, two."), (0, NARRATOR, "Three.")]


def test_every_mark_is_text() -> None:
    assert said(Prose(), "NED: (waves) [sits] <b>\n") == [(0, NARRATOR, "NED: (waves) [sits] <b>")]


def test_the_sample() -> None:
    source = read(Prose(), SAMPLE.read_text("utf-8"))
    assert len(source.turns) == 11
    assert source.omissions == ()
    assert source.turns[6].text == '"It is a menace."'
    assert (source.turns[-2].text, source.turns[-2].source) == ('"Is this the handle?" he said.', 26)


def test_prose_is_never_detected() -> None:
    text = SAMPLE.read_text("utf-8")
    assert Prose().confidence(text) == 0.0
    assert all(format_.confidence(text) < 0.3 for format_ in FORMATS)


@given(
    st.lists(st.sampled_from(["Hello.", "\n", " ", "(", "\0", "\ud800", "\x1c", "\r"])).map("".join)
    | st.text(st.characters(codec=None))
)
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(Prose(), text)
