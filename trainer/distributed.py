"""The processes that fit one model together, and the device of each.

Started by `torchrun`, every process reads the whole stream, keeps its share of the tracks, and
steps with the gradient of them all. Alone, it is a world of one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

_PATIENCE = timedelta(hours=6)
"""How long processes wait for one another: the leading one fits a base's parts, and measures it, alone."""


@dataclass(frozen=True)
class Distributed:
    """This process among `size` of them, from 0."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def join(cls) -> "Distributed":
        """The world that `torchrun` has set up, or one of this process alone; on a GPU where there is one."""
        gpu = torch.cuda.is_available()
        if gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        device = torch.device("cuda", torch.cuda.current_device()) if gpu else torch.device("cpu")
        if "RANK" not in os.environ:
            return cls(device=device)
        distributed.init_process_group("nccl" if gpu else "gloo", timeout=_PATIENCE)
        return cls(distributed.get_rank(), distributed.get_world_size(), device)

    def barrier(self) -> None:
        """Until every process has come as far."""
        if self.size > 1:
            distributed.barrier()

    def shutdown(self) -> None:
        """The last thing that a process does here: all at once, for gloo's threads abort where another is gone already."""
        self.barrier()
        if self.size > 1:
            distributed.destroy_process_group()

    @property
    def is_main(self) -> bool:
        """Whether it is for this process to measure, write and talk."""
        return self.rank == 0

    def shard(self, tracks: Tensor) -> Tensor:
        """Of all tracks (:, B, ...) those of this process."""
        return tracks[:, self.rank :: self.size]

    def all_gather(self, share: Tensor) -> Tensor:
        """All tracks (:, B, ...), from the share of each process."""
        return self._all(share, 2).flatten(1, 2) if self.size > 1 else share

    def random_states(self) -> list[Tensor]:
        """The states (size, n) of the random generators that training draws from, of all processes."""
        own = [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if self.device.type == "cuda" else [])]
        return [self._all(state, 0) for state in own]

    def can_restore(self, random_states: Sequence[Tensor]) -> bool:
        """Whether these are of as many processes, on such devices."""
        return [len(states) for states in random_states] == [self.size] * (2 if self.device.type == "cuda" else 1)

    def restore(self, random_states: Sequence[Tensor]) -> None:
        """Takes up the random states of this process."""
        # Clones: torch reads a state from where its storage begins, which a row's is not.
        torch.set_rng_state(random_states[0][self.rank].clone())
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random_states[1][self.rank].clone())

    def _all(self, own: Tensor, dim: int) -> Tensor:
        if self.size == 1:
            return own.unsqueeze(dim)
        own = own.to(self.device).contiguous()
        parts = [torch.empty_like(own) for _ in range(self.size)]
        distributed.all_gather(parts, own)
        return torch.stack(parts, dim).cpu()

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter], loss: float, weight: int) -> float:
        """Replaces gradients by their mean over all processes, each by its `weight`; returns the mean of the losses."""
        if self.size == 1:
            return loss
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients] + [gradients[0].new_tensor([loss, 1.0])]) * weight
        distributed.all_reduce(flat)
        flat /= flat[-1].clone()
        for parameter, mean in zip(parameters, torch.split(flat[:-2], [p.numel() for p in parameters]), strict=True):
            parameter.grad = mean.view_as(parameter)
        return float(flat[-2])

    def broadcast(self, value: float) -> float:
        """What the leading process holds `value` to be."""
        if self.size == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(told, 0)
        return float(told)


SINGLE_PROCESS = Distributed()
