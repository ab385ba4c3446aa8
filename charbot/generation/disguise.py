"""Reading of disguised words: other alphabets, accents, signs for letters, gaps between letters, hidden characters."""

import re
import unicodedata
from collections.abc import Iterator
from functools import partial

_LETTER = re.compile(
    r"(?:LATIN|REGIONAL|SQUARED|CIRCLED|PARENTHESIZED)\b.* LETTER (?:SMALL CAPITAL |TURNED |REVERSED )?([A-Z])\b"
)
"""The letter in the name of a character that looks like one."""
_SIGNS = [str.maketrans("0345768@$€1!|", f"oeastbbase{3 * one}") for one in "il"]
"""Signs that stand for letters; some stand for two."""
_SIGNED = re.compile(r"(?<![^\s\"'(])(?=\S*[a-z])[\w@$!|€]*[\w@$]")
"""A word that may hold such signs."""
_SPACED = re.compile(r"(?<!\w)\w(?:[\W_]{1,3}\w(?!\w)){2,}")
"""Single letters with gaps between them."""
_GAPS = re.compile(r"(?<=\w)[\W_]+(?=\w)")
_MASKED = re.compile(r"(?<=[a-z])[*#%_](?=[a-z])")
"""A sign in place of a vowel."""
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[^\W_]+")


def spoken(text: str) -> frozenset[str]:
    """Return the words of a text, in lower case and with single spaces, in each way in which a disguise may be read."""
    if not text.isascii():
        # Slow to import, and most messages are ASCII.
        from glin_profanity.utils import normalize_unicode

        text = "".join(map(_plain, normalize_unicode(text)))
    text = re.sub(r"['\u2019]", "", text.casefold())
    ways = {text, _SPACED.sub(lambda letters: _GAPS.sub("", letters[0]), text)}
    ways.update([_SIGNED.sub(partial(_translated, signs), way) for signs in _SIGNS for way in ways])
    return frozenset(" ".join(_WORD.findall(one)) for way in ways for one in _whole(way))


def _translated(signs: dict[int, int], word: re.Match[str]) -> str:
    return word[0].translate(signs)


def _plain(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) in {"Cf", "Mn"}:
        return ""
    letter = _LETTER.search(unicodedata.name(char, ""))
    return letter[1] if letter else char


def _whole(text: str) -> Iterator[str]:
    """Yield a text with its masked and stretched letters in each way in which they may be meant."""
    for vowel in "aeiou" if _MASKED.search(text) else "a":
        unmasked = _MASKED.sub(vowel, text)
        yield unmasked
        yield _STRETCHED.sub(r"\1", unmasked)
        yield _STRETCHED.sub(r"\1\1", unmasked)
