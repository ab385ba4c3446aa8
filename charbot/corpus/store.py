"""Stores imported scripts: one JSON lines file per episode in a folder per show, in charbot's own script format."""

import hashlib
import io
import re
from itertools import groupby
from pathlib import Path

import yaml

from charbot.corpus.export import export_lines
from charbot.errors import ScriptError
from charbot.scripts.cast import CAST_FILE, Listed, read_cast
from charbot.scripts.results import ImportResult
from charbot.storage import replace_bytes


def import_scripts(result: ImportResult, folder: Path) -> tuple[int, int]:
    """Write every episode to `folder`, replacing those of the same name, and the names that cast files list.

    Returns the number of episodes that were written, and of those that were unchanged. Raises ScriptError if a file cannot be
    written; existing files are never damaged.
    """
    written = unchanged = 0
    lines = sorted(result.lines, key=lambda line: (line.show, line.episode))
    for (show, episode), episode_lines in groupby(lines, key=lambda line: (line.show, line.episode)):
        out = io.StringIO()
        export_lines(episode_lines, "jsonl", out)
        text = out.getvalue()
        path = folder / _folder_name(show) / f"{_file_name(episode)}.jsonl"
        try:
            if path.exists() and path.read_text("utf-8") == text:
                unchanged += 1
                continue
            replace_bytes(path, text.encode("utf-8", "backslashreplace"))
        except (OSError, UnicodeError) as error:
            raise ScriptError(f"{path}: cannot be written: {error}") from error
        written += 1
    for show in {line.show for line in lines}:
        _store_cast(result.listed, show, folder / _folder_name(show) / CAST_FILE)
    return written, unchanged


def _store_cast(listed: Listed, show: str, path: Path) -> None:
    """Add the listed names of a show to its stored cast file, so that what the user decided about names stays decided.

    Raises ScriptError if the file cannot be read or written.
    """
    names = {
        name: list(aliases)
        for listed_show in listed
        if listed_show.casefold() == show.casefold()
        for name, aliases in listed[listed_show].items()
    }
    if not names:
        return
    stored = read_cast(path) if path.exists() else {}
    casts = {**stored, show: {**stored.get(show, {}), **names}}
    try:
        replace_bytes(path, yaml.safe_dump(casts, allow_unicode=True, sort_keys=False).encode("utf-8"))
    except OSError as error:
        raise ScriptError(f"{path}: cannot be written: {error}") from error


def _folder_name(show: str) -> str:
    """Return the name of a show's folder, from which reading.show_of restores the show's name.

    Names with a leading dot are changed, because hidden folders are not read.
    """
    name = "_".join(show.lower().split())
    return _file_name(name) if name.startswith(".") else name


def _file_name(name: str) -> str:
    """Return a name as a file name: unchanged if possible, else with other characters replaced and a checksum added."""
    plain = re.sub(r"[^\w-]+", "-", name)[:100].strip("-")
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
