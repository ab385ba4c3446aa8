"""Comparison of LSTM, GRU and plain RNN: their loss on the same text, and how far back their gradients reach."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import get_args

import torch
from matplotlib.figure import Figure
from torch import Tensor

from charbot.corpus.examples import full_example
from charbot.corpus.table import scenes
from charbot.errors import CorpusError, TrainingError
from charbot.models.language_model import Cell, LanguageModel
from charbot.tokens.vocabulary import Unit
from trainer.base import base_tokenizer, new_base
from trainer.loop import Batches
from trainer.run import TrainingRun, on_processor, stream_of, validate_model
from trainer.stream import FirstBatches

_DISTANCE = 100
"""Number of tokens over which gradients are measured."""


@dataclass(frozen=True)
class Compared:
    """The results of one kind of cell."""

    cell: Cell
    parameters: int
    """Number of parameters."""
    bits: float
    """Bits per character on validation episodes."""
    seconds: float
    """Training time."""
    gradient: tuple[float, ...]
    """For each distance d from 0: see `gradient_norms`."""


def compare_cells(run: TrainingRun, unit: Unit, steps: int) -> tuple[Compared, ...]:
    """Train one base per kind of cell, with the same seed and on the same `steps` batches.

    Raises CorpusError or TrainingError.
    """
    settings = run.unit_settings(unit)
    tokenizer = base_tokenizer(run, unit)
    train = stream_of(tokenizer, [full_example(scene) for scene in scenes(run.table, "train")], settings.base)
    valid = [full_example(scene) for scene in scenes(run.table, "valid")]
    long = _long(train)
    if not valid:
        raise CorpusError("cells are compared on the validation split, and no episode falls into it (`corpus.valid`)")
    windows = FirstBatches(train, steps)
    found = []
    for cell in get_args(Cell):
        model = new_base(tokenizer, replace(settings.model, cell=cell), settings.base, train.rendered)
        finished = run.train(
            f"cell-{unit}-{cell}", f"{unit}, {cell}", model, model, [windows], settings.base,
            validate=partial(validate_model, model, tokenizer, valid, None),
            identity={
                "steps": steps,
                "settings": asdict(settings.base),
                "architecture": model.architecture.to_json(),
                "vocabulary": tokenizer.vocabulary.to_json(),
                "tokens": train.tokens,
            },
        )  # fmt: skip
        (epoch,) = finished.history
        assert epoch.bits is not None
        parameters = sum(p.numel() for p in model.parameters())
        found.append(Compared(cell, parameters, epoch.bits, epoch.seconds, gradient_norms(on_processor(model), long)))
        if run.distributed.is_main:
            finished.close({"bits_per_character": epoch.bits}, run.console)
    return tuple(found)


def _long(windows: Batches) -> Tensor:
    """Return ids (_DISTANCE + 1, B) from the beginning of a stream. Raises TrainingError if it is shorter."""
    ids: list[Tensor] = []
    for window in windows.epoch(0):
        ids.append(window.ids[:-1])
        if sum(map(len, ids)) > _DISTANCE:
            return torch.cat(ids)[: _DISTANCE + 1]
    raise TrainingError(f"these scripts are too short to compare cells on: {_DISTANCE} tokens in a row are needed")


def gradient_norms(model: LanguageModel, ids: Tensor) -> tuple[float, ...]:
    """Return, for each distance from 0 to T - 1, the norm of the gradient relative to that at distance 0.

    The gradient is that of the loss of the last of ids (T + 1, B) with respect to the cell's input that many tokens before; its
    norm is averaged over B.
    """
    read: list[Tensor] = []

    def keep(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        inputs[0].retain_grad()
        read.append(inputs[0])

    model.eval()
    hook = model.recurrent.register_forward_pre_hook(keep)
    features, _ = model(ids[:-1])
    hook.remove()
    torch.autograd.backward(torch.nn.functional.cross_entropy(model.logits(features[-1]), ids[-1].clamp(max=len(model.bias) - 1)))
    gradient = read[0].grad
    assert gradient is not None
    norms = gradient.norm(dim=2).mean(1).flip(0)
    model.zero_grad()
    return tuple((norms / norms[0]).tolist())


def draw_cells(compared: Sequence[Compared], path: Path) -> None:
    """Plot the gradient norms against distance, into an image at `path`. Raises TrainingError if it cannot be written."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for one in compared:
        axes.semilogy(
            range(len(one.gradient)),
            one.gradient,
            label=f"{one.cell}: {one.bits:.3f} bits a character",
        )
    axes.set(title="How much what was read before matters to the next token", xlabel="tokens back", ylabel="gradient's norm")
    axes.legend()
    axes.grid(alpha=0.25)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise TrainingError(f"{path}: cannot be written: {error.strerror or error}") from error
