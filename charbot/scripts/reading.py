"""Read script files into Lines: the way from a folder to the corpus."""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from charbot.errors import ScriptError
from charbot.scripts.aliases import CERTAIN, Alias, Scene, find_aliases
from charbot.scripts.cast import Listed, cast_of, read_cast
from charbot.scripts.files import ScriptFile, script_files
from charbot.scripts.formats import FORMATS, Format, format_names, read
from charbot.scripts.line import Line
from charbot.scripts.preformatted import without_frame
from charbot.scripts.source import Omission

CAST_FILE = "cast.yaml"
MIN_CONFIDENCE = 0.3

_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SEASON_FOLDER = re.compile(rf"(?:s|season|series)[ ._-]?(\d+|{'|'.join(_NUMBER_WORDS)})", re.I)
_LAYER_FOLDER = re.compile(r"txt|text|html?|transcripts?|scripts?|episodes?|subtitles|subs", re.I)
_ARCHIVE = re.compile(r"\.(?:zip|tar(?:\.\w+)?|tgz|tbz2|txz)$", re.I)
_KNOWN_EPISODE = re.compile(
    r"(?<![a-z\d])s(\d{1,2})[ ._-]*e(?:p(?:isode)?)?[ ._-]?(\d{1,3})(?!\d)|(?<!\d)(\d{1,2})x(\d{2})(?!\d)|"
    r"season[ ._-]*(\d{1,2})[ ,._-]*episode[ ._-]*(\d{1,3})(?!\d)|^(\d\d)(\d\d)(?!\d|[._-]\d\d[._-]\d)",
    re.I,
)
_NUMBERED = re.compile(r"(?:e|ep|episode)?[ ._-]*(\d{1,3})(?!\d)", re.I)
_ESCAPED_BYTES = re.compile(r"((?:<[0-9a-f]{2}>)+)([\x80-\xbf]*)")
_CONTROLS = re.compile("[\x80-\x9f]")


@dataclass(frozen=True)
class Script:
    """One script file: its lines, and the source lines that were left out."""

    path: Path
    format: str
    lines: tuple[Line, ...]
    kept: int
    """The number of source lines whose content is in `lines`."""
    omissions: tuple[Omission, ...]
    """The source lines that were left out."""


@dataclass(frozen=True)
class Reading:
    """The result of reading some paths."""

    scripts: tuple[Script, ...]
    skipped: tuple[tuple[Path, str], ...]
    """Each file that was skipped, with the reason."""
    aliases: Mapping[str, tuple[Alias, ...]]
    """For each show, the names that are, or may be, other names of a speaker; the certain ones are merged in `scripts`."""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for script in self.scripts for line in script.lines)

    @property
    def merged(self) -> dict[str, tuple[Alias, ...]]:
        """Return the names that were replaced, for each show."""
        return {show: tuple(one for one in found if one.certainty >= CERTAIN) for show, found in self.aliases.items()}


