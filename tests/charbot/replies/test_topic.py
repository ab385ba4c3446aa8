import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.replies.topic import Topic

TOPIC = Topic.of(("the", "you", "like", "tea", "The", "kettle"))


def test_rare_words_in_common_make_a_topic() -> None:
    assert TOPIC.shared("The kettle!", ["Where is the kettle?"]) > TOPIC.shared("The tea!", ["Where is the kettle?"]) > 0
    assert TOPIC.shared("A kettle", ["Tea."]) == 0
    assert TOPIC.shared("KETTLE", ["kettle..."]) == pytest.approx(1)


def test_what_was_said_last_counts_most() -> None:
    said = ["My kettle.", "Your zebra.", "A", "B"]
    assert TOPIC.shared("Zebra?", said) > TOPIC.shared("Kettle?", said) > 0
    assert TOPIC.shared("Kettle?", [*said, "C"]) == 0, "that is long ago"


@given(st.text(), st.lists(st.text(), max_size=6))
def test_any_text_can_be_compared(text: str, said: list[str]) -> None:
    assert 0 <= TOPIC.shared(text, said) <= 2.4 + 1e-9
    assert Topic.of(()).shared(text, said) >= 0
