"""Groups of messages that mean the same (paraphrases.txt): the answer to one of them answers the others."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from charbot.text import words


def paraphrase_groups() -> list[tuple[str, ...]]:
    """Return the groups of paraphrases.txt."""
    text = resources.files("charbot.generation").joinpath("paraphrases.txt").read_text("utf-8")
    return [tuple(group.splitlines()) for group in text.strip().split("\n\n")]


@lru_cache
def paraphrases() -> Mapping[str, tuple[str, ...]]:
    """Return the group of each message, by its `wording`."""
    return {wording(message): group for group in paraphrase_groups() for message in group}


def wording(message: str) -> str:
    """Return a message's words alone, so that spellings with other capitals or punctuation are the same."""
    return " ".join(words(message)).replace("'", "")
