"""Pages that hold a text as it was typed: what stands in their <pre> is no HTML but for some bold letters."""

import re
from html import unescape

_FRAME = re.compile(r"<pre\b[^>]*>(.*)</pre\s*>", re.S | re.I)
_HIDDEN = re.compile(r"<(head|script|style)\b.*?</\1\s*>", re.S | re.I)
_TAG = re.compile(r"<!--.*?-->|</?[a-z!][^>]*>", re.S | re.I)
_MOST = 0.8
"""The share of a page's letters that the frame holds at least: others have a paragraph of code in one."""


def without_frame(text: str) -> str:
    """What a page frames in <pre>, each line where it stands in the page; every other text as it is."""
    framed = _FRAME.search(text)
    if framed is None:
        return text
    inner = _without_tags(framed[1])
    if _letters(inner) < _MOST * _letters(_without_tags(_HIDDEN.sub("", text))):
        return text
    return "\n" * text.count("\n", 0, framed.start(1)) + unescape(inner)


def _without_tags(text: str) -> str:
    return _TAG.sub(lambda tag: "\n" * tag[0].count("\n"), text)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
