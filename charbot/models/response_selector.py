"""How well a reply follows what was said, as no language model tells it: by two encoders that were fitted to meet.

One encodes the turns before, one the reply, each as a bag of words; the nearer the two, the better the reply follows
(Henderson et al. 2017, "Efficient Natural Language Response Suggestion for Smart Reply"). The language model's own
features join the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, normalize

TURNS = 4
"""Turns before a reply that are encoded."""

_DROPOUT = 0.3
_EVEN = 1e-3
"""Added to what the words of a text weigh, so that a text of none is nothing."""


@dataclass(frozen=True)
class Bags:
    """Texts as bags of words: the ids of all (N,), where each text starts among them (B,), and their embeddings (N, E), of
    length 1."""

    ids: Tensor
    starts: Tensor
    embedded: Tensor


class ResponseSelector(nn.Module):
    """Both encoders, over `ids` embeddings of `embedding` numbers each. They meet in `size` numbers."""

    def __init__(self, ids: int, embedding: int, size: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2, ids))
        """The logarithm of how much each id counts in what was said, and in a reply."""
        self.context = nn.Parameter(torch.randn(TURNS, embedding, size) * embedding**-0.5)
        """For each turn before a reply, the latest first."""
        self.response = nn.Parameter(self.context.detach()[0].clone())
        with torch.no_grad():
            self.context[1:] *= 0.3
        self.features = nn.Linear(embedding, size)
        nn.init.normal_(self.features.weight, std=0.1 * embedding**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))
        self.drop = nn.Dropout(_DROPOUT)

    def encode_context(self, turns: Sequence[Bags], features: Tensor) -> Tensor:
        """(B, size), of length 1: TURNS bags of B texts, the latest turns first, and the model's features (B, E) where
        the replies begin."""
        found = self.features(features)
        for matrix, bags in zip(self.context, turns, strict=True):
            found = found + self._weighed(bags, self.weights[0]) @ matrix
        return normalize(self.drop(found), dim=1)

    def encode_response(self, bags: Bags) -> Tensor:
        """(B, size), of length 1."""
        return normalize(self.drop(self._weighed(bags, self.weights[1]) @ self.response), dim=1)

    def score(self, contexts: Tensor, replies: Tensor) -> Tensor:
        """How well each reply (N, size) follows each context (B, size), in nats (B, N): a softmax over replies makes shares."""
        return self.logit_scale.exp() * contexts @ replies.t()

    @staticmethod
    def _weighed(bags: Bags, weights: Tensor) -> Tensor:
        """The weighted words of each text over the square root of what they weigh: (B, E)."""
        weigh = weights[bags.ids].exp()
        rows = torch.arange(len(weigh))
        weighed, total = (
            embedding_bag(rows, table, bags.starts, mode="sum", per_sample_weights=weigh)
            for table in (bags.embedded, torch.ones(len(weigh), 1))
        )
        return weighed / (total + _EVEN).sqrt()
