"""A softmax over some of a large vocabulary: what makes the word unit quick to fit.

The partition function's frequent ids and the window's own targets are summed exactly; the
rare rest is estimated from a sample, each standing for as many as were left out (importance
sampling with a uniform proposal, as in Jean et al. 2015, "On Using Very Large Target
Vocabulary"). Ids must be in order of frequency, roughly.
"""

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shortlist:
    """The ids that take part in one step, the correction of each one's score, and the targets among them."""

    ids: Tensor
    correction: Tensor
    targets: Tensor


def shortlist(targets: Tensor, outputs: int, head: int, sample: int) -> Shortlist:
    """`head` first ids, the targets (N,), and `sample` of the others of `outputs` ids."""
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
