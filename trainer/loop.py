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
from trainer.distributed import SINGLE_PROCESS, Distributed
from trainer.optimizer import Optimizer
from trainer.sampled_softmax import shortlist
from trainer.stream import Batch

_HOPELESS = 2.0
_EXACT_FROM = 0.9
"""The share of a fit after which the softmax is whole again, so that it ends on the loss that counts."""


class Batches(Protocol):
    """What a fit reads: a Stream, or what is laid out like one."""

    @property
    def steps(self) -> int:
        """Windows in an epoch."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The windows of one epoch from step `start` on."""


class Callback(Protocol):
    """Watches a fit."""

    def on_start(self, done: int, total: int) -> None:
        """Before the first window: how many of all were done before."""

    def on_step(self, done: int, tokens: int, loss: float) -> None:
        """After each window: how many are done, its token count, its loss in nats a token."""

    def on_epoch(self, done: int, epoch: Epoch) -> None:
        """After each epoch."""


class Trainable(Protocol):
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
class Validation:
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


def lr_multiplier(step: int, total: int, warmup: int) -> float:
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


def train(
    module: nn.Module,
    model: Trainable,
    streams: Sequence[Batches],
    settings: FitSettings,
    *,
    validate: Callable[[], Validation],
    callbacks: Sequence[Callback],
    checkpoint: CheckpointPlan,
    bf16: bool,
    distributed: Distributed = SINGLE_PROCESS,
) -> list[Epoch]:
    """Fits the trainable parameters of `module` (which is `model`, typed as what it is) to `streams`, one an epoch.

    Goes on from the checkpoint if there is one. Ends early where `settings.patience` epochs on
    end bring nothing, and leaves the parameters of the best epoch. The leading process alone
    examines and is watched. Raises TrainingError where the fit diverges, memory runs out, or
    the disk is full.
    """
    if settings.batch % distributed.size:
        raise TrainingError(f"`batch` is {settings.batch}; it must be a multiple of {distributed.size}, the number of processes")
    parameters = trained(module)
    optimizer = Optimizer(parameters, settings)
    starts = [0, *accumulate(stream.steps for stream in streams)]
    total = starts[-1]
    check_space(checkpoint.path, module)
    if checkpoint.path.exists():
        snapshot = load_checkpoint(checkpoint.path, checkpoint.fingerprint, module, optimizer, distributed)
    else:
        snapshot = Snapshot()
        torch.manual_seed(settings.seed + distributed.rank)
    position = snapshot.position
    callbacks = callbacks if distributed.is_main else ()
    for callback in callbacks:
        callback.on_start(starts[position.epoch] + position.step, total)
    clock = saved = time.monotonic()

    def save() -> None:
        save_checkpoint(checkpoint.path, checkpoint.fingerprint, snapshot, module, optimizer, distributed)

    while position.epoch < len(streams) and _epochs_since_best(position.history) < settings.patience:
        module.train()
        for window in streams[position.epoch].epoch(position.epoch, position.step):
            step = starts[position.epoch] + position.step
            with _explained(settings):
                own = Batch(
                    distributed.shard(window.ids).to(distributed.device),
                    distributed.shard(window.loss_mask).to(distributed.device),
                )
                sample = settings.sample if step < _EXACT_FROM * total else 0
                loss, snapshot.state = _step(model, own, snapshot.state, bf16, sample)
                if loss_mask := int(window.loss_mask.sum()):
                    if loss is not None:
                        torch.autograd.backward(loss)
                    own_loss = 0.0 if loss is None else loss.item()
                    value = distributed.all_reduce_gradients(list(parameters.values()), own_loss, int(own.loss_mask.sum()))
                    _check(value, step, len(model.bias), settings)
                    nn.utils.clip_grad_norm_(parameters.values(), settings.clip)
                    optimizer.step(lr_multiplier(step, total, settings.warmup_steps))
                    position.loss_sum += value * loss_mask
                    position.loss_count += loss_mask
                    for callback in callbacks:
                        callback.on_step(step + 1, window.loss_mask.numel(), value)
            position.step += 1
            now = time.monotonic()
            position.seconds, clock = position.seconds + now - clock, now
            if distributed.broadcast(now - saved) > 60 * checkpoint.minutes:
                save()
                saved = time.monotonic()
        module.eval()
        found = validate() if distributed.is_main else Validation(0.0, {})
        bits = None if isnan(measured := distributed.broadcast(found.bits)) else measured
        loss_mean = position.loss_sum / max(1, position.loss_count)
        position.history.append(Epoch(position.epoch + 1, loss_mean, bits, position.seconds, found.samples))
        if _epochs_since_best(position.history) == 0:
            snapshot.best = {name: p.detach().clone() for name, p in parameters.items()}
        position.epoch, position.step = position.epoch + 1, 0
        position.loss_sum, position.loss_count, snapshot.state = 0.0, 0, None
        save()
        saved = time.monotonic()
        for callback in callbacks:
            callback.on_epoch(starts[position.epoch], position.history[-1])
    with torch.no_grad():
        for name, value_ in snapshot.best.items():
            parameters[name].copy_(value_)
    module.eval()
    return position.history


def _epochs_since_best(history: Sequence[Epoch]) -> int:
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
    model: Trainable, window: Batch, state: DecoderState | None, bf16: bool, sample: int
) -> tuple[Tensor | None, DecoderState]:
    """The loss of a window (None where nothing in it counts), and the state after it."""
    with torch.autocast(window.ids.device.type, torch.bfloat16, enabled=bf16):
        features, after = model.forward(window.ids[:-1], state)
    after = after.detach()
    loss_mask = window.loss_mask
    if not loss_mask.any():
        return None, after
    chosen, targets = features.float()[loss_mask], window.ids[1:][loss_mask]
    weight, bias = model.output_weight, model.bias
    if sample and len(weight) > 3 * sample:
        listed = shortlist(targets, len(weight), sample, sample)
        weight, bias, targets = weight[listed.ids], bias[listed.ids] + listed.correction, listed.targets
    return linear_cross_entropy(chosen, weight, bias, targets, torch.bfloat16 if bf16 else torch.float32), after
