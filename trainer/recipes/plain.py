"""The LSTM of tutorials: no dropout, no tied weights, and no state carried from window to window."""

import torch
from torch import Tensor, nn


class PlainLSTM(nn.Module):
    """An embedding, an LSTM and a linear layer, all of size `units`, which predict the next symbol.

    The embedding replaces the product of one-hot vectors and weights in tutorials.
    """

    def __init__(self, symbols: int, units: int, layers: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, units)
        self.lstm = nn.LSTM(units, units, layers)
        self.output = nn.Linear(units, symbols)

    def forward(self, ids: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the logits (T, B, symbols) after each of ids (T, B), and the state after the last."""
        out, state = self.lstm(self.embedding(ids), state)
        return self.output(out), state

    @torch.inference_mode()
    def sample(self, ids: Tensor, count: int, temperature: float, generator: torch.Generator) -> list[int]:
        """Return `count` symbols sampled after ids (T,)."""
        read, state, written = ids[:, None], None, []
        for _ in range(count):
            scores, state = self(read, state)
            read = torch.multinomial((scores[-1] / temperature).softmax(1), 1, generator=generator)
            written.append(int(read))
        return written


def window_loss(model: PlainLSTM, windows: Tensor) -> Tensor:
    """Return the mean -ln p of the symbols of windows (B, T + 1), each given those before it in its window."""
    scores, _ = model(windows[:, :-1].T)
    return nn.functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].T.flatten())
