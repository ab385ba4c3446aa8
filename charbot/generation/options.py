"""Questions that give things to choose from, as "tea or coffee?"."""

import re
import zlib

from charbot.generation.reflection import exchanged
from charbot.generation.sentences import asks, bare, parts
from charbot.text import words

_LONGEST = 5
"""Maximum number of words of each thing."""

_OR = re.compile(r",?\s+or\s+(?:just\s+|maybe\s+)?", re.IGNORECASE)

_NO_OPTION = frozenset(
    words("not what something nothing no anything whatever so are is do did am was were should you i he she they it")
)
"""Words after "or" with which no other thing begins."""

_BEFORE_OPTION = frozenset(
    words("i you we to of on at for with is are be it like want prefer love wear use take get do does did should more than")
)
"""Words after which the first thing begins."""

_COMPARES = frozenset(words("better more best most first instead"))
"""Words after the second thing."""


def choice(message: str) -> str | None:
    """Return one of the things that a message asks to choose from, in the second person; None if it does not ask that.

    The same message gives the same one.
    """
    found = next((given for sentence in parts(message) if asks(sentence) and (given := options(sentence))), None)
    if found is None:
        return None
    chosen = found[zlib.crc32(message.encode()) % len(found)]
    return chosen[:1].upper() + chosen[1:]


def options(question: str) -> tuple[str, ...] | None:
    """Return the things that a question gives to choose from, in the second person; None if it gives none."""
    left, _, right = _OR.sub("\0", question.rstrip(".!? "), count=1).partition("\0")
    second = right.split()
    if not second or len(second) > _LONGEST or bare(second[0]) in _NO_OPTION or not left.strip():
        return None
    # The first begins like the second, or after the subject or verb.
    clause = re.split(r"[,:;?]\s+", left.strip())[-1].split()
    starts = [place for place, word in enumerate(clause) if bare(word) == bare(second[0])]
    ends = [place + 1 for place, word in enumerate(clause) if bare(word) in _BEFORE_OPTION]
    first = clause[starts[-1] :] if starts else clause[ends[-1] :] if ends else clause
    second = second[:-1] if len(second) > 1 and bare(second[-1]) in _COMPARES else second
    found = [first] if 0 < len(first) <= _LONGEST else []
    return tuple(" ".join(exchanged(option)) for option in [*found, second])
