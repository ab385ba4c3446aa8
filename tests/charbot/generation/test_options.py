import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.options import choice, options


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("tea or soup?", ("tea", "soup")),
        ("where should i start, kitchen or bathroom?", ("kitchen", "bathroom")),
        ("should i wear the green hat or the red one?", ("the green hat", "the red one")),
        ("do you want to go out or stay home", ("go out", "stay home")),
        ("are you more of a goat or duck person", ("a goat", "duck person")),
        ("do you prefer my hat or your own", ("your hat", "my own")),
        ("should i tell my aunt this time or keep it secret?", ("tell your aunt this time", "keep it secret")),
        ("a hat, or just flowers?", ("a hat", "flowers")),
        ("do you like goats or ducks better", ("goats", "ducks")),
        ("are you coming or not?", None),
        ("is it tea or what", None),
        ("do you like tea", None),
        ("or tea?", None),
    ],
)
def test_what_a_question_gives_to_choose_from(question: str, found: tuple[str, ...] | None) -> None:
    assert options(question) == found


def test_the_same_question_gets_the_same_choice() -> None:
    assert choice("hm. tea or soup?") == choice("hm. tea or soup?")
    assert choice("hm. tea or soup?") in ("Tea", "Soup")
    assert choice("I eat tea or soup") is None


@given(st.text())
def test_any_message_may_give_a_choice(text: str) -> None:
    chosen = choice(f"{text} or {text}?")
    assert chosen is None or chosen.strip()
