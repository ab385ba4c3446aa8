import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.replies.lexicon import Lexicon

LEXICON = Lexicon.of((" the", " you", " like", " tea", "The", " kettle"))


def test_rare_words_in_common_make_a_topic() -> None:
    assert LEXICON.shared("The kettle!", ["Where is the kettle?"]) > LEXICON.shared("The tea!", ["Where is the kettle?"]) > 0
    assert LEXICON.shared("A kettle", ["Tea."]) == 0
    assert LEXICON.shared("KETTLE", ["kettle..."]) == pytest.approx(1)


def test_what_was_said_last_counts_most() -> None:
    said = ["My kettle.", "Your zebra.", "A", "B"]
    assert LEXICON.shared("Zebra?", said) > LEXICON.shared("Kettle?", said) > 0
    assert LEXICON.shared("Kettle?", [*said, "C"]) == 0, "that is long ago"


def test_words_that_are_none_are_told() -> None:
    assert LEXICON.knows("You like the kettle, 7 kettle!")
    assert not LEXICON.knows("You like the kettel")
    assert Lexicon.of(()).knows("kettel"), "without a list nobody can tell"


@given(st.text(), st.lists(st.text(), max_size=6))
def test_any_text_can_be_compared(text: str, said: list[str]) -> None:
    assert 0 <= LEXICON.shared(text, said) <= 2.4 + 1e-9
    assert Lexicon.of(()).shared(text, said) >= 0
