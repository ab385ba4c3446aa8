"""Neural cache: a distribution over recently seen tokens, mixed with the language model's own.

An LSTM forgets words. A cache holds the last ids of a conversation, each with a key made of the features before it and of its
own embedding; ids whose keys match the current features are likely to come again (Grave, Joulin and Usunier 2017, "Improving
Neural Language Models with a Continuous Cache"). Unlike theirs, this one has trained keys and queries, a trained bonus for ids
that followed the same ids as now, and a trained gate that sets the cache's weight at each position.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, pad

WINDOW = 512
"""Number of ids that a cache holds: the last ones."""

LONGEST_MATCH = 6
"""Number of ids that are compared before two positions: the longest match counted."""

MAX_NLL = 15.0
"""Cap, in nats, on -ln p of held ids by the model, in the gate's features."""

MASKED = -1e4
"""Score of entries that are not visible: low enough for a share of zero, but finite, as gradients need."""


@dataclass(frozen=True)
class CacheEntries:
    """The entries of B caches, the latest last."""

    keys: Tensor
    """(B, M, size)."""
    ids: Tensor
    """(B, M), -1 where there is no entry."""


def batch_entries(caches: Sequence[CacheEntries], times: int, room: int) -> CacheEntries:
    """Return the entries of several caches as one batch, each `times` times in a row, followed by `room` empty slots.

    Shorter ones are padded in front; there is at least one slot before the room, even if all are empty.
    """
    longest = max(1, *(entries.ids.shape[1] for entries in caches))
    keys = torch.zeros(len(caches), longest + room, caches[0].keys.shape[2])
    ids = torch.full(keys.shape[:2], -1)
    for row, entries in enumerate(caches):
        place = slice(longest - entries.ids.shape[1], longest)
        keys[row, place], ids[row, place] = entries.keys[0], entries.ids[0]
    return CacheEntries(keys.repeat_interleave(times, 0), ids.repeat_interleave(times, 0))


def target_mask(ids: Tensor, targets: Tensor) -> Tensor:
    """Return a mask (B, T, M) of the held ids (B, M) that equal the target at each of T positions (B, T)."""
    return ids[:, None] == targets[..., None]


def match_lengths(ids: Tensor, visible: Tensor) -> Tensor:
    """Return how many ids before each held id equal those before each position, up to LONGEST_MATCH: (B, T, M).

    `ids` (B, M) are the held ones, M > 0; `visible` (B, T, M) marks those before each of T positions.
    """
    length = ids.shape[1]
    ends = (visible * torch.arange(1, length + 1)).amax(2)
    same, found = visible, torch.zeros(visible.shape, dtype=torch.int64)
    for back in range(1, LONGEST_MATCH + 1):
        if not same.any():
            break
        before = pad(ids, (back, 0), value=-1)
        same = same & pad(visible, (back, 0))[..., :length] & (before[:, None, :length] == before.gather(1, ends)[..., None])
        found += same
    return found


def next_match_lengths(matched: Tensor, ids: Tensor, new: Tensor) -> Tensor:
    """Return the match lengths (B, M + 1) after one more id, given those before it.

    `matched` (B, M) is what `match_lengths` gave for `ids` (B, M), which `new` (B,) is not part of yet.
    """
    return pad(torch.where(ids == new[:, None], (matched + 1).clamp_(max=LONGEST_MATCH), 0), (1, 0))


class CacheQuery(NamedTuple):
    """What B caches are asked at T positions each."""

    features: Tensor
    """(B, T, embedding): the model's, before the id to be predicted."""
    entries: CacheEntries
    visible: Tensor
    """(B, T, M) bool: the entries visible from each position."""
    matched: Tensor
    """(B, T, M): see `match_lengths`."""


@dataclass(frozen=True)
class CacheDistribution:
    """The distributions of B caches at T positions each, and their weights in the mixture with the model's."""

    ids: Tensor
    """(B, M): the held ids, -1 where there is none."""
    log_shares: Tensor
    """(B, T, M): log-probability of each entry; several entries can have the same id."""
    log_cache_weight: Tensor
    """(B, T)."""
    log_model_weight: Tensor
    """(B, T)."""

    def mixture_nll(self, nats: Tensor, chosen: Tensor) -> Tensor:
        """Return -ln p (B, T), by model and cache, of the ids whose entries `chosen` (B, T, M) marks.

        `nats` (B, T) is their -ln p by the model alone.
        """
        found = self.log_shares.masked_fill(~chosen, MASKED).logsumexp(2)
        return -torch.logaddexp(self.log_cache_weight + found, self.log_model_weight - nats)

    def to_vocab(self, outputs: int) -> Tensor:
        """Return the caches' part (B, T, outputs) in the probability of each of the first `outputs` ids."""
        weighed = (self.log_shares + self.log_cache_weight[..., None]).exp()
        ids = self.ids[:, None].expand_as(weighed)
        known = (ids >= 0) & (ids < outputs)
        sums = weighed.new_zeros(*weighed.shape[:2], outputs)
        return sums.scatter_add_(2, ids.where(known, 0), weighed.where(known, 0.0))


