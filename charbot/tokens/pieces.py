"""Text cut into words and punctuation, each marked with the space before it."""

import re
from collections.abc import Iterator

# A word with the apostrophes inside it, or a run of one punctuation mark, each with the
# space before it; any other white space is a piece of its own.
_PIECE = re.compile(r" ?\w+(?:'\w+)*| ?([^\w\s])\1*|\s")


def pieces(text: str) -> Iterator[str]:
    """The words and punctuation of `text`, spaces marked. Joined they are " " + text."""
    return (match.group() for match in _PIECE.finditer(" " + text))


def lower(piece: str) -> str:
    """A piece in small letters, without the space before it; nothing where it is space alone."""
    return piece.strip().lower()


def lower_pieces(text: str) -> list[str]:
    """The words and punctuation of `text` in small letters, without spaces."""
    return [word for piece in pieces(text) if (word := lower(piece))]
