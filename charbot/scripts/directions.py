"""Takes stage directions out of a line, nested and unbalanced ones too."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from charbot.text import normalise

# A direction before a stop leaves a space behind; three dots and decimals may well stand alone.
_GAP = re.compile(r" ([,!?]|\.(?![.\d]))")
APART = "\ue000"
"""Opens a direction that stood apart from the text: a mark that nobody types, so that every other is speech."""
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">", APART: "\ue001"}
_BRACKETS = re.compile("[()\\[\\]{}<>\ue000\ue001]")
_ALL_MUFFLED = re.compile(r"[^\w()]*(?:\([^()]*\)[^\w()]*)+")


def apart(direction: str) -> str:
    """A direction that stood apart from the text, as it is told from one that stands in it."""
    return f"{APART}{direction}{_CLOSING[APART]}"


@dataclass(frozen=True, slots=True)
class Speech:
    """What is spoken in some source lines, normalised; the directions that stood in it; and for
    each source line whether anything of it is spoken."""

    text: str
    directions: tuple[str, ...]
    spoken: tuple[bool, ...]


def split_directions(parts: Sequence[str], opening: str) -> Speech:
    """Parts the speech of `parts`, source lines that belong together, from its directions.

    `opening` names the brackets that hold directions in this format. A bracket that is never
    closed opens a direction that runs to the end; one that was never opened is dropped. Where there are
    none, everything is said as it stands. Where
    parentheses hold no directions, a speech that stands wholly in them (said into a hood) loses them.
    """
    if not opening:
        return Speech(normalise(" ".join(parts)), (), tuple(bool(part.strip()) for part in parts))
    pairs = {mark: _CLOSING[mark] for mark in opening}
    closing = set(pairs.values())
    said: list[list[str]] = []
    directions: list[str] = []
    current: list[str] = []
    expected: list[str] = []
    for part in parts:
        here: list[str] = []
        said.append(here)
        at = 0
        for match in _BRACKETS.finditer(part):
            char = match[0]
            if char not in pairs and char not in closing:
                continue
            (current if expected else here).append(part[at : match.start()])
            at = match.end()
            if char in pairs:
                expected.append(pairs[char])
                if len(expected) > 1:
                    current.append(char)
            elif expected:
                # People close "[" with ")": any closing mark closes the innermost direction.
                expected.pop()
                if expected:
                    current.append(char)
                else:
                    directions.append("".join(current))
                    current.clear()
                    here.append(" ")
        (current if expected else here).append(part[at:])
        if expected:
            current.append(" ")
    if expected:
        directions.append("".join(current))
    spoken = ["".join(here) for here in said]
    # "Name: (softly): Hello." has a colon too many.
    text = normalise(" ".join(spoken)).lstrip(": ")
    if (closed := _GAP.sub(r"\1", text)) != text:
        # A stop that moves up to three dots makes four.
        text = normalise(closed)
    if "(" not in opening and opening != APART and _ALL_MUFFLED.fullmatch(text):
        text = normalise(re.sub(r"[()]", " ", text))
    return Speech(text, tuple(filter(None, map(normalise, directions))), tuple(bool(one.strip()) for one in spoken))
