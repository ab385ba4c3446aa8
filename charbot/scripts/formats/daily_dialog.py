"""DailyDialog's own form: one conversation per line, its turns separated by `__eou__`, two people in turn."""

import re
from collections.abc import Iterator
from itertools import cycle

from charbot.scripts.assembly import LineTag

_END = "__eou__"
_SPEAKERS = ("A", "B")
_SHARE = 0.8
"""Minimum share of lines that hold several turns."""
_MAX_SEARCHED = 50_000
"""Number of characters from which the format is told."""
_APART = re.compile(r"(?<=\w) ?['’] ?(?=(?:s|t|d|m|re|ve|ll)\b)", re.I)
"""An apostrophe that a tokenizer set apart: "I don ’ t"."""
_SPACED = re.compile(r" +(?=[,.?!;:])")


class DailyDialog:
    """DailyDialog's texts, and others of its form."""

    name = "daily-dialog"

    def confidence(self, text: str) -> float:
        begin = text[:_MAX_SEARCHED]
        lines = [line for line in begin.splitlines() if line.strip()] if _END in begin else []
        several = sum(len(_turns(line)) > 1 for line in lines)
        return 0.97 if several > _SHARE * len(lines) else 0.0

    def brackets(self, text: str) -> str:
        # Whatever people type is speech.
        return ""

    def tags(self, text: str) -> Iterator[LineTag]:
        for number, line in enumerate(text.splitlines(), 1):
            turns = _turns(line) if _END in line else []
            if line.strip():
                yield LineTag(number, "scene" if turns else "omission", "" if turns else line, "no dialogue")
            for part, (speaker, turn) in enumerate(zip(cycle(_SPEAKERS), turns, strict=False)):
                yield LineTag(number, "name", speaker, part=part)
                yield LineTag(number, "speech", _SPACED.sub("", _APART.sub("'", turn)), part=part)


def _turns(line: str) -> list[str]:
    return [turn.strip() for turn in line.split(_END) if turn.strip()]
