"""CSV and TSV with a header: one record per line of dialogue, in columns with common names."""

import csv
import re
from collections.abc import Iterator
from itertools import islice

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.columns import brackets_of, episode_name, kind_of, matched, plain
from charbot.scripts.formats.csv_records import records

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
    sample = [record.fields for record in islice(records(lines, delimiter), _LOOKED_AT)]

    def numbered(i: int) -> bool:
        values = [row[i] for row in sample if i < len(row)]
        return any(map(str.strip, values)) and all(map(_NUMBER.fullmatch, values))

    named = matched(column for i, column in enumerate(columns) if not numbered(i))
    named = {**matched(columns), **{field: named[field] for field in ("speaker", "text") if field in named}}
    return {field: columns.index(column) for field, column in named.items()}


class Delimited:
    """Tables of dialogue, such as a whole show in one file."""

    name = "csv"

    def confidence(self, text: str) -> float:
        return 0.95 if _header(text) else 0.0

    def brackets(self, text: str) -> str:
        return brackets_of(text)

    def tags(self, text: str) -> Iterator[LineTag]:
        header = _header(text)
        if header is None:
            return
        delimiter, columns, field = header
        lines = _LINE_END.split(text)
        episode = scene = None
        for record in records(lines, delimiter):
            start, row = record.first, record.fields
            if record.error:
                yield LineTag(start, "omission", lines[start - 1], "unreadable record")
                continue
            if not any(map(str.strip, row)):
                continue
            if list(map(str.strip, row)) == list(map(str.strip, columns)):
                # Concatenated tables repeat the header.
                yield LineTag(start, "omission", delimiter.join(row), "title")
                continue
            if len(row) <= max(field["speaker"], field["text"]):
                yield LineTag(start, "omission", delimiter.join(row), "unreadable record")
                continue
            values = {name: row[i] if i < len(row) else "" for name, i in field.items()}
            if "season" in values or "episode" in values:
                place = episode_name(values.get("season", ""), values.get("episode", ""))
                if place != episode:
                    yield LineTag(start, "episode", place)
                    episode, scene = place, values.get("scene")
            if values.get("scene") != scene:
                yield LineTag(start, "scene", "")
                scene = values["scene"]
            kind = kind_of(values["speaker"])
            if kind != "name":
                yield LineTag(start, kind, delimiter.join(row), "" if kind == "scene" else "said by nobody")
                continue
            yield LineTag(start, "name", values["speaker"])
            yield LineTag(start, "speech", plain(values["text"]))
