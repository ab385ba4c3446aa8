"""The files of a bundle: checked by their checksums, and tensors in safetensors files with matrices of 8 bits."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from charbot.errors import BundleError
from charbot.storage import sha256

if TYPE_CHECKING:
    from torch import Tensor


class bundle_errors:  # noqa: N801 (a context manager, named as one)
    """Context manager that turns the exceptions of malformed content into a BundleError naming the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)):
            raise BundleError(f"{self.path}: is damaged ({type(error).__name__}: {error}); install or train it again") from error


def verify(path: Path, expected: str | None) -> None:
    """Raise BundleError unless a file is there and has the expected checksum."""
    if not path.is_file():
        raise BundleError(f"{path}: is missing; install or train this bundle again")
    try:
        checksum = sha256(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    if checksum != expected:
        raise BundleError(f"{path}: is damaged (its checksum does not match); install or train this bundle again")


_SCALE = ".scale"
"""Suffix of the name of an 8-bit matrix's row scales (..., 1)."""


def _stored(tensors: Mapping[str, "Tensor"]) -> "dict[str, Tensor]":
    """Return the tensors as they are stored, those of 8 bits with their scales."""
    import torch

    stored = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        if not tensor.is_floating_point():
            stored[name] = tensor
        elif tensor.ndim < 2 or not tensor.numel():
            stored[name] = tensor.half()
        else:
            scale = tensor.float().abs().amax(-1, keepdim=True).clamp_(min=1e-30) / 127
            stored[name], stored[name + _SCALE] = (tensor / scale).round_().to(torch.int8), scale
    return stored


def save_tensors(tensors: Mapping[str, "Tensor"], path: Path) -> None:
    """Write tensors to a safetensors file: matrices as 8-bit integers, other weights in half precision. Raises OSError."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(_stored(tensors), path)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    # safetensors makes files that only their owner can read.
    path.chmod(0o644)


def load_tensors(path: Path, expected: str | None, without: tuple[str, ...] = ()) -> dict[str, "Tensor"]:
    """Return the tensors that `save_tensors` wrote, weights in single precision, if the checksum is right. Raises BundleError.

    Those whose names start with one of `without` are not read.
    """
    from safetensors import SafetensorError, safe_open

    verify(path, expected)
    with bundle_errors(path):
        try:
            with safe_open(path, framework="pt") as file:
                stored = set(file.keys())
                # One after the other, so that not all of them are in memory in both precisions.
                return {
                    name: _restored(file.get_tensor(name), file.get_tensor(name + _SCALE) if name + _SCALE in stored else None)
                    for name in sorted(stored)
                    if not name.endswith(_SCALE) and not name.startswith(without)
                }
        except SafetensorError as error:
            raise ValueError(error) from error


def _restored(tensor: "Tensor", scale: "Tensor | None") -> "Tensor":
    """Return a tensor as it was before `_stored`."""
    if scale is not None:
        return tensor * scale
    return tensor.float() if tensor.is_floating_point() else tensor
