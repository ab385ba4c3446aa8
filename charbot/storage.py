"""Files and folders: written beside their target first, then renamed to it; read up to a limit."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from charbot.errors import UsageError

T = TypeVar("T")


def of_ending(path: Path, choices: Mapping[str, T]) -> T:
    """Return the choice that the ending of a file's name selects, in any case. Raises UsageError if it is none of them."""
    choice = choices.get(path.suffix.lower())
    if choice is None:
        raise UsageError(f"{path}: its ending must be one of {', '.join(choices)}")
    return choice


def sha256(path: Path) -> str:
    """Return the SHA-256 checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the content of a file. Raises OSError, and ValueError if it has more than `limit` bytes, as a device without end."""
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"is larger than {limit // 1_000_000} MB")
    return content


def replace_file(path: Path, write: Callable[[Path], object], mode: int = 0o644) -> None:
    """Replace `path` by a new file that `write` fills, with permissions `mode`. On an error `path` is unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_bytes(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace the content of `path` by `data`, with permissions `mode`. On an error `path` is unchanged."""
    replace_file(path, lambda file: file.write_bytes(data), mode)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder to fill; replace `path` by it when the block ends without an error.

    On an error `path` is unchanged. If the process is killed between the two renames, the old folder is left beside it,
    named `.<name>.old`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    old = path.with_name(f".{path.name}.old")
    try:
        yield temporary
        temporary.chmod(0o755)
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            path.replace(old)
        temporary.replace(path)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        if not path.exists() and old.exists():
            old.replace(path)
        raise
