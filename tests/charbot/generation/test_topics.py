import pytest

from charbot.generation.topics import topic, topics


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("my goats sold a boat", "animals"),
        ("the soup was in the oven, and the goat ate", "food"),
        ("my aunt's drum", "music"),
        ("i sold it", None),
        ("", None),
    ],
)
def test_the_topic_is_what_most_words_are_about_the_last_of_equals(message: str, expected: str | None) -> None:
    assert topic(message) == expected


def test_every_topic_can_be_found() -> None:
    assert len(topics()) == 24
    assert {topic(name) for name in ("goat", "soup", "boss", "exam", "aunt", "toddler", "crush", "bestie")} <= set(topics())
