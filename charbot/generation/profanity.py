"""Clean replies: what is profane, and how it is masked where nothing cleaner was drawn."""

from collections.abc import Iterable

from glin_profanity import Filter

_MASK = "***"


class ProfanityFilter:
    """Knows the profanity and slurs of English, by a kept library's list, and `more` words."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._filter = Filter({"languages": ["english"], "custom_words": list(more), "replace_with": _MASK})

    def accepts(self, text: str) -> bool:
        return not self._filter.is_profane(text)

    def repair(self, text: str) -> str:
        """The text without them; nothing but a mask, where they cannot be told from the rest."""
        found: str = self._filter.check_profanity(text).get("processed_text", text)
        return found if self.accepts(found) else _MASK
