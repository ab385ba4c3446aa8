"""Wiki dumps: a title line, then NAME on a line of its own and the speech below it.

Stage directions are in square brackets. Parentheses hold speech that is muffled, whispered or subtitled.
"""

import re
from collections.abc import Iterator

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats.screenplay import is_scene_heading

_NAME = re.compile(r"[^a-z\[\]()!?:;…]*[A-Z][^a-z\[\]()!?:;…]*(?:[\[(][^\])]*[\])])?:?")
_SHOUT = re.compile(r"""^["'.(-]|(?:,|\.\.|-|"|(?<!\b\w)(?<!\bJR)(?<!\bSR)\.)$""")

_SCREENPLAY = re.compile(r"(?m)^[ \t]*(?:[A-Z]?\d+[A-Z]?\.?[ \t]+)?(?:INT|EXT)[. ]")
_TRANSITION = re.compile(r"(?:[A-Z]+ ){0,2}(?:CUT|DISSOLVE|FADE|WIPE)(?: [A-Z]+)? (?:TO|IN|OUT)\b.*")
"""A scene's end in capitals, which is nobody's name."""

_TIME = re.compile(
    r", [^.]{0,40}\b(?:day|night|morning|afternoon|evening|dusk|dawn|later|moments|continued|inside|outside)\b", re.I
)
_HEAD = re.compile(r"\[([^.\[\]]{1,60})\.(?: |\]?$)")
_ACTION = re.compile(r"\b(?:is|are|was|has|have|and|they|he|she|all|[a-z]{3,}ing|[a-z]{2,}[^s'\s]s)\b")


def _is_name(line: str) -> bool:
    """Return True if a line can be a NAME: all capitals, short, and not a shout."""
    return len(line) <= 60 and _NAME.fullmatch(line) is not None and _SHOUT.search(line) is None


def _sets_scene(line: str) -> bool:
    """Return True if a direction begins with a place ("[The bus stop, day. They wait.]"), not an action."""
    if not line.startswith("["):
        return False
    head = _HEAD.match(line)
    return _TIME.search(line[:100]) is not None or (
        head is not None and len(head[1].split()) <= 7 and _ACTION.search(head[1]) is None
    )


class WikiDump:
    """Transcripts from fan wikis, such as that of South Park."""

    name = "wiki-dump"

    def confidence(self, text: str) -> float:
        lines = list(filter(None, map(str.strip, text.splitlines())))
        names = sum(map(_is_name, lines))
        if names < 2 or text.lstrip().startswith("<") or (("INT" in text or "EXT" in text) and _SCREENPLAY.search(text)):
            return 0.0
        return min(0.9, 2.5 * names / len(lines))

    def brackets(self, text: str) -> str:
        return "["

    def tags(self, text: str) -> Iterator[LineTag]:
        lines = [line.strip() for line in text.splitlines()]
        # A first line that recurs as a name is not a title.
        first = next(filter(None, lines), "")
        title = "" if _is_name(first) and lines.count(first) > 1 else None
        named = silent = False
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            if title is None:
                title = line
                yield LineTag(number, "omission", line, "title")
            elif title and line.casefold() == f"end of {title}".casefold():
                yield LineTag(number, "omission", line, "title")
                named = False
            elif not silent and (_TRANSITION.fullmatch(line) or is_scene_heading(line)):
                yield LineTag(number, "scene", line)
                named = False
            # The line right below a name is speech, even in capitals.
            elif not silent and _is_name(line):
                yield LineTag(number, "name", line.removesuffix(":"))
                named = silent = True
            elif not silent and _sets_scene(line):
                yield LineTag(number, "scene", line)
                named = False
            elif named or not line.startswith("["):
                yield LineTag(number, "speech", line)
                silent = False
            else:
                yield LineTag(number, "aside", line, "stage direction")
