"""Topics of messages, by keywords (compare Weizenbaum 1966, "ELIZA")."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from charbot.text import words

_ENDING = re.compile(r"(?<=\w{3})(?:'s|s|es)$")


def topic(message: str) -> str | None:
    """Return the topic that a message has most words of, the one named last if there are several; None if it has of none."""
    known = _topics()
    counts: dict[str, int] = {}
    for word in reversed(words(message)):
        for name in known.get(word) or known.get(_ENDING.sub("", word), ()):
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: counts[name], default=None)


def topics() -> list[str]:
    """Return the names of all topics."""
    return list(dict.fromkeys(name for names in _topics().values() for name in names))


@lru_cache
def _topics() -> Mapping[str, tuple[str, ...]]:
    """Return the topics of each keyword of topics.txt."""
    found: dict[str, tuple[str, ...]] = {}
    for line in resources.files("charbot.generation").joinpath("topics.txt").read_text("utf-8").splitlines():
        name, _, keywords = line.partition(": ")
        for word in keywords.split():
            found[word] = (*found.get(word, ()), name)
    return found
