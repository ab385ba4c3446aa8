"""Files written so that nothing is ever half there: beside the place first, then renamed into it."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def replace_file(path: Path, write: Callable[[Path], object], mode: int = 0o644) -> None:
    """Has `write` fill a new file, and puts it in the place of `path`, for whom `mode` says. On an error `path` stays
    as it was."""
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
    """Puts a file with this content in the place of `path`, for whom `mode` says. On an error `path` stays as it was."""
    replace_file(path, lambda file: file.write_bytes(data), mode)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill, put in the place of `path` when the block ends well.

    On an error `path` stays as it was. There is one moment, between two renames, at which a
    crash leaves the old folder under its name with `.old` after it.
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
