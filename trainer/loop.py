"""The training loop: one for bases and personas, resumable at any step."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from math import cos, isfinite, isnan, log, pi
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from charbot.config import FitSettings
from charbot.errors import TrainingError
from charbot.models.language_model import linear_cross_entropy
from charbot.models.state import DecoderState
from trainer.checkpoint import Epoch, Snapshot, check_space, load_checkpoint, save_checkpoint, trained
from trainer.optimizer import Optimizer
from trainer.softmax import shortlist
from trainer.stream import Window
from trainer.world import ALONE, World

_HOPELESS = 2.0
_EXACT_FROM = 0.9
"""The share of a fit after which the softmax is whole again, so that it ends on the loss that counts."""


class Windows(Protocol):
    """What a fit reads: a Stream, or what is laid out like one."""

    @property
    def steps(self) -> int:
        """Windows in an epoch."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Window]:
        """The windows of one epoch from step `start` on."""


class Watcher(Protocol):
    """Watches a fit."""

    def begin(self, done: int, total: int) -> None:
        """Before the first window: how many of all were done before."""

    def step(self, done: int, tokens: int, loss: float) -> None:
        """After each window: how many are done, its token count, its loss in nats a token."""

    def epoch(self, done: int, epoch: Epoch) -> None:
        """After each epoch."""


class Fittable(Protocol):
    """What the loop asks of a model: a LanguageModel or an Adapter."""

    @property
    def output_weight(self) -> Tensor:
        """(outputs, embedding)"""

    @property
    def bias(self) -> Tensor:
        """(outputs,)"""

    def forward(self, ids: Tensor, state: DecoderState | None) -> tuple[Tensor, DecoderState]:
        """Ids (T, B) to features (T, B, embedding) and the state after the last."""


@dataclass(frozen=True)
class Examination:
    """How a model does: `bits` a character on the validation split (NaN where it has no
    episode), and `samples` of what it says, by temperature."""

    bits: float
    samples: Mapping[str, str]


@dataclass(frozen=True)
class CheckpointPlan:
    """Where a fit's state is kept, how often, and what tells it from another fit's."""

    path: Path
    minutes: float
    fingerprint: str


