"""Plain text, `Name: what is said`: names flush left or right-aligned before a column of speech,
speech on one line, wrapped, or indented on the lines below.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from charbot.scripts.formats import paratext
from charbot.scripts.source import Mark

_WORD = r"[^\W\d_a-z][\w.'’&-]*|\d+(?:st|nd|rd|th)?|#\d+"
_NAME = re.compile(
    rf"(?:{_WORD})(?:(?:,? (?:and|AND|&|the|of|on|with|at|in|from|to) |, ?| ?/ ?| ?& ?| )(?:{_WORD}|\d+)|['’]s|['’]S| \w+){{0,5}}"
)
_TURN = re.compile(r"\s*([^\s:\[({][^:\[({]{0,59}?)\s*((?:[(\[{][^)\]}:]{0,80}[)\]}]\s*){0,3}):(?!//|:)\s*(.*)")
_OPENING, _CLOSING = "([{", ")]}"
_WIDE = 110
"""Longer lines were not wrapped by hand: where there are any, a line is a paragraph."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the file."""

    number: int
    text: str
    indent: int
    head: re.Match[str] | None
    """What may be a name before a colon: name, qualifiers, speech."""
    apart: bool
    """Whether it stands below an empty line, or first."""

    @property
    def name(self) -> str:
        return self.head[1].casefold() if self.head else ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a file sets speech out."""

    column: int | None
    """Where speech begins, if names stand in a column before it."""
    wrapped: bool
    """Whether speech runs on over lines of limited length."""
    spaced: bool
    """Whether an empty line stands between speeches."""

    def holds(self, row: _Row) -> bool:
        """Whether a line is set in the column of speech."""
        return self.column is not None and row.indent >= self.column

    def goes_on(self, row: _Row) -> bool:
        """Whether a line that names nobody goes on with the speech before it."""
        if self.column is not None:
            return row.indent >= self.column - 1
        return self.wrapped and not row.apart


def _rows(text: str) -> list[_Row]:
    rows: list[_Row] = []
    apart = True
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line:
            rows.append(_Row(number, line, len(raw) - len(raw.lstrip()), _head(line), apart))
        apart = not line
    return rows


def _head(line: str) -> re.Match[str] | None:
    """The parts of a line that may be a name and what is said."""
    match = _TURN.match(line) if ":" in line else None
    if match is None or not _NAME.fullmatch(match[1]):
        return None
    return None if paratext.is_credit(match[1]) or paratext.is_break(match[1]) else match


def _layout(rows: Sequence[_Row]) -> _Layout:
    speeches = [row for row in rows if row.head]
    # Below a name, indented: lines that continue a speech in a column of their own.
    below = [after for row, after in pairwise(rows) if row.head and not after.head and after.indent >= 3 and not after.apart]
    column = None
    if len(below) > 0.05 * len(speeches):
        columns = {row.indent + row.head.start(3) for row in speeches if row.head}
        if sum(row.indent in columns for row in below) > 0.8 * len(below):
            column = min(row.indent for row in below)
    widths = sorted(row.indent + len(row.text) for row in speeches)
    wrapped = not widths or widths[len(widths) * 98 // 100] <= _WIDE
    return _Layout(column, wrapped, sum(row.apart for row in speeches) > 0.7 * len(speeches))


def _names(rows: Sequence[_Row], layout: _Layout) -> frozenset[str]:
    """What stands before colons and is a name, casefolded: seen again and again, or where names stand."""
    found = [row for row in rows if row.head and not layout.holds(row)]
    often = Counter(row.name for row in found)
    # Wrapped speech may have a colon in it: "Listen: ..." at the start of a line names nobody.
    placed = {
        row.name
        for row in found
        if row.head and row.head[3] and (row.apart or not layout.spaced) and (row.head[1].isupper() or len(row.head[1].split()) <= 3)
    }
    return frozenset(placed | {name for name, count in often.items() if count > 1})


def _closing(line: str) -> int:
    """Where the bracket that opens `line` closes: the place after it; 0 where it does not."""
    depth = 0
    for at, char in enumerate(line):
        depth += _depth(char)
        if depth <= 0:
            return at + 1
    return 0


def _depth(text: str) -> int:
    """How many brackets `text` opens more than it closes."""
    return sum((char in _OPENING) - (char in _CLOSING) for char in text)


class ColonText:
    """What fans type most: Frasier, Seinfeld, and whatever else is laid out that way."""

    name = "colon-text"

    def confidence(self, text: str) -> float:
        if text.lstrip()[:1] in "<{":
            return 0.0
        rows = _rows(text)
        found = Counter(row.name for row in rows if row.head)
        again = sum(count for count in found.values() if count > 1)
        return min(0.9, 4 * again / len(rows)) if again > 3 else 0.0

    def brackets(self, text: str) -> str:
        return _OPENING

    def marks(self, text: str) -> Iterator[Mark]:
        rows = _rows(text)
        layout = _layout(rows)
        names = _names(rows, layout)
        speaking = False
        depth = 0
        for row in rows:
            number, line = row.number, row.text
            if row.apart:
                # A bracket that nobody closed ends with its paragraph.
                depth = 0
            if row.name in names and row.head and not layout.holds(row):
                depth = 0
                yield Mark(number, "name", row.head[1])
                yield Mark(number, "speech", row.head[2] + row.head[3])
                speaking = True
            elif depth:
                depth = max(0, depth + _depth(line))
                yield Mark(number, "aside", line, "stage direction")
            elif speaking and layout.holds(row):
                yield Mark(number, "speech", line)
            elif line[0] in _OPENING:
                end = _closing(line)
                depth = 0 if end else _depth(line)
                if paratext.is_break(line[: end or None]):
                    yield Mark(number, "scene", line)
                    speaking = False
                else:
                    # Beside the speech before it, if the bracket closes; else it might hold too much.
                    yield Mark(number, "speech" if speaking and end else "aside", line, "stage direction")
                inner = _head(line[end:].strip()) if end else None
                if inner and inner[1].casefold() in names:
                    yield Mark(number, "name", inner[1])
                    yield Mark(number, "speech", inner[2] + inner[3])
                    speaking = True
            elif paratext.is_break(line):
                yield Mark(number, "scene", line)
                speaking = False
            elif (reason := paratext.reason(line)) is not None:
                yield Mark(number, "omission", line, reason)
                speaking = False
            elif speaking and layout.goes_on(row):
                yield Mark(number, "speech", line)
            else:
                yield Mark(number, "aside", line, "narration")
