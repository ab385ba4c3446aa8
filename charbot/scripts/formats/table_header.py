"""Find out how a table is written: its delimiter, and the columns that hold speakers, texts, episodes and scenes."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from charbot.scripts.formats.columns import matched, names_in
from charbot.scripts.formats.csv_records import records, table_lines

_DELIMITERS = (",", "\t", ";", "|", " ")
_QUOTED_WORDS = re.compile(r'"[^"]+"(?: "[^"]+")+')
_SEPARATOR = re.compile(r'\s*"?sep=.{0,8}', re.I)
_NUMBER = re.compile(r"\s*[\d.,:-]*\s*")
_NAME = re.compile(r"[^\W\d_a-z][\w.'’#&-]*(?: [\w.'’#&-]+){0,3}")
_BEGINS = re.compile(r"""["'(\[]?[^\Wa-z_]""")
_SAMPLE = 200
"""Number of records that are looked at."""
_LONGEST_COLUMN = 40
_FEW = 6
"""Minimum number of records from which the columns of a table without a header can be told."""


@dataclass(frozen=True)
class Header:
    """How a table is written."""

    delimiter: str
    columns: tuple[str, ...]
    """The names in the header; empty if there is none."""
    fields: Mapping[str, int]
    """The index of the column of each field ("speaker", "text", ...)."""
    row_names: bool = False
    """Whether each record begins with a name of its own, for which the header has no column."""


def find_header(text: str, named: Mapping[str, str] | None = None) -> Header | None:
    """Return how a table is written, or None if no columns of speakers and texts can be told.

    `named` gives the columns of fields, by name, where the user did.
    """
    lines = first_lines(text)
    for delimiter in _DELIMITERS:
        columns = _columns(lines, delimiter)
        if {"speaker", "text"} <= {*matched(columns), *(field for field, name in (named or {}).items() if name in columns)}:
            return Header(delimiter, columns, _fields(lines[1:], delimiter, columns, named or {}), delimiter == " ")
    return _headerless(lines)


def column_names(text: str) -> tuple[str, ...]:
    """Return the columns of a text that looks like a table with a header, for messages; else nothing."""
    lines = first_lines(text)
    for delimiter in _DELIMITERS[:-1]:
        columns = _columns(lines, delimiter)
        widths = Counter(len(record.fields) for record in islice(records(lines[1:], delimiter), _SAMPLE) if any(record.fields))
        named = all(len(column) <= _LONGEST_COLUMN for column in columns)
        if named and len(columns) > 1 and widths[len(columns)] > 0.8 * widths.total() > 1:
            return columns
    return ()


def missing_columns(text: str, named: Collection[str]) -> list[str]:
    """Return those of the named columns that a table's header does not have, whatever its delimiter."""
    lines = first_lines(text)
    missing = ([name for name in named if name not in _columns(lines, delimiter)] for delimiter in _DELIMITERS)
    return min(missing, key=len)


def first_lines(text: str) -> list[str]:
    """Return the lines at the beginning of a table, from its header on."""
    lines = table_lines(text[:50_000].lstrip("\r\n"))
    # "sep=;" is how Excel learns the delimiter.
    return lines[1:] if _SEPARATOR.fullmatch(lines[0]) else lines


def _columns(lines: Sequence[str], delimiter: str) -> tuple[str, ...]:
    if not lines or (delimiter == " " and not _QUOTED_WORDS.fullmatch(lines[0].strip())):
        return ()
    try:
        return tuple(next(csv.reader(lines[:1], delimiter=delimiter), ()))
    except csv.Error:
        return ()


def _fields(lines: Sequence[str], delimiter: str, columns: tuple[str, ...], named: Mapping[str, str]) -> dict[str, int]:
    """Return the index of each field's column.

    For speakers and texts, columns of numbers are avoided, whatever their names; for speakers also those of lists, such as
    everybody in the scene.
    """
    sample = [record.fields for record in islice(records(lines, delimiter), _SAMPLE)]
    values = [[row[i] for row in sample if i < len(row)] for i in range(len(columns))]
    numbers = {i for i, cells in enumerate(values) if any(map(str.strip, cells)) and all(map(_NUMBER.fullmatch, cells))}
    lists = {i for i, cells in enumerate(values) if any(len(names_in(cell)) > 1 for cell in cells)}
    fields = dict(matched(columns))
    for field, unfit in (("text", numbers), ("speaker", numbers), ("speaker", numbers | lists)):
        fit = matched(column for i, column in enumerate(columns) if i not in unfit)
        fields |= {field: fit[field]} if field in fit else {}
    fields |= {field: column for field, column in named.items() if column in columns}
    return {field: columns.index(column) for field, column in fields.items()}


def _headerless(lines: Sequence[str]) -> Header | None:
    """Return the header of a table of two columns without one, if the first holds names that recur."""
    for delimiter in (",", "\t"):
        # Most files are no tables, and this is the quickest way to see it.
        if sum(delimiter in line for line in lines[:_SAMPLE]) < 0.9 * sum(map(bool, map(str.strip, lines[:_SAMPLE]))):
            continue
        rows = [record.fields for record in islice(records(lines, delimiter), _SAMPLE) if any(map(str.strip, record.fields))]
        pairs = [row for row in rows if len(row) == 2]
        if len(pairs) < max(_FEW, 0.95 * len(rows)):
            continue
        names = Counter(name for name, _ in pairs)
        recurring = [count for count in names.values() if count > 1]
        if (
            len(recurring) > 1
            and len(names) <= len(pairs) / 2
            and all(map(_NAME.fullmatch, names))
            and sum(_BEGINS.match(speech.strip()) is not None for _, speech in pairs) > 0.8 * len(pairs)
        ):
            return Header(delimiter, (), {"speaker": 0, "text": 1})
    return None
