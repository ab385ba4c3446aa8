import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.directions import split_directions as split_speech
from charbot.text import normalise


def split_directions(raw: str, opening: str) -> tuple[str, tuple[str, ...]]:
    speech = split_speech([raw], opening)
    return speech.text, speech.directions


WORDS = st.text("abc", min_size=1, max_size=4)
MESSY = st.text("ab .!?…()[]{}<>\n")


@pytest.mark.parametrize(
    ("raw", "said", "directions"),
    [
        ("Hello.", "Hello.", ()),
        ("(waves) Hello. [sits] Bye.", "Hello. Bye.", ("waves", "sits")),
        ("Hello (waves), you (points).", "Hello, you.", ("waves", "points")),
        ("one(beat)two", "one two", ("beat",)),
        ("a (b (c) d) e", "a e", ("b (c) d",)),
        ("a [b (c] d) e", "a e", ("b (c] d",)),
        ("a [b) c", "a c", ("b",)),
        ("a (b", "a", ("b",)),
        ("a (b [c) d", "a", ("b [c) d",)),
        ("a) b] c", "a b c", ()),
        ("the cook]and I>saw) it's", "the cook and I saw it's", ()),
        ("a () b ( ) c", "a b c", ()),
        ("So... (he leaves).", "So...", ("he leaves",)),
        ("Well (beat)... yes", "Well ... yes", ("beat",)),
        ("Yes (nods) ?", "Yes?", ("nods",)),
        ("It is .5 of (counts) .7", "It is .5 of .7", ("counts",)),
        ("(softly): Hello.", "Hello.", ("softly",)),
        ("(all of it)", "", ("all of it",)),
        ("", "", ()),
        ("{a}b<c>", "b", ("a", "c")),
    ],
)
def test_directions_come_out_in_order(raw: str, said: str, directions: tuple[str, ...]) -> None:
    assert split_directions(raw, "([{<") == (said, directions)


def test_brackets_that_the_format_does_not_name_are_speech() -> None:
    assert split_directions("(Mmh) [nods] <3 }", "[") == ("(Mmh) <3 }", ("nods",))


@given(st.lists(st.tuples(st.booleans(), WORDS)))
def test_speech_and_directions_keep_all_their_words(parts: list[tuple[bool, str]]) -> None:
    raw = " ".join(f"({word})" if direction else word for direction, word in parts)
    said, directions = split_directions(raw, "([")
    assert said.split() == [word for direction, word in parts if not direction]
    assert list(directions) == [word for direction, word in parts if direction]


@given(st.text("abc.,!? \n]})"))
def test_text_without_an_opening_bracket_is_all_spoken(raw: str) -> None:
    said, directions = split_directions(raw, "([{<")
    assert directions == ()
    assert [char for char in said if char.isalpha()] == [char for char in raw if char.isalpha()]


@given(MESSY)
def test_any_brackets_leave_clean_text_with_every_letter(raw: str) -> None:
    said, directions = split_directions(raw, "([{<")
    assert not set(said) & set("()[]{}<>")
    assert normalise(said) == said
    assert all(directions)
    assert [normalise(direction) for direction in directions] == list(directions)
    assert sorted(filter(str.isalpha, said + "".join(directions))) == sorted(filter(str.isalpha, raw))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("raw", ["(" * 200_000, "[a" * 100_000, "()" * 100_000, ")" * 200_000, "a ." * 70_000])
def test_thousands_of_brackets_are_read(raw: str) -> None:
    split_directions(raw, "([{<")


def test_source_lines_without_speech_are_omissions() -> None:
    speech = split_speech(["Well (he", "walks", "off) then,", "(stops)", "bye."], "(")
    assert speech.text == "Well then, bye."
    assert speech.directions == ("he walks off", "stops")
    assert speech.spoken == (True, False, True, False, True)


@given(st.lists(MESSY))
def test_parts_say_what_they_say_together(parts: list[str]) -> None:
    speech = split_speech(parts, "([{<")
    assert (speech.text, speech.directions) == split_directions(" ".join(parts), "([{<")
    assert any(speech.spoken) == bool(speech.text)


def test_muffled_speech_loses_its_parentheses() -> None:
    assert split_directions("(Mmh!) [nods] (Mmh.)", "[") == ("Mmh! Mmh.", ("nods",))
    assert split_directions("(Mmh!) says Ned", "[") == ("(Mmh!) says Ned", ())
