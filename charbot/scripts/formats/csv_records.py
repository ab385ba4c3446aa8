"""Read the records of a CSV file with their source lines, so that a wrong quote spoils no other record."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FIELD_LIMIT = 1_000_000
_LINES_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Record:
    """One record, or an unreadable line."""

    first: int
    """Its first source line, from 1."""
    last: int
    fields: tuple[str, ...] = ()
    error: str = ""
    """The reason why the line is unreadable; empty for a record."""


def table_lines(text: str) -> list[str]:
    """Return the lines of a table; str.splitlines also splits at rarer line ends, which fields may hold."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def records(lines: Sequence[str], delimiter: str = ",") -> Iterator[Record]:
    """Yield the records of a file's lines, in order.

    A quote that is never closed swallows all lines up to the next quote and leaves an odd number of quotes. Only the first
    line of such a record is given up; reading continues with the second.
    """
    csv.field_size_limit(_FIELD_LIMIT)
    begin = 0
    while begin < len(lines):
        ahead = lines[begin : begin + _LINES_LIMIT]
        reader = csv.reader((f"{line}\n" for line in ahead), delimiter=delimiter)
        try:
            fields = next(reader)
        except csv.Error as error:
            yield Record(begin + 1, begin + 1, error=str(error))
            begin += 1
            continue
        count = reader.line_num
        if count > 1 and sum(line.count('"') for line in ahead[:count]) % 2:
            yield Record(begin + 1, begin + 1, error="a quote is never closed")
            count = 1
        else:
            yield Record(begin + 1, begin + count, tuple(fields))
        begin += count