def rate_share(step: int, total: int, warmup: int) -> float:
    """The share of the full learning rate at a step: a linear warm-up over `warmup` steps (a tenth of
    all at most), then half a cosine down to a hundredth."""
    warmup = min(warmup, total // 10)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + cos(pi * min(1.0, done)))


def bf16_pays(device: torch.device) -> bool:
    """Whether a device multiplies matrices faster in bfloat16 than in float32.

    Measured on a processor, because it depends on it: with AMX it does, emulated it is slower.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
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
    streams: Sequence[Windows],
    settings: FitSettings,
    *,
    examine: Callable[[], Examination],
    watchers: Sequence[Watcher],
    checkpoint: CheckpointPlan,
    bf16: bool,
    world: World = ALONE,
) -> list[Epoch]:
    """Fits the trainable parameters of `module` (which is `model`, typed as what it is) to `streams`, one an epoch.

    Goes on from the checkpoint if there is one. Ends early where `settings.patience` epochs on
    end bring nothing, and leaves the parameters of the best epoch. The leading process alone
    examines and is watched. Raises TrainingError where the fit diverges, memory runs out, or
    the disk is full.
    """
    if settings.batch % world.size:
        raise TrainingError(f"`batch` is {settings.batch}; it must be a multiple of {world.size}, the number of processes")
    parameters = trained(module)
    optimizer = Optimizer(parameters, settings)
    starts = [0, *accumulate(stream.steps for stream in streams)]
    total = starts[-1]
    check_space(checkpoint.path, module)
    if checkpoint.path.exists():
        snapshot = load_checkpoint(checkpoint.path, checkpoint.fingerprint, module, optimizer, world)
    else:
        snapshot = Snapshot()
        torch.manual_seed(settings.seed + world.rank)
    position = snapshot.position
    watchers = watchers if world.leads else ()
    for watcher in watchers:
        watcher.begin(starts[position.epoch] + position.step, total)
    clock = saved = time.monotonic()

    def save() -> None:
        save_checkpoint(checkpoint.path, checkpoint.fingerprint, snapshot, module, optimizer, world)

    while position.epoch < len(streams) and _waiting(position.history) < settings.patience:
        module.train()
        for window in streams[position.epoch].epoch(position.epoch, position.step):
            step = starts[position.epoch] + position.step
            with _explained(settings):
                own = Window(world.share(window.ids).to(world.device), world.share(window.counted).to(world.device))
                sample = settings.sample if step < _EXACT_FROM * total else 0
                loss, snapshot.state = _step(model, own, snapshot.state, bf16, sample)
                if counted := int(window.counted.sum()):
                    if loss is not None:
                        torch.autograd.backward(loss)
                    own_loss = 0.0 if loss is None else loss.item()
                    value = world.average(list(parameters.values()), own_loss, int(own.counted.sum()))
                    _check(value, step, len(model.bias), settings)
                    nn.utils.clip_grad_norm_(parameters.values(), settings.clip)
                    optimizer.step(rate_share(step, total, settings.warmup_steps))
                    position.loss_sum += value * counted
                    position.loss_count += counted
                    for watcher in watchers:
                        watcher.step(step + 1, window.counted.numel(), value)
            position.step += 1
            now = time.monotonic()
            position.seconds, clock = position.seconds + now - clock, now
            if world.agreed(now - saved) > 60 * checkpoint.minutes:
                save()
                saved = time.monotonic()
        module.eval()
        found = examine() if world.leads else Examination(0.0, {})
        bits = None if isnan(measured := world.agreed(found.bits)) else measured
        loss_mean = position.loss_sum / max(1, position.loss_count)
        position.history.append(Epoch(position.epoch + 1, loss_mean, bits, position.seconds, found.samples))
        if _waiting(position.history) == 0:
            snapshot.best = {name: p.detach().clone() for name, p in parameters.items()}
        position.epoch, position.step = position.epoch + 1, 0
        position.loss_sum, position.loss_count, snapshot.state = 0.0, 0, None
        save()
        saved = time.monotonic()
        for watcher in watchers:
            watcher.epoch(starts[position.epoch], position.history[-1])
    with torch.no_grad():
        for name, value_ in snapshot.best.items():
            parameters[name].copy_(value_)
    module.eval()
    return position.history


def _waiting(history: Sequence[Epoch]) -> int:
    """How many epochs have passed since the best. One that could not be measured counts as better."""
    best = 0
    for at, epoch in enumerate(history):
        least = history[best].bits
        if epoch.bits is None or least is None or epoch.bits < least:
            best = at
    return max(0, len(history) - 1 - best)


def _check(loss: float, step: int, outputs: int, settings: FitSettings) -> None:
    """Raises TrainingError where a loss, in nats a token, says that the fit has diverged."""
    # All outputs alike would make log(outputs): a model far worse than that is being blown up.
    if not isfinite(loss) or loss > _HOPELESS * log(max(2, outputs)):
        raise TrainingError(
            f"the loss is {loss:.4g} at step {step + 1}: the fit diverged. Lower `learning_rate` "
            f"(now {settings.learning_rate:g}) or `clip` (now {settings.clip:g}) in config.yaml."
        )


@contextmanager
def _explained(settings: FitSettings) -> Iterator[None]:
    """Makes a TrainingError of what torch raises where memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        raise TrainingError(
            f"memory ran out. Lower `batch` (now {settings.batch}), `window` (now {settings.window}) or the model's "
            "`hidden` in config.yaml, and start this fit over."
        ) from error


def _step(
    model: Fittable, window: Window, state: DecoderState | None, bf16: bool, sample: int
) -> tuple[Tensor | None, DecoderState]:
    """The loss of a window (None where nothing in it counts), and the state after it."""
    with torch.autocast(window.ids.device.type, torch.bfloat16, enabled=bf16):
        features, after = model.forward(window.ids[:-1], state)
    after = after.detach()
    counted = window.counted
    if not counted.any():
        return None, after
    chosen, targets = features.float()[counted], window.ids[1:][counted]
    weight, bias = model.output_weight, model.bias
    if sample and len(weight) > 3 * sample:
        listed = shortlist(targets, len(weight), sample, sample)
        weight, bias, targets = weight[listed.ids], bias[listed.ids] + listed.correction, listed.targets
    return linear_cross_entropy(chosen, weight, bias, targets, torch.bfloat16 if bf16 else torch.float32), after
