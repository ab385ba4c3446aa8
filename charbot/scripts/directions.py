"""Separate speech from stage directions, nested and unbalanced ones included."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from charbot.text import normalise

# A removed direction leaves a space before punctuation; ellipses and decimals may follow a space anyway.
_GAP = re.compile(r" ([,!?]|\.(?![.\d]))")
APART = "\ue000"
"""Opens a direction that is stored outside the text: a private-use character, so that all typed brackets are speech."""
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">", APART: "\ue001"}
_BRACKETS = re.compile("[()\\[\\]{}<>\ue000\ue001]")
_ALL_MUFFLED = re.compile(r"[^\w()]*(?:\([^()]*\)[^\w()]*)+")


def apart(direction: str) -> str:
    """Return a direction stored outside the text in brackets that differ from all typed ones."""
    return f"{APART}{direction}{_CLOSING[APART]}"


@dataclass(frozen=True, slots=True)
class Speech:
    """The speech and the directions of some source lines, normalised."""

    text: str
    directions: tuple[str, ...]
    spoken: tuple[bool, ...]
    """For each source line, whether it holds any speech."""


def split_directions(parts: Sequence[str], opening: str) -> Speech:
    """Separate the speech in `parts`, the source lines of one turn, from its directions.

    `opening` holds the opening brackets of directions in this format; if it is empty, everything is speech. A bracket that
    is never closed opens a direction up to the end; one that was never opened is dropped. Where parentheses hold no
    directions, a speech entirely in parentheses (muffled) loses them.
    """
    if not opening:
        return Speech(normalise(" ".join(parts)), (), tuple(map(bool, map(str.strip, parts))))
    spoken, directions = _separated(parts, opening) if any(map(_BRACKETS.search, parts)) else (parts, [])
    # "Name: (softly): Hello." leaves a second colon.
    text = normalise(" ".join(spoken)).lstrip(": ")
    if " ," in text or " ." in text or " !" in text or " ?" in text:
        # A full stop moved up to an ellipsis makes four dots.
        text = normalise(_GAP.sub(r"\1", text))
    if "(" in text and "(" not in opening and opening != APART and _ALL_MUFFLED.fullmatch(text):
        text = normalise(re.sub(r"[()]", " ", text))
    return Speech(text, tuple(filter(None, map(normalise, directions))), tuple(map(bool, map(str.strip, spoken))))


def _separated(parts: Sequence[str], opening: str) -> tuple[Sequence[str], list[str]]:
    """Return what is outside brackets in each part, and the directions inside, as they stand."""
    pairs = {mark: _CLOSING[mark] for mark in opening}
    closing = set(pairs.values())
    speech: list[list[str]] = []
    directions: list[str] = []
    current: list[str] = []
    expected: list[str] = []
    for part in parts:
        outside: list[str] = []
        speech.append(outside)
        start = 0
        for match in _BRACKETS.finditer(part):
            char = match[0]
            if char not in pairs and char not in closing:
                continue
            (current if expected else outside).append(part[start : match.start()])
            start = match.end()
            if char in pairs:
                expected.append(pairs[char])
                if len(expected) > 1:
                    current.append(char)
            elif expected:
                # Typists close "[" with ")": any closing bracket closes the innermost direction.
                expected.pop()
                if expected:
                    current.append(char)
                else:
                    directions.append("".join(current))
                    current.clear()
                    outside.append(" ")
            elif part[match.start() - 1 : match.start()].isalnum() and part[start : start + 1].isalnum():
                # Dropped, it would make one word of two.
                outside.append(" ")
        (current if expected else outside).append(part[start:])
        if expected:
            current.append(" ")
    if expected:
        directions.append("".join(current))
    return ["".join(outside) for outside in speech], directions
