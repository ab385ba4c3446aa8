"""What moves the parameters of a fit."""

from collections.abc import Mapping
from math import cos, pi

import torch
from torch import Tensor, nn

from charbot.config import FitSettings
from charbot.models.language_model import TABLES


def cosine_rates(optimizer: torch.optim.Optimizer, warmup: int, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """What lowers the learning rates of a short fit: half a cosine to nothing over all steps, of which the first `warmup`
    rise to it. Bases and personas follow loop.rate_share."""
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warmup) * 0.5 * (1 + cos(pi * step / steps))
    )


class Optimizer:
    """AdamW (Loshchilov and Hutter 2019), and Adagrad (Duchi et al. 2011) for what is looked up.

    Most rows of a table are seldom looked up. Adam forgets a row's gradients between two visits,
    and so kicks it as far at each as at the first; Adagrad's steps shrink with every visit.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], settings: FitSettings) -> None:
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
        """Takes a step at a share of the full learning rates, and forgets the gradients."""
        for part, rate in self._parts:
            for group in part.param_groups:
                group["lr"] = rate * share
            part.step()
            part.zero_grad()

    def memory(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What is remembered of a parameter's gradients."""
        return dict(self._home[parameter].state.get(parameter, {}))

    def remember(self, parameter: nn.Parameter, memory: dict[str, Tensor]) -> None:
        """Puts that back."""
        self._home[parameter].state[parameter] = memory
