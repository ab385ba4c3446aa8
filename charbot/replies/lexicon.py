"""Which words there are, how rare they are, and so what two texts are about."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from charbot.text import words

_RARITY = 2.0
"""How much more rare words count than frequent ones: chosen on held-out exchanges, as the next."""

_BEFORE = (1.0, 0.7, 0.4, 0.3)
"""What the last turn counts, the one before it, and so on."""


@dataclass(frozen=True)
class Lexicon:
    """Words by their frequency: `ranks`, in small letters, from 1."""

    ranks: dict[str, int]

    @classmethod
    def of(cls, by_frequency: Sequence[str]) -> "Lexicon":
        """Of a word vocabulary, which lists the most frequent first, with the spaces before them."""
        ranks: dict[str, int] = {}
        for word in by_frequency:
            ranks.setdefault(word.strip().casefold(), len(ranks) + 1)
        return cls(ranks)

    def knows(self, text: str) -> bool:
        """Whether a text has no other words. What a model spells is seldom a word."""
        return not self.ranks or all(word in self.ranks or word.isdigit() for word in words(text))

    def shared(self, text: str, said: Sequence[str]) -> float:
        """From 0: how much a reply is about what was said before it, oldest first; at the most the sum of _BEFORE."""
        reply = self._weights(text)
        turns = zip(_BEFORE, reversed(said), strict=False)
        return sum(weight * _cosine(reply, self._weights(turn)) for weight, turn in turns)

    def _weights(self, text: str) -> dict[str, float]:
        # By Zipf's law the logarithm of a word's rank stands for that of its rarity.
        most = math.log(len(self.ranks) + 2)
        return {word: (math.log(self.ranks.get(word, len(self.ranks)) + 1) / most) ** _RARITY for word in words(text)}


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    squares = sum(x * x for x in one.values()) * sum(x * x for x in other.values())
    return sum(x * other.get(word, 0.0) for word, x in one.items()) / math.sqrt(squares) if squares else 0.0
