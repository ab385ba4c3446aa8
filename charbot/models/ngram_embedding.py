"""Embeddings of frequent words and pairs of words, read as far as they have been spelled.

A character model spends most of its size on knowing how words are spelled, and has it
forgotten what the word before was by the end of this one. Reading with each character the
embedding of the word so far, and of the word before with it, gives it that for the price of
two lookups (compare the n-gram embeddings of Pagnoni et al. 2024, "Byte Latent Transformer",
and Yu et al. 2025, "Scaling Embedding Layers in Language Models").

The phrases are a trie. Node 0 is its root; node n is the child that `keys[n - 1]` stands for,
parent * inputs + id. Keys ascend, so a child is found by bisection.
"""

from enum import IntEnum

import torch
from torch import Tensor, nn

OFF_TRIE = -1
"""The place of a reader whose phrase is not listed."""


class Kind(IntEnum):
    """What an id is to a reader of phrases."""

    RESET = 0
    """Phrases do not run over it: who speaks."""
    BETWEEN = 1
    """It stands between words."""
    WITHIN = 2
    """It is a part of a word."""


class NgramEmbedding(nn.Module):
    """Reads ids along the trie twice: from where the word at hand began, and from where the one before did."""

    keys: Tensor
    kinds: Tensor
    folded: Tensor

    def __init__(self, phrases: int, inputs: int, embedding: int) -> None:
        """Room for `phrases` nodes besides the root, one or more: loaded from a bundle, or put there by `learn`."""
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(phrases + 1, embedding))
        self.register_buffer("keys", torch.arange(phrases))
        self.register_buffer("kinds", torch.full((inputs,), int(Kind.RESET)))
        self.register_buffer("folded", torch.arange(inputs))

    def set_trie(self, keys: Tensor, kinds: Tensor, folded: Tensor) -> None:
        """Takes a trie over: its `keys` (N,), the Kind of each id, and for each id which id it is spelled as in phrases."""
        self.keys.copy_(keys)
        self.kinds.copy_(kinds)
        self.folded.copy_(folded)

    def initial_state(self, batch: int) -> Tensor:
        """The places (3, batch) of readers who have read nothing: in the word, in the pair, and the kind of the last id."""
        places = torch.full((3, batch), OFF_TRIE, device=self.keys.device)
        places[2] = Kind.RESET
        return places

    def forward(self, ids: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (T, B) to embeddings (T, B, E), and the places after the last."""
        kinds, folded = self.kinds[ids], self.folded[ids]
        word, pair, last = places
        nodes = ids.new_empty((len(ids), 2, ids.shape[1]))
        for at, (id_, kind) in enumerate(zip(folded, kinds, strict=True)):
            begins = (kind == Kind.WITHIN) & (last != Kind.WITHIN)
            pair = torch.where(begins, word, pair)
            word = torch.where(begins, 0, word)
            both = torch.where(kind == Kind.RESET, OFF_TRIE, self._child(torch.stack([word, pair]), id_))
            word, pair = both
            nodes[at] = both
            last = kind
        # The root's own embedding, which nobody reads as such, stands for all that is not listed.
        found = nn.functional.embedding(nodes.clamp(min=0), self.weight).sum(1)
        return found, torch.stack([word, pair, last])

    def _child(self, parents: Tensor, ids: Tensor) -> Tensor:
        wanted = parents * len(self.folded) + ids
        at = torch.searchsorted(self.keys, wanted).clamp(max=len(self.keys) - 1)
        return torch.where((self.keys[at] == wanted) & (parents != OFF_TRIE), at + 1, OFF_TRIE)
