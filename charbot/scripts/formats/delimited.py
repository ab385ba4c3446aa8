"""CSV and TSV with a header: one record for each line of dialogue, its columns named sensibly."""

import csv
import re
from collections.abc import Iterator

from charbot.scripts.formats.fields import episode_name, matched
from charbot.scripts.formats.records import records
from charbot.scripts.source import Mark

_DELIMITERS = (",", "\t", ";", "|")
_LINE_END = re.compile(r"\r\n|\r|\n")
"""Those of CSV: a field may hold line ends of the rarer kinds."""


def _header(text: str) -> tuple[str, list[str]] | None:
    """The delimiter and the columns, if the first line names a speaker's and a text's."""
    first = _LINE_END.split(text.lstrip("\r\n")[:5_000], maxsplit=1)[0]
    for delimiter in _DELIMITERS:
        try:
            columns = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:
            continue
        if {"speaker", "text"} <= matched(columns).keys():
            return delimiter, columns
    return None


class Delimited:
    """Whole shows in one table, and the like."""

    name = "csv"

    def confidence(self, text: str) -> float:
        return 0.95 if _header(text) else 0.0

    def brackets(self, text: str) -> str:
        # Fans who make tables cut directions out by square brackets, or leave both in.
        return "["

    def marks(self, text: str) -> Iterator[Mark]:
        header = _header(text)
        if header is None:
            return
        delimiter, columns = header
        field = {name: columns.index(column) for name, column in matched(columns).items()}
        lines = _LINE_END.split(text)
        episode = scene = None
        for record in records(lines, delimiter):
            start, row = record.first, record.fields
            if record.error:
                yield Mark(start, "omission", lines[start - 1], "unreadable record")
                continue
            if not any(map(str.strip, row)):
                continue
            if list(map(str.strip, row)) == list(map(str.strip, columns)):
                # Again in the middle where tables were pasted together.
                yield Mark(start, "omission", delimiter.join(row), "title")
                continue
            if len(row) <= max(field["speaker"], field["text"]):
                yield Mark(start, "omission", delimiter.join(row), "unreadable record")
                continue
            values = {name: row[at] if at < len(row) else "" for name, at in field.items()}
            if "season" in values or "episode" in values:
                here = episode_name(values.get("season", ""), values.get("episode", ""))
                if here != episode:
                    yield Mark(start, "episode", here)
                    episode, scene = here, values.get("scene")
            if values.get("scene") != scene:
                yield Mark(start, "scene", "")
                scene = values["scene"]
            if not values["speaker"].strip():
                yield Mark(start, "omission", delimiter.join(row), "said by nobody")
                continue
            yield Mark(start, "name", values["speaker"])
            yield Mark(start, "speech", values["text"])
