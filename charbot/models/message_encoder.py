"""Encoder of messages, by which messages that mean the same are near each other.

It adds up the embeddings of a message's words, each with a learnt weight (Wieting et al. 2016, "Towards Universal
Paraphrastic Sentence Embeddings"), and the language model's features after the message, which know the order of the words.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from charbot.models.response_selector import Bags, weighted_sum

_FEATURE_DROPOUT = 0.5
"""The features would otherwise learn single messages by heart."""

_WORD_DROPOUT = 0.15


class MessageEncoder(nn.Module):
    """Encodes bags of `ids` ids with embeddings of size `embedding` in vectors of size `size`."""

    def __init__(self, ids: int, embedding: int, size: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(1, ids))
        """Log-weight of each id."""
        self.words = nn.Parameter(torch.randn(embedding, size) * embedding**-0.5)
        self.features = nn.Linear(embedding, size)
        nn.init.normal_(self.features.weight, std=0.1 * embedding**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(2.5))

    def forward(self, bags: Bags, features: Tensor) -> Tensor:
        """Return the encodings (B, size), of length 1, of B messages; `features` (B, embedding) are the language model's where
        the replies begin."""
        weights = self.weights[0, bags.ids].exp()
        if self.training:
            weights = weights * (torch.rand(len(weights)) >= _WORD_DROPOUT)
        read = self.features(nn.functional.dropout(features, _FEATURE_DROPOUT, self.training))
        return normalize(weighted_sum(bags, weights) @ self.words + read, dim=1)
