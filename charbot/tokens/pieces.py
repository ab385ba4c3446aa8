"""Splitting of text into words and punctuation, each including the space before it."""

import re
from collections.abc import Iterator

# A word, including inner apostrophes, or a run of one punctuation mark, each with the space before it; any other white space
# character is a piece of its own.
_PIECE = re.compile(r" ?\w+(?:'\w+)*| ?([^\w\s])\1*|\s")


def pieces(text: str) -> Iterator[str]:
    """Yield the words and punctuation of `text`, including spaces; joined, they are " " + text."""
    return (match.group() for match in _PIECE.finditer(" " + text))


def lower(piece: str) -> str:
    """Return a piece in lower case without the space before it: empty if it is only space."""
    return piece.strip().lower()


def lower_pieces(text: str) -> list[str]:
    """Return the words and punctuation of `text` in lower case, without spaces."""
    return [word for piece in pieces(text) if (word := lower(piece))]
