"""Who says a line, as a bidirectional LSTM reads it: all of it before it says a name."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from charbot.models.state import DecoderState


class BiLSTMSpeakerEncoder(nn.Module):
    """Many to one: a bidirectional LSTM (Graves and Schmidhuber 2005) over the word base's embedding.

    Its features are the largest and the mean of the LSTM's outputs over time.
    """

    embedding: Tensor

    def __init__(self, embedding: Tensor, classes: int, hidden: int, dropout: float = 0.0) -> None:
        """`embedding` (V, E) is not fitted: most words are too rare in one person's lines to be learnt from them."""
        super().__init__()
        self.dropout = dropout
        self.register_buffer("embedding", embedding, persistent=False)
        self.lstm = nn.LSTM(embedding.shape[1], hidden, bidirectional=True)
        self.output_weight = nn.Parameter(torch.zeros(classes, 4 * hidden))
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, ids: Tensor, state: DecoderState | None = None) -> tuple[Tensor, DecoderState]:
        """Ids (T, B) of lines of one length to features (T, B, F), the same at every place.
        There is no state to carry from line to line: it comes back empty."""
        embedded = nn.functional.embedding(ids, self.embedding) * self.embedding.shape[1] ** 0.5
        if self.training:
            # Words vanish, so that none decides alone.
            embedded = embedded * (torch.rand(*ids.shape, 1) >= self.dropout / 4)
        out, _ = self.lstm(nn.functional.dropout(embedded, self.dropout, self.training))
        features = nn.functional.dropout(torch.cat([out.amax(0), out.mean(0)], 1), self.dropout, self.training)
        empty = features.new_zeros(0, len(features), 0)
        return features.expand(len(ids), -1, -1), DecoderState(*(empty,) * len(DecoderState._fields))

    @torch.inference_mode()
    def scores(self, lines: Sequence[Sequence[int]]) -> Tensor:
        """(lines, classes) log-probabilities of who says each line, alone."""
        found = torch.empty(len(lines), len(self.bias))
        for i, ids in enumerate(lines):
            features, _ = self(torch.tensor(ids)[:, None])
            found[i] = nn.functional.linear(features[0, 0], self.output_weight, self.bias).log_softmax(0)
        return found
