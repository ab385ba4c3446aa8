"""Plain text, `Name: speech`.

Names are flush left, or right-aligned before a column of speech; speech is on one line, wrapped, in paragraphs, or on the
lines below. In other files of the same layout a full stop or a dash is in the place of the colon.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats import paratext
from charbot.scripts.formats.colon_layout import (
    FINISHED,
    Head,
    Layout,
    Row,
    head_of,
    layout_of,
    narrates,
    read_names,
    read_rows,
    speaker_names,
)

_UNMARKED = re.compile(r"([A-Z][A-Z0-9 .'#&-]*[A-Z0-9.]) ?[;.]? ((?=\(|\[|[A-Z][a-z' ,])\S.*)")
_RUN_ON = re.compile(r"""(?<=[.!?")\]]) +(?=([A-ZÀ-ÖØ-Þ][\w.'’-]+(?: [A-Z][\w.'’-]+)?): ["'(\[]?[A-ZÀ-ÖØ-Þ])""")
_EPISODE = re.compile(
    r"(?:s(?:eason)?[ .]?(\d{1,2})[ ,.-]{0,3}e(?:p(?:isode)?)?[ .]?(\d{1,3})|(\d{1,2})[x.](\d\d)) *(?:[-–—:] *\S.{0,80})?", re.I
)
"""The heading of an episode in a file of several ("1.01 - The Heron")."""
_OPENING, _CLOSING = "([{", ")]}"
_MAX_SEARCHED = 500_000
"""Number of characters from which the format is told."""


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
        names = read_names(text[:_MAX_SEARCHED])
        again = sum(count for name, count in Counter(names).items() if name and count > 1)
        return min(0.9, 4 * again / len(names)) if again > 3 else 0.0

    def brackets(self, text: str) -> str:
        return _OPENING

    def tags(self, text: str) -> Iterator[LineTag]:
        rows = read_rows(text)
        layout = layout_of(rows)
        names = speaker_names(rows, layout)
        last = max((row.number for row in rows if row.name in names), default=0)
        tagger = _Tagger(layout, names, last)
        headings = {row.number: match for row in rows if (match := _EPISODE.fullmatch(row.text))}
        for row in rows:
            if len(headings) > 1 and row.number in headings:
                season, episode = (int(number) for number in headings[row.number].groups() if number)
                yield LineTag(row.number, "omission", row.text, "title")
                yield LineTag(row.number, "episode", f"S{season:02}E{episode:02}")
            else:
                yield from tagger.tags(row)


class _Tagger:
    """Tags the rows of a file, in order."""

    def __init__(self, layout: Layout, names: frozenset[str], last: int) -> None:
        self._layout = layout
        self._names = names
        self._last = last
        """The source line of the last turn."""
        self._speaking = self._narrating = self._alone = False
        self._finished = True
        self._depth = 0

    def tags(self, row: Row) -> Iterator[LineTag]:
        """Yield the tags of a row."""
        number, line, layout = row.number, row.text, self._layout
        if row.apart:
            # An unclosed bracket ends with its paragraph.
            self._depth = 0
            self._narrating = False
        alone, self._alone = self._alone, False
        if turn := self._turn_of(row):
            self._depth, self._speaking, self._narrating = 0, True, False
            self._alone = not turn[1].strip()
            yield from _turns(number, *turn, self._names)
        elif self._depth:
            self._depth = max(0, self._depth + _depth(line))
            yield LineTag(number, "aside", line, "stage direction")
            return
        elif self._speaking and layout.holds(row):
            yield from _turns(number, "", line, self._names)
        elif line[0] in _OPENING:
            yield from self._bracketed(row)
            self._alone = alone and not self._depth
            return
        elif self._is_break(row, alone):
            yield LineTag(number, "scene", line)
            self._speaking = False
        elif (reason := paratext.reason(line)) is not None and not (alone and reason != "page furniture"):
            yield LineTag(number, "omission", line, reason)
            self._speaking = False
        elif self._speaking and (alone or self._goes_on(row)):
            yield from _turns(number, "", line, self._names)
        else:
            self._narrating = True
            yield LineTag(number, "aside", line, "narration")
            return
        self._finished = FINISHED.search(line) is not None

    def _goes_on(self, row: Row) -> bool:
        """Return True if a row without a name continues the speech before it."""
        layout = self._layout
        if not layout.goes_on(row, self._finished) or (self._narrating and layout.column is None):
            return False
        if not (layout.paragraphs and row.apart):
            return True
        unfinished = not self._finished and row.text[0].islower()
        # Below the last turn there may be a page's footer.
        return unfinished or (row.number < self._last and not narrates(row.text, self._names))

    def _is_break(self, row: Row, alone: bool) -> bool:
        """Return True if a row begins or ends a scene: a verse that begins with "Setting aside" does not.

        `alone` says whether the row is below a name that is alone on its line.
        """
        inside = alone or (self._speaking and not row.apart and not self._finished and self._layout.wrapped)
        plain = not row.text.isupper() and ":" not in row.text and row.text[-1] not in _CLOSING
        return paratext.is_break(row.text) and not (inside and plain)

    def _bracketed(self, row: Row) -> Iterator[LineTag]:
        """Yield the tags of a row that begins with a bracket."""
        number, line, layout = row.number, row.text, self._layout
        end = _closing(line)
        self._depth = 0 if end else _depth(line)
        inner = _inner_turn(line[end:].strip(), self._names) if end else None
        beside = end and (inner or layout.column is None or end == len(line) or layout.goes_on(row, self._finished))
        if paratext.is_break(line[: end or None]) or (layout.squares and line[0] == "[" and end == len(line)):
            yield LineTag(number, "scene", line)
            self._speaking = False
        elif self._speaking and beside:
            yield LineTag(number, "speech", line[:end] if inner else line)
        else:
            # Unclosed, so that it might hold too much, or narration that begins with a bracket.
            yield LineTag(number, "aside", line, "stage direction")
        if inner is not None:
            yield from _turns(number, inner.name, inner.directions + inner.speech, self._names)
            self._speaking = True
            self._finished = FINISHED.search(line) is not None

    def _turn_of(self, row: Row) -> tuple[str, str] | None:
        """Return the speaker and the speech if a turn begins in this row, else None."""
        if row.head and row.name in self._names and not self._layout.holds(row):
            return row.head.name, row.head.directions + row.head.speech
        # A name in capitals without its colon.
        forgot = _UNMARKED.fullmatch(row.text)
        return (forgot[1], forgot[2]) if forgot and forgot[1].casefold() in self._names else None


def _inner_turn(line: str, names: Container[str]) -> Head | None:
    """Return the turn after a direction that begins a line, if its name is known."""
    head = head_of(line)
    return head if head and head.name.casefold() in names else None


def _turns(number: int, name: str, speech: str, names: Container[str]) -> Iterator[LineTag]:
    """Yield the tags of a turn, or of several where a page lost its line ends.

    If `name` is empty, the current turn continues.
    """
    if name:
        yield LineTag(number, "name", name)
    begin = 0
    for match in _RUN_ON.finditer(speech):
        if match[1].casefold() in names:
            yield LineTag(number, "speech", speech[begin : match.start()])
            yield LineTag(number, "name", match[1])
            begin = match.end(1) + 1
    yield LineTag(number, "speech", speech[begin:])
