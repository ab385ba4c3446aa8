import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.sentences import asks, core, parts, sentences
from charbot.text import words


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Hey, how are you?", "how are you?"),
        ("hi Ann, how are you doing today?", "how are you doing today?"),
        ("how are you ann", "how are you"),
        ("ann what is that", "what is that"),
        ("haha why do you keep them?", "why do you keep them?"),
        ("so is it cold lol?", "is it cold?"),
        ("man i'm tired", "i'm tired"),
        ("whats up man", "whats up"),
        ("Ann is my favorite", "Ann is my favorite"),
        ("do you like Ann?", "do you like Ann?"),
        ("are you ann?", "are you ann?"),
        ("who's that man?", "who's that man?"),
        ("hey there, do you swim", "do you swim"),
        ("there was a goat", "there was a goat"),
        ("hey Ann", "hey Ann"),
        ("hey ; '", "hey ; '"),
        ("lol", "lol"),
        ("", ""),
    ],
)
def test_greetings_laughter_and_address_are_no_core(message: str, left: str) -> None:
    assert core(message, {"ann"}) == left


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("aw im sorry. what was it like?", ["what was it like?", "im sorry."]),
        ("I sold my goat. whats its name", ["whats its name", "I sold my goat."]),
        ("i had soup. again.", ["i had soup.", "again."]),
        ("i bought ten hats, what would you do with them?", ["what would you do with them?", "i bought ten hats"]),
        ("do you like tea, or soup?", ["do you like tea, or soup?"]),
        ("you there? i sold my goat", ["i sold my goat", "you there?"]),
        ("?!", []),
    ],
)
def test_questions_come_before_the_rest_of_a_message(message: str, found: list[str]) -> None:
    assert parts(message) == found


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("where is it", True),
        ("it is here?", True),
        ("it is here", False),
        ("what a week", False),
        ("could be worse", False),
        ("dont laugh", False),
        ("don't you swim", True),
        ("when i was small", False),
        ("when is it", True),
    ],
)
def test_a_question_is_known_by_its_end_or_its_first_word(sentence: str, question: bool) -> None:
    assert asks(sentence) == question


def test_fillers_belong_to_no_sentence() -> None:
    assert sentences("Well, hello. I MEND HATS!") == [[], ["I", "MEND", "HATS"]]
    assert sentences("SO I MEND HATS") == [["i", "mend", "hats"]]


@given(st.text())
def test_a_core_is_never_empty_and_has_none_itself(text: str) -> None:
    left = core(text, {"ann"})
    assert (left == "") == (text == "")
    assert bool(words(left)) == bool(words(text))
    assert bool(parts(text)) == bool(words(text))
