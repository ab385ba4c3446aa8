"""The training loop: one for bases and personas, resumable at any step."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, isfinite, pi
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from charbot.config import FitSettings
from charbot.errors import TrainingError
from charbot.models.language_model import State, linear_cross_entropy
from trainer.checkpoint import Position, load_checkpoint, save_checkpoint
from trainer.softmax import shortlist
from trainer.stream import Stream, Window

_EXACT_FROM = 0.9
"""The share of a fit after which the softmax is whole again, so that it ends on the loss that counts."""


class Progress(Protocol):
    """Watches a fit."""

    def step(self, done: int, total: int, tokens: int, loss: float) -> None:
        """After each window: how many of all are done, its token count, its loss in nats a token."""

    def epoch(self, figures: dict[str, float]) -> None:
        """After each epoch, with its figures."""


class Fittable(Protocol):
    """What the loop asks of a model: a LanguageModel or an Adapter."""

    @property
    def output_weight(self) -> Tensor:
        """(outputs, embedding)"""

    @property
    def bias(self) -> Tensor:
        """(outputs,)"""

    def forward(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Ids (T, B) to features (T, B, embedding) and the state after the last."""


@dataclass(frozen=True)
class CheckpointPlan:
    """Where a fit's state is kept, how often, and what tells it from another fit's."""

    path: Path
    minutes: float
    fingerprint: str


def rate_at(step: int, total: int, settings: FitSettings) -> float:
    """The learning rate of a step: linear warm-up, then half a cosine down to a hundredth."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(1, total - settings.warmup_steps)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + cos(pi * min(1.0, done))))


def bf16_pays() -> bool:
    """Whether this processor multiplies matrices faster in bfloat16 than in float32.

    Measured, because it depends on the processor: with AMX it does, emulated it is slower.
    """
    a, b = torch.randn(512, 768), torch.randn(768, 3072)

    def seconds(x: Tensor, y: Tensor) -> float:
        torch.mm(x, y)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            torch.mm(x, y)
            times.append(time.perf_counter() - start)
        return min(times)

    return seconds(a.bfloat16(), b.bfloat16()) < 0.8 * seconds(a, b)


def fit(
    module: nn.Module,
    model: Fittable,
    streams: Sequence[Stream],
    settings: FitSettings,
    *,
    validate: Callable[[], float],
    progress: Progress,
    checkpoint: CheckpointPlan,
    bf16: bool,
) -> list[dict[str, float]]:
    """Fits the trainable parameters of `module` (which is `model`, typed as what it is) to `streams`, one an epoch.

    Goes on from the checkpoint if there is one. Returns the figures of each epoch: `loss` in
    nats a token, `bits` a character on the validation split, `seconds`. Raises TrainingError
    where the loss is no longer a number.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=settings.weight_decay, fused=True
    )
    starts = [0, *accumulate(stream.steps for stream in streams)]
    total = starts[-1]
    position, state = Position(), None
    if checkpoint.path.exists():
        position, state = load_checkpoint(checkpoint.path, checkpoint.fingerprint, module, optimizer)
    else:
        torch.manual_seed(settings.seed)
    clock = saved = time.monotonic()

    def save() -> None:
        save_checkpoint(checkpoint.path, checkpoint.fingerprint, position, module, optimizer, state)

    while position.epoch < len(streams):
        module.train()
        for window in streams[position.epoch].epoch(position.epoch, position.step):
            step = starts[position.epoch] + position.step
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, total, settings)
            loss, state = _step(model, window, state, bf16, settings.sample if step < _EXACT_FROM * total else 0)
            if loss is not None:
                if not isfinite(value := loss.item()):
                    raise TrainingError(
                        f"the loss is {value} at step {step + 1}: the fit diverged. Lower `learning_rate` "
                        f"(now {settings.learning_rate:g}) or `clip` (now {settings.clip:g}) in config.yaml."
                    )
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(parameters, settings.clip)
                optimizer.step()
                optimizer.zero_grad()
                counted = int(window.counted.sum())
                position.loss_sum += value * counted
                position.loss_count += counted
                progress.step(step + 1, total, window.counted.numel(), value)
            position.step += 1
            now = time.monotonic()
            position.seconds, clock = position.seconds + now - clock, now
            if now - saved > 60 * checkpoint.minutes:
                save()
                saved = time.monotonic()
        figures = {
            "epoch": position.epoch + 1,
            "loss": position.loss_sum / max(1, position.loss_count),
            "bits": validate(),
            "seconds": position.seconds,
        }
        position.history.append(figures)
        progress.epoch(figures)
        position.epoch, position.step = position.epoch + 1, 0
        position.loss_sum, position.loss_count, state = 0.0, 0, None
        save()
        saved = time.monotonic()
    module.eval()
    return position.history


def _step(model: Fittable, window: Window, state: State | None, bf16: bool, sample: int) -> tuple[Tensor | None, State]:
    """The loss of a window (None where nothing in it counts), and the state after it."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        features, (hidden, cell, places) = model.forward(window.ids[:-1], state)
    after = hidden.detach(), cell.detach(), places
    counted = window.counted
    if not counted.any():
        return None, after
    chosen, targets = features.float()[counted], window.ids[1:][counted]
    weight, bias = model.output_weight, model.bias
    if sample and len(weight) > 3 * sample:
        listed = shortlist(targets, len(weight), sample, sample)
        weight, bias, targets = weight[listed.ids], bias[listed.ids] + listed.correction, listed.targets
    return linear_cross_entropy(chosen, weight, bias, targets), after
