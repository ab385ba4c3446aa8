"""Filters of replies that are to be clean: profanity is masked if no clean reply was generated."""

from dataclasses import dataclass
from functools import lru_cache

from glin_profanity import Filter

from charbot.generation.filters import CHANGE_OF_SUBJECT
from charbot.generation.offence import is_unclean, names_group

_MASK = "bleep"
"""A word, because a sign might be Markdown."""


@dataclass(frozen=True)
class ProfanityFilter:
    """Accepts replies without English profanity, slurs, sexual talk and judgements of groups of people."""

    more: tuple[str, ...] = ()
    """Words that count as profanity, in addition to the list of glin_profanity."""
    after_group: bool = False
    """Whether the messages before mention a group of people."""

    def accepts(self, text: str) -> bool:
        return not is_unclean(text, self.after_group) and not _profanity(self.more).is_profane(text)

    def repair(self, text: str) -> str:
        """Return the text with profane words masked, or a change of subject if that does not make it clean."""
        found: str = _profanity(self.more).check_profanity(text).get("processed_text", text)
        return found if self.accepts(found) else CHANGE_OF_SUBJECT


class GroupFilter:
    """Accepts replies that name no group of people: what a model says of one may be a judgement in any words."""

    def accepts(self, text: str) -> bool:
        return not names_group(text)

    def repair(self, text: str) -> str:
        return text if self.accepts(text) else CHANGE_OF_SUBJECT


@lru_cache
def _profanity(more: tuple[str, ...]) -> Filter:
    return Filter({"languages": ["english"], "custom_words": list(more), "detect_leetspeak": True, "replace_with": _MASK})
