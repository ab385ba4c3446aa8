import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.lexicon import Lexicon

LEXICON = Lexicon.of((" the", " you", " like", " tea", "The", " kettle"))


def test_rare_words_in_common_make_a_topic() -> None:
    assert (
        LEXICON.topic_similarity("The kettle!", ["Where is the kettle?"])
        > LEXICON.topic_similarity("The tea!", ["Where is the kettle?"])
        > 0
    )
    assert LEXICON.topic_similarity("A kettle", ["Tea."]) == 0
    assert LEXICON.topic_similarity("KETTLE", ["kettle..."]) == pytest.approx(1)


def test_what_was_said_last_counts_most() -> None:
    said = ["My kettle.", "Your zebra.", "A", "B"]
    assert LEXICON.topic_similarity("Zebra?", said) > LEXICON.topic_similarity("Kettle?", said) > 0
    assert LEXICON.topic_similarity("Kettle?", [*said, "C"]) == 0, "that is long ago"


def test_rare_words_are_what_a_text_is_about() -> None:
    told = {"you", "like", "the", "kettle"}
    assert LEXICON.overlap("The kettle!", told) == pytest.approx(1)
    assert LEXICON.overlap("The kettle!", told - {"kettle"}) < 0.2
    assert LEXICON.overlap("The zebra!", told) < 0.2, "frequent words are nobody's"
    assert LEXICON.overlap("The kettle!", set()) == 0
    assert Lexicon.of(()).overlap("The kettle!", told) == 0, "without a list nobody can tell"


def test_words_that_are_none_are_told() -> None:
    assert LEXICON.knows("You like the kettle, 7 kettle!")
    assert not LEXICON.knows("You like the kettel")
    assert Lexicon.of(()).knows("kettel"), "without a list nobody can tell"


def test_who_is_called() -> None:
    listed = (" Ann", " Mr", " Bob", " man", " Man", " Chef", " Doctor", " doctor", " chef", "tea", "Tea", " Oh", " oh", " Zoe")
    lexicon = Lexicon.of(listed, ["Mr. Bob", "Man", "Chef", "Doctor 2", "Tea"])
    assert lexicon.names == {"ann", "mr", "bob", "chef", "doctor", "zoe"}, "a man is anybody, and tea a piece of a word"
    for text in ("Ann, look!", "Look, Ann.", "Look! Ann!", "Hey Ann", "Oh ANN?", "I know, Ann: tea."):
        assert lexicon.vocatives(text) == ["ann"]
    assert lexicon.vocatives("Hi, Mr. Bob. Thanks Zoe!") == ["bob", "zoe"]
    for text in ("Ann knows.", "I like Ann.", "Mr. Bob is here.", "I saw Mr. Bob.", "Man, tea!", "Oh, Annie.", ""):
        assert lexicon.vocatives(text) == []


@given(st.text(), st.lists(st.text(), max_size=6))
def test_any_text_can_be_compared(text: str, said: list[str]) -> None:
    assert 0 <= LEXICON.topic_similarity(text, said) <= 2.4 + 1e-9
    assert Lexicon.of(()).topic_similarity(text, said) >= 0
