"""Filter of profane replies, which masks profanity if no clean reply was generated."""

from collections.abc import Iterable

from glin_profanity import Filter

_MASK = "***"


class ProfanityFilter:
    """Accepts replies without English profanity and slurs, by the list of glin_profanity and `more` words."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._filter = Filter({"languages": ["english"], "custom_words": list(more), "replace_with": _MASK})

    def accepts(self, text: str) -> bool:
        return not self._filter.is_profane(text)

    def repair(self, text: str) -> str:
        """Return the text with profane words masked, or just the mask if that does not make it clean."""
        found: str = self._filter.check_profanity(text).get("processed_text", text)
        return found if self.accepts(found) else _MASK
