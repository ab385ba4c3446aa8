"""Speaker classification by a linear model of n-grams."""

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
"""Lengths of the character n-grams."""
_SCALE = -0.8
"""A line's features are multiplied by their norm to this power; -1 would give short and long lines the same norm."""


def ngrams(text: str) -> Iterator[str]:
    """Yield the n-grams of a line.

    They are its words and punctuation marks; pairs and triples of these, and pairs with one skipped, for which the beginning and
    the end of the line count as tokens; and runs of 2 to 5 characters of each word, padded with a space on both sides.
    """
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
    """Return 1 + ln(count) of each n-gram of a line, keyed by its CRC-32 minus 2^31, which fits a signed 32-bit integer."""
    counts = Counter(crc32(ngram.encode()) - 2**31 for ngram in ngrams(text))
    return {ngram: 1 + log(count) for ngram, count in counts.items()}


@dataclass(frozen=True)
class NgramClassifier:
    """Multinomial logistic regression over n-grams."""

    known: Tensor
    """(N,): hashes of the n-grams (see `counted`), ascending."""
    salience: Tensor
    """(N,): factor of each n-gram's count in a line."""
    weight: Tensor
    """(N, classes)."""
    bias: Tensor
    """(classes,)."""

    @cached_property
    def _places(self) -> dict[int, int]:
        return {ngram: place for place, ngram in enumerate(self.known.tolist())}

    def scores(self, texts: Sequence[str]) -> Tensor:
        """Return the log-probabilities (lines, classes) of the speaker of each line."""
        found = self.bias.repeat(len(texts), 1)
        for row, text in zip(found, texts, strict=True):
            line = {self._places[ngram]: count for ngram, count in counted(text).items() if ngram in self._places}
            at = torch.tensor(list(line), dtype=torch.int64)
            features = torch.tensor(list(line.values())) * self.salience[at]
            row += scale(features.norm()) * features @ self.weight[at]
        return found.log_softmax(1)


def scale(norm: Tensor) -> Tensor:
    """Return the factor of features with this norm: see _SCALE."""
    return norm.clamp(min=1e-6) ** _SCALE
