"""What a reply must not be: filters, each of which accepts a text or not, and can make one acceptable where none was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from charbot.generation.lexicon import Lexicon
from charbot.generation.reranking import has_repeated_ngram
from charbot.text import broken_off

if TYPE_CHECKING:
    from charbot.personas.guard import CopyGuard


class ReplyFilter(Protocol):
    """Accepts some replies."""

    def accepts(self, text: str) -> bool:
        """Return whether a reply may be said."""

    def repair(self, text: str) -> str:
        """Return what may be said of a reply that was not accepted; the reply itself where that makes it no worse."""


@dataclass(frozen=True)
class WordFilter:
    """Accepts replies made of words that there are, in which no run of words comes twice."""

    lexicon: Lexicon

    def accepts(self, text: str) -> bool:
        return self.lexicon.knows(text) and not has_repeated_ngram(text)

    def repair(self, text: str) -> str:
        return text


@dataclass(frozen=True)
class CopyFilter:
    """Accepts replies that quote nothing that was read at length."""

    guards: "Sequence[CopyGuard]"

    def accepts(self, text: str) -> bool:
        return not any(guard.copies(text) for guard in self.guards)

    def repair(self, text: str) -> str:
        """Return the beginning of a reply, up to where it begins to quote."""
        if self.accepts(text):
            return text
        words = text.split(" ")
        while not self.accepts(" ".join(words)):
            words.pop()
        return broken_off(" ".join(words))
