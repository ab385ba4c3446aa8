"""How likely a model finds given conversations."""

from collections.abc import Sequence
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


def predicted_nats(model: LanguageModel, rendered: Sequence[Rendered], group: Tensor | None = None) -> list[NDArray[np.float32]]:
    """-ln p of each predicted token of each conversation, read from its start: (N,). Where `group`
    marks ids, also that of any of them in its place: (2, N)."""
    results: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(rendered)
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
        # Column by column, so that each conversation's figures stand together.
        chosen = wanted[1:].T
        nats = token_nats(model, features.transpose(0, 1)[chosen], ids[1:].T[chosen], group).numpy()
        parts = np.split(nats, np.cumsum(chosen.sum(1).numpy())[:-1], axis=-1)
        for i, part in zip(by_length[start:end], parts, strict=True):
            results[i] = part
        start = end
    model.train(was_training)
    return results


def likelihood(model: LanguageModel, tokenizer: Tokenizer, conversations: Sequence[Conversation]) -> Likelihood:
    """How likely the model finds what is to be predicted in `conversations`, all together."""
    nats = predicted_nats(model, [render(tokenizer, conversation) for conversation in conversations])
    return Likelihood(float(sum(part.sum(dtype=np.float64) for part in nats)), sum(map(characters, conversations)))
