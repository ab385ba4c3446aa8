"""Who says a line: two opinions mixed, one of its n-grams and one of how it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from charbot.speakers.bilstm import BiLSTMSpeakerEncoder
from charbot.speakers.ngrams import NgramClassifier
from charbot.tokens import Tokenizer

_LONGEST = 80
"""Tokens of a line that the LSTM reads."""


def encoded(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Lines as the LSTM reads them."""
    return [tokenizer.encode(text)[:_LONGEST] for text in texts]


@dataclass(frozen=True)
class SpeakerClassifier:
    """Tells who says a line; the reader's opinion weighs `share` of one (a product of experts, Hinton 2002)."""

    tokenizer: Tokenizer
    ngrams: NgramClassifier
    reader: BiLSTMSpeakerEncoder
    share: float

    @classmethod
    def load(cls, tokenizer: Tokenizer, embedding: Tensor, hidden: int, share: float, weights: Mapping[str, Tensor]) -> Self:
        """From what `state` gave. Raises KeyError and RuntimeError where that is not it."""
        ngrams = NgramClassifier(weights["known"], weights["salience"], weights["weight"], weights["bias"])
        reader = BiLSTMSpeakerEncoder(embedding, len(ngrams.bias), hidden)
        reader.load_state_dict({name.removeprefix("reader."): w for name, w in weights.items() if name.startswith("reader.")})
        return cls(tokenizer, ngrams, reader.eval(), share)

    def state(self) -> dict[str, Tensor]:
        """All that was fitted."""
        found = {name: getattr(self.ngrams, name) for name in ("known", "salience", "weight", "bias")}
        return found | {f"reader.{name}": w for name, w in self.reader.state_dict().items()}

    @torch.inference_mode()
    def opinions(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of who says each line, by its n-grams and by how it reads: (lines, classes) each."""
        return self.ngrams.scores(texts), self.reader.scores(encoded(self.tokenizer, texts))

    def scores(self, texts: Sequence[str]) -> Tensor:
        """(lines, classes) log-probabilities of who says each line, alone."""
        ngrams, reader = self.opinions(texts)
        return mixed(ngrams, reader, self.share)


def mixed(ngrams: Tensor, reader: Tensor, share: float) -> Tensor:
    """(lines, classes) what two opinions make together."""
    return ((1 - share) * ngrams + share * reader).log_softmax(1)
