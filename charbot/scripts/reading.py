"""Reads script files from disk into Lines: the door between a folder and the corpus."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from charbot.errors import ScriptError
from charbot.scripts.cast import cast_of
from charbot.scripts.formats import FORMATS, Format
from charbot.scripts.line import Line

MIN_CONFIDENCE = 0.3
MAX_BYTES = 20_000_000
"""A script is text that people typed; a larger file is something else."""

_SEASON_FOLDER = re.compile(r"(?:s|season)[ _-]?\d+", re.I)
_KNOWN_EPISODE = re.compile(r"(?:s(\d\d)e(\d\d)|(\d\d)(\d\d)(?!\d))", re.I)


@dataclass(frozen=True)
class Reading:
    """What came of reading some paths: the lines, and each file that was passed over with the reason."""

    lines: tuple[Line, ...]
    files: int
    skipped: tuple[tuple[Path, str], ...]


def decode(data: bytes) -> str:
    """Text from bytes: UTF-8 where it is valid, the best guess elsewhere, mojibake mended."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if b"\0" in data[:4096]:
        raise ScriptError("is not a text file")
    import charset_normalizer
    import ftfy

    try:
        return ftfy.fix_encoding(data.decode("cp1252"))
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(data).best()
        return ftfy.fix_encoding(str(best) if best else data.decode("latin-1"))


def detect(text: str) -> Format:
    """The format that is surest it can read `text`.

    Raises ScriptError where none is sure enough.
    """
    best = max(FORMATS, key=lambda format_: format_.confidence(text))
    if best.confidence(text) < MIN_CONFIDENCE:
        names = ", ".join(format_.name for format_ in FORMATS)
        raise ScriptError(f"is in no format that charbot knows ({names})")
    return best


def show_of(path: Path) -> str:
    """The show that a script belongs to: the folder that holds it, seasons' folders apart."""
    folders = [part for part in path.resolve().parent.parts if not _SEASON_FOLDER.fullmatch(part)]
    name = folders[-1] if folders else "unknown"
    return " ".join(word.capitalize() for word in re.split(r"[ _-]+", name.strip("/\\")) if word) or "Unknown"


def episode_of(path: Path) -> str:
    """The episode's name: SxxEyy where the file's name tells it, else that name.

    An uncut version counts as the episode itself, so that no split parts the two.
    """
    known = _KNOWN_EPISODE.match(path.stem)
    if known is None:
        return path.stem
    season, episode = (known[1], known[2]) if known[1] else (known[3], known[4])
    return f"S{season}E{episode}"


def read_file(path: Path) -> tuple[Line, ...]:
    """The lines of one script. Raises ScriptError, its text a predicate ("is empty")."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise ScriptError(f"is larger than {MAX_BYTES // 1_000_000} MB")
    if not data.strip():
        raise ScriptError("is empty")
    text = decode(data)
    show, episode = show_of(path), episode_of(path)
    cast = cast_of(show)
    return tuple(
        Line(show, episode, turn.scene, position, cast.canonical(turn.speaker), turn.text, turn.directions)
        for position, turn in enumerate(detect(text).turns(text))
    )


def _files(path: Path) -> Iterator[Path]:
    try:
        if not path.exists():
            raise ScriptError(f"{path}: no such file or folder")
        if not path.is_dir():
            yield path
            return
        for file in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if not hidden and file.is_file():
                yield file
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_scripts(paths: Sequence[Path]) -> Reading:
    """Every script under `paths`, files or folders; one that is named twice is read once.

    Raises ScriptError where a path named is missing, or where nothing at all could be read.
    """
    lines: list[Line] = []
    skipped: list[tuple[Path, str]] = []
    files = tuple(dict.fromkeys(file for path in paths for file in _files(path)))
    for file in files:
        try:
            found = read_file(file)
        except ScriptError as error:
            skipped.append((file, str(error)))
            continue
        if found:
            lines.extend(found)
        else:
            skipped.append((file, "holds no line that anyone says"))
    if not lines:
        detail = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        raise ScriptError(f"no dialogue found under {', '.join(map(str, paths))}{detail}")
    return Reading(tuple(lines), len(files), tuple(skipped))
