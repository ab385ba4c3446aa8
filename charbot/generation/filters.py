"""Filters of generated replies: each accepts or rejects a text, and may repair a rejected one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from charbot.generation.lexicon import Lexicon
from charbot.generation.reranking import has_repeated_ngram
from charbot.text import broken_off

if TYPE_CHECKING:
    from charbot.personas.copy_guard import CopyGuard

CHANGE_OF_SUBJECT = "Let's talk about something else."
"""What is said where there is nothing clean to say."""


class ReplyFilter(Protocol):
    """A condition that replies must meet."""

    def accepts(self, text: str) -> bool:
        """Return whether a reply meets the condition."""

    def repair(self, text: str) -> str:
        """Return an acceptable version of a reply, or the reply unchanged if the filter has no repair."""


@dataclass(frozen=True)
class WordFilter:
    """Accepts replies whose words are all in the lexicon and that repeat no n-gram of words."""

    lexicon: Lexicon

    def accepts(self, text: str) -> bool:
        return self.lexicon.knows(text) and not has_repeated_ngram(text)

    def repair(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class CopyFilter:
    """Accepts replies that quote no long passage of the training scripts."""

    guards: "Sequence[CopyGuard]"

    def accepts(self, text: str) -> bool:
        return not any(guard.copies(text) for guard in self.guards)

    def repair(self, text: str) -> str:
        """Return the longest beginning of a reply that is not a quotation."""
        if self.accepts(text):
            return text
        words = text.split(" ")
        while not self.accepts(" ".join(words)):
            words.pop()
        return broken_off(" ".join(words))


def accepts(text: str, filters: Sequence[ReplyFilter]) -> bool:
    """Return whether all filters accept a reply."""
    return all(one.accepts(text) for one in filters)


def repaired(text: str, filters: Sequence[ReplyFilter]) -> str:
    """Return a reply repaired by each filter in turn."""
    for one in filters:
        text = one.repair(text)
    return text
