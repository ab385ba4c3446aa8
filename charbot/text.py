"""Text as charbot sees it: the one place where text is normalised.

Scripts pass through here on their way into the corpus, and messages on their way to a
model, so both are spelled alike. Knows nothing of scripts, tokens or models.
"""

import re
import unicodedata

MAX_MESSAGE = 2_000
"""Code points of a message that a model reads: the last ones, cut at a word."""

_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "…": "...", "–": "-", "—": "--", "―": "--", "‐": "-", "‑": "-",
        "\u00ad": "", "\u200b": "", "\ufeff": "",
    }
)  # fmt: skip
_SPACE = re.compile(r"\s+")
_DOTS = re.compile(r"\.{4,}|(?:\. ){2,}\.")


def _visible(char: str) -> bool:
    # Control characters and lone surrogates carry no meaning in dialogue; the joiners of
    # emoji and of right-to-left scripts (category Cf) do.
    return unicodedata.category(char) not in {"Cc", "Cs", "Cn"}


def normalise(text: str) -> str:
    """One line of dialogue in the form that the corpus and the models use.

    NFC, typewriter quotes and dashes, single spaces, no control characters. Idempotent.
    """
    text = unicodedata.normalize("NFC", text.translate(_TYPOGRAPHY))
    text = _SPACE.sub(" ", text)
    text = "".join(filter(_visible, text)).strip()
    return _SPACE.sub(" ", _DOTS.sub("...", text))


def message(text: str) -> str:
    """What a person typed, normalised and cut to the last MAX_MESSAGE code points."""
    text = normalise(text)
    if len(text) <= MAX_MESSAGE:
        return text
    text = text[-MAX_MESSAGE:]
    return text.partition(" ")[2] or text
