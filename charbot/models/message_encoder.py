"""Encoder of messages, by which messages that mean the same are near each other: the sum of their words' vectors.

Wieting et al. 2016, "Towards Universal Paraphrastic Sentence Embeddings"; `trainer.message_encoder` learns the vectors.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, normalize


class MessageEncoder(nn.Module):
    """Encodes bags of `words` words in vectors of size `size`."""

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.zeros(words, size))

    def forward(self, words: Tensor, starts: Tensor) -> Tensor:
        """Return the encodings (B, size) of B messages, of length 1, or 0 for a message without known words.

        `words` (N,) are the rows of all messages' words, one message after the other, `starts` (B,) the offset of each message.
        """
        return normalize(embedding_bag(words, self.vectors, starts, mode="sum"), dim=1)
