"""Screenplay layout: NAME centred on a line of its own, speech indented below it, actions near the margin.

IMSDB's pages and the printouts of screenwriting programs have it. Columns shift from page to page, so that a name is told by
how far it stands to the right of the speech below it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats import paratext

_NAME = re.compile(r"[^a-z\[\]()!?:;…]*[A-Z][^a-z\[\]()!?:;…]*(?:\s*[(\[][^)\]]*[)\]])*")
_LONGEST_NAME = 60
_REVISION = re.compile(r"(?<=\S)\s{2,}\*+$")
_MARGIN_NUMBER = re.compile(r"(?<=[^\s\d])\s{6,}\d{1,3}[A-Z]?\.?$")
_PAGE = re.compile(r"(?:page )?\d{1,3}[A-Z]?\.?|\(?(?:continued|more)\)?:?(?: \(\d+\))?|\*+", re.I)
_HEADING = re.compile(r"(?:[A-Z]?\d+[A-Z]?\.?\s+)?(?:int|ext|i/e|int\.?/ext)\b[. ].*|([A-Z]?\d+[A-Z]?)\.?\s+\S.*\s\1\.?", re.I)
_INDENTS = ("     ", "\t")
_FINISHED = re.compile(r"""[.?!…]["')\]]*$""")
_SLACK = 4
"""Columns by which names and speech may stray, since pages are typed by hand."""
_MIN_STEP = 3
"""Minimum columns by which a name stands to the right of its speech."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A line that is not empty."""

    number: int
    indent: int
    text: str
    apart: bool
    """Whether the line is below an empty one, or the first."""

    @property
    def can_name(self) -> bool:
        return len(self.text) <= _LONGEST_NAME and _NAME.fullmatch(self.text) is not None and not self.is_break

    @property
    def is_break(self) -> bool:
        return _HEADING.fullmatch(self.text) is not None or paratext.is_break(self.text)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of a file, as far as pages have them in common."""

    name: int
    """The commonest column of names."""
    step: int
    """The columns between a name and the speech below it; 0 if the text has no such columns."""
    action: int
    """The columns between speech and the actions to the left of it; 0 if they share a column."""
    loose: bool
    """Whether an empty line stands between a name and its speech."""


def is_scene_heading(line: str) -> bool:
    """Return True if a line is the heading of a scene, with or without the scene's number ("2  THE POND  2")."""
    return _HEADING.fullmatch(line) is not None


def _rows(text: str) -> list[_Row]:
    rows, apart = [], True
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.expandtabs().rstrip()
        if line.strip():
            shown = _MARGIN_NUMBER.sub("", _REVISION.sub("", line)).strip()
            rows.append(_Row(number, len(line) - len(line.lstrip()), shown or line.strip(), apart))
        apart = not line.strip()
    return rows


def _below(rows: Sequence[_Row], i: int) -> _Row | None:
    """Return the first row of speech below a name: rows in parentheses may stand between them."""
    ahead = rows[i + 1 : i + 6]
    for row, after in pairwise(ahead):
        aside = row.text[0] == "(" and (")" not in row.text or row.text[-1] == ")")
        if not aside or (after.apart and not row.apart):
            return row
    return ahead[0] if ahead else None


def _layout(rows: Sequence[_Row]) -> _Layout:
    """Return the layout that most names of a file have in common."""
    names = [
        (row, below)
        for i, row in enumerate(rows)
        if row.indent > 0 and row.can_name and (below := _below(rows, i)) and row.indent - below.indent >= _MIN_STEP
        if not below.can_name
    ]
    close = sum(not below.apart for _, below in names)
    loose = close < 0.3 * len(names)
    steps: Counter[int] = Counter()
    columns: Counter[int] = Counter()
    for row, below in names:
        if below.apart == loose and (loose or below.indent > 0):
            steps[row.indent - below.indent] += 1
            columns[row.indent] += 1
    if not steps:
        return _Layout(0, 0, 0, loose)
    step = steps.most_common(1)[0][0]
    cues = {row.number: below.indent for row, below in names if abs(row.indent - below.indent - step) <= _SLACK}
    actions: Counter[int] = Counter()
    before: _Row | None = None
    inside = 0
    for row in rows:
        if row.number in cues and before is not None and not before.can_name and not inside:
            actions[cues[row.number] - before.indent] += 1
        # The rows of a speech are no actions.
        inside = 2 if row.number in cues else max(0, inside - 1) if row.apart else inside
        before = row
    action = actions.most_common(1)[0][0] if actions else step
    return _Layout(columns.most_common(1)[0][0], step, action if action > _SLACK else 0, loose)


