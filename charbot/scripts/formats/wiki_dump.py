"""Wiki dumps: a title line, then NAME on a line of its own and what is said below it.

Stage directions stand in square brackets. Parentheses are speech: what is said into a
hood, under the breath, or in subtitles.
"""

import re
from collections.abc import Iterator

from charbot.scripts.directions import split_directions
from charbot.scripts.line import Turn
from charbot.text import normalise

_NAME = re.compile(r"[^a-z\[\]()!?:;…]*[A-Z][^a-z\[\]()!?:;…]*(?:[\[(][^\])]*[\])])?")
_SHOUT = re.compile(r"""^["'.(-]|(?:,|\.\.|-|"|(?<!\b\w)(?<!\bJR)(?<!\bSR)\.)$""")
_ALL_MUFFLED = re.compile(r"[^\w()]*(?:\([^()]*\)[^\w()]*)+")

_TIME = re.compile(
    r", [^.]{0,40}\b(?:day|night|morning|afternoon|evening|dusk|dawn|later|moments|continued|inside|outside)\b", re.I
)
_HEAD = re.compile(r"\[([^.\[\]]{1,60})\.(?: |\]?$)")
_ACTION = re.compile(r"\b(?:is|are|was|has|have|and|they|he|she|all|[a-z]{3,}ing|[a-z]{2,}[^s'\s]s)\b")


def _is_name(line: str) -> bool:
    """Whether a line can be a NAME: all capitals, short, and no shout."""
    return len(line) <= 60 and _NAME.fullmatch(line) is not None and _SHOUT.search(line) is None


def _sets_scene(line: str) -> bool:
    """Whether a direction is a place ("[The bus stop, day. They wait.]") and not an action."""
    if not line.startswith("["):
        return False
    head = _HEAD.match(line)
    return _TIME.search(line[:100]) is not None or (
        head is not None and len(head[1].split()) <= 7 and _ACTION.search(head[1]) is None
    )


def _speech(raw: str) -> tuple[str, tuple[str, ...]]:
    text, directions = split_directions(raw, "[")
    if _ALL_MUFFLED.fullmatch(text):
        text = normalise(re.sub(r"[()]", " ", text))
    return text, directions


class WikiDump:
    """South Park as its fan wiki has it, and whatever else is laid out that way."""

    name = "wiki-dump"

    def confidence(self, text: str) -> float:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        names = sum(map(_is_name, lines))
        if names < 2 or text.lstrip().startswith("<"):
            return 0.0
        return min(1.0, 2.5 * names / len(lines))

    def turns(self, text: str) -> Iterator[Turn]:
        title, *lines = map(str.strip, text.strip().splitlines() or [""])
        scene = 0
        speaker: str | None = None
        speech: list[str] = []

        def finished() -> Iterator[Turn]:
            said, directions = _speech(" ".join(speech))
            if speaker is not None and said:
                yield Turn(scene, speaker, said, directions)

        for line in lines:
            # Right below a name stands what that person says, be it all in capitals.
            if _is_name(line) and (speech or speaker is None):
                yield from finished()
                speaker, speech = line, []
            elif _sets_scene(line) and speech:
                yield from finished()
                speaker, speech = None, []
                scene += 1
            elif speaker is not None and line and line.casefold() != f"end of {title}".casefold():
                speech.append(line)
        yield from finished()
