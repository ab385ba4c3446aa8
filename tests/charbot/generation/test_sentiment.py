import pytest

from charbot.generation.sentiment import Sentiment, sentiment


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("my goat hates me and i cried all night", Sentiment.BAD),
        ("they grounded me for a week", Sentiment.BAD),
        ("we are not happy here", Sentiment.BAD),
        ("i love this boat, it is beautiful", Sentiment.GOOD),
        ("she hired me", Sentiment.GOOD),
        ("my goat lives in a shed", Sentiment.NEUTRAL),
        ("lol ok thanks", Sentiment.NEUTRAL),
        ("", Sentiment.NEUTRAL),
    ],
)
def test_what_a_message_tells_is_good_bad_or_neither(message: str, expected: Sentiment) -> None:
    assert sentiment(message) is expected
