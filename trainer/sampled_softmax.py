"""Sampled softmax over a large vocabulary, which makes training of the word unit fast.

In the partition function, the frequent ids and the batch's own targets are summed exactly. The rare rest is estimated from a
sample, in which each id stands for an equal share of the rest (importance sampling with a uniform proposal, as in Jean et al.
2015, "On Using Very Large Target Vocabulary"). Ids must be roughly in order of frequency.
"""

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shortlist:
    """The K ids that are scored in one step."""

    ids: Tensor
    """(K,)."""
    correction: Tensor
    """(K,): added to the logits; the log of how many ids each stands for."""
    targets: Tensor
    """(N,): indices of the targets in `ids`."""


def shortlist(targets: Tensor, outputs: int, head: int, sample: int) -> Shortlist:
    """Return the first `head` of `outputs` ids, the targets (N,), and a random `sample` of the others."""
    rare = torch.ones(outputs, dtype=torch.bool, device=targets.device)
    rare[:head] = False
    rare[targets] = False
    pool = rare.nonzero()[:, 0]
    chosen = pool[torch.randperm(len(pool), device=pool.device)[:sample]]
    exact = (~rare).nonzero()[:, 0]
    ids = torch.cat([exact, chosen])
    correction = torch.zeros(len(ids), device=ids.device)
    if len(chosen):
        correction[len(exact) :] = log(len(pool) / len(chosen))
    place = torch.full((outputs,), -1, device=ids.device)
    place[ids] = torch.arange(len(ids), device=ids.device)
    return Shortlist(ids, correction, place[targets])
