import pytest

from charbot.generation.filters import CHANGE_OF_SUBJECT
from charbot.generation.profanity import GroupFilter, ProfanityFilter


def test_profanity_is_masked_by_a_word() -> None:
    filter_ = ProfanityFilter()
    assert filter_.repair("Oh, shit!") == "Oh, bleep!"
    assert filter_.accepts("Oh, bleep!")
    assert filter_.repair("More tea?") == "More tea?"


@pytest.mark.parametrize("text", ["5hit", "sh\u0456t", "s.h.i.t", "s  h  i  t", "shits", "bullshitting", "bu11shit"])
def test_profanity_is_recognised_however_it_is_spelled(text: str) -> None:
    assert not ProfanityFilter().accepts(f"That is {text} again.")


def test_what_no_mask_mends_is_replaced() -> None:
    assert ProfanityFilter().repair("All hippies smell.") == CHANGE_OF_SUBJECT
    assert GroupFilter().repair("A Mormon, in my house?") == CHANGE_OF_SUBJECT
    assert GroupFilter().repair("Tea, in my house?") == "Tea, in my house?"


def test_words_of_the_settings_are_profane() -> None:
    assert ProfanityFilter().accepts("The kettle is on.")
    assert ProfanityFilter(("kettle",)).repair("The kettle is on.") == "The bleep is on."


def test_the_messages_before_count() -> None:
    assert ProfanityFilter().accepts("They are so annoying.")
    assert not ProfanityFilter(after_group=True).accepts("They are so annoying.")
