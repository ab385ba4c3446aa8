"""Find the files in folders and archives that users name, trusting none of the contents."""

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from charbot.errors import ScriptError

MAX_BYTES = 50_000_000
"""Size limit of a script; a larger file is not text that people typed."""
MAX_MEMBERS = 20_000
"""Limit on the number of files in an archive."""

_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
BROKEN_ARCHIVE = (
    OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError,
    ValueError, struct.error, OverflowError, IndexError,
)  # fmt: skip
"""Exceptions that zipfile, tarfile and the decompressors raise for damaged archives."""


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A file on disk or in an archive."""

    path: Path
    """For a file in an archive, its path there appended to that of the archive."""
    read: Callable[[], bytes]
    """Returns the file's bytes. Raises ScriptError with a predicate as its message ("is no plain file")."""


def _bounded(file: io.BufferedIOBase) -> bytes:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ScriptError(f"is larger than {MAX_BYTES // 1_000_000} MB; split it, or leave it out")
    return data


def _damage(error: Exception) -> str:
    # tarfile's further lines list every compression that it tried.
    return f"is damaged: {str(error).partition(chr(10))[0].rstrip(':') or type(error).__name__}"


def _read_plain(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if path.suffix.lower() != ".gz":
                return _bounded(file)
            with gzip.open(file) as unpacked:
                return _bounded(unpacked)
    except OSError as error:
        raise ScriptError(f"cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise ScriptError(_damage(error)) from error


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)


def _refused(reason: str) -> Callable[[], bytes]:
    def read() -> bytes:
        raise ScriptError(reason)

    return read


def _members(path: Path) -> Iterator[ScriptFile]:
    """Yield the files in an archive, in order.

    Reading one raises ScriptError if it is not a plain file or its path leaves the archive. A damaged archive yields itself
    as such an unreadable file.
    """
    count = 0
    try:
        # Not zipfile.is_zipfile, which also accepts a tar that ends with a zip.
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                for item in archive.infolist():
                    if not item.filename.endswith("/") and not _hidden(item.filename):
                        count += 1
                        _check_count(path, count)
                        yield _member(path, item.filename, True, lambda i=item, a=archive: a.open(i))  # type: ignore[misc]
            return
        with tarfile.open(path) as tar:
            for entry in tar:
                if not entry.isdir() and not _hidden(entry.name):
                    count += 1
                    _check_count(path, count)
                    yield _member(path, entry.name, entry.isfile(), lambda e=entry, t=tar: t.extractfile(e))  # type: ignore[misc]
    except BROKEN_ARCHIVE as error:
        yield ScriptFile(path, _refused(_damage(error)))


def _check_count(path: Path, count: int) -> None:
    if count > MAX_MEMBERS:
        raise tarfile.TarError(f"{path.name} holds more than {MAX_MEMBERS} files")


def _member(path: Path, name: str, plain: bool, opened: Callable[[], io.BufferedIOBase]) -> ScriptFile:
    inner = PurePosixPath(name.replace("\\", "/"))
    place = path / str(inner).lstrip("/")
    if inner.is_absolute() or ".." in inner.parts:
        return ScriptFile(place, _refused("climbs out of its archive"))
    if not plain:
        return ScriptFile(place, _refused("is no plain file"))

    def read() -> bytes:
        try:
            with opened() as file:
                return _bounded(file)
        except BROKEN_ARCHIVE as error:
            raise ScriptError(_damage(error)) from error

    return ScriptFile(place, read)


def _walk(path: Path) -> Iterator[Path]:
    try:
        if not path.exists():
            raise ScriptError(f"{path}: no such file or folder")
        if not path.is_dir():
            yield path
            return
        for file in sorted(path.rglob("*")):
            if not _hidden(file.relative_to(path).as_posix()) and file.is_file():
                yield file
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror or error}") from error


def script_files(path: Path) -> Iterator[ScriptFile]:
    """Yield every file under `path` and in its archives that is not hidden, in order.

    Read each file before requesting the next one, since its archive may be closed by then. Raises ScriptError if `path` is
    missing or cannot be walked.
    """
    for file in _walk(path):
        if file.name.lower().endswith(_ARCHIVES):
            yield from _members(file)
        else:
            yield ScriptFile(file, lambda file=file: _read_plain(file))  # type: ignore[misc]
