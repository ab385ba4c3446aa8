"""Takes stage directions out of a line, nested and unbalanced ones too."""

import re

from charbot.text import normalise

# A direction before a stop leaves a space behind; three dots may well stand alone.
_GAP = re.compile(r" ([,!?]|\.(?!\.))")
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


def split_directions(raw: str, opening: str) -> tuple[str, tuple[str, ...]]:
    """The spoken text of `raw`, normalised, and the directions that stood in it.

    `opening` names the brackets that hold directions in this format. A bracket that is never
    closed opens a direction that runs to the end; one that was never opened is dropped.
    """
    pairs = {mark: _CLOSING[mark] for mark in opening}
    spoken: list[str] = []
    directions: list[str] = []
    current: list[str] = []
    expected: list[str] = []
    for char in raw:
        if char in pairs:
            expected.append(pairs[char])
            if len(expected) == 1:
                continue
        elif expected and char in pairs.values():
            # People close "[" with ")": any closing mark closes the innermost direction.
            expected.pop()
            if not expected:
                directions.append("".join(current))
                current.clear()
                spoken.append(" ")
                continue
        elif char in pairs.values():
            continue
        (current if expected else spoken).append(char)
    if current:
        directions.append("".join(current))
    found = tuple(filter(None, map(normalise, directions)))
    text = normalise("".join(spoken))
    # A stop that moves up to three dots makes four.
    return normalise(_GAP.sub(r"\1", text)), found
