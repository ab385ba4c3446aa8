"""Encoder of messages, by which messages that mean the same are near each other: the sum of their words' vectors.

Wieting et al. 2016, "Towards Universal Paraphrastic Sentence Embeddings"; `trainer.message_encoder` learns the vectors.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, normalize

from charbot.models.quantization import ByteTable


class MessageEncoder(nn.Module):
    """Encodes bags of `words` words in vectors of size `size`."""

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.zeros(words, size))
        self._table: ByteTable | None = None

    def quantize(self) -> None:
        """Store the vectors in 8 bits, unless that would change them."""
        if self._table is None:
            self._table = ByteTable.of(self.vectors)
            if self._table is not None:
                self.register_parameter("vectors", None)

    def forward(self, words: Tensor, starts: Tensor) -> Tensor:
        """Return the encodings (B, size) of B messages, of length 1, or 0 for a message without known words.

        `words` (N,) are the rows of all messages' words, one message after the other, `starts` (B,) the offset of each message.
        """
        table, rows = (self.vectors, words) if self._table is None else (self._table[words], torch.arange(len(words)))
        return normalize(embedding_bag(rows, table, starts, mode="sum"), dim=1)
