"""Selection of the phrases that have an embedding of their own: see `charbot.models.ngram_embedding`."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charbot.models.ngram_embedding import Kind
from charbot.tokens.render import Rendered
from charbot.tokens.vocabulary import Vocabulary

_MIN_COUNT = 5
"""Minimum count of a phrase, even if there is room for more."""
_NONE = np.zeros(0, np.int64)


def phrase_kinds(vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    """Return the Kind of each id, and the id of its lower-case letter (itself if there is none)."""
    kind = torch.full((len(vocabulary),), int(Kind.BETWEEN))
    kind[vocabulary.scene :] = Kind.RESET
    folded = torch.arange(len(vocabulary))
    for char, id_ in vocabulary.character_ids.items():
        kind[id_] = Kind.WITHIN if char.isalnum() or char == "'" else Kind.BETWEEN
        folded[id_] = vocabulary.character_ids.get(char.lower(), id_)
    return kind, folded


def frequent_phrases(conversations: Sequence[Rendered], kinds: Tensor, folded: Tensor, room: int) -> Tensor:
    """Return the keys (N,) of the trie of the most frequent phrases, at most `room`.

    A phrase begins where a word begins, and ends before the word after the next. Every word of the text begins phrases, and each
    prefix of a phrase is a phrase itself.
    """
    if not room:
        return torch.zeros(0, dtype=torch.int64)
    ids = np.concatenate([one.ids for one in conversations])
    kind, symbols = kinds.numpy()[ids], folded.numpy()[ids]
    within = kind == Kind.WITHIN
    begins = np.flatnonzero(within & ~np.roll(within, 1))
    resets = np.append(np.flatnonzero(kind == Kind.RESET), len(ids))
    ends = np.minimum(np.append(begins[2:], [len(ids)] * 2)[: len(begins)], resets[np.searchsorted(resets, begins)])
    keys: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    nodes = np.zeros(len(begins), np.int64)
    known = 0
    while len(begins):
        key = nodes * len(folded) + symbols[begins]
        found, which, count = np.unique(key, return_inverse=True, return_counts=True)
        kept = count >= _MIN_COUNT
        keys.append(found[kept])
        counts.append(count[kept])
        number = np.where(kept, known + np.cumsum(kept), 0)
        known += int(kept.sum())
        nodes, begins = number[which], begins + 1
        going = (nodes > 0) & (begins < ends)
        nodes, begins, ends = nodes[going], begins[going], ends[going]
    return torch.from_numpy(_most_frequent(np.concatenate([_NONE, *keys]), np.concatenate([_NONE, *counts]), room, len(folded)))


def _most_frequent(keys: NDArray[np.int64], counts: NDArray[np.int64], room: int, inputs: int) -> NDArray[np.int64]:
    """Return the keys of at most `room` most frequent phrases, renumbered; prefixes of a kept phrase are kept."""
    if len(keys) > room:
        # A prefix is at least as frequent as its phrase, so a threshold on the count keeps all prefixes.
        kept = counts > np.sort(counts)[-room - 1]
        number = np.concatenate([[0], np.cumsum(kept)])
        keys = keys[kept]
        keys = number[keys // inputs] * inputs + keys % inputs
    return keys
