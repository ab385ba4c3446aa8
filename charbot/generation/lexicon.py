"""Which words there are, how rare they are, and so what two texts are about."""

import math
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from charbot.text import words

_RARITY = 2.0
"""How much more rare words count than frequent ones: chosen on held-out exchanges, as the next."""

_BEFORE = (1.0, 0.7, 0.4, 0.3)
"""What the last turn counts, the one before it, and so on."""

_TITLE = re.compile(r"\b(Mrs?|Ms|Dr)\.")
_CALL = re.compile(
    r"(?:^|[.,!?;:]\s*|\b(?:hey|hi|hello|oh|bye|thanks|sorry)\s+)(?:(?:mrs?|ms|dr) )?(\w+)(?=[.,!?;:]|$)", re.IGNORECASE
)
"""Where somebody is called: between punctuation, or after a greeting."""


@dataclass(frozen=True)
class Lexicon:
    """Words by their frequency: `ranks`, in small letters, from 1; and `names`, in small letters too."""

    ranks: dict[str, int]
    names: frozenset[str]

    @classmethod
    def of(cls, by_frequency: Sequence[str], people: Iterable[str] = ()) -> "Lexicon":
        """Of a word vocabulary, which lists the most frequent first, with the spaces before them. Names are words that it
        lists with a capital alone, and of what `people` are called those that it lists with a capital first."""
        ranks: dict[str, int] = {}
        for word in by_frequency:
            ranks.setdefault(word.strip().casefold(), len(ranks) + 1)
        # What has no space before it is a piece of a word.
        places = {word[1:]: place for place, word in enumerate(by_frequency) if word.startswith(" ")}
        called = {word for name in people for word in words(name)}
        names = set()
        for word, place in places.items():
            small = word.casefold()
            if small != word and (small not in places or (small in called and place < places[small])):
                names.add(small)
        return cls(ranks, frozenset(names))

    def knows(self, text: str) -> bool:
        """Whether a text has no other words. What a model spells is seldom a word."""
        return not self.ranks or all(word in self.ranks or word.isdigit() for word in words(text))

    def vocatives(self, text: str) -> list[str]:
        """The names by which a text calls somebody, in small letters."""
        return [word for word in map(str.casefold, _CALL.findall(_TITLE.sub(r"\1", text))) if word in self.names]

    def topic_similarity(self, text: str, said: Sequence[str]) -> float:
        """From 0: how much a reply is about what was said before it, oldest first; at the most the sum of _BEFORE."""
        reply = self._weights(text)
        turns = zip(_BEFORE, reversed(said), strict=False)
        return sum(weight * _cosine(reply, self._weights(turn)) for weight, turn in turns)

    def overlap(self, text: str, among: Set[str]) -> float:
        """From 0 to 1: how much of what a text is about these words are, in small letters."""
        weights = self._weights(text)
        total = sum(weights.values())
        return sum(weight for word, weight in weights.items() if word in among) / total if total else 0.0

    def _weights(self, text: str) -> dict[str, float]:
        # By Zipf's law the logarithm of a word's rank stands for that of its rarity.
        most = math.log(len(self.ranks) + 2)
        return {word: (math.log(self.ranks.get(word, len(self.ranks)) + 1) / most) ** _RARITY for word in words(text)}


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    squares = sum(x * x for x in one.values()) * sum(x * x for x in other.values())
    return sum(x * other.get(word, 0.0) for word, x in one.items()) / math.sqrt(squares) if squares else 0.0
