"""TF-IDF vectors of words and word bigrams, and an index of texts by them (Spärck Jones 1972; Salton and Buckley 1988)."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from typing import TYPE_CHECKING

from charbot.generation.spelling import respelled
from charbot.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vector = Mapping[str, float]
"""Weight of each feature of a text, of length 1 together; empty for an empty text."""

_BIGRAM = 0.7
"""Weight of a word bigram, relative to a single word."""


@dataclass(frozen=True)
class Rarity:
    """How rare features are in a set of texts."""

    texts: int
    """Number of texts."""
    counts: Mapping[str, int]
    """Number of texts that have each feature."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Rarity":
        return cls(len(texts), Counter(feature for text in texts for feature in set(_features(text))))

    def vector(self, text: str) -> Vector:
        """Return the features of a text, weighted by inverse document frequency."""
        weights = {
            feature: log((1 + self.texts) / self.counts.get(feature, 1)) * (_BIGRAM if " " in feature else 1.0)
            for feature in _features(text)
        }
        length = sqrt(sum(weight * weight for weight in weights.values()))
        return {feature: weight / length for feature, weight in weights.items()} if length else {}


class TfidfIndex:
    """Texts, searchable by cosine similarity."""

    def __init__(self, rarity: Rarity, texts: Sequence[str]) -> None:
        import numpy as np

        # In arrays, which take a third of the memory of lists of tuples.
        self._count = len(texts)
        self._features: dict[str, int] = {}
        features, numbers, weights = array("i"), array("i"), array("d")
        for number, text in enumerate(texts):
            for feature, weight in rarity.vector(text).items():
                features.append(self._features.setdefault(feature, len(self._features)))
                numbers.append(number)
                weights.append(weight)
        by_feature = np.argsort(features, kind="stable")
        self._numbers, self._weights = np.array(numbers)[by_feature], np.array(weights)[by_feature]
        # Where the texts of each feature begin, and where those of the last one end.
        self._starts = np.searchsorted(np.array(features)[by_feature], np.arange(len(self._features) + 1))

    def search(self, query: Vector) -> "NDArray[np.float64]":
        """Return the cosine similarity of each text to a query, from 0 to 1."""
        import numpy as np

        similarity = np.zeros(self._count)
        for feature, weight in query.items():
            known = self._features.get(feature)
            if known is not None:
                texts = slice(*self._starts[known : known + 2])
                # A text has a feature once.
                similarity[self._numbers[texts]] += weight * self._weights[texts]
        return similarity


def cosine(vector: Vector, other: Vector) -> float:
    """Return the cosine similarity of two vectors, from 0 to 1."""
    return sum(weight * other.get(feature, 0.0) for feature, weight in vector.items())


def _features(text: str) -> list[str]:
    # Without apostrophes, because many people leave them out. A text without words has its characters as features.
    spoken = [word.replace("'", "") for word in words(respelled(text))] or list(text)
    return [*spoken, *(f"{word} {following}" for word, following in pairwise(spoken))]
