"""Sentiment of a message: whether it tells something good, something bad or neither (VADER; Hutto and Gilbert 2014)."""

from enum import Enum
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from charbot.generation.spelling import respelled
from charbot.text import words

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_GOOD, _BAD = 0.4, -0.25
"""Compound scores from which a message tells something good, and down to which something bad: consoling somebody by mistake is
better than congratulating."""

_SMALL_TALK = words(
    "lol haha hahaha lmao rofl lmfao like liked likes thanks thank please well ok okay yes yeah sure fine pretty help want play"
    " hand number true honest honestly special share matter party save feeling interest interested interesting wish friend"
    " friends best lazy no"
)
"""Words that VADER counts as good or bad, but that say little of what is told in a chat."""

_NEWS = {
    "dumped": -2.5, "fired": -2.5, "grounded": -2.0, "divorce": -2.0, "exhausted": -2.0, "late": -0.8, "stuck": -1.5,
    "cheated": -2.5, "freaking": -1.5, "soaked": -1.0, "beat": -1.0, "expelled": -2.5, "evicted": -2.5, "homesick": -2.0,
    "insomnia": -2.0, "overslept": -1.5, "unemployed": -2.0, "unwell": -2.0, "vomit": -2.0, "puked": -2.0, "flunked": -2.5,
    "leaking": -1.5, "laid": -1.2, "delay": -1.2, "delayed": -1.2, "cancelled": -1.2, "canceled": -1.2, "hungover": -1.5,
    "promoted": 2.5, "hired": 2.5, "graduated": 2.5, "engaged": 2.0, "pregnant": 1.8, "newborn": 2.0, "vacation": 1.2,
    "aced": 2.8, "passed": 1.5, "adopted": 1.5, "blooming": 1.8, "birthday": 1.2, "finally": 0.8,
}  # fmt: skip
"""Words that it does not know."""


class Sentiment(Enum):
    """Sentiment of a message."""

    GOOD = "good"
    BAD = "bad"
    NEUTRAL = "neutral"


@lru_cache(10_000)
def sentiment(message: str) -> Sentiment:
    """Return the sentiment of a message."""
    score = _analyzer().polarity_scores(respelled(message))["compound"]
    return Sentiment.GOOD if score >= _GOOD else Sentiment.BAD if score <= _BAD else Sentiment.NEUTRAL


@cache
def _analyzer() -> "SentimentIntensityAnalyzer":
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    for word in _SMALL_TALK:
        analyzer.lexicon.pop(word, None)
    analyzer.lexicon.update(_NEWS)
    return analyzer
