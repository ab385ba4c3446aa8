"""Likelihood of given conversations under a model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charbot.corpus.examples import Example
from charbot.models.language_model import LanguageModel, token_nll
from charbot.models.neural_cache import WINDOW, CacheEntries, CacheQuery, match_lengths
from charbot.tokens import Tokenizer
from charbot.tokens.render import Rendered, render

_BATCH_TOKENS = 8_192
_PLACES = 256
"""Positions per query of the cache, which compares its entries with each of them: this bounds memory."""


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of texts."""

    nats: float
    """-ln P."""
    characters: int
    """Code points, plus one for the end of each turn."""

    @property
    def bits_per_character(self) -> float:
        return self.nats / self.characters / log(2) if self.characters else float("nan")


def characters(example: Example) -> int:
    """Return the length of the predicted turns: their code points, plus one for the end of each turn."""
    return sum(len(turn.text) + 1 for turn, scored in zip(example.turns, example.loss_mask, strict=True) if scored)


@dataclass(frozen=True)
class Read:
    """A conversation with the model's features."""

    number: int
    """Its index among the given conversations."""
    ids: Tensor
    """(T + 1,)."""
    features: Tensor
    """(T, E), after each id but the last."""
    places: Tensor
    """(N,): the indices of the features from which ids are to be predicted."""

    @property
    def targets(self) -> Tensor:
        """The ids to be predicted: (N,)."""
        return self.ids[1:][self.places]


def read_conversations(model: LanguageModel, rendered: Sequence[Rendered]) -> Iterator[list[Read]]:
    """Run the model on each conversation, and yield them in batches of similar length."""
    by_length = sorted(range(len(rendered)), key=lambda i: len(rendered[i].ids))
    was_training = model.training
    model.eval()
    start = 0
    while start < len(by_length):
        # Sorted by length, so the last one determines the padded length.
        end = start + 1
        while end < len(by_length) and len(rendered[by_length[end]].ids) * (end + 1 - start) <= _BATCH_TOKENS:
            end += 1
        batch = [rendered[i] for i in by_length[start:end]]
        ids = torch.zeros(len(batch[-1].ids), len(batch), dtype=torch.int64)
        for column, one in enumerate(batch):
            ids[: len(one.ids), column] = torch.from_numpy(one.ids.astype(np.int64))
        with torch.no_grad():
            features, _ = model(ids[:-1])
        yield [
            Read(
                by_length[start + column],
                ids[: len(one.ids), column],
                features[: len(one.ids) - 1, column],
                torch.from_numpy(one.predicted[1:]).nonzero()[:, 0],
            )
            for column, one in enumerate(batch)
        ]
        start = end
    model.train(was_training)


def cache_queries(model: LanguageModel, read: Read) -> Iterator[tuple[slice, CacheQuery]]:
    """Yield the queries of the model's cache, if it has one, at `read.places`, each with the slice of places that it covers."""
    if model.cache is None:
        return
    held = (read.ids[1:] < model.architecture.outputs).nonzero()[:, 0]
    ids = read.ids[1:][held]
    keys = model.keys(read.features[held], ids)
    before = torch.searchsorted(held, read.places)
    for start in range(0, len(read.places), _PLACES):
        part = slice(start, start + _PLACES)
        known = before[part, None]
        first, last = max(0, int(known[0]) - WINDOW), int(known[-1])
        at = torch.arange(first, last)
        visible = (at < known) & (at >= known - WINDOW)
        if last:
            features, some = read.features[read.places[part]][None], CacheEntries(keys[None, first:last], ids[None, first:last])
            yield part, CacheQuery(features, some, visible[None], match_lengths(some.ids, visible[None]))


def predicted_nats(model: LanguageModel, rendered: Sequence[Rendered], group: Tensor | None = None) -> list[NDArray[np.float32]]:
    """Return -ln p (N,) of the predicted tokens of each conversation.

    If `group` (V,) marks ids, the second row of (2, N) is -ln p of any of these at the same positions.
    """
    results: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(rendered)
    for batch in read_conversations(model, rendered):
        features = torch.cat([read.features[read.places] for read in batch])
        nats = token_nll(model, features, torch.cat([read.targets for read in batch]), group)
        for read, part_nats in zip(batch, torch.split(nats, [len(read.places) for read in batch], 1), strict=True):
            with torch.no_grad():
                for at, query in cache_queries(model, read):
                    part_nats[:-2, at] = model.mixed_nll(part_nats[:, None, at], query, read.targets[None, at], group)[:, 0]
            results[read.number] = (part_nats[0] if group is None else part_nats[:2]).numpy()
    return results


def likelihood(model: LanguageModel, tokenizer: Tokenizer, conversations: Sequence[Example]) -> Likelihood:
    """Return the likelihood of the predicted turns of all conversations together."""
    nats = predicted_nats(model, [render(tokenizer, conversation) for conversation in conversations])
    return Likelihood(float(sum(part.sum(dtype=np.float64) for part in nats)), sum(map(characters, conversations)))
