"""Causal attention over the last tokens of a conversation, for use between LSTM layers.

An LSTM sees earlier tokens only through its state. Here each token also attends to the last SPAN tokens of its conversation
(Mei, Bansal and Walter 2017, "Coherent Dialogue with Attention-based Language Models"; Merity 2019, "Single Headed Attention
RNN"), with a learnt bias per head and distance.
"""

import torch
from torch import Tensor, nn

from charbot.models.state import DecoderState

SPAN = 128
"""Number of tokens that a token attends to, itself included."""

HEADS = 4


class Attention(nn.Module):
    """Multi-head attention over outputs (T, B, hidden) of a recurrent layer; `size` is that of all heads together."""

    def __init__(self, hidden: int, size: int) -> None:
        """Create the projections; `size` must be a multiple of HEADS."""
        super().__init__()
        self.read: nn.Module = nn.Linear(hidden, 3 * size, bias=False)
        """Projects to queries, keys and values in one product."""
        self.write: nn.Module = nn.Linear(size, hidden, bias=False)
        self.distance = nn.Parameter(torch.zeros(HEADS * SPAN))
        """Bias of the scores per head and distance, from distance 0: (HEADS * SPAN,)."""

    def forward(self, x: Tensor, begins: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return x (T, B, hidden) plus the attention's output, and the state with these tokens' keys and values.

        `begins` (T, B) marks the first token of each conversation; nothing before it is visible from there on.
        """
        found = []
        # In parts of SPAN tokens: the score matrix would grow with the square of the conversation's length.
        for part, part_begins in zip(torch.split(x, SPAN), torch.split(begins, SPAN), strict=True):
            read, state = self._read_part(part, part_begins, state)
            found.append(read)
        return torch.cat(found), state

    def _read_part(self, x: Tensor, begins: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        query, new_keys, new_values = self.read(x).chunk(3, 2)
        if not self.training:
            # Stored states are in half precision; rounding here makes reading in parts agree with reading at once.
            new_keys, new_values = new_keys.half().to(x.dtype), new_values.half().to(x.dtype)
        keys = torch.cat([state.keys.to(new_keys.dtype), new_keys])
        values = torch.cat([state.values.to(new_values.dtype), new_values])
        scores = torch.matmul(_heads(query), _heads(keys).mT).float() * (query.shape[2] // HEADS) ** -0.5
        length, remembered = len(x), len(state.keys)
        segment = begins.cumsum(0)
        now = torch.cat([torch.where(state.visible, 0, -1), segment])
        behind = torch.arange(remembered, remembered + length, device=x.device)[:, None] - torch.arange(
            remembered + length, device=x.device
        )
        near = (behind >= 0) & (behind < SPAN)
        seen = near & (now.t()[:, None] == segment.t()[..., None])
        scores = scores + self.distance.view(HEADS, SPAN)[:, behind.clamp(0, SPAN - 1)]
        shares = scores.masked_fill(~seen[:, None], -torch.inf).softmax(3)
        found = torch.matmul(shares.to(values.dtype), _heads(values)).permute(2, 0, 1, 3).flatten(2)
        kept = slice(max(0, remembered + length - SPAN + 1), None)
        visible = now[kept] == segment[-1]
        return x + self.write(found), state._replace(keys=keys[kept].float(), values=values[kept].float(), visible=visible)


def _heads(x: Tensor) -> Tensor:
    """Reshape (T, B, size) to (B, HEADS, T, size per head)."""
    length, batch, size = x.shape
    return x.view(length, batch, HEADS, size // HEADS).permute(1, 2, 0, 3)