class Screenplay:
    """Screenplays, such as those of South Park on IMSDB."""

    name = "screenplay"

    def confidence(self, text: str) -> float:
        indented = text.startswith(_INDENTS) or any(f"\n{indent}" in text for indent in _INDENTS)
        if not indented or text.lstrip().startswith("<"):
            return 0.0
        rows = _rows(text)
        layout = _layout(rows)
        names = Counter(row.text.partition("(")[0].strip() for i, row in enumerate(rows) if _is_name(rows, i, layout))
        if names.total() < 4 or not layout.step:
            return 0.0
        # A film may have little talk; those who talk do so again.
        recurring = sum(count for count in names.values() if count > 1)
        return max(min(1.0, 4 * names.total() / len(rows)), 0.6 if recurring > 0.5 * names.total() else 0.0)

    def brackets(self, text: str) -> str:
        # Where square brackets hold the actions, parentheses hold muffled speech.
        squares = len(re.findall(r"(?m)^[ \t]*\[", text))
        return "[{" if squares > 5 and squares > len(re.findall(r"(?m)^[ \t]*\(", text)) else "([{"

    def tags(self, text: str) -> Iterator[LineTag]:
        rows = _rows(text)
        tagger = _Tagger(_layout(rows))
        for i, row in enumerate(rows):
            yield tagger.tag(row, _is_name(rows, i, tagger.layout))


def _is_name(rows: Sequence[_Row], i: int, layout: _Layout) -> bool:
    """Return True if a row is the name above a speech."""
    row = rows[i]
    if not layout.step or not row.can_name or not row.indent or _PAGE.fullmatch(row.text):
        return False
    below = _below(rows, i)
    placed = abs(row.indent - layout.name) <= _SLACK
    if below is None or (below.apart and not layout.loose):
        # Nothing is said below it, but it stands where names do.
        return placed and row.apart
    step = row.indent - below.indent
    return step > 0 and (abs(step - layout.step) <= _SLACK or placed)


class _Tagger:
    """Tags the rows of a screenplay, in order."""

    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self._speaking = False
        self._column: int | None = None
        """The column of the current speech, once its first row is read."""
        self._depth = 0
        self._turned = self._finished = False
        """Whether the row above belongs to the border of pages, and whether the last row of speech ends like a sentence."""

    def tag(self, row: _Row, is_name: bool) -> LineTag:
        """Return the tag of a row."""
        line = row.text
        turned, self._turned = self._turned, False
        spoken = self._speaking and self._goes_on(row) and not (turned and self._leaves(row))
        if self._depth and not spoken:
            self._depth = max(0, self._depth + line.count("[") - line.count("]"))
            return LineTag(row.number, "aside", line, "stage direction")
        self._depth = 0
        if is_name:
            self._speaking, self._column = True, None
            return LineTag(row.number, "name", line)
        if _PAGE.fullmatch(line) and (row.apart or turned or not spoken):
            self._turned = True
            return LineTag(row.number, "aside", line, "page furniture")
        if row.is_break and not (spoken and (self._column is None or not row.apart)):
            self._speaking = False
            return LineTag(row.number, "scene", line)
        if spoken:
            if self._column is None and line[0] not in "([":
                self._column = row.indent
            self._finished = _FINISHED.search(line) is not None
            return LineTag(row.number, "speech", line)
        return self._unspoken(row)

    def _goes_on(self, row: _Row) -> bool:
        """Return True if a row belongs to the current speech, by its place."""
        if self._column is None:
            # Between a name and its speech there may be directions.
            return self.layout.loose or not row.apart
        if row.apart and not self.layout.action:
            return False
        return row.indent >= self._column - max(_SLACK, self.layout.action // 2)

    def _leaves(self, row: _Row) -> bool:
        """Return True if a row at the top of a page is no part of the speech on the page before."""
        return self._finished and self._column is not None and row.apart and abs(row.indent - self._column) > 1

    def _unspoken(self, row: _Row) -> LineTag:
        """Return the tag of a row that is neither speech nor a scene heading."""
        line = row.text
        if line.startswith(("[", "(")):
            self._depth = max(0, line.count("[") - line.count("]"))
            self._speaking = self._speaking and not row.apart
            return LineTag(row.number, "aside", line, "stage direction")
        self._speaking = False
        return LineTag(row.number, "omission", line, paratext.reason(line) or "narration")
