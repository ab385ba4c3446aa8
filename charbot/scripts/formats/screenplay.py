"""Screenplay layout: NAME centred on a line of its own, speech indented below it, actions near the margin.

IMSDB's pages and the printouts of screenwriting programs have it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats import paratext

_NAME = re.compile(r"[^a-z\[\]()!?:;…]*[A-Z][^a-z\[\]()!?:;…]*(?:\s*[(\[][^)\]]*[)\]])*")
_SLACK = 4
"""Columns by which names and speech may stray, since pages are typed by hand."""


def _rows(text: str) -> list[tuple[int, int, str, bool]]:
    """Return (number, indent, line, apart) of each line that is not empty; `apart` means first, or below an empty line."""
    rows, apart = [], True
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.expandtabs().rstrip()
        if line.strip():
            rows.append((number, len(line) - len(line.lstrip()), line.strip(), apart))
        apart = not line.strip()
    return rows


def _can_name(line: str) -> bool:
    return len(line) <= 60 and _NAME.fullmatch(line) is not None


def _columns(rows: list[tuple[int, int, str, bool]]) -> tuple[int, int]:
    """Return the columns where names and speeches begin, or (0, 0) if the text has no such columns."""
    pairs: Counter[tuple[int, int]] = Counter()
    for (_, indent, line, apart), (_, below, _, apart_below) in pairwise(rows):
        if apart and not apart_below and 0 < below < indent and _can_name(line):
            pairs[indent, below] += 1
    if not pairs:
        return 0, 0
    return pairs.most_common(1)[0][0]


class Screenplay:
    """Screenplays, such as those of South Park on IMSDB."""

    name = "screenplay"

    def confidence(self, text: str) -> float:
        rows = _rows(text)
        name_column, speech_column = _columns(rows)
        names = sum(self._is_name(line, indent, name_column) and apart for _, indent, line, apart in rows)
        if names < 4 or text.lstrip().startswith("<"):
            return 0.0
        return min(1.0, 4 * names / len(rows)) if speech_column else 0.0

    @staticmethod
    def _is_name(line: str, indent: int, column: int) -> bool:
        return abs(indent - column) <= _SLACK and _can_name(line)

    def brackets(self, text: str) -> str:
        # Where square brackets hold the actions, parentheses hold muffled speech.
        squares = len(re.findall(r"(?m)^[ \t]*\[", text))
        return "[{" if squares > 5 and squares > len(re.findall(r"(?m)^[ \t]*\(", text)) else "([{"

    def tags(self, text: str) -> Iterator[LineTag]:
        rows = _rows(text)
        name_column, speech_column = _columns(rows)
        speaking = named = False
        depth = 0
        for number, indent, line, apart in rows:
            spoken = abs(indent - speech_column) <= _SLACK or indent > speech_column
            if depth and not spoken:
                depth = max(0, depth + line.count("[") - line.count("]"))
                yield LineTag(number, "aside", line, "stage direction")
                continue
            depth = 0
            if apart and self._is_name(line, indent, name_column) and not paratext.is_break(line):
                yield LineTag(number, "name", line)
                speaking = named = True
                continue
            if speaking and spoken and (named or not apart or not paratext.is_break(line)):
                yield LineTag(number, "speech", line)
            elif paratext.is_break(line):
                yield LineTag(number, "scene", line)
                speaking = False
            elif line.startswith(("[", "(")):
                yield LineTag(number, "aside", line, "stage direction")
                depth = max(0, line.count("[") - line.count("]"))
                speaking = speaking and not apart
            elif (reason := paratext.reason(line)) is not None:
                yield LineTag(number, "omission", line, reason)
                speaking = False
            else:
                yield LineTag(number, "omission", line, "narration")
                speaking = False
            named = False
