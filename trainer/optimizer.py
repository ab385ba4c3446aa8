"""The optimizer of the training loop, and a learning-rate schedule."""

from collections.abc import Mapping
from math import cos, pi

import torch
from torch import Tensor, nn

from charbot.config import Hyperparameters
from charbot.models.language_model import TABLES


def cosine_rates(optimizer: torch.optim.Optimizer, warmup: int, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Return the learning-rate schedule for training a base's cache or selector: half a cosine to zero over `steps`.

    The first `warmup` steps rise linearly to it. Bases and personas use `loop.lr_multiplier` instead.
    """
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warmup) * 0.5 * (1 + cos(pi * step / steps))
    )


class Optimizer:
    """AdamW (Loshchilov and Hutter 2019), and Adagrad (Duchi et al. 2011) for lookup tables.

    Most rows of a table are seldom used. Adam forgets a row's gradients between two uses, so each step is as large as the first;
    Adagrad's steps shrink with every use.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], settings: Hyperparameters) -> None:
        self._settings = settings
        tables = [p for name, p in parameters.items() if name in TABLES]
        others = [p for name, p in parameters.items() if name not in TABLES]
        self._parts: list[tuple[torch.optim.Optimizer, float]] = []
        if others:
            adamw = torch.optim.AdamW(others, betas=(0.9, 0.99), weight_decay=settings.weight_decay, fused=True)
            self._parts.append((adamw, settings.learning_rate))
        if tables:
            self._parts.append((torch.optim.Adagrad(tables, fused=True), settings.table_rate))
        self._home = {p: part for part, _ in self._parts for group in part.param_groups for p in group["params"]}

    def step(self, share: float) -> None:
        """Take a step with the learning rates multiplied by `share`, then clear the gradients."""
        for part, rate in self._parts:
            for group in part.param_groups:
                group["lr"] = rate * share
            part.step()
            part.zero_grad()

    def memory(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """Return the optimizer state of a parameter."""
        return dict(self._home[parameter].state.get(parameter, {}))

    def restore(self, parameter: nn.Parameter, memory: dict[str, Tensor]) -> None:
        """Restore the optimizer state of a parameter."""
        self._home[parameter].state[parameter] = memory
