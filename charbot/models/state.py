"""The state that a language model carries from one token to the next."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad


class DecoderState(NamedTuple):
    """The state of B sequences. Every part has the batch as its second dimension."""

    hidden: Tensor
    """(layers, B, hidden): hidden state of each recurrent layer; the writer, if there is one, comes last."""
    cell: Tensor
    """(LSTM layers, B, hidden): cell state likewise; empty if no layer is an LSTM."""
    trie: Tensor
    """(3, B): state of the NgramEmbedding; unused by models without one."""
    keys: Tensor
    """(M, B, attention): attention keys of the last M tokens, the latest last."""
    values: Tensor
    """(M, B, attention): attention values of these tokens."""
    visible: Tensor
    """(M, B) bool: whether a token belongs to the current conversation."""

    def select(self, rows: Tensor | slice | list[int]) -> "DecoderState":
        """Return the state of some sequences, given their indices, a slice or a mask."""
        return DecoderState(*(part[:, rows] for part in self))

    def repeat(self, times: int) -> "DecoderState":
        """Return the state with each sequence repeated `times` times in a row."""
        return DecoderState(*(part.repeat_interleave(times, 1) for part in self))

    def detach(self) -> "DecoderState":
        return DecoderState(*(part.detach() for part in self))

    @staticmethod
    def stack(states: Sequence["DecoderState"]) -> "DecoderState":
        """Concatenate states along the batch. Those with fewer attention tokens are padded in front with invisible ones."""
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
