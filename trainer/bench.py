"""Benchmark of training steps against the CPU's peak and against a plain loop of the same sizes.

The plain loop is that of PyTorch's `word_language_model` example, written from its description: an embedding, an LSTM with
dropout, a decoder tied to the embedding, cross-entropy over the whole vocabulary, clipped gradients, and plain gradient descent.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from charbot.config import Hyperparameters
from charbot.malloc import keep_freed_memory
from charbot.models.language_model import Architecture, LanguageModel
from charbot.models.peak import peak_gflops
from trainer.checkpoint import Epoch
from trainer.loop import CheckpointPlan, Validation, bf16_pays, train
from trainer.stream import Batch

WORDS, WIDTH, BATCH, WINDOW = 15_000, 512, 32, 35
_SAMPLE = 2_000


@dataclass(frozen=True)
class _Windows:
    """Random batches whose words are about as frequent as those of a language (Zipf's law)."""

    steps: int

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(number)
        weights = 1 / torch.arange(1, WORDS + 1, dtype=torch.float64)
        for _ in range(start, self.steps):
            ids = torch.multinomial(weights, (WINDOW + 1) * BATCH, replacement=True, generator=generator).view(-1, BATCH)
            yield Batch(ids, torch.ones(WINDOW, BATCH, dtype=torch.bool))


class _Stopwatch:
    """Callback that records when each of the first steps of a training run ended."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self.times: list[float] = []

    def on_start(self, done: int, total: int) -> None:
        pass

    def on_step(self, done: int, tokens: int, loss: float) -> None:
        if done <= self._steps:
            self.times.append(time.perf_counter())

    def on_epoch(self, done: int, epoch: Epoch) -> None:
        pass


def _mean_gap(times: list[float]) -> float:
    """Return the mean seconds per step, without the first step, which warms up."""
    return (times[-1] - times[0]) / (len(times) - 1)


def _seconds_per_step(model: LanguageModel, steps: int, sample: int, bf16: bool) -> float:
    """Return the seconds per step of charbot's own loop; `sample` 0 means the full softmax."""
    watch = _Stopwatch(steps)
    settings = Hyperparameters(epochs=1, batch=BATCH, window=WINDOW, sample=sample, dropout=model.dropout)
    # The last tenth of a training run uses the full softmax: add steps that are not timed.
    windows = _Windows(steps if sample == 0 else steps * 10 // 9 + 1)
    with tempfile.TemporaryDirectory() as folder:
        train(
            model, model, [windows], settings, validate=lambda: Validation(0.0, {}), callbacks=[watch],
            checkpoint=CheckpointPlan(Path(folder) / "checkpoint", 1e4, "bench"), bf16=bf16,
        )  # fmt: skip
    return _mean_gap(watch.times)


class _PlainModel(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(WORDS, WIDTH)
        self.rnn = nn.LSTM(WIDTH, WIDTH)
        self.decoder = nn.Linear(WIDTH, WORDS)
        self.decoder.weight = self.encoder.weight

    def forward(self, ids: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        out, state = self.rnn(self.drop(self.encoder(ids)), state)
        return nn.functional.log_softmax(self.decoder(self.drop(out)).view(-1, WORDS), dim=1), state


def _plain(model: _PlainModel, steps: int) -> float:
    """Return the seconds per step of the plain loop."""
    state = torch.zeros(1, BATCH, WIDTH), torch.zeros(1, BATCH, WIDTH)
    model.train()
    times = []
    for window in _Windows(steps).epoch(0):
        model.zero_grad()
        hidden, cell = state
        out, state = model(window.ids[:-1], (hidden.detach(), cell.detach()))
        loss = nn.functional.nll_loss(out, window.ids[1:].reshape(-1))
        torch.autograd.backward(loss)
        loss.item()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-0.1)
        times.append(time.perf_counter())
    return _mean_gap(times)


def _flops(sample: int) -> float:
    """Return the floating-point operations of the matrix products of one of charbot's steps, forward and backward."""
    tokens = BATCH * WINDOW
    lstm = 4 * WIDTH * (WIDTH + WIDTH)
    # Words per step: the `sample` most frequent and `sample` others; rare targets are neglected.
    words = 2 * sample if sample else WORDS
    return 3 * 2 * tokens * (lstm + WIDTH * WIDTH + WIDTH * words)


def bench_train(rounds: int, steps: int) -> dict[str, Any]:
    """Return medians over `rounds`, each of which times every loop in turn for `steps` steps."""
    keep_freed_memory()
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    bf16 = bf16_pays(torch.device("cpu"))
    ours = LanguageModel(Architecture(WORDS, WORDS, WIDTH, WIDTH, 1), dropout=0.2)
    plain = _PlainModel(0.2)
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        seconds = {
            "exact": _seconds_per_step(ours, steps, 0, bf16),
            "sampled": _seconds_per_step(ours, steps, _SAMPLE, bf16),
            "plain": _plain(plain, steps),
        }
        peak = max(peak_gflops(torch.float32), peak_gflops(torch.bfloat16))
        found.append(
            {f"{name}_tokens_per_second": BATCH * WINDOW / s for name, s in seconds.items()}
            | {f"{name}_against_plain": seconds["plain"] / seconds[name] for name in ("exact", "sampled")}
            | {"exact_gflops": _flops(0) / seconds["exact"] / 1e9, "peak_gflops": peak}
            | {"exact_against_peak": _flops(0) / seconds["exact"] / 1e9 / peak}
        )
    return {
        "sizes": {"words": WORDS, "embedding": WIDTH, "hidden": WIDTH, "layers": 1, "batch": BATCH, "window": WINDOW},
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "precision": "bf16" if bf16 else "fp32",
    } | {name: round(median(one[name] for one in found), 3) for name in found[0]}
