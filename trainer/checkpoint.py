"""A fit's whole state in one safetensors file: what an uninterrupted fit would have in memory."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from charbot.errors import TrainingError
from charbot.models.language_model import State
from charbot.storage import replace_file


@dataclass
class Position:
    """How far a fit has come: `step` windows into epoch `epoch`, and what the epochs before gave."""

    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    loss_sum: float = 0.0
    loss_count: int = 0
    seconds: float = 0.0


def save_checkpoint(
    path: Path,
    fingerprint: str,
    position: Position,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: State | None,
) -> None:
    """Writes all of it, in the place of the checkpoint before."""
    tensors: dict[str, Tensor] = {"rng": torch.get_rng_state()}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            tensors[f"parameter.{name}"] = parameter.detach()
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
    if state is not None:
        tensors |= {f"state.{i}": part for i, part in enumerate(state)}
    metadata = {"fingerprint": fingerprint, "position": json.dumps(asdict(position))}
    try:
        replace_file(path, lambda file: save_file({k: v.contiguous() for k, v in tensors.items()}, file, metadata))
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{path}: the checkpoint could not be saved ({error}). The one before it, if any, is whole; "
            "free some space and run the same command again to go on from it."
        ) from error


def load_checkpoint(
    path: Path, fingerprint: str, module: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Position, State | None]:
    """Puts a checkpoint into the module, the optimizer and torch's random state.

    Raises TrainingError where the file is damaged or belongs to another fit.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            # Copies, aligned as torch aligns: matrix products may round differently on memory
            # that lies otherwise, and a resumed fit must not.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: this checkpoint is damaged ({error}). Delete it to start over.") from error
    if metadata.get("fingerprint") != fingerprint:
        raise TrainingError(
            f"{path}: this checkpoint belongs to a fit with other settings or scripts. "
            "Delete it to start over, or fit under another --out."
        )
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
    slots: dict[str, dict[str, Any]] = {name: {} for name in parameters}
    with torch.no_grad():
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "parameter":
                parameters[rest].copy_(tensor)
            elif kind == "optimizer":
                key, _, parameter = rest.partition(".")
                slots[parameter][key] = tensor
    for name, slot in slots.items():
        if slot:
            optimizer.state[parameters[name]] = slot
    torch.set_rng_state(tensors["rng"])
    state = (tensors["state.0"], tensors["state.1"], tensors["state.2"]) if "state.0" in tensors else None
    return Position(**json.loads(metadata["position"])), state
