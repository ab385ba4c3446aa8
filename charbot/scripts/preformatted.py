"""Extract typed text from a web page that holds it in &lt;pre>, and from the quotes of a table of one column."""

import re
from collections import Counter

from charbot.scripts.markup import unescape

_BEGINS, _ENDS = re.compile(r"<pre\b[^<>]*>", re.I), re.compile(r"</pre\b", re.I)
_TAG = re.compile(r"</?[a-z!][^<>]*>", re.I)
_MIN_SHARE = 0.5
"""Minimum share of a page's letters inside <pre>; in other pages, <pre> holds a paragraph of code or the like."""
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)",*\s*')
_CELL = re.compile(r"""\s*("?)([^\W\d_a-z][\w.'’# -]{0,40}): ?\S""")
_MIN_TURNS = 0.1
"""Minimum share of lines that are turns in quotes."""


def without_frame(text: str) -> str:
    """Return the text in a page's <pre>, with its line numbers kept; return any other text unchanged."""
    begins, closing = _BEGINS.search(text), [match.start() for match in _ENDS.finditer(text)]
    if begins is None or not closing:
        return text
    inner = _without_tags(text[begins.end() : closing[-1]])
    if _letters(inner) < _MIN_SHARE * _letters(_without_tags(text)):
        return text
    return "\n" * text.count("\n", 0, begins.end()) + unescape(inner)


def without_quotes(text: str) -> str:
    """Return the cells of a table of one column that holds "Name: speech", one per line; return any other text unchanged."""
    if '"' not in text[:10_000]:
        return text
    lines = text.splitlines()
    quoted = sum(bool(turn and turn[1]) for turn in map(_CELL.match, (line for line in lines if '"' in line)))
    if quoted < max(3, _MIN_TURNS * len(lines)):
        return text
    turns = list(filter(None, map(_CELL.match, lines)))
    recurring = [name for name, count in Counter(turn[2] for turn in turns).items() if count > 1]
    if len(recurring) < 2:
        return text
    cells = (match[1].replace('""', '"') if (match := _QUOTED.fullmatch(line)) else line for line in lines)
    return "\n".join(cells)


def _without_tags(text: str) -> str:
    return _TAG.sub(lambda tag: "\n" * tag[0].count("\n"), text)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
