"""Text as charbot sees it: the one place where text is normalised.

Scripts pass through here on their way into the corpus, and messages on their way to a
model, so both are spelled alike. Knows nothing of scripts, tokens or models.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable

MAX_MESSAGE = 2_000
"""Code points of a message that a model reads: the last ones, cut at a word."""

_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "…": "...", "–": "-", "—": "--", "―": "--", "‐": "-", "‑": "-",
    }
)  # fmt: skip
_WORD = re.compile(r"\w+(?:'\w+)*")
_SPACED_DOTS = re.compile(r"(?:\. ){2,}\.")
_DOTS = re.compile(r"\.{4,}")
_UNSEEN = frozenset("\u00ad\u200b\ufeff")


def _visible(char: str) -> bool:
    # Control characters and lone surrogates carry no meaning in dialogue; the joiners of
    # emoji and of right-to-left scripts (category Cf) do. Line ends are space, not control.
    return char.isspace() or (char not in _UNSEEN and unicodedata.category(char) not in {"Cc", "Cs", "Cn"})


def normalise(text: str) -> str:
    """One line of dialogue in the form that the corpus and the models use.

    NFC, typewriter quotes and dashes, single spaces, no control characters. Idempotent.
    """
    if not (text.isascii() and text.isprintable()):
        # In this order: what is dropped may part a letter from its accent, and NFC may make a quote.
        text = unicodedata.normalize("NFC", "".join(filter(_visible, text)))
    # Most lines are plain, and translating costs more than all else here.
    text = text.replace("`", "'") if text.isascii() else text.translate(_TYPOGRAPHY)
    return _DOTS.sub("...", _SPACED_DOTS.sub("...", " ".join(text.split())))


def find_name(wanted: str, names: Iterable[str]) -> tuple[str | None, str]:
    """The one of `names` that is `wanted`, whatever its case, else None; and then a hint at the nearest of them."""
    known = {name.casefold(): name for name in names}
    if wanted.casefold() in known:
        return known[wanted.casefold()], ""
    near = [known[one] for one in difflib.get_close_matches(wanted.casefold(), known, n=3)]
    return None, f" Did you mean {' or '.join(near)}?" if near else ""


def words(text: str) -> list[str]:
    """The words of a text in small letters, punctuation apart."""
    return [word.casefold() for word in _WORD.findall(text)]


def prepare_message(text: str) -> str:
    """What a person typed, normalised and cut to the last MAX_MESSAGE code points."""
    text = normalise(text)
    if len(text) <= MAX_MESSAGE:
        return text
    text = text[-MAX_MESSAGE:]
    return text.partition(" ")[2] or text


def broken_off(text: str) -> str:
    """A text that does not end, as a script has it."""
    return text.rstrip(",;:-") + "..."
