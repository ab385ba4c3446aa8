"""Embeddings of frequent phrases, added to those of characters.

A phrase is the beginning of a word, alone or after the whole word before it. A character model spends most of its size on
spelling, and has forgotten the previous word by the end of the current one. At each character it therefore also reads the
embeddings of the current word so far, and of the previous word with it, for the price of two lookups (compare the n-gram
embeddings of Pagnoni et al. 2024, "Byte Latent Transformer", and Yu et al. 2025, "Scaling Embedding Layers in Language
Models").

The phrases form a trie. Node 0 is the root; node n is the child with the key `keys[n - 1]`, which is parent * inputs + id.
Keys ascend, so that a child is found by binary search.
"""

from enum import IntEnum

import torch
from torch import Tensor, nn

OFF_TRIE = -1
"""Node number of a phrase that is not in the trie."""


class Kind(IntEnum):
    """The role of an id in phrases."""

    RESET = 0
    """Ends all phrases: the start of a conversation, or a speaker."""
    BETWEEN = 1
    """Stands between words."""
    WITHIN = 2
    """Is part of a word."""


class NgramEmbedding(nn.Module):
    """Sum of two phrase embeddings per id: the phrases from the start of the current word, and from that of the word before."""

    keys: Tensor
    kinds: Tensor
    folded: Tensor

    def __init__(self, phrases: int, inputs: int, embedding: int) -> None:
        """Allocate `phrases` (at least 1) nodes besides the root, to be loaded from a bundle or set by `set_trie`."""
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(phrases + 1, embedding))
        self.register_buffer("keys", torch.arange(phrases))
        self.register_buffer("kinds", torch.full((inputs,), int(Kind.RESET)))
        self.register_buffer("folded", torch.arange(inputs))

    def set_trie(self, keys: Tensor, kinds: Tensor, folded: Tensor) -> None:
        """Set the trie: its `keys` (N,), the Kind of each id, and the id that each is folded to in phrases (lower case)."""
        self.keys.copy_(keys)
        self.kinds.copy_(kinds)
        self.folded.copy_(folded)

    def initial_state(self, batch: int) -> Tensor:
        """Return the state (3, batch) before the first id: node of the word, node of the pair of words, Kind of the last id."""
        places = torch.full((3, batch), OFF_TRIE, device=self.keys.device)
        places[2] = Kind.RESET
        return places

    def forward(self, ids: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings (T, B, E) of ids (T, B), and the state (3, B) after the last."""
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
        # No phrase is at the root, so its embedding serves all phrases that are not in the trie.
        found = nn.functional.embedding(nodes.clamp(min=0), self.weight).sum(1)
        return found, torch.stack([word, pair, last])

    def _child(self, parents: Tensor, ids: Tensor) -> Tensor:
        wanted = parents * len(self.folded) + ids
        at = torch.searchsorted(self.keys, wanted).clamp(max=len(self.keys) - 1)
        return torch.where((self.keys[at] == wanted) & (parents != OFF_TRIE), at + 1, OFF_TRIE)
