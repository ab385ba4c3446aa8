"""Who says a line, as its words tell: a linear model of n-grams."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log
from zlib import crc32

import torch
from torch import Tensor

from charbot.tokens.pieces import lower_pieces

_LENGTHS = range(2, 6)
"""Characters in the runs of a word's characters."""
_SCALE = -0.8
"""The power of a line's norm that its features are multiplied by: -1 would make short lines and long ones alike."""


def ngrams(text: str) -> Iterator[str]:
    """A line's words and marks, two and three of these in a row and two with one between, its beginning and its end
    counting as one; and runs of 2 to 5 characters within each."""
    said = lower_pieces(text)
    framed = ["", *said, ""] if said else []
    yield from said
    yield from map(" ".join, pairwise(framed))
    for one, between, other in zip(framed, framed[1:], framed[2:], strict=False):
        yield f"{one} {between} {other}"
        yield f"{one} _ {other}"
    for word in said:
        padded = f" {word} "
        for length in _LENGTHS:
            for start in range(len(padded) - length + 1):
                yield f"#{padded[start : start + length]}"


def counted(text: str) -> dict[int, float]:
    """How often a line has each of its n-grams: 1 + ln of the count, by a hash of 32 bits, from -2^31 up."""
    counts = Counter(crc32(ngram.encode()) - 2**31 for ngram in ngrams(text))
    return {ngram: 1 + log(count) for ngram, count in counts.items()}


@dataclass(frozen=True)
class NgramClassifier:
    """Multinomial logistic regression over n-grams: `known` (N,) are their hashes, ascending, `salience` (N,) is what one
    counts in a line, `weight` (N, classes) what it tells, and `bias` (classes,)."""

    known: Tensor
    salience: Tensor
    weight: Tensor
    bias: Tensor

    @cached_property
    def _places(self) -> dict[int, int]:
        return {ngram: place for place, ngram in enumerate(self.known.tolist())}

    def scores(self, texts: Sequence[str]) -> Tensor:
        """(lines, classes) log-probabilities of who says each line."""
        found = self.bias.repeat(len(texts), 1)
        for row, text in zip(found, texts, strict=True):
            line = {self._places[ngram]: count for ngram, count in counted(text).items() if ngram in self._places}
            at = torch.tensor(list(line), dtype=torch.int64)
            features = torch.tensor(list(line.values())) * self.salience[at]
            row += scale(features.norm()) * features @ self.weight[at]
        return found.log_softmax(1)


def scale(norm: Tensor) -> Tensor:
    """What features of so large a norm are multiplied by."""
    return norm.clamp(min=1e-6) ** _SCALE
