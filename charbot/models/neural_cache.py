"""What was just said as a second opinion on what comes next.

An LSTM forgets words. A cache keeps the last ids of a conversation, each with a key made of the features before it;
ids whose keys fit what the model is looking for now are likely to come again (Grave, Joulin and Usunier 2017,
"Improving Neural Language Models with a Continuous Cache"). Unlike theirs, keys and queries are fitted, and so are
what it is worth that an id came after the same ids as now, and a gate that says how much the cache's opinion weighs at
each place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, pad

WINDOW = 512
"""Ids that are kept: what is further back is forgotten."""

LONGEST_MATCH = 6
"""Ids before two places that are compared."""

MAX_NLL = 15.0
"""-ln p of what a model does not expect at all, and the most that it counts for."""

MASKED = -1e4
"""The score of what is not to be seen: too little for any share, but a number, as gradients need it."""


@dataclass(frozen=True)
class CacheEntries:
    """What caches hold, the latest last: keys (B, M, size) and their ids (B, M), -1 where there is nothing."""

    keys: Tensor
    ids: Tensor


def batch_entries(held: Sequence[CacheEntries], times: int, room: int) -> CacheEntries:
    """What several readers hold, each as many times one after the other, with room for so many ids after it. Somebody
    who holds nothing has an empty place, so that there is one."""
    longest = max(1, *(one.ids.shape[1] for one in held))
    keys = torch.zeros(len(held), longest + room, held[0].keys.shape[2])
    ids = torch.full(keys.shape[:2], -1)
    for row, one in enumerate(held):
        place = slice(longest - one.ids.shape[1], longest)
        keys[row, place], ids[row, place] = one.keys[0], one.ids[0]
    return CacheEntries(keys.repeat_interleave(times, 0), ids.repeat_interleave(times, 0))


def target_mask(ids: Tensor, targets: Tensor) -> Tensor:
    """Which of the held ids (B, M) are what comes next at T places each (B, T): (B, T, M)."""
    return ids[:, None] == targets[..., None]


def match_lengths(ids: Tensor, visible: Tensor) -> Tensor:
    """How many ids, up to LONGEST_MATCH, are the same before each held id (B, M), M > 0, and at the end of what is visible
    from each of T places (B, T, M): (B, T, M)."""
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
    """What `matches` gives for ids (B, M) after one more, new (B,), that is not among them yet, of what it gave before it:
    (B, M) and (B, M + 1)."""
    return pad(torch.where(ids == new[:, None], (matched + 1).clamp_(max=LONGEST_MATCH), 0), (1, 0))


class CacheQuery(NamedTuple):
    """What caches are asked at T places each: with features (B, T, embedding), which of what is held is to be seen from
    there, what it matches, and -ln p of it by the model alone (B, T, M), and that of what the model thinks likeliest (B, T)."""

    features: Tensor
    held: CacheEntries
    visible: Tensor
    matched: Tensor
    nats: Tensor
    likeliest: Tensor


@dataclass(frozen=True)
class CacheDistribution:
    """What caches expect at T places each: of the ids (B, M) that they hold the logarithm of each one's share (B, T, M),
    and that of how much this opinion weighs, and of how much the model's own does (B, T)."""

    ids: Tensor
    log_shares: Tensor
    log_cache_weight: Tensor
    log_model_weight: Tensor

    def mixture_nll(self, nats: Tensor, chosen: Tensor) -> Tensor:
        """-ln p (B, T) by model and cache of whatever is `chosen` (B, T, M) among the held ids; `nats` is its -ln p by
        the model alone."""
        found = self.log_shares.masked_fill(~chosen, MASKED).logsumexp(2)
        return -torch.logaddexp(self.log_cache_weight + found, self.log_model_weight - nats)

    def to_vocab(self, outputs: int) -> Tensor:
        """What caches add to the probability of each of the first `outputs` ids: (B, T, outputs)."""
        weighed = (self.log_shares + self.log_cache_weight[..., None]).exp()
        ids = self.ids[:, None].expand_as(weighed)
        known = (ids >= 0) & (ids < outputs)
        sums = weighed.new_zeros(*weighed.shape[:2], outputs)
        return sums.scatter_add_(2, ids.where(known, 0), weighed.where(known, 0.0))


