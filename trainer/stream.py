"""The token stream that a model is trained on: conversations end to end, laid out in batch rows."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charbot.corpus.examples import Example
from charbot.tokens import Tokenizer
from charbot.tokens.render import Rendered, render


@dataclass(frozen=True)
class Batch:
    """The data of one training step."""

    ids: Tensor
    """(T + 1, B): the first T are inputs, the last T targets."""
    loss_mask: Tensor
    """(T, B): whether each target counts in the loss."""


class BatchStream:
    """Conversations in shuffled order, laid out in `batch` rows and read `window` tokens at a time.

    An epoch is a function of the seed and its number, so that a resumed training run reads what an uninterrupted one would.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        conversations: Iterable[Example],
        *,
        batch: int,
        window: int,
        anonymous: float,
        seed: int,
        keep: str | None = None,
    ) -> None:
        """Render the conversations.

        `anonymous` is the probability that a speaker becomes anonymous for a whole conversation, unless somebody in it is already
        anonymous; the speaker `keep` never does.
        """
        vocabulary = tokenizer.vocabulary
        # The lowest id of a speaker.
        self._anonymous = vocabulary.anonymous
        self._keep = vocabulary.speaker(keep)
        self._speakers = len(vocabulary) - vocabulary.anonymous
        self.rendered: list[Rendered] = []
        weights: list[float] = []
        for conversation in conversations:
            self.rendered.append(render(tokenizer, conversation))
            weights.append(conversation.weight)
        self._weights = np.asarray(weights, dtype=np.float64)
        self._batch = batch
        self._window = window
        self._share = anonymous
        self._seed = seed
        self.tokens = int(sum(weight * len(r.ids) for weight, r in zip(self._weights, self.rendered, strict=True)))

    def in_tracks(self, batch: int) -> "BatchStream":
        """Return a stream of the same conversations with `batch` rows."""
        other = copy(self)
        other._batch = batch
        return other

    @property
    def steps(self) -> int:
        """Number of batches per epoch."""
        return max(1, -(-(self._track_length() - 1) // self._window))

    def _track_length(self) -> int:
        return max(2, self.tokens // self._batch)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch `number`, from step `start` on."""
        rng = np.random.default_rng((self._seed, number))
        order = rng.permutation(self._chosen(rng))
        ids = np.concatenate([self._masked(self.rendered[i].ids, rng) for i in order])
        loss_mask = np.concatenate([self.rendered[i].predicted for i in order])
        length = self._track_length()
        needed = length * self._batch
        ids, loss_mask = (np.resize(a, needed).reshape(self._batch, length).T for a in (ids, loss_mask))
        for step in range(start, self.steps):
            at = step * self._window
            part = ids[at : at + self._window + 1]
            yield Batch(
                torch.from_numpy(part.astype(np.int64)),
                torch.from_numpy(loss_mask[at + 1 : at + 1 + self._window].copy()),
            )

    def _chosen(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the indices of an epoch's conversations, repeated by weight; fractions of a weight are drawn at random."""
        whole, part = np.divmod(self._weights, 1)
        return np.repeat(np.arange(len(whole)), (whole + (rng.random(len(part)) < part)).astype(np.int64))

    def _masked(self, ids: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
        """Return the ids of a conversation with some of its speakers made anonymous."""
        if self._share == 0 or (ids == self._anonymous).any():
            return ids
        hidden = rng.random(self._speakers) < self._share
        hidden[self._keep - self._anonymous] = False
        local = ids - self._anonymous
        masked = (local >= 0) & hidden[np.maximum(local, 0)]
        return np.where(masked, self._anonymous, ids).astype(np.int32)


@dataclass(frozen=True)
class FirstBatches:
    """The first `limit` batches of a stream."""

    stream: BatchStream
    limit: int

    @property
    def steps(self) -> int:
        return min(self.limit, self.stream.steps)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        return islice(self.stream.epoch(number, start), self.steps - start)
