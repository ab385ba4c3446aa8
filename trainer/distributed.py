"""Distributed data-parallel training: the processes that train one model together, and the device of each.

Under `torchrun`, every process reads the whole stream, keeps its shard of the batch rows, and steps with the gradient averaged
over all processes. Without it there is a single process.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

_PATIENCE = timedelta(hours=6)
"""Timeout of collective operations: the main process trains a base's cache and selector, and evaluates it, alone."""


@dataclass(frozen=True)
class Distributed:
    """The rank and device of this process, and the collective operations of all."""

    rank: int = 0
    size: int = 1
    """Number of processes."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def join(cls) -> "Distributed":
        """Join the processes started by `torchrun`, or return a single one without it; use a GPU if there is one."""
        gpu = torch.cuda.is_available()
        if gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        device = torch.device("cuda", torch.cuda.current_device()) if gpu else torch.device("cpu")
        if "RANK" not in os.environ:
            return cls(device=device)
        distributed.init_process_group("nccl" if gpu else "gloo", timeout=_PATIENCE)
        return cls(distributed.get_rank(), distributed.get_world_size(), device)

    def barrier(self) -> None:
        """Wait until every process has called this."""
        if self.size > 1:
            distributed.barrier()

    def shutdown(self) -> None:
        """Shut the process group down.

        Every process must call this, last of all; they wait for each other, as gloo aborts if a peer has already exited.
        """
        self.barrier()
        if self.size > 1:
            distributed.destroy_process_group()

    @property
    def is_main(self) -> bool:
        """Whether this is the process that validates, writes files and prints."""
        return self.rank == 0

    def shard(self, tracks: Tensor) -> Tensor:
        """Return this process's shard of all batch rows (:, B, ...)."""
        return tracks[:, self.rank :: self.size]

    def all_gather(self, share: Tensor) -> Tensor:
        """Return all batch rows (:, B, ...), given each process's shard."""
        return self._all(share, 2).flatten(1, 2) if self.size > 1 else share

    def random_states(self) -> list[Tensor]:
        """Return the states (size, n) of each random generator that training uses, CPU first, of all processes."""
        own = [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if self.device.type == "cuda" else [])]
        return [self._all(state, 0) for state in own]

    def can_restore(self, random_states: Sequence[Tensor]) -> bool:
        """Return whether the states are those of as many processes on the same kind of device."""
        return [len(states) for states in random_states] == [self.size] * (2 if self.device.type == "cuda" else 1)

    def restore(self, random_states: Sequence[Tensor]) -> None:
        """Set the random generators to this process's saved states."""
        # Cloned because torch reads a state from the start of its storage, and a row starts further on.
        torch.set_rng_state(random_states[0][self.rank].clone())
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(random_states[1][self.rank].clone())

    def _all(self, own: Tensor, dim: int) -> Tensor:
        """Return the tensors of all processes, stacked along a new dimension `dim`."""
        if self.size == 1:
            return own.unsqueeze(dim)
        own = own.to(self.device).contiguous()
        parts = [torch.empty_like(own) for _ in range(self.size)]
        distributed.all_gather(parts, own)
        return torch.stack(parts, dim).cpu()

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter], loss: float, weight: int) -> float:
        """Replace the gradients by their mean over all processes, weighted by `weight`; return the losses' mean."""
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
        """Return the main process's `value`."""
        if self.size == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(told, 0)
        return float(told)


SINGLE_PROCESS = Distributed()
