"""Extract typed text that a web page holds in <pre>, with hardly any markup in it."""

import re
from html import unescape

_BEGINS, _ENDS = re.compile(r"<pre\b[^<>]*>", re.I), re.compile(r"</pre\b", re.I)
_TAG = re.compile(r"</?[a-z!][^<>]*>", re.I)
_MOST = 0.5
"""Minimum share of a page's letters inside <pre>; in other pages, <pre> holds a paragraph of code or the like."""


def without_frame(text: str) -> str:
    """Return the text in a page's <pre>, with its line numbers kept; return any other text unchanged."""
    begins, closing = _BEGINS.search(text), [match.start() for match in _ENDS.finditer(text)]
    if begins is None or not closing:
        return text
    inner = _without_tags(text[begins.end() : closing[-1]])
    if _letters(inner) < _MOST * _letters(_without_tags(text)):
        return text
    return "\n" * text.count("\n", 0, begins.end()) + unescape(inner)


def _without_tags(text: str) -> str:
    return _TAG.sub(lambda tag: "\n" * tag[0].count("\n"), text)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
