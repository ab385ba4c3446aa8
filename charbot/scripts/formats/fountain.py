"""Fountain, the plain-text screenplay format (https://fountain.io/syntax).

A NAME in capitals, or any name after "@", stands below an empty line and is followed by its speech up to the next one.
"""

import re
from collections.abc import Iterator

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats import paratext

_HEADING = re.compile(r"(?:int|ext|est|i/e|int\.?/ext)[. ].*|\.[^.].*", re.I)
_TRANSITION = re.compile(r">.*[^<]|[^a-z]*\bTO:")
_CHARACTER = re.compile(r"@.+|(?=.*[^\W\d_])[^a-z]+(?:\s*\([^)]*\))*\s*\^?")
_LONGEST_NAME = 100
_TALK = 0.03
"""Minimum share of lines that are names."""
_TITLE_KEY = re.compile(
    r"(?:title|credit|author|authors|source|notes?|draft date|date|contact|copyright|revision|font|format)\s*:.*", re.I
)
_EMPHASIS = re.compile(r"(?<!\\)(\*{1,3}|_)(?=\S)([^*_]+)(?<=\S)\1")
_NOTE = re.compile(r"\[\[.*?\]\]", re.S)
_BONEYARD = re.compile(r"/\*.*?\*/", re.S)
_EXTENSION = re.compile(r"\s*\^?$")
_PLACE = re.compile(r"\t*(?:int|ext|est|i/e)[. ]", re.I)


def _without_notes(text: str) -> str:
    """Remove notes and boneyards (block comments) from a text, keeping line ends."""
    for pattern, close in ((_BONEYARD, "*/"), (_NOTE, "]]")):
        # Search only up to the last closing mark: nothing that opens after it is closed.
        end = text.rfind(close) + len(close)
        text = pattern.sub(lambda match: "\n" * match[0].count("\n"), text[:end]) + text[end:]
    return text


def _without_emphasis(line: str) -> str:
    # Twice, because underlined words may also be bold.
    return re.sub(r"\\([*_])", r"\1", _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", line)))


def _is_character(line: str) -> bool:
    return len(line) <= _LONGEST_NAME and not line.startswith("!") and _CHARACTER.fullmatch(line) is not None


class Fountain:
    """Fountain files, as screenwriting programs save them."""

    name = "fountain"

    def confidence(self, text: str) -> float:
        if text.lstrip()[:1] in "<{":
            return 0.0
        lines = text.splitlines()
        headings = sum(_PLACE.match(line) is not None for line in lines)
        titled = bool(lines and _TITLE_KEY.fullmatch(lines[0]))
        names = sum(tag.kind == "name" for tag in self.tags(text)) if headings or titled else 0
        # In a centred script the rare name without a column would be taken for all of them.
        if names < 2 or (not titled and names < _TALK * sum(map(bool, map(str.strip, lines)))):
            return 0.0
        return min(1.0, 0.4 * titled + 0.2 * min(3, headings) + 0.1 * min(3, names))

    def brackets(self, text: str) -> str:
        return "("

    def tags(self, text: str) -> Iterator[LineTag]:
        lines = text.splitlines()
        clean = _without_notes("\n".join(lines)).split("\n")
        title_page = bool(lines and _TITLE_KEY.fullmatch(lines[0]))
        speaking = False
        for number, (raw, shown) in enumerate(zip(lines, clean, strict=False), 1):
            line = shown.strip()
            apart = number == 1 or not clean[number - 2].strip()
            below = number < len(clean) and bool(clean[number].strip())
            if not raw.strip():
                # A line of two spaces continues a speech.
                title_page, speaking = False, speaking and raw == "  "
            elif title_page:
                yield LineTag(number, "omission", raw, "title")
            elif not line:
                yield LineTag(number, "aside", raw, "transcriber's note")
            elif speaking:
                yield LineTag(number, "speech", _without_emphasis(line.removeprefix("~")))
            elif apart and (_HEADING.fullmatch(line) or (not below and _TRANSITION.fullmatch(line))):
                yield LineTag(number, "scene", line)
            elif apart and below and _is_character(line):
                yield LineTag(number, "name", _EXTENSION.sub("", line.removeprefix("@")))
                speaking = True
            elif line.startswith(("#", "=")):
                yield LineTag(number, "omission", line, "title")
            else:
                yield LineTag(number, "omission", line, paratext.reason(line) or "narration")
