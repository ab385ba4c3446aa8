"""The LSTM that tutorials build: no dropout, no shared weights, nothing carried over."""

import torch
from torch import Tensor, nn


class PlainLSTM(nn.Module):
    """Scores of each next symbol: an embedding, an LSTM and a linear layer, all of `units`.

    Where tutorials multiply one-hot vectors by weights, the embedding looks up rows of them.
    """

    def __init__(self, symbols: int, units: int, layers: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, units)
        self.lstm = nn.LSTM(units, units, layers)
        self.output = nn.Linear(units, symbols)

    def forward(self, ids: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Ids (T, B) to scores (T, B, symbols) and the state after the last."""
        out, state = self.lstm(self.embedding(ids), state)
        return self.output(out), state

    @torch.inference_mode()
    def sample(self, ids: Tensor, count: int, temperature: float, generator: torch.Generator) -> list[int]:
        """`count` symbols after ids (T,)."""
        read, state, written = ids[:, None], None, []
        for _ in range(count):
            scores, state = self(read, state)
            read = torch.multinomial((scores[-1] / temperature).softmax(1), 1, generator=generator)
            written.append(int(read))
        return written


def window_loss(model: PlainLSTM, windows: Tensor) -> Tensor:
    """Mean -ln p of each symbol of windows (B, T + 1) after those before it in its window."""
    scores, _ = model(windows[:, :-1].T)
    return nn.functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].T.flatten())
