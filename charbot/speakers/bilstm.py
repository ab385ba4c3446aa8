"""Speaker classification by a bidirectional LSTM."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from charbot.models.state import DecoderState


class BiLSTMSpeakerEncoder(nn.Module):
    """A many-to-one bidirectional LSTM (Graves and Schmidhuber 2005) over the word base's embedding.

    Its features are the maximum and the mean of the LSTM's outputs over time.
    """

    embedding: Tensor

    def __init__(self, embedding: Tensor, classes: int, hidden: int, dropout: float = 0.0) -> None:
        """Create the encoder. `embedding` (V, E) stays frozen: most words are too rare in one speaker's lines to be learnt."""
        super().__init__()
        self.dropout = dropout
        self.register_buffer("embedding", embedding, persistent=False)
        self.lstm = nn.LSTM(embedding.shape[1], hidden, bidirectional=True)
        self.output_weight = nn.Parameter(torch.zeros(classes, 4 * hidden))
        self.bias = nn.Parameter(torch.zeros(classes))

    def forward(self, ids: Tensor, state: DecoderState | None = None) -> tuple[Tensor, DecoderState]:
        """Return the features (T, B, F), the same at every position, of ids (T, B) of lines of equal length.

        No state is carried from line to line: `state` is ignored, and the one returned is empty.
        """
        embedded = nn.functional.embedding(ids, self.embedding) * self.embedding.shape[1] ** 0.5
        if self.training:
            # Drop whole words, so that no single one decides.
            embedded = embedded * (torch.rand(*ids.shape, 1) >= self.dropout / 4)
        out, _ = self.lstm(nn.functional.dropout(embedded, self.dropout, self.training))
        features = nn.functional.dropout(torch.cat([out.amax(0), out.mean(0)], 1), self.dropout, self.training)
        empty = features.new_zeros(0, len(features), 0)
        return features.expand(len(ids), -1, -1), DecoderState(*(empty,) * len(DecoderState._fields))

    @torch.inference_mode()
    def scores(self, lines: Sequence[Sequence[int]]) -> Tensor:
        """Return the log-probabilities (lines, classes) of the speaker of each line, taken alone."""
        found = torch.empty(len(lines), len(self.bias))
        for i, ids in enumerate(lines):
            features, _ = self(torch.tensor(ids)[:, None])
            found[i] = nn.functional.linear(features[0, 0], self.output_weight, self.bias).log_softmax(0)
        return found
