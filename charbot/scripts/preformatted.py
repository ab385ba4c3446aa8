"""Pages that hold a text as it was typed: what stands in their <pre> is no HTML but for some bold letters."""

import re
from html import unescape

_BEGINS, _ENDS = re.compile(r"<pre\b[^<>]*>", re.I), re.compile(r"</pre\b", re.I)
_TAG = re.compile(r"</?[a-z!][^<>]*>", re.I)
_MOST = 0.5
"""The share of a page's letters that the frame holds at least: others have a paragraph of code in one."""


def without_frame(text: str) -> str:
    """What a page frames in <pre>, each line where it stands in the page; every other text as it is."""
    begins, ends = _BEGINS.search(text), [match.start() for match in _ENDS.finditer(text)]
    if begins is None or not ends:
        return text
    inner = _without_tags(text[begins.end() : ends[-1]])
    if _letters(inner) < _MOST * _letters(_without_tags(text)):
        return text
    return "\n" * text.count("\n", 0, begins.end()) + unescape(inner)


def _without_tags(text: str) -> str:
    return _TAG.sub(lambda tag: "\n" * tag[0].count("\n"), text)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
