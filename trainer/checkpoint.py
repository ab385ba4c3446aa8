"""Checkpoints: the whole state of a training run in one safetensors file, for exact resumption."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from charbot.errors import TrainingError
from charbot.models.state import DecoderState
from charbot.storage import replace_file
from trainer.distributed import Distributed
from trainer.optimizer import Optimizer


@dataclass(frozen=True)
class Epoch:
    """The results of one epoch."""

    number: int
    """From 1."""
    loss: float
    """Mean training loss in nats per token."""
    bits: float | None
    """Bits per character on the validation split; None if it has no episode."""
    seconds: float
    """Since the training run began, without interruptions."""
    samples: Mapping[str, str]
    """Generated texts by temperature."""


@dataclass
class Position:
    """The progress of a training run."""

    epoch: int = 0
    """Number of complete epochs."""
    step: int = 0
    """Number of batches done in the current epoch."""
    history: list[Epoch] = field(default_factory=list)
    loss_sum: float = 0.0
    """Sum of the losses, in nats, of the current epoch's targets."""
    loss_count: int = 0
    """Number of the current epoch's targets so far."""
    seconds: float = 0.0
    """Since the training run began, without interruptions."""


@dataclass
class Snapshot:
    """The content of a checkpoint, apart from parameters, optimizer state and random states."""

    position: Position = field(default_factory=Position)
    state: DecoderState | None = None
    """The recurrent state after the last batch."""
    best: dict[str, Tensor] = field(default_factory=dict)
    """The parameters after the best epoch so far."""
    bf16: bool | None = None
    """Whether matrix products are computed in bfloat16; None if that is not known yet."""


def trained(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the trainable parameters by name."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def check_space(path: Path, module: nn.Module) -> None:
    """Raise TrainingError if the disk has no room at `path` for checkpoints of `module`."""
    # Parameters, two moments of each, and the best so far; a new checkpoint is written beside the old one.
    needed = 2 * 4 * sum(p.numel() * p.element_size() for p in trained(module).values())
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise TrainingError(
            f"{folder}: training needs {needed / 1e6:,.0f} MB of disk for its checkpoints, and {free / 1e6:,.0f} MB are free; "
            "free some, or choose another place with --out"
        )


def save_checkpoint(
    path: Path, fingerprint: str, snapshot: Snapshot, module: nn.Module, optimizer: Optimizer, distributed: Distributed
) -> None:
    """Write a checkpoint, replacing the previous one. Every process must call this.

    Raises TrainingError if it cannot be saved.
    """
    tensors = {f"random.{i}": state for i, state in enumerate(distributed.random_states())}
    if snapshot.state is not None:
        tensors |= {f"state.{i}": distributed.all_gather(part) for i, part in enumerate(snapshot.state)}
    if not distributed.is_main:
        return
    for name, parameter in trained(module).items():
        tensors[f"parameter.{name}"] = parameter.detach()
        for key, value in optimizer.memory(parameter).items():
            tensors[f"optimizer.{key}.{name}"] = value
    tensors |= {f"best.{name}": value for name, value in snapshot.best.items()}
    metadata = {"fingerprint": fingerprint, "position": json.dumps(asdict(snapshot.position))}
    if snapshot.bf16 is not None:
        metadata["precision"] = "bf16" if snapshot.bf16 else "fp32"
    try:
        replace_file(path, lambda file: save_file({k: v.contiguous() for k, v in tensors.items()}, file, metadata))
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{path}: the checkpoint could not be saved ({error}). The one before it, if any, is whole; "
            "free some space and run the same command again to go on from it."
        ) from error


def load_checkpoint(path: Path, fingerprint: str, module: nn.Module, optimizer: Optimizer, distributed: Distributed) -> Snapshot:
    """Load a checkpoint into the module, the optimizer and the random generators; return the rest of it.

    Raises TrainingError if the file is damaged, belongs to another training run, or was saved by another number of processes or
    another kind of device.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            # Copies have torch's alignment: matrix products may round differently with another one, and a resumed run must not.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: this checkpoint is damaged ({error}). Delete it to start over.") from error
    if metadata.get("fingerprint") != fingerprint:
        raise TrainingError(
            f"{path}: this checkpoint belongs to a training run with other settings or scripts. "
            "Delete it to start over, or train with another --out."
        )
    random_states = [tensors[name] for name in sorted(tensors) if name.startswith("random.")]
    if not distributed.can_restore(random_states):
        raise TrainingError(
            f"{path}: this checkpoint was saved by {len(random_states[0])} processes, on a "
            f"{'GPU' if len(random_states) > 1 else 'processor'}. Go on with as many, on the same; or delete it to start over."
        )
    parameters = trained(module)
    slots: dict[str, dict[str, Any]] = {name: {} for name in parameters}
    best: dict[str, Tensor] = {}
    with torch.no_grad():
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "parameter":
                parameters[rest].copy_(tensor)
            elif kind == "best":
                best[rest] = tensor.to(distributed.device)
            elif kind == "optimizer":
                key, _, parameter = rest.partition(".")
                slots[parameter][key] = tensor.to(distributed.device)
    for name, slot in slots.items():
        if slot:
            optimizer.restore(parameters[name], slot)
    distributed.restore(random_states)
    state: DecoderState | None = None
    if "state.0" in tensors:
        saved = (tensors[f"state.{i}"] for i in range(len(DecoderState._fields)))
        state = DecoderState(*(distributed.shard(part).contiguous().to(distributed.device) for part in saved))
    position = json.loads(metadata["position"])
    position["history"] = [Epoch(**one) for one in position["history"]]
    # Older checkpoints do not say in which precision they were computed.
    precision = metadata.get("precision")
    return Snapshot(Position(**position), state, best, None if precision is None else precision == "bf16")
