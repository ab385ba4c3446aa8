"""Word vectors from the words beside each other: their positive pointwise mutual information, factorised.

Levy, Goldberg and Dagan 2015, "Improving Distributional Similarity with Lessons Learned from Word Embeddings".
"""

from collections.abc import Iterable, Sequence
from itertools import chain, islice

import torch
from torch import Tensor
from torch.nn.functional import normalize

from charbot.generation.spelling import respelled
from charbot.text import words

_WINDOW = 8
"""Maximum distance of words that count as beside each other; further than _NEAR they count less, by their distance."""
_NEAR = 2

_SMOOTHING = 0.75
"""Exponent of the frequencies of context words, which else favours the rare ones."""

_ROUNDS = 4
"""Power iterations of the randomised factorisation (Halko, Martinsson and Tropp 2011)."""

_AT_ONCE = 20_000
"""Conversations counted at once, which bounds memory."""


def word_vectors(conversations: Iterable[Sequence[str]], vocabulary: Sequence[str], size: int, seed: int) -> Tensor:
    """Return vectors (V, size), of length 1, of the words of a vocabulary, by their use in conversations.

    Words that do not occur have a zero vector. Words of different turns are beside each other too.
    """
    rows = {word: row for row, word in enumerate(vocabulary)}
    counts = _nothing(len(rows))
    remaining = iter(conversations)
    while some := list(islice(remaining, _AT_ONCE)):
        counts = (counts + _counts(some, rows)).coalesce()
    return _factorised(_mutual_information(counts), size, seed)


def _counts(conversations: Sequence[Sequence[str]], rows: dict[str, int]) -> Tensor:
    """Return how often words are beside each other, as a sparse tensor (V, V)."""
    gap = [-1] * _WINDOW
    ids = torch.tensor(
        [
            id_
            for chat in conversations
            for id_ in chain((rows.get(word, -1) for text in chat for word in words(respelled(text))), gap)
        ],
        dtype=torch.int64,
    )
    counts = _nothing(len(rows))
    for distance in range(1, _WINDOW + 1):
        pairs = torch.stack([ids[:-distance], ids[distance:]])
        pairs = pairs[:, (pairs >= 0).all(0)]
        weights = torch.full((2 * pairs.shape[1],), 1.0 if distance <= _NEAR else 1.0 / distance)
        counts = (
            counts + torch.sparse_coo_tensor(torch.cat([pairs, pairs.flip(0)], 1), weights, counts.shape, check_invariants=False)
        ).coalesce()
    return counts


def _nothing(size: int) -> Tensor:
    """Return an empty sparse tensor (size, size)."""
    return torch.sparse_coo_tensor(torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0), (size, size), check_invariants=False)


def _mutual_information(counts: Tensor) -> Tensor:
    """Return the positive pointwise mutual information of words beside each other, as a sparse tensor (V, V)."""
    totals = counts.sum(1).to_dense() + 1.0
    contexts = totals**_SMOOTHING / (totals**_SMOOTHING).sum()
    first, second = counts.indices()
    information = (counts.values() / (totals[first] * contexts[second])).log()
    positive = information > 0
    return torch.sparse_coo_tensor(
        counts.indices()[:, positive], information[positive], counts.shape, check_invariants=False
    ).coalesce()


def _factorised(matrix: Tensor, size: int, seed: int) -> Tensor:
    """Return the rows of a sparse symmetric matrix in `size` dimensions, each of length 1."""
    torch.manual_seed(seed)
    vectors, values, _ = torch.svd_lowrank(matrix, min(size, len(matrix)), _ROUNDS)
    return normalize(torch.nn.functional.pad(vectors * values.sqrt(), (0, size - vectors.shape[1])), dim=1)