class NeuralCache(nn.Module):
    """Attention of the current features over the cache's entries, and the gate that weighs it against the model."""

    def __init__(self, embedding: int, size: int) -> None:
        super().__init__()
        self.key = nn.Linear(embedding, size, bias=False)
        self.word = nn.Linear(embedding, size, bias=False)
        self.query = nn.Linear(embedding, size)
        # Queries start equal to keys, so that similar contexts match; the words themselves contribute little at first.
        nn.init.normal_(self.key.weight, std=0.3 * embedding**-0.5)
        nn.init.normal_(self.word.weight, std=0.1 * embedding**-0.5)
        nn.init.normal_(self.query.bias, std=0.1)
        with torch.no_grad():
            self.query.weight.copy_(self.key.weight)
        # Bonus of each further matching id: a length never seen in training scores like the next shorter one.
        self.match = nn.Parameter(torch.zeros(LONGEST_MATCH))
        # The gate's weights of `gate_features`, and its bias per length of the longest match, from 0.
        self.gate = nn.Parameter(torch.tensor([-2.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
        self.longest = nn.Parameter(torch.zeros(LONGEST_MATCH + 1))
        # Multiplies the model's scores: beside a cache, a slightly less confident model is better.
        self.logit_scale = nn.Parameter(torch.ones(()))

    def keys(self, features: Tensor, embedded: Tensor) -> Tensor:
        """Return the keys (..., size) of ids, given the features before them and their embeddings (..., embedding).

        They are rounded to half precision, in which they are stored.
        """
        found: Tensor = self.key(features) + self.word(embedded)
        # Gradients bypass the rounding: most of them are too small for half precision.
        return found + (found.half().float() - found).detach()

    def compare(self, features: Tensor, entries: CacheEntries, visible: Tensor) -> Tensor:
        """Return the score (B, T, M) of each entry by its key alone: see CacheQuery."""
        scores: Tensor = self.query(features) @ entries.keys.mT
        return scores.masked_fill(~visible, MASKED)

    @staticmethod
    def match_bonus(match: Tensor) -> Tensor:
        """Return the bonus (LONGEST_MATCH + 1,) per match length, from 0."""
        return pad(match.cumsum(0), (1, 0))

    @staticmethod
    def gate_features(mass: Tensor, top: Tensor, count: Tensor, surprise: Tensor, likeliest: Tensor) -> Tensor:
        """Return the gate's inputs (..., 6).

        Of the visible entries' scores, `mass` is the logsumexp, `top` the largest and `count` the number; `surprise` is the mean
        -ln p, by the model alone, of what the cache expects, and `likeliest` that of the model's likeliest id.
        """
        one, many = torch.ones_like(mass), count.clamp(min=1).log()
        return torch.stack((one, -likeliest, top - mass, mass / 10, many, -surprise), -1)

    def forward(
        self, features: Tensor, entries: CacheEntries, visible: Tensor, matched: Tensor, nats: Tensor, likeliest: Tensor
    ) -> CacheDistribution:
        """Return the distribution for a CacheQuery. Its weight is zero where nothing is visible.

        By the model alone, `nats` (B, T, M) is -ln p of each entry's id, and `likeliest` (B, T) that of the likeliest id.
        """
        scores = self.compare(features, entries, visible) + self.match_bonus(self.match)[matched]
        mass = scores.logsumexp(2)
        log_shares = scores - mass[..., None]
        surprise = (log_shares.exp() * nats.clamp(max=MAX_NLL)).sum(2)
        facts = self.gate_features(mass, scores.amax(2), visible.sum(2), surprise, likeliest)
        weight = facts @ self.gate + self.longest[matched.where(visible, 0).amax(2)]
        weight = weight.where(visible.any(2), MASKED)
        return CacheDistribution(entries.ids, log_shares, logsigmoid(weight), logsigmoid(-weight))