def decode(data: bytes) -> str:
    """Decode bytes as UTF-8 where it is valid, else as the likeliest encoding, and repair mojibake.

    Raises ScriptError if they are not text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return _mended(text)
    if b"\0" in data[:4096]:
        raise ScriptError("is not a text file")
    import charset_normalizer
    import ftfy

    try:
        return ftfy.fix_encoding(data.decode("cp1252"))
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(data).best()
        return ftfy.fix_encoding(str(best) if best else data.decode("latin-1"))


def _mended(text: str) -> str:
    """Repair what other programs did to a text before it was saved as valid UTF-8."""
    if _ESCAPED_BYTES.search(text):
        text = _ESCAPED_BYTES.sub(_unescaped, text)
    if not text.isascii():
        import ftfy
        from ftfy.badness import is_bad

        if _CONTROLS.search(text) or is_bad(text):
            text = "".join(map(ftfy.fix_encoding, text.splitlines(keepends=True)))
    return text


def _unescaped(match: re.Match[str]) -> str:
    """Decode bytes that R printed as <c2><93>, together with any bytes after them that it left as characters."""
    return (bytes.fromhex(match[1].replace("><", "")[1:-1]) + match[2].encode("latin-1")).decode("utf-8", "ignore")


def detect(text: str) -> Format:
    """Return the format that is most confident of reading `text`.

    Raises ScriptError if none reaches MIN_CONFIDENCE.
    """
    sure = max(((format_.confidence(text), -i) for i, format_ in enumerate(FORMATS)))
    if sure[0] < MIN_CONFIDENCE:
        raise ScriptError(f"is in no format that charbot knows ({format_names()}); --format NAME reads it as that one")
    return FORMATS[-sure[1]]


def show_of(path: Path) -> str:
    """Return the show that a script belongs to, named after the folder or archive that holds it.

    Folders of a season, and of a kind of file within one ("Season 1/transcripts"), do not count.
    """
    folders = [_ARCHIVE.sub("", part) for part in path.resolve().parent.parts]
    while len(folders) > 1 and (
        _SEASON_FOLDER.fullmatch(folders[-1]) or (_LAYER_FOLDER.fullmatch(folders[-1]) and _SEASON_FOLDER.fullmatch(folders[-2]))
    ):
        folders.pop()
    name = folders[-1] if folders else "unknown"
    return " ".join(word.capitalize() for word in re.split(r"[ _-]+", name.strip("/\\")) if word) or "Unknown"


def episode_of(path: Path) -> str:
    """Return the episode's name: SxxEyy if the file's name, or its number and a season's folder, gives it; else the stem.

    An uncut version has the name of the episode itself, so that both end up in the same split.
    """
    known = _KNOWN_EPISODE.search(path.stem)
    if known:
        season, episode = (int(number) for number in known.groups() if number)
        return f"S{season:02}E{episode:02}"
    seasons = list(filter(None, map(_SEASON_FOLDER.fullmatch, path.parent.parts)))
    number = _NUMBERED.match(path.stem)
    if not seasons or not number:
        return path.stem
    told, episode = seasons[-1][1], int(number[1])
    season = int(told[-9:]) if told.isdecimal() else _NUMBER_WORDS.index(told.lower()) + 1
    # "101" in a folder of season 1 is its first episode.
    return f"S{season:02}E{episode % 100 if episode // 100 == season else episode:02}"


def read_script(file: ScriptFile, format_: Format | None = None, listed: Listed | None = None) -> Script:
    """Read one script, in the given or the detected format; `listed` overrides the shipped cast.

    Raises ScriptError with a predicate as its message ("is empty").
    """
    data = file.read()
    if not data.strip():
        raise ScriptError("is empty")
    text = without_frame(decode(data))
    format_ = format_ or detect(text)
    source = read(format_, text)
    if not source.turns:
        raise ScriptError("holds no line that anyone says")
    show, episode = show_of(file.path), episode_of(file.path)
    cast = cast_of(show, listed)
    positions: Counter[str | None] = Counter()
    lines = []
    for turn in source.turns:
        speaker = cast.canonical(turn.speaker or file.path.stem)
        lines.append(
            Line(show, turn.episode or episode, turn.scene, positions[turn.episode], speaker, turn.text, turn.directions)
        )
        positions[turn.episode] += 1
    return Script(file.path, format_.name, tuple(lines), source.kept, source.omissions)


def read_scripts(paths: Sequence[Path], format_: Format | None = None) -> Reading:
    """Read every script under `paths`, which are files, folders or archives.

    A file that is named twice is read once, and copies are skipped. A cast.yaml beside the scripts gives the names of
    speakers (see cast.read_cast). Raises ScriptError if a path is missing, a cast is invalid, or nothing could be read.
    """
    scripts: dict[tuple[Line, ...], Script] = {}
    skipped: list[tuple[Path, str]] = []
    seen: set[Path] = set()
    listed = _listed(paths)
    for path in paths:
        # Read each file at once: an archive is open only while its files are yielded.
        for file in script_files(path):
            if file.path in seen or file.path.name == CAST_FILE:
                continue
            seen.add(file.path)
            try:
                script = read_script(file, format_, listed)
            except ScriptError as error:
                skipped.append((file.path, str(error)))
                continue
            if (same := scripts.setdefault(script.lines, script)) is not script:
                skipped.append((file.path, f"says the same as {same.path}"))
    if not scripts:
        detail = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        raise ScriptError(f"no dialogue found under {', '.join(map(str, paths))}{detail}")
    aliases = _aliases(scripts.values(), listed)
    return Reading(tuple(_merged(script, aliases) for script in scripts.values()), tuple(skipped), aliases)


def _listed(paths: Iterable[Path]) -> Listed:
    """Merge the cast files in these folders, or beside these files; those in subfolders override those above.

    Raises ScriptError if one is invalid.
    """
    casts: set[Path] = set()
    for path in paths:
        with suppress(OSError):  # script_files reports invalid paths
            casts |= set(path.rglob(CAST_FILE) if path.is_dir() else path.parent.glob(CAST_FILE))
    listed: dict[str, dict[str, Sequence[str]]] = {}
    for cast in sorted(casts):
        for show, names in read_cast(cast).items():
            listed[show] = {**listed.get(show, {}), **names}
    return listed


def _aliases(scripts: Iterable[Script], listed: Listed) -> dict[str, tuple[Alias, ...]]:
    shows: dict[str, list[Scene]] = {}
    for script in scripts:
        for (show, episode, _), scene in groupby(script.lines, key=lambda line: (line.show, line.episode, line.scene)):
            shows.setdefault(show, []).append((episode, [(line.speaker, line.text) for line in scene]))
    found = {}
    for show, scenes in shows.items():
        known = cast_of(show, listed).aliases
        found[show] = find_aliases(scenes, {*known, *map(str.casefold, known.values())})
    return found


def _merged(script: Script, aliases: Mapping[str, tuple[Alias, ...]]) -> Script:
    """Replace the names in a script that are certain aliases."""
    certain = {(show, one.name): one.canonical for show, found in aliases.items() for one in found if one.certainty >= CERTAIN}
    lines = tuple(
        replace(line, speaker=certain[line.show, line.speaker]) if (line.show, line.speaker) in certain else line
        for line in script.lines
    )
    return replace(script, lines=lines)
