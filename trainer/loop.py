"""The training loop of bases, personas and the speaker classifier, resumable at any step."""

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

from charbot.config import Hyperparameters
from charbot.errors import TrainingError
from charbot.malloc import release_freed_memory
from charbot.models.language_model import linear_cross_entropy
from charbot.models.state import DecoderState
from trainer.checkpoint import Epoch, Snapshot, check_space, load_checkpoint, save_checkpoint, trained
from trainer.distributed import SINGLE_PROCESS, Distributed
from trainer.optimizer import Optimizer
from trainer.sampled_softmax import shortlist
from trainer.stream import Batch

_HOPELESS = 2.0
"""Training counts as diverged if the loss exceeds that of a uniform distribution by this factor."""
_EXACT_FROM = 0.9
"""Share of a training run after which the full softmax replaces the sampled one, so that training ends on the true loss."""


class Batches(Protocol):
    """The data of one epoch: a BatchStream or a class like it."""

    @property
    def steps(self) -> int:
        """Number of batches per epoch."""

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of epoch `number`, from step `start` on."""


class Callback(Protocol):
    """An observer of a training run."""

    def on_start(self, done: int, total: int) -> None:
        """Called before the first batch: `done` of `total` steps were done in an earlier run."""

    def on_step(self, done: int, tokens: int, loss: float) -> None:
        """Called after each batch with targets: steps done so far, tokens in the batch, its loss in nats per token."""

    def on_epoch(self, done: int, epoch: Epoch) -> None:
        """Called after each epoch; `done` is the number of steps so far."""


class Trainable(Protocol):
    """A model that the loop can train: a LanguageModel, LoraAdapter or BiLSTMSpeakerEncoder."""

    @property
    def output_weight(self) -> Tensor:
        """(outputs, embedding)."""

    @property
    def bias(self) -> Tensor:
        """(outputs,)."""

    def forward(self, ids: Tensor, state: DecoderState | None) -> tuple[Tensor, DecoderState]:
        """Return the features (T, B, embedding) of ids (T, B), and the state after the last."""


@dataclass(frozen=True)
class Validation:
    """The results of validation."""

    bits: float
    """Bits per character (speaker classifier: per line) on the validation split; NaN if that has no episode."""
    samples: Mapping[str, str]
    """Generated texts by temperature."""


@dataclass(frozen=True)
class CheckpointPlan:
    """Where and how often checkpoints are saved."""

    path: Path
    minutes: float
    """Interval between checkpoints within an epoch; each epoch ends with one."""
    fingerprint: str
    """Identifies the training run: a checkpoint with another fingerprint is refused."""


def lr_multiplier(step: int, total: int, warmup: int) -> float:
    """Return the factor of the learning rate at a step.

    It rises linearly over `warmup` steps (at most a tenth of all), then falls along half a cosine to a hundredth.
    """
    warmup = min(warmup, total // 10)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + cos(pi * min(1.0, done)))


def bf16_pays(device: torch.device) -> bool:
    """Return whether a device multiplies matrices faster in bfloat16 than in float32.

    This is measured on a CPU: bfloat16 is faster with AMX, and slower where it is emulated.
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
    settings: Hyperparameters,
    *,
    validate: Callable[[], Validation],
    callbacks: Sequence[Callback],
    checkpoint: CheckpointPlan,
    bf16: bool | None,
    distributed: Distributed = SINGLE_PROCESS,
) -> list[Epoch]:
    """Train the trainable parameters of `module` on `streams`, one per epoch; return the results of all epochs.

    `model` is the same object as `module`, typed as Trainable. Training resumes from the checkpoint if there is one, and stops
    early after `settings.patience` epochs in a row without improvement; the parameters of the best epoch are kept. Only the main
    process validates and calls callbacks. If `bf16` is None, what is faster is measured once, and kept on resuming. Raises
    TrainingError if the loss diverges, memory runs out, the disk is full, or the batch size or the checkpoint does not suit.
    """
    parameters = trained(module)
    optimizer = Optimizer(parameters, settings)
    starts = [0, *accumulate(stream.steps for stream in streams)]
    snapshot = _first_snapshot(module, optimizer, settings, checkpoint, distributed)
    snapshot.bf16 = _precision(bf16, snapshot.bf16, checkpoint, distributed)
    optimisation = _Optimisation(model, parameters, optimizer, settings, starts[-1], snapshot.bf16, distributed)
    position = snapshot.position
    callbacks = callbacks if distributed.is_main else ()
    for callback in callbacks:
        callback.on_start(starts[position.epoch] + position.step, starts[-1])
    clock = saved = time.monotonic()

    def save() -> None:
        save_checkpoint(checkpoint.path, checkpoint.fingerprint, snapshot, module, optimizer, distributed)
        release_freed_memory()

    while position.epoch < len(streams) and _epochs_since_best(position.history) < settings.patience:
        module.train()
        for window in streams[position.epoch].epoch(position.epoch, position.step):
            number = starts[position.epoch] + position.step
            loss, snapshot.state = optimisation.step(window, snapshot.state, number)
            if loss is not None:
                position.loss_sum += loss * int(window.loss_mask.sum())
                position.loss_count += int(window.loss_mask.sum())
                for callback in callbacks:
                    callback.on_step(number + 1, window.loss_mask.numel(), loss)
            position.step += 1
            now = time.monotonic()
            position.seconds, clock = position.seconds + now - clock, now
            if distributed.broadcast(now - saved) > 60 * checkpoint.minutes:
                save()
                saved = time.monotonic()
        module.eval()
        _end_epoch(snapshot, parameters, validate() if distributed.is_main else Validation(0.0, {}), distributed)
        save()
        saved = time.monotonic()
        for callback in callbacks:
            callback.on_epoch(starts[position.epoch], position.history[-1])
    module.load_state_dict(snapshot.best, strict=False)
    module.eval()
    return position.history


