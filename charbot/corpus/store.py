"""Imported scripts: each episode's lines as JSON lines in a folder of its show, which charbot reads
as it reads any other scripts."""

import hashlib
import io
import re
from itertools import groupby
from pathlib import Path

from charbot.corpus.export import export_lines
from charbot.errors import ScriptError
from charbot.scripts.reading import Reading
from charbot.storage import replace_bytes


def store(reading: Reading, folder: Path) -> tuple[int, int]:
    """Puts every episode into `folder`, in the place of one of the same name; importing twice
    changes nothing. Returns how many were written, and how many were there already.

    Raises ScriptError where the folder cannot be written; what was there stays.
    """
    written = same = 0
    lines = sorted(reading.lines, key=lambda line: (line.show, line.episode))
    for (show, episode), own in groupby(lines, key=lambda line: (line.show, line.episode)):
        out = io.StringIO()
        export_lines(own, "jsonl", out)
        text = out.getvalue()
        path = folder / _folder_name(show) / f"{_file_name(episode)}.jsonl"
        try:
            if path.exists() and path.read_text("utf-8") == text:
                same += 1
                continue
            replace_bytes(path, text.encode("utf-8", "backslashreplace"))
        except (OSError, UnicodeError) as error:
            raise ScriptError(f"{path}: cannot be written: {error}") from error
        written += 1
    return written, same


def _folder_name(show: str) -> str:
    """The folder that a show is known by when it is read again. It was one's name before (see reading.show_of), with all
    of its marks; only a hidden one is passed over."""
    name = "_".join(show.lower().split())
    return _file_name(name) if name.startswith(".") else name


def _file_name(name: str) -> str:
    """A name for a file: itself where it can be one, else what can be of it and a checksum."""
    plain = re.sub(r"[^\w-]+", "-", name)[:100].strip("-")
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
