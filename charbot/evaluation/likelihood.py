"""How likely a model finds given conversations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charbot.corpus.conversation import Conversation
from charbot.models.language_model import LanguageModel, token_nats
from charbot.tokens import Tokenizer
from charbot.tokens.render import Rendered, render

_BATCH_TOKENS = 8_192


@dataclass(frozen=True)
class Likelihood:
    """-ln P of some text in nats, over its length: its code points, and one for the end of each turn."""

    nats: float
    characters: int

    @property
    def bits_per_character(self) -> float:
        return self.nats / self.characters / log(2) if self.characters else float("nan")


def characters(conversation: Conversation) -> int:
    """Length of what is predicted: its code points, and one for the end of each turn."""
    return sum(len(turn.text) + 1 for turn, scored in zip(conversation.turns, conversation.scored, strict=True) if scored)


@dataclass(frozen=True)
class Read:
    """Conversations that were read side by side: their numbers, how many tokens of each are
    predicted, the features (N, E) before those of all of them, and these tokens (N,)."""

    numbers: list[int]
    counts: list[int]
    features: Tensor
    targets: Tensor


def read_conversations(model: LanguageModel, rendered: Sequence[Rendered]) -> Iterator[Read]:
    """Reads each conversation from its start; those of a length together."""
    by_length = sorted(range(len(rendered)), key=lambda i: len(rendered[i].ids))
    was_training = model.training
    model.eval()
    start = 0
    while start < len(by_length):
        # The longest come last in a batch: it is as wide as its last one.
        end = start + 1
        while end < len(by_length) and len(rendered[by_length[end]].ids) * (end + 1 - start) <= _BATCH_TOKENS:
            end += 1
        batch = [rendered[i] for i in by_length[start:end]]
        ids = torch.zeros(len(batch[-1].ids), len(batch), dtype=torch.int64)
        wanted = torch.zeros_like(ids, dtype=torch.bool)
        for column, one in enumerate(batch):
            ids[: len(one.ids), column] = torch.from_numpy(one.ids.astype(np.int64))
            wanted[: len(one.ids), column] = torch.from_numpy(one.predicted)
        with torch.inference_mode():
            features, _ = model(ids[:-1])
        # Column by column, so that what is of one conversation stands together.
        chosen = wanted[1:].T
        yield Read(by_length[start:end], chosen.sum(1).tolist(), features.transpose(0, 1)[chosen], ids[1:].T[chosen])
        start = end
    model.train(was_training)


def predicted_nats(model: LanguageModel, rendered: Sequence[Rendered]) -> list[NDArray[np.float32]]:
    """-ln p of each predicted token of each conversation: (N,)."""
    results: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(rendered)
    for read in read_conversations(model, rendered):
        nats = token_nats(model, read.features, read.targets)
        for i, part in zip(read.numbers, torch.split(nats, read.counts), strict=True):
            results[i] = part.numpy()
    return results


def likelihood(model: LanguageModel, tokenizer: Tokenizer, conversations: Sequence[Conversation]) -> Likelihood:
    """How likely the model finds what is to be predicted in `conversations`, all together."""
    nats = predicted_nats(model, [render(tokenizer, conversation) for conversation in conversations])
    return Likelihood(float(sum(part.sum(dtype=np.float64) for part in nats)), sum(map(characters, conversations)))
