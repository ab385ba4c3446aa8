"""Dual encoder that scores how well a reply follows the turns before it.

One encoder reads the turns, the other the reply, each as a bag of words; the score is the similarity of the two encodings
(Henderson et al. 2017, "Efficient Natural Language Response Suggestion for Smart Reply"). The context encoder also reads the
language model's features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, normalize

TURNS = 4
"""Number of turns before a reply that are encoded."""

_DROPOUT = 0.3
_EVEN = 1e-3
"""Added to the total weight of a text, so that an empty text is encoded as zero."""


@dataclass(frozen=True)
class Bags:
    """B texts as bags of words."""

    ids: Tensor
    """(N,), of all texts, one after the other."""
    starts: Tensor
    """(B,): the offset of each text in `ids`."""
    embedded: Tensor
    """(N, E): the ids' embeddings, normalised to length 1."""


class ResponseSelector(nn.Module):
    """Both encoders: from bags of `ids` ids with embeddings of size `embedding` to encodings of size `size`."""

    def __init__(self, ids: int, embedding: int, size: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2, ids))
        """Log-weight of each id in contexts (row 0) and in replies (row 1)."""
        self.context = nn.Parameter(torch.randn(TURNS, embedding, size) * embedding**-0.5)
        """One matrix per turn before a reply, the latest first."""
        self.response = nn.Parameter(self.context.detach()[0].clone())
        with torch.no_grad():
            self.context[1:] *= 0.3
        self.features = nn.Linear(embedding, size)
        nn.init.normal_(self.features.weight, std=0.1 * embedding**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))
        self.drop = nn.Dropout(_DROPOUT)

    def encode_context(self, turns: Sequence[Bags], features: Tensor) -> Tensor:
        """Return the encodings (B, size), of length 1, of B contexts.

        `turns` are TURNS bags of B texts, the latest turns first; `features` (B, E) are the language model's where the replies
        begin.
        """
        found = self.features(features)
        for matrix, bags in zip(self.context, turns, strict=True):
            found = found + weighted_sum(bags, self.weights[0, bags.ids].exp()) @ matrix
        return normalize(self.drop(found), dim=1)

    def encode_response(self, bags: Bags) -> Tensor:
        """Return the encodings (B, size), of length 1, of B replies."""
        return normalize(self.drop(weighted_sum(bags, self.weights[1, bags.ids].exp()) @ self.response), dim=1)

    def score(self, contexts: Tensor, replies: Tensor) -> Tensor:
        """Return logits (B, N), in nats, of each reply (N, size) after each context (B, size), for a softmax over replies."""
        return self.logit_scale.exp() * contexts @ replies.t()


def weighted_sum(bags: Bags, weights: Tensor) -> Tensor:
    """Return the sum of each text's embeddings with the `weights` (N,), over the square root of its total weight: (B, E)."""
    rows = torch.arange(len(weights))
    summed, total = (
        embedding_bag(rows, table, bags.starts, mode="sum", per_sample_weights=weights)
        for table in (bags.embedded, torch.ones(len(weights), 1))
    )
    return summed / (total + _EVEN).sqrt()
