"""Plain text, `Name: speech`.

Names are flush left, or right-aligned before a column of speech; speech is on one line, wrapped, or indented on the lines
below.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats import paratext

_WORD = r"[^\W\d_a-z][\w.'’&#-]*|\d+(?:st|nd|rd|th)?|#\d+"
_JOINT = r",? (?:and|AND|&|the|of|on|with|at|in|from|to) |, ?| ?/ ?| ?& ?| "
_NAME = re.compile(rf"(?=.*[^\W\d_])(?:{_WORD})(?:(?:{_JOINT})(?:{_WORD}|\d+)|['’]s|['’]S| \w+){{0,5}}")
_TURN = re.compile(
    r"\s*([^\s:\[({][^:\[({]{0,59}?)\s*((?:[(\[{][^)\]}:]{0,200}[)\]}]\s*){0,3})(?:(?<=[^\s:])::|:)(?!//|:)\s*(.*)"
)
_UNMARKED = re.compile(r"([A-Z][A-Z0-9 .'#&-]*[A-Z0-9.]) ?[;.]? ((?=\(|\[|[A-Z][a-z' ,])\S.*)")
_RUN_ON = re.compile(r"""(?<=[.!?")\]]) +(?=([A-ZÀ-ÖØ-Þ][\w.'’-]+(?: [A-Z][\w.'’-]+)?): ["'(\[]?[A-ZÀ-ÖØ-Þ])""")
_FINISHED = re.compile(r"""[.!?…"')\]-]$""")
_TOGETHER = re.compile(r",? and |, ?| ?[/&] ?")
_SENTENCE = re.compile(r"(?:they|he|she|it|we|you|i|then|now|so|but|and|if|when|as|meanwhile|there) ", re.I)
_LISTED = re.compile(r"(?:[-*>•] +|\d+[.)] +|\[\d{1,2}(?::\d\d){1,2}\] *|:+ *)(?=\S)")
_BOLD = r"\*\*|'''|__|\*"
_BOLD_NAME = re.compile(rf"({_BOLD})([^*_:]{{1,60}}?)(?::\1|\1 ?:) *(.*)")
_BOLD_WORDS = re.compile(rf"({_BOLD})(?=\S)(.+?)(?<=\S)\1")
_OFTEN = 5
"""Minimum number of speeches that begin in a column for it not to be a coincidence."""
_DRESSED = 0.3
"""A script is set as a list, or in bold, if more than this share of its lines is; fewer are lists in notes."""
_OPENING, _CLOSING = "([{", ")]}"
_WIDE = 110
"""Maximum width of lines wrapped by hand; in files with longer ones, each line is a paragraph."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the file that is not empty."""

    number: int
    text: str
    indent: int
    head: re.Match[str] | None
    """Match of a possible turn, with groups for name, qualifiers and speech."""
    apart: bool
    """Whether the line is below an empty one, or the first."""

    @property
    def name(self) -> str:
        return self.head[1].casefold() if self.head else ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of speech in a file."""

    column: int | None
    """The column in which speech continues, if names stand in a column to the left of it."""
    usual: frozenset[int]
    """The columns in which speech usually begins after a name, if there is such a `column`."""
    wrapped: bool
    """Whether speech is wrapped over lines of limited length."""
    spaced: bool
    """Whether empty lines separate speeches."""
    squares: bool
    """Whether lines in square brackets are scene headings, because lines in parentheses hold actions."""

    def holds(self, row: _Row) -> bool:
        """Return True if a line is in the column of speech.

        Lines with a colon whose text begins in a usual column do not count: they begin with a name.
        """
        return self.column is not None and row.indent >= self.column and _begins(row) not in self.usual

    def goes_on(self, row: _Row, finished: bool) -> bool:
        """Return True if a line without a name continues the speech before it.

        `finished` says whether the line before it ends like a sentence.
        """
        if self.column is not None:
            return row.indent >= self.column - 1 or (not finished and row.text[0].islower())
        return not row.apart if self.wrapped else not finished


def _rows(text: str) -> list[_Row]:
    rows: list[_Row] = []
    apart = True
    lines = text.splitlines()
    full = [line for raw in lines if (line := raw.strip())]
    dressed = sum(_undressed(line) != line for line in full) > _DRESSED * len(full)
    for number, raw in enumerate(lines, 1):
        line = _undressed(raw.strip()) if dressed else raw.strip()
        if line:
            rows.append(_Row(number, line, len(raw) - len(raw.lstrip()), _head(line), apart))
        apart = not line
    return rows


def _undressed(line: str) -> str:
    """Return a line without the markup of Markdown or wikis around a turn: a list's mark, a bold name."""
    listed = _LISTED.match(line)
    bare = line[listed.end() :] if listed else line
    if bold := _BOLD_NAME.fullmatch(bare):
        speech = _BOLD_WORDS.sub(r"\2", bold[3])
        return f"{bold[2]}: {speech}"
    return bare if _head(bare) else line


def _head(line: str) -> re.Match[str] | None:
    """Match a line that may be a turn; return None if what precedes the colon is a credit, a scene heading or a clause."""
    match = _TURN.match(line) if ":" in line else None
    if match is None or not _NAME.fullmatch(match[1]) or _SENTENCE.match(match[1]):
        return None
    return None if paratext.is_credit(match[1]) or paratext.is_break(match[1]) else match


def _begins(row: _Row) -> int:
    """Return the column in which speech begins after a possible name, or 0 without one."""
    return row.indent + row.head.start(3) if row.head else 0


def _layout(rows: Sequence[_Row]) -> _Layout:
    speeches = [row for row in rows if row.head]
    # Indented lines directly below a name may continue its speech in a column.
    below = [after for row, after in pairwise(rows) if row.head and not after.head and after.indent >= 3 and not after.apart]
    column, usual = None, frozenset[int]()
    if len(below) > 0.05 * len(speeches):
        columns = Counter(map(_begins, speeches))
        if sum(row.indent in columns for row in below) > 0.8 * len(below):
            column = min(row.indent for row in below)
            usual = frozenset(i for i, count in columns.items() if count >= max(_OFTEN, 0.1 * len(speeches)))
    widths = sorted(row.indent + len(row.text) for row in speeches)
    wrapped = not widths or widths[len(widths) * 98 // 100] <= _WIDE
    bracketed = Counter(row.text[0] for row in rows if row.text[0] in "[(" and row.text[-1] in "])")
    spaced = sum(row.apart for row in speeches) > 0.7 * len(speeches)
    return _Layout(column, usual, wrapped, spaced, squares=min(bracketed["["], bracketed["("]) >= 3)


def _names(rows: Sequence[_Row], layout: _Layout) -> frozenset[str]:
    """Return the casefolded names before colons: those that recur or stand where names do, and groups of them."""
    heads = [row for row in rows if row.head and not layout.holds(row)]
    often = Counter(row.name for row in heads)
    # "Listen: ..." at the start of a line may be wrapped speech that contains a colon.
    placed = {
        row.name
        for row in heads
        if row.head
        and row.head[3]
        and (row.apart or not layout.spaced)
        and (row.head[1].isupper() or len(row.head[1].split()) <= 3)
    }
    plausible = placed | {name for name, count in often.items() if count > 1}
    together = {row.name for row in heads if all(part in plausible for part in _TOGETHER.split(row.name))}
    return frozenset(plausible | together)


def _closing(line: str) -> int:
    """Return the index after the bracket that closes the first one of `line`, or 0 if none does."""
    depth = 0
    for i, char in enumerate(line):
        depth += _depth(char)
        if depth <= 0:
            return i + 1
    return 0


def _depth(text: str) -> int:
    """Return the number of opening brackets in `text` minus that of closing ones."""
    return sum((char in _OPENING) - (char in _CLOSING) for char in text)


class ColonText:
    """The commonest layout of fan transcripts, such as those of Frasier and Seinfeld."""

    name = "colon-text"

    def confidence(self, text: str) -> float:
        if text.lstrip()[:1] in "<{" or " --> " in text:
            return 0.0
        rows = _rows(text)
        counts = Counter(row.name for row in rows if row.head)
        again = sum(count for count in counts.values() if count > 1)
        return min(0.9, 4 * again / len(rows)) if again > 3 else 0.0

    def brackets(self, text: str) -> str:
        return _OPENING

    def tags(self, text: str) -> Iterator[LineTag]:
        rows = _rows(text)
        layout = _layout(rows)
        names = _names(rows, layout)
        speaking, finished = False, True
        depth = 0
        for row in rows:
            number, line = row.number, row.text
            if row.apart:
                # An unclosed bracket ends with its paragraph.
                depth = 0
            if turn := _turn_of(row, layout, names):
                depth, speaking = 0, True
                yield from _turns(number, *turn, names)
            elif depth:
                depth = max(0, depth + _depth(line))
                yield LineTag(number, "aside", line, "stage direction")
                continue
            elif speaking and layout.holds(row):
                yield from _turns(number, "", line, names)
            elif line[0] in _OPENING:
                end = _closing(line)
                depth = 0 if end else _depth(line)
                inner = _head(line[end:].strip()) if end else None
                if inner and inner[1].casefold() not in names:
                    inner = None
                beside = end and (inner or layout.column is None or end == len(line) or layout.goes_on(row, finished))
                if paratext.is_break(line[: end or None]) or (layout.squares and line[0] == "[" and end == len(line)):
                    yield LineTag(number, "scene", line)
                    speaking = False
                elif speaking and beside:
                    yield LineTag(number, "speech", line[:end] if inner else line)
                else:
                    # Unclosed, so that it might hold too much, or narration that begins with a bracket.
                    yield LineTag(number, "aside", line, "stage direction")
                if inner is None:
                    continue
                yield from _turns(number, inner[1], inner[2] + inner[3], names)
                speaking = True
            elif paratext.is_break(line):
                yield LineTag(number, "scene", line)
                speaking = False
            elif (reason := paratext.reason(line)) is not None:
                yield LineTag(number, "omission", line, reason)
                speaking = False
            elif speaking and layout.goes_on(row, finished):
                yield from _turns(number, "", line, names)
            else:
                yield LineTag(number, "aside", line, "narration")
                continue
            finished = _FINISHED.search(line) is not None


def _turn_of(row: _Row, layout: _Layout, names: Container[str]) -> tuple[str, str] | None:
    """Return the speaker and the speech if a turn begins in this line, else None."""
    if row.head and row.name in names and not layout.holds(row):
        return row.head[1], row.head[2] + row.head[3]
    # A name in capitals without its colon.
    forgot = _UNMARKED.fullmatch(row.text)
    return (forgot[1], forgot[2]) if forgot and forgot[1].casefold() in names else None


def _turns(number: int, name: str, speech: str, names: Container[str]) -> Iterator[LineTag]:
    """Yield the tags of a turn, or of several where a page lost its line ends.

    If `name` is empty, the current turn continues.
    """
    if name:
        yield LineTag(number, "name", name)
    i = 0
    for match in _RUN_ON.finditer(speech):
        if match[1].casefold() in names:
            yield LineTag(number, "speech", speech[i : match.start()])
            yield LineTag(number, "name", match[1])
            i = match.end(1) + 1
    yield LineTag(number, "speech", speech[i:])