class NeuralCache(nn.Module):
    """Compares what a model is looking for with where it was before."""

    def __init__(self, embedding: int, size: int) -> None:
        super().__init__()
        self.key = nn.Linear(embedding, size, bias=False)
        self.word = nn.Linear(embedding, size, bias=False)
        self.query = nn.Linear(embedding, size)
        # What is alike is found from the start; the words themselves say little at first.
        nn.init.normal_(self.key.weight, std=0.3 * embedding**-0.5)
        nn.init.normal_(self.word.weight, std=0.1 * embedding**-0.5)
        nn.init.normal_(self.query.bias, std=0.1)
        with torch.no_grad():
            self.query.weight.copy_(self.key.weight)
        # What a score gains by each id more that matches: a length never seen is worth what the next shorter one is.
        self.match = nn.Parameter(torch.zeros(LONGEST_MATCH))
        # What the gate counts: see `facts`; and the longest match, from none.
        self.gate = nn.Parameter(torch.tensor([-2.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
        self.longest = nn.Parameter(torch.zeros(LONGEST_MATCH + 1))
        # Times the model's own scores: beside a cache it is better a little less sure of itself.
        self.logit_scale = nn.Parameter(torch.ones(()))

    def keys(self, features: Tensor, embedded: Tensor) -> Tensor:
        """Keys (..., size) of ids, of the features before them and their embeddings (..., embedding); no more exact
        than half precision is, in which they are kept."""
        found: Tensor = self.key(features) + self.word(embedded)
        # Gradients pass by the rounding: most of them are too small for half precision.
        return found + (found.half().float() - found).detach()

    def compare(self, features: Tensor, held: CacheEntries, visible: Tensor) -> Tensor:
        """The score (B, T, M) of each held id by its key alone: see Question."""
        scores: Tensor = self.query(features) @ held.keys.mT
        return scores.masked_fill(~visible, MASKED)

    @staticmethod
    def match_bonus(match: Tensor) -> Tensor:
        """What a score gains by each length of match, from 0 (LONGEST_MATCH + 1,)."""
        return pad(match.cumsum(0), (1, 0))

    @staticmethod
    def gate_features(mass: Tensor, top: Tensor, count: Tensor, surprise: Tensor, likeliest: Tensor) -> Tensor:
        """What the gate goes by at some places (..., 6): one, how sure the model is, how much of the `mass` of all scores
        (the logarithm of their exponentials' sum) the `top` one has, how much that is, how many there are, and -ln p by
        the model alone of what the cache expects, on average."""
        one, many = torch.ones_like(mass), count.clamp(min=1).log()
        return torch.stack((one, -likeliest, top - mass, mass / 10, many, -surprise), -1)

    def forward(
        self, features: Tensor, held: CacheEntries, visible: Tensor, matched: Tensor, nats: Tensor, likeliest: Tensor
    ) -> CacheDistribution:
        """The opinion at some places: see Question. It weighs nothing where nothing is visible."""
        scores = self.compare(features, held, visible) + self.match_bonus(self.match)[matched]
        mass = scores.logsumexp(2)
        log_shares = scores - mass[..., None]
        surprise = (log_shares.exp() * nats.clamp(max=MAX_NLL)).sum(2)
        facts = self.gate_features(mass, scores.amax(2), visible.sum(2), surprise, likeliest)
        weight = facts @ self.gate + self.longest[matched.where(visible, 0).amax(2)]
        weight = weight.where(visible.any(2), MASKED)
        return CacheDistribution(held.ids, log_shares, logsigmoid(weight), logsigmoid(-weight))
