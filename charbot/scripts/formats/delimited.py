"""CSV and TSV with a header: one record per line of dialogue, in columns with common names."""

import csv
import re
from collections.abc import Iterator
from itertools import islice

from charbot.scripts.formats.fields import brackets_of, episode_name, kind_of, matched, plain
from charbot.scripts.formats.records import records
from charbot.scripts.source import Mark

_DELIMITERS = (",", "\t", ";", "|")
_LINE_END = re.compile(r"\r\n|\r|\n")
"""The line ends of CSV; str.splitlines also splits at rarer ones, which fields may hold."""
_SEPARATOR = re.compile(r'\s*"?sep=.{0,8}', re.I)
_NUMBER = re.compile(r"\s*[\d.,:-]*\s*")
_LOOKED_AT = 50
"""Number of records checked for columns that hold only numbers."""


def _header(text: str) -> tuple[str, list[str], dict[str, int]] | None:
    """Return the delimiter, the columns and the index of each field's column.

    Returns None if the first line does not name a column of speakers and one of texts.
    """
    lines = _LINE_END.split(text[:50_000].lstrip("\r\n"))
    if _SEPARATOR.fullmatch(lines[0]):
        # "sep=;" is how Excel learns the delimiter.
        lines = lines[1:]
    for delimiter in _DELIMITERS:
        try:
            columns = next(csv.reader(lines[:1], delimiter=delimiter), [])
        except csv.Error:
            continue
        if {"speaker", "text"} <= matched(columns).keys():
            return delimiter, columns, _fields(lines[1:], delimiter, columns)
    return None


def _fields(lines: list[str], delimiter: str, columns: list[str]) -> dict[str, int]:
    """Return the index of each field's column.

    For speakers and texts, columns of numbers are avoided, whatever their names.
    """
    some = [record.fields for record in islice(records(lines, delimiter), _LOOKED_AT)]

    def numbered(at: int) -> bool:
        values = [row[at] for row in some if at < len(row)]
        return any(map(str.strip, values)) and all(map(_NUMBER.fullmatch, values))

    named = matched(column for at, column in enumerate(columns) if not numbered(at))
    named = {**matched(columns), **{field: named[field] for field in ("speaker", "text") if field in named}}
    return {field: columns.index(column) for field, column in named.items()}


class Delimited:
    """Tables of dialogue, such as a whole show in one file."""

    name = "csv"

    def confidence(self, text: str) -> float:
        return 0.95 if _header(text) else 0.0

    def brackets(self, text: str) -> str:
        return brackets_of(text)

    def marks(self, text: str) -> Iterator[Mark]:
        header = _header(text)
        if header is None:
            return
        delimiter, columns, field = header
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
                # Concatenated tables repeat the header.
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
            kind = kind_of(values["speaker"])
            if kind != "name":
                yield Mark(start, kind, delimiter.join(row), "" if kind == "scene" else "said by nobody")
                continue
            yield Mark(start, "name", values["speaker"])
            yield Mark(start, "speech", plain(values["text"]))
