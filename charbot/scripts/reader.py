"""Read script files into Lines: the way from a folder to the corpus."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count, groupby
from pathlib import Path

from charbot.errors import ScriptError
from charbot.scripts.aliases import CERTAIN, Alias, Scene, find_aliases
from charbot.scripts.cast import CAST_FILE, Listed, cast_of, read_cast
from charbot.scripts.decoding import decode
from charbot.scripts.files import ScriptFile, script_files
from charbot.scripts.formats import FORMATS, Format, format_names, read
from charbot.scripts.formats.delimited import Delimited
from charbot.scripts.formats.table_header import column_names, missing_columns
from charbot.scripts.furniture import without_furniture
from charbot.scripts.line import Line
from charbot.scripts.naming import episode_of, show_of
from charbot.scripts.plausibility import is_dialogue
from charbot.scripts.preformatted import without_frame, without_quotes
from charbot.scripts.results import ImportResult, ScriptResult

MIN_CONFIDENCE = 0.3
_SHORT = 20
"""Number of lines of text up to which a file may be too short to tell its layout."""
_BY_LAYOUT = frozenset(("colon-text", "wiki-dump", "episode-html", "fountain", "screenplay"))
"""Formats of typed text, whose layout other text may have by chance."""
TYPED = frozenset(("wiki-dump", "colon-text", "one-character"))
"""Formats whose confidence is at most HIGHEST_OF_TYPED."""
HIGHEST_OF_TYPED = 0.9
_UNKNOWN = "is in no format that charbot knows"


def detect(text: str) -> Format:
    """Return the format that is most confident of reading `text`.

    Raises ScriptError if none reaches MIN_CONFIDENCE.
    """
    best, confidence = FORMATS[0], 0.0
    for format_ in FORMATS:
        # Ties go to the earlier format, so that none is looked for that cannot be more confident.
        highest = HIGHEST_OF_TYPED if format_.name in TYPED else 1.0
        if confidence < highest and (rival := format_.confidence(text)) > confidence:
            best, confidence = format_, rival
    if confidence < MIN_CONFIDENCE:
        columns = ", ".join(column_names(text))
        table = f"; it looks like a table with the columns {columns}: --columns speaker=NAME,text=NAME says which to read"
        raise ScriptError(_too_short(text) or f"{_UNKNOWN}{table if columns else ''}")
    return best


def _too_short(text: str) -> str | None:
    """Return what to say of a text that is too short to tell its layout, but has one that charbot reads; else None."""
    lines = sum(bool(line.strip()) for line in text.splitlines())
    if lines > _SHORT:
        return None
    # Ties go to the later format, because pages are read with and without their tags.
    turns = {format_.name: len(read(format_, text).turns) for format_ in reversed(FORMATS) if format_.name in _BY_LAYOUT}
    name = max(turns, key=lambda name: turns[name])
    return f"is too short to tell its format by; --format {name} reads it" if 2 * turns[name] > lines else None


def read_script(file: ScriptFile, format_: Format | None = None, listed: Listed | None = None) -> ScriptResult:
    """Read one script, in the given or the detected format; `listed` overrides the shipped cast.

    Raises ScriptError with a predicate as its message ("is empty").
    """
    text = _text_of(file)
    detected = format_ is None
    if isinstance(format_, Delimited) and (missing := missing_columns(text, (format_.columns or {}).values())):
        names = ", ".join(column_names(text)) or "none: its first line must name them"
        raise ScriptError(f"has no column called {' or '.join(map(repr, missing))}; its columns are {names}")
    format_ = format_ or detect(text)
    transcript = read(format_, text)
    if not transcript.turns:
        raise ScriptError("holds no line that anyone says")
    if detected and format_.name in _BY_LAYOUT and not is_dialogue(transcript.turns, columns=format_.name == "screenplay"):
        raise ScriptError(f"does not look like dialogue; --format {format_.name} reads it anyway")
    show, episode = show_of(file.path), episode_of(file.path)
    cast = cast_of(show, listed)
    speakers = {name: cast.canonical(name or file.path.stem) for name in {turn.speaker for turn in transcript.turns}}
    positions: defaultdict[str | None, Iterator[int]] = defaultdict(count)
    lines = [
        Line(
            show,
            turn.episode or episode,
            turn.scene,
            next(positions[turn.episode]),
            speakers[turn.speaker],
            turn.text,
            turn.directions,
        )
        for turn in transcript.turns
    ]
    sources = tuple(turn.source for turn in transcript.turns)
    return ScriptResult(file.path, format_.name, tuple(lines), transcript.kept, transcript.omissions, sources)


def _text_of(file: ScriptFile) -> str:
    """Return the text of a script without what web pages and tables put around it."""
    data = file.read()
    if not data.strip():
        raise ScriptError("is empty")
    return without_quotes(without_frame(decode(data)))


def read_scripts(
    paths: Path | str | Sequence[Path | str], format_: Format | None = None, progress: Callable[[Path], object] | None = None
) -> ImportResult:
    """Read every script under `paths`, a path or several, of files, folders or archives; call `progress` before reading each.

    A file that is named twice is read once, and copies are skipped. A cast.yaml beside the scripts gives the names of
    speakers (see cast.read_cast). Raises ScriptError if a path is missing, a cast is invalid, or nothing could be read.
    """
    scripts: dict[tuple[Line, ...], ScriptResult] = {}
    skipped: list[tuple[Path, str]] = []
    seen: set[Path] = set()
    places = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    listed = _listed(places)
    for path in places:
        # Read each file at once: an archive is open only while its files are yielded.
        for file in script_files(path):
            if file.path in seen or file.path.name == CAST_FILE:
                continue
            seen.add(file.path)
            if progress:
                progress(file.path)
            try:
                script = read_script(file, format_, listed)
            except ScriptError as error:
                skipped.append((file.path, str(error)))
                continue
            if (same := scripts.setdefault(script.lines, script)) is not script:
                skipped.append((file.path, f"says the same as {same.path}"))
    if not scripts:
        detail = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        formats = f". --format NAME reads every file as one of {format_names()}" if _UNKNOWN in dict(skipped).values() else ""
        raise ScriptError(f"no dialogue found under {', '.join(map(str, places))}{detail}{formats}")
    cleaned = without_furniture(tuple(scripts.values()))
    aliases = _aliases(cleaned, listed)
    return ImportResult(tuple(_merged(script, aliases) for script in cleaned), tuple(skipped), aliases, listed)


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


def _aliases(scripts: Iterable[ScriptResult], listed: Listed) -> dict[str, tuple[Alias, ...]]:
    shows: dict[str, list[Scene]] = {}
    for script in scripts:
        for (show, episode, _), scene in groupby(script.lines, key=lambda line: (line.show, line.episode, line.scene)):
            shows.setdefault(show, []).append((episode, [(line.speaker, line.text) for line in scene]))
    aliases = {}
    for show, scenes in shows.items():
        listed_names = cast_of(show, listed).aliases
        aliases[show] = find_aliases(scenes, {*listed_names, *map(str.casefold, listed_names.values())})
    return aliases


def _merged(script: ScriptResult, aliases: Mapping[str, tuple[Alias, ...]]) -> ScriptResult:
    """Replace the names in a script that are certain aliases."""
    certain = {
        (show, alias.name): alias.canonical
        for show, of_show in aliases.items()
        for alias in of_show
        if alias.certainty >= CERTAIN
    }
    lines = tuple(
        replace(line, speaker=certain[line.show, line.speaker]) if (line.show, line.speaker) in certain else line
        for line in script.lines
    )
    return replace(script, lines=lines)
