"""Text normalisation, shared by scripts and by messages to a model, so that both are spelled alike."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

MAX_MESSAGE = 2_000
"""Maximum code points of a message that a model reads; the beginning of longer ones is cut off."""

_MAX_NAME = 80
"""Maximum code points of a name; Discord shows no longer ones."""

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
    # Category Cf stays, because emoji and right-to-left scripts need its joiners. Line ends are in Cc, but count as space.
    return char.isspace() or (char not in _UNSEEN and unicodedata.category(char) not in {"Cc", "Cs", "Cn"})


def normalise(text: str) -> str:
    """Return a line of dialogue in NFC, with ASCII quotes and dashes, single spaces and no control characters.

    Idempotent.
    """
    # In this order: a dropped character may stand between a letter and its accent, and NFC may produce quotes.
    # Each step is skipped where it would change nothing, because most lines are ASCII. Printable characters are visible, and
    # the only space among them is the common one.
    printable = text.isprintable()
    if not printable:
        text = "".join(filter(_visible, text))
    text = text.replace("`", "'") if text.isascii() else unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY)
    if not printable or "  " in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    if ". ." in text or "...." in text:
        text = _DOTS.sub("...", _SPACED_DOTS.sub("...", text))
    return text


def printable(text: str) -> str:
    """Return a text in which control characters, line ends and tabs apart, are written as escapes such as `\\x1b`.

    Text from a file could otherwise control the terminal that it is printed on.
    """
    hidden = (char for char in set(text) if char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cs"})
    return text.translate({ord(char): char.encode("unicode_escape").decode() for char in hidden})


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a persona or a show: one printable line of at most 80 characters, not blank."""
    return 0 < len(text) <= _MAX_NAME and text.isprintable() and text == text.strip()


def find_name(wanted: str, names: Iterable[str], mark: str = "") -> tuple[str | None, str]:
    """Return the one of `names` that equals `wanted` ignoring case, or None, and then a hint at similar names (may be empty).

    The hint has `mark` before each name.
    """
    known = {name.casefold(): name for name in names}
    if wanted.casefold() in known:
        return known[wanted.casefold()], ""
    near = [mark + known[one] for one in difflib.get_close_matches(wanted.casefold(), known, n=3)]
    return None, f" Did you mean {' or '.join(near)}?" if near else ""


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation."""
    return [word.casefold() for word in _WORD.findall(text)]


def prepare_message(text: str) -> str:
    """Return a message normalised and cut, at a space, to at most its last MAX_MESSAGE code points."""
    text = normalise(text)
    if len(text) <= MAX_MESSAGE:
        return text
    text = text[-MAX_MESSAGE:]
    return text.partition(" ")[2] or text


def broken_off(text: str) -> str:
    """Return an unfinished text with an ellipsis, as scripts write it."""
    return text.rstrip(",;:-") + "..."
