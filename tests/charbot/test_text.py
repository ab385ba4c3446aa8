import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.text import MAX_MESSAGE, is_name, normalise, prepare_message, printable

ANY_TEXT = st.text(st.characters(codec=None)) | st.text("a e. \n\t\0\x1f\u0301\u00ad\u200b\u1fef\u1ffd’“…—\ud800😀")


@given(ANY_TEXT)
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "text",
    [
        ".. . .",  # spaced dots after dots
        ". . ... . .",
        "e\0\u0301",  # what is dropped parts a letter from its accent
        "e\u00ad\u0301",
        "\u1fef \u1ffd",  # NFC makes a grave and an acute of these
    ],
)
def test_normalise_is_idempotent_where_it_was_not(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(ANY_TEXT)
def test_normalised_text_is_one_clean_line(text: str) -> None:
    clean = normalise(text)
    assert clean == " ".join(clean.split())
    assert unicodedata.is_normalized("NFC", clean)
    assert not {unicodedata.category(char) for char in clean} & {"Cc", "Cs", "Cn"}
    assert not set(clean) & set("‘’“”…–—`\u00ad\u200b\ufeff")
    assert "...." not in clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("‘It’s’ “fine”", "'It's' \"fine\""),
        ("Well… no", "Well... no"),
        ("so. . . yes", "so... yes"),
        ("so....... yes", "so... yes"),
        ("He ran. It rained.", "He ran. It rained."),
        ("A. B. C.", "A. B. C."),
        ("a—b–c", "a--b-c"),
        ("  a \t\r\n b\u00a0c\u2003d ", "a b c d"),
        ("a\0b\x1bc\ud800d", "abcd"),
        ("re\u00ad\u200bal", "real"),
        ("cafe\u0301", "café"),
        ("\ufeffHello", "Hello"),
        (" \n ", ""),
        ("Ça va? Привет! 你好", "Ça va? Привет! 你好"),
        ("👩\u200d👧 می\u200cخواهم", "👩\u200d👧 می\u200cخواهم"),  # joiners carry meaning
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize("text", ["a " * 100_000, ". " * 100_000, "." * 200_000, " " * 200_000, "\0" * 200_000])
def test_normalise_takes_long_text_in_its_stride(text: str) -> None:
    assert len(normalise(text)) <= len(text)


@given(ANY_TEXT)
def test_a_short_message_is_only_normalised(text: str) -> None:
    assert prepare_message(text) == normalise(text)


def test_a_long_message_keeps_its_last_whole_words() -> None:
    text = " ".join(f"word{i}" for i in range(1_000))
    cut = prepare_message(text)
    assert MAX_MESSAGE - len("word999 ") <= len(cut) <= MAX_MESSAGE
    assert text.endswith(" " + cut)


def test_a_long_message_of_one_word_is_cut_in_the_word() -> None:
    assert prepare_message("a" * (MAX_MESSAGE + 5)) == "a" * MAX_MESSAGE
    assert prepare_message("b" + "a" * (MAX_MESSAGE - 1)) == "b" + "a" * (MAX_MESSAGE - 1)


def test_printable_text_controls_no_terminal() -> None:
    assert printable("a\x1b]0;b\x07\x9b\n\tc \u200d😀") == "a\\x1b]0;b\\x07\\x9b\n\tc \u200d😀"


@pytest.mark.parametrize("text", ["", " ", " Ann", "A\nB", "A\x1bB", "A\u202eB", "A" * 81])
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)
    assert is_name("Mr. Garrison")
