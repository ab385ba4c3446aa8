"""Who says a line: a bidirectional LSTM that reads all of it before it says a name, beside the words themselves."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from charbot.models.language_model import State

_WIDE = 10.0
"""The scale of what the words say: steps of gradient descent are as long for them as for the rest."""
_MIXER = 0x9E3779B97F4A7C15 - (1 << 64)


class LineClassifier(nn.Module):
    """Many to one, wide and deep (Cheng et al. 2016): a bidirectional LSTM (Graves and Schmidhuber 2005) over the word
    base's embedding, and a linear model of words and pairs of words, hashed into `buckets`, by TF-IDF.

    Its features are what the LSTM makes of a line (the largest and the mean of its outputs over time), and
    what the words say for each class.
    """

    embedding: Tensor
    rarity: Tensor

    def __init__(self, embedding: Tensor, classes: int, hidden: int, buckets: int, dropout: float = 0.0) -> None:
        """`embedding` (V, E) is not fitted: most words are too rare in one person's lines to be learnt from them."""
        super().__init__()
        self.dropout = dropout
        self.register_buffer("embedding", embedding, persistent=False)
        self.register_buffer("rarity", torch.zeros(buckets))
        self.lstm = nn.LSTM(embedding.shape[1], hidden, bidirectional=True)
        self.deep = nn.Parameter(torch.zeros(classes, 4 * hidden))
        self.wide = nn.Embedding(buckets, classes)
        self.bias = nn.Parameter(torch.zeros(classes))
        nn.init.zeros_(self.wide.weight)

    @property
    def output_weight(self) -> Tensor:
        """(classes, features)"""
        return torch.cat([self.deep, torch.eye(len(self.bias), device=self.bias.device)], 1)

    def buckets(self, ids: Tensor) -> Tensor:
        """Where the words and pairs of words of lines of one length (T, B) are found: (2 T + 1, B)."""
        edge = ids.new_full((1, ids.shape[1]), -1)
        padded = torch.cat([edge, ids, edge])
        keys = torch.cat([ids, (padded[:-1] + 2) * 1_000_003 + padded[1:] + 2])
        mixed = keys * _MIXER
        return (mixed ^ (mixed >> 29)).remainder(len(self.rarity))

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Ids (T, B) of lines of one length to features (T, B, F), the same at every place.
        There is no state to carry from line to line: it comes back empty."""
        embedded = nn.functional.embedding(ids, self.embedding) * self.embedding.shape[1] ** 0.5
        found = self.buckets(ids)
        weights = nn.functional.normalize(self.rarity[found], dim=0)
        if self.training:
            # Words vanish, so that none decides alone.
            embedded = embedded * (torch.rand(*ids.shape, 1) >= self.dropout / 4)
            weights = nn.functional.dropout(weights, self.dropout)
        out, _ = self.lstm(nn.functional.dropout(embedded, self.dropout, self.training))
        deep = nn.functional.dropout(torch.cat([out.amax(0), out.mean(0)], 1), self.dropout, self.training)
        wide = (self.wide(found) * weights[..., None]).sum(0) * _WIDE
        features = torch.cat([deep, wide], 1)
        empty = features.new_zeros(0, len(features), 0)
        return features.expand(len(ids), -1, -1), (empty, empty, empty)

    @torch.inference_mode()
    def scores(self, lines: Sequence[Sequence[int]]) -> Tensor:
        """(lines, classes) log-probabilities of who says each line, alone."""
        found = torch.empty(len(lines), len(self.bias))
        for i, ids in enumerate(lines):
            features, _ = self(torch.tensor(ids)[:, None])
            found[i] = nn.functional.linear(features[0, 0], self.output_weight, self.bias).log_softmax(0)
        return found
