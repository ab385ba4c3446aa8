"""Known words, their rarity, and the similarity of texts weighted by it."""

import math
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from charbot.text import words

_RARITY = 2.0
"""Exponent of a word's rarity in its weight. Chosen on held-out replies, as is _BEFORE."""

_BEFORE = (1.0, 0.7, 0.4, 0.3)
"""Weights of the preceding turns in `topic_similarity`, latest first."""

_TITLE = re.compile(r"\b(Mrs?|Ms|Dr)\.")
_CALL = re.compile(
    r"(?:^|[.,!?;:]\s*|\b(?:hey|hi|hello|oh|bye|thanks|sorry)\s+)(?:(?:mrs?|ms|dr) )?(\w+)(?=[.,!?;:]|$)", re.IGNORECASE
)
"""A word in the position of a vocative: between punctuation marks, or after a greeting."""


@dataclass(frozen=True)
class Lexicon:
    """Frequency ranks of words, and which words are names. All are in lower case."""

    ranks: dict[str, int]
    """Frequency rank of each word, from 1; empty if the vocabulary is unknown."""
    names: frozenset[str]
    people: frozenset[str]
    """Names that are those of speakers."""

    @classmethod
    def of(cls, by_frequency: Sequence[str], people: Iterable[str] = ()) -> "Lexicon":
        """Return the lexicon of a word vocabulary (most frequent first, with leading spaces).

        Names are words that are listed capitalised only, and words of `people`'s names that are more frequent capitalised.
        """
        ranks: dict[str, int] = {}
        for word in by_frequency:
            ranks.setdefault(word.strip().casefold(), len(ranks) + 1)
        # Entries without a leading space are parts of words.
        places = {word[1:]: place for place, word in enumerate(by_frequency) if word.startswith(" ")}
        called = {word for name in people for word in words(name)}
        names = set()
        for word, place in places.items():
            small = word.casefold()
            if small != word and (small not in places or (small in called and place < places[small])):
                names.add(small)
        return cls(ranks, frozenset(names), frozenset(names & called))

    def knows(self, text: str) -> bool:
        """Return whether all words of a text are listed (numbers are). What a model spells is seldom a word."""
        return not self.ranks or all(word in self.ranks or word.isdigit() for word in words(text))

    def vocatives(self, text: str) -> list[str]:
        """Return the names by which a text addresses somebody, in lower case."""
        return [word for word in map(str.casefold, _CALL.findall(_TITLE.sub(r"\1", text))) if word in self.names]

    def topic_similarity(self, text: str, turns: Sequence[str]) -> float:
        """Return how much a reply is about the preceding turns (oldest first), from 0 to the sum of _BEFORE."""
        reply = self._weights(text)
        return sum(weight * _cosine(reply, self._weights(turn)) for weight, turn in zip(_BEFORE, reversed(turns), strict=False))

    def overlap(self, text: str, among: Set[str]) -> float:
        """Return the share, by weight, of a text's words that are in `among` (in lower case), from 0 to 1."""
        weights = self._weights(text)
        total = sum(weights.values())
        return sum(weight for word, weight in weights.items() if word in among) / total if total else 0.0

    def _weights(self, text: str) -> dict[str, float]:
        # By Zipf's law, log rank stands in for log inverse frequency.
        most = math.log(len(self.ranks) + 2)
        return {word: (math.log(self.ranks.get(word, len(self.ranks)) + 1) / most) ** _RARITY for word in words(text)}


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    squares = sum(x * x for x in one.values()) * sum(x * x for x in other.values())
    return sum(x * other.get(word, 0.0) for word, x in one.items()) / math.sqrt(squares) if squares else 0.0
