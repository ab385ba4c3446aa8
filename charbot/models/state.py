"""What a language model carries from one token to the next."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad


class DecoderState(NamedTuple):
    """The state of B readers. Every part has the readers in its second dimension."""

    hidden: Tensor
    """(layers, B, hidden), of each recurrent layer."""
    cell: Tensor
    """The same of LSTMs' cells; other cells have none: (0, B, hidden)."""
    trie: Tensor
    """(3, B): the readers' places in the phrases, where a model has any."""
    keys: Tensor
    """(M, B, attention): what the attention finds the last M tokens by, the latest last."""
    values: Tensor
    """(M, B, attention): what it reads there."""
    visible: Tensor
    """(M, B) bool: whether a token belongs to the conversation at hand."""

    def select(self, rows: Tensor | slice | list[int]) -> "DecoderState":
        """Some of the readers: numbers or a mask of them."""
        return DecoderState(*(part[:, rows] for part in self))

    def repeat(self, times: int) -> "DecoderState":
        """Each reader so many times, one after the other."""
        return DecoderState(*(part.repeat_interleave(times, 1) for part in self))

    def detach(self) -> "DecoderState":
        return DecoderState(*(part.detach() for part in self))

    @staticmethod
    def stack(states: Sequence["DecoderState"]) -> "DecoderState":
        """Several states side by side. Those who remember fewer tokens have invisible ones before them."""
        longest = max(len(state.visible) for state in states)
        padded = [
            state._replace(
                keys=pad(state.keys, (0, 0, 0, 0, longest - len(state.keys), 0)),
                values=pad(state.values, (0, 0, 0, 0, longest - len(state.values), 0)),
                visible=pad(state.visible, (0, 0, longest - len(state.visible), 0)),
            )
            for state in states
        ]
        return DecoderState(*(torch.cat(parts, 1) for parts in zip(*padded, strict=True)))
