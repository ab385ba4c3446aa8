"""Bounding of a text by the tokens that a model reads."""

from charbot.tokens import Tokenizer
from charbot.tokens.pieces import pieces


def last_tokens(tokenizer: Tokenizer, text: str, count: int) -> str:
    """Return the end of a text that is at most about `count` tokens long, from the beginning of a word where possible."""
    start, tokens = len(text), 0
    for piece in reversed(list(pieces(text))):
        tokens += len(tokenizer.encode(piece.removeprefix(" ")))
        if tokens > count:
            break
        # The first piece has a space that is not in the text.
        start = max(0, start - len(piece))
    # A single word may be longer; a character is at most four tokens, its bytes.
    return text[start:].lstrip() or text[-max(1, count // 4) :]
