"""Who says a line, as its words tell: a linear model of n-grams."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from zlib import crc32

import torch
from torch import Tensor

from charbot.tokens.pieces import lower_pieces

_LENGTHS = range(2, 6)
"""Characters in the runs of a word's characters."""


def ngrams(text: str) -> Iterator[str]:
    """A line's words and marks, pairs of these, and runs of 2 to 5 characters within each."""
    said = lower_pieces(text)
    yield from said
    for one, other in pairwise(said):
        yield f"{one} {other}"
    for word in said:
        padded = f" {word} "
        for length in _LENGTHS:
            for start in range(len(padded) - length + 1):
                yield f"#{padded[start : start + length]}"


@dataclass(frozen=True)
class Counted:
    """Which buckets a line's n-grams fall into, each once (N,), and how often: 1 + ln of the count (N,)."""

    buckets: list[int]
    weights: list[float]


def counted(text: str, buckets: int) -> Counted:
    """A line's n-grams, hashed (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning")."""
    counts = Counter(crc32(ngram.encode()) % buckets for ngram in ngrams(text))
    return Counted(list(counts), [1 + log(count) for count in counts.values()])


@dataclass(frozen=True)
class NgramClassifier:
    """Multinomial logistic regression over TF-IDF: `weight` (buckets, classes), `rarity` (buckets,) is the logarithm
    of one in how many lines has what falls there, and `bias` (classes,)."""

    weight: Tensor
    rarity: Tensor
    bias: Tensor

    def scores(self, texts: Sequence[str]) -> Tensor:
        """(lines, classes) log-probabilities of who says each line."""
        found = self.bias.repeat(len(texts), 1)
        for row, text in zip(found, texts, strict=True):
            line = counted(text, len(self.rarity))
            weights = torch.tensor(line.weights) * self.rarity[line.buckets]
            row += torch.nn.functional.normalize(weights, dim=0) @ self.weight[line.buckets]
        return found.log_softmax(1)