def _first_snapshot(
    module: nn.Module, optimizer: Optimizer, settings: Hyperparameters, checkpoint: CheckpointPlan, distributed: Distributed
) -> Snapshot:
    """Return the state of training to go on from: the checkpoint's, which is loaded, or that of the beginning."""
    if settings.batch % distributed.size:
        raise TrainingError(f"`batch` is {settings.batch}; it must be a multiple of {distributed.size}, the number of processes")
    check_space(checkpoint.path, module)
    if checkpoint.path.exists():
        return load_checkpoint(checkpoint.path, checkpoint.fingerprint, module, optimizer, distributed)
    torch.manual_seed(settings.seed + distributed.rank)
    return Snapshot()


def _precision(wanted: bool | None, saved: bool | None, checkpoint: CheckpointPlan, distributed: Distributed) -> bool:
    """Return whether to compute in bfloat16: as the checkpoint did, for a resumed run must not differ from an unbroken one."""
    if saved is None:
        return bool(distributed.broadcast(bf16_pays(distributed.device) if wanted is None else wanted))
    if wanted is not None and wanted != saved:
        raise TrainingError(
            f"{checkpoint.path}: this run was begun with `precision: {'bf16' if saved else 'fp32'}`. Set that or `auto` in "
            "config.yaml to continue it, or delete the checkpoint to start over."
        )
    return saved


@dataclass(frozen=True)
class _Optimisation:
    """The optimisation of a model's parameters, step by step."""

    model: Trainable
    parameters: Mapping[str, nn.Parameter]
    optimizer: Optimizer
    settings: Hyperparameters
    steps: int
    """Number of steps of all epochs."""
    bf16: bool
    distributed: Distributed

    def step(self, window: Batch, state: DecoderState | None, number: int) -> tuple[float | None, DecoderState]:
        """Take the step with this number, from 0; return the mean loss over all processes (None if no target counts), and the
        state after the window. Raises TrainingError if the loss diverges or memory runs out."""
        settings, distributed = self.settings, self.distributed
        with _explained(settings):
            own = Batch(
                distributed.shard(window.ids).to(distributed.device), distributed.shard(window.loss_mask).to(distributed.device)
            )
            loss, after = _loss(self.model, own, state, self.bf16, settings.sample if number < _EXACT_FROM * self.steps else 0)
            if not window.loss_mask.any():
                return None, after
            if loss is not None:
                torch.autograd.backward(loss)
            own_loss = 0.0 if loss is None else loss.item()
            value = distributed.all_reduce_gradients(list(self.parameters.values()), own_loss, int(own.loss_mask.sum()))
            _check(value, number, len(self.model.bias), settings)
            nn.utils.clip_grad_norm_(self.parameters.values(), settings.clip)
            self.optimizer.step(lr_multiplier(number, self.steps, settings.warmup_steps))
        return value, after


def _end_epoch(
    snapshot: Snapshot, parameters: Mapping[str, nn.Parameter], validation: Validation, distributed: Distributed
) -> None:
    """Note an epoch's results, keep the parameters if it is the best so far, and go to the start of the next epoch."""
    position = snapshot.position
    bits = None if isnan(measured := distributed.broadcast(validation.bits)) else measured
    loss = position.loss_sum / max(1, position.loss_count)
    position.history.append(Epoch(position.epoch + 1, loss, bits, position.seconds, validation.samples))
    if _epochs_since_best(position.history) == 0:
        snapshot.best = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    position.epoch, position.step = position.epoch + 1, 0
    position.loss_sum, position.loss_count, snapshot.state = 0.0, 0, None


def _epochs_since_best(history: Sequence[Epoch]) -> int:
    """Return the number of epochs since the best one. An epoch without validation counts as an improvement."""
    best = 0
    for at, epoch in enumerate(history):
        least = history[best].bits
        if epoch.bits is None or least is None or epoch.bits < least:
            best = at
    return max(0, len(history) - 1 - best)


def _check(loss: float, step: int, outputs: int, settings: Hyperparameters) -> None:
    """Raise TrainingError if a loss, in nats per token, shows that training has diverged."""
    # A uniform distribution has the loss log(outputs).
    if not isfinite(loss) or loss > _HOPELESS * log(max(2, outputs)):
        raise TrainingError(
            f"the loss is {loss:.4g} at step {step + 1}: training diverged. Lower `learning_rate` "
            f"(now {settings.learning_rate:g}) or `clip` (now {settings.clip:g}) in config.yaml."
        )


@contextmanager
def _explained(settings: Hyperparameters) -> Iterator[None]:
    """Turn torch's out-of-memory errors into TrainingError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        raise TrainingError(
            f"memory ran out. Lower `batch` (now {settings.batch}), `window` (now {settings.window}) or the model's "
            "`hidden` in config.yaml, and start over."
        ) from error


def _loss(
    model: Trainable, window: Batch, state: DecoderState | None, bf16: bool, sample: int
) -> tuple[Tensor | None, DecoderState]:
    """Return the loss of a batch (None if no target counts), and the state after it."""
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
