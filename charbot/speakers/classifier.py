"""Speaker classification by a mixture of two models, one of n-grams and one an LSTM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from charbot.speakers.bilstm import BiLSTMSpeakerEncoder
from charbot.speakers.ngrams import NgramClassifier
from charbot.tokens import Tokenizer

_LONGEST = 80
"""Number of tokens of a line that the LSTM reads."""


def encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the ids of lines, cut to the length that the LSTM reads."""
    return [tokenizer.encode(text)[:_LONGEST] for text in texts]


@dataclass(frozen=True)
class SpeakerClassifier:
    """A product of two experts (Hinton 2002): an n-gram model and an LSTM."""

    tokenizer: Tokenizer
    ngrams: NgramClassifier
    reader: BiLSTMSpeakerEncoder
    share: float
    """Weight of the LSTM, from 0 to 1."""

    @classmethod
    def load(cls, tokenizer: Tokenizer, embedding: Tensor, hidden: int, share: float, weights: Mapping[str, Tensor]) -> Self:
        """Return the classifier with weights from `state`. Raises KeyError or RuntimeError where they do not fit."""
        ngrams = NgramClassifier(weights["known"], weights["salience"], weights["weight"], weights["bias"])
        reader = BiLSTMSpeakerEncoder(embedding, len(ngrams.bias), hidden)
        reader.load_state_dict({name.removeprefix("reader."): w for name, w in weights.items() if name.startswith("reader.")})
        return cls(tokenizer, ngrams, reader.eval(), share)

    def state(self) -> dict[str, Tensor]:
        """Return all trained weights by name, for saving."""
        found = {name: getattr(self.ngrams, name) for name in ("known", "salience", "weight", "bias")}
        return found | {f"reader.{name}": w for name, w in self.reader.state_dict().items()}

    @torch.inference_mode()
    def opinions(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities (lines, classes) of the speaker of each line, by the n-grams and by the LSTM."""
        return self.ngrams.scores(texts), self.reader.scores(encoded(self.tokenizer, texts))

    def scores(self, texts: Sequence[str]) -> Tensor:
        """Return the log-probabilities (lines, classes) of the speaker of each line, taken alone."""
        ngrams, reader = self.opinions(texts)
        return mixed(ngrams, reader, self.share)


def mixed(ngrams: Tensor, reader: Tensor, share: float) -> Tensor:
    """Mix two models' log-probabilities (lines, classes) into one; `share` is the weight of `reader`."""
    return ((1 - share) * ngrams + share * reader).log_softmax(1)
