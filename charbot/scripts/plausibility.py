"""Tell dialogue from other text in which labels stand before colons or lines in capitals above paragraphs."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from charbot.scripts.line import Turn

# Each alternative begins with a character of its own, by which re skips most places.
_CODE = re.compile(r"[{}\\|=`]|::|//|/\*|_(?<=\w_)\w|<\w|\((?<=\w\()\)|;$|\.\w+\.\w+")
_VALUE = re.compile(r"[\w.+-]*\d[\w.+-]*")
_LABEL = re.compile(
    r"args?|arguments|keyword args|returns?|raises|yields|examples?|type|default|notes?|warning|error|info|debug|usage|options?|"
    r"version|name|description|summary|format|files(?:-.*)?|copyright|licen[cs]e|source|upstream-.*|author|maintainer|fields|"
    r"attributes|parameters|class|method|function|module|added in|deprecated.*|changed in|see also|requires(?:-.*)?|"
    r"metadata-.*|classifier|home-?page|project-url|platform|keywords?|package|section|priority|depends|status|date|"
    r"subject|to|from|cc|input|output|shape|enum|values?|alpha|beta|ga|macro|platforms?|provides-extra|comment|messages",
    re.I,
)
_TALK = re.compile(
    r"[?!]|\b(?:I|you|we|me|my|your|us|yes|no|oh|well|hi|hello|thanks|okay|ich|du|wir|ja|nein|je|tu|vous|oui|non|yo|sí|"
    r"io|sì|eu|não|jag|nej|ik|jij|nee|я|ты|вы|мы|да|нет)\b",
    re.I,
)
_FINISHED = re.compile(r"""[.?!…"')\]–—~*♪-]$""")
_MANY = 20
"""Number of turns among which some sound like talk in any dialogue."""


def is_dialogue(turns: Sequence[Turn], columns: bool = False) -> bool:
    """Return True if turns, recognised by their layout alone, may be dialogue.

    `columns` says whether names stand in a column apart; then a single speaker is enough.
    """
    lines = Counter(turn.speaker.casefold() for turn in turns)
    recurring = sum(count > 1 for count in lines.values())
    few = len(turns) < _MANY
    if not columns and recurring < 2 and few:
        talk = sum(_TALK.search(turn.text) is not None for turn in turns)
        if len(lines) < 2 or talk < 0.2 * len(turns):
            return False
    labels = sum(count for name, count in lines.items() if _LABEL.fullmatch(name))
    if labels > 0.4 * len(turns) or _more_than(0.3, turns, _is_code):
        return False
    return few or _more_than(0.05, turns, _TALK.search) or _more_than(0.6, turns, _FINISHED.search)


def _is_code(text: str) -> bool:
    """Return True if a text looks like code, an address or a value."""
    return _CODE.search(text) is not None or _VALUE.fullmatch(text) is not None


def _more_than(share: float, turns: Sequence[Turn], test: Callable[[str], object]) -> bool:
    """Return True if the texts of more than this share of the turns pass a test; no more are tested than needed."""
    passed = int(share * len(turns)) + 1
    failed = len(turns) - passed + 1
    for turn in turns:
        if test(turn.text):
            passed -= 1
        else:
            failed -= 1
        if not (passed and failed):
            break
    return not passed
