"""Episode pages in HTML: `<b>Name:</b> line`, `NAME: line`, `<strong>Name</strong>: line`.

Turns stand in paragraphs or end in <br>; scenes and directions stand in either bracket.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from charbot.scripts.formats import paratext
from charbot.scripts.source import Mark

_BLOCKS = frozenset(
    (
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "tr",
        "td",
        "li",
        "center",
        "blockquote",
        "pre",
        "ul",
        "ol",
        "table",
        "br",
    )
)
_HIDDEN = frozenset(("head", "script", "style", "title", "map"))
_BOLD = frozenset(("b", "strong"))
_NO_CHARACTER = re.compile(r"&#\d{8,}")
_BOLD_ON, _BOLD_OFF = "\x02", "\x03"
_BOLD_MARKS = str.maketrans("", "", _BOLD_ON + _BOLD_OFF)

_WORD = r"(?:[A-ZÀ-ÖØ-Þ0-9][\w.'’-]*|#\d[\w-]*|d['’])"
_NAME = rf"{_WORD}(?:(?:,? (?:and|AND|&|the|of|on|with|at|in|from|to) |, ?|/| ){_WORD}|'s|’s| \w+){{0,4}}"
_TURN = re.compile(rf"({_NAME})\s*((?:[(\[][^)\]]*[)\]]\s*)*):(?!//)\s*(.*)", re.S)
_UNMARKED = re.compile(rf"{_BOLD_ON}({_NAME}){_BOLD_OFF}\s*[.;]?\s*(.*)", re.S)


class _Page(HTMLParser):
    """Collects a page's text, one string for each paragraph or <br> line, bold marked, each with its line.

    Reads tags as they come and builds no tree: pages nest deeper than any tree may.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[tuple[int, str]] = []
        self._pieces: list[str] = []
        self._line = 0
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN and not self._hidden:
            self._hidden = tag
        elif tag == "body":
            self._hidden = ""
        self._border(tag, _BOLD_ON)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        self._border(tag, _BOLD_OFF)

    def _border(self, tag: str, bold: str) -> None:
        if tag in _BLOCKS:
            self.end_block()
        elif tag in _BOLD:
            self._pieces.append(bold)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._line and data.strip():
            self._line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
        self._pieces.append(data)

    def end_block(self) -> None:
        if self._line:
            joined = re.sub(rf"{_BOLD_ON}\s*{_BOLD_OFF}", " ", "".join(self._pieces))
            self.blocks.append((self._line, " ".join(joined.split())))
        self._pieces.clear()
        self._line = 0


def _blocks(text: str) -> list[tuple[int, str]]:
    page = _Page()
    # html.parser gives up on marked sections that it does not know (so parted they are comments),
    # and on numbers of thousands of digits.
    page.feed(_NO_CHARACTER.sub("&#0", text.replace("<![", "<! [")))
    page.close()
    page.end_block()
    return [(line, block) for line, block in page.blocks if block.translate(_BOLD_MARKS).strip()]


class EpisodeHtml:
    """Friends as its fans typed it, and whatever else is laid out that way."""

    name = "episode-html"

    def confidence(self, text: str) -> float:
        if not re.search(r"<(?:html|body|p|br)\b", text[:5_000], re.I):
            return 0.0
        return min(1.0, len(re.findall(r"(?m)(?:^|>)[^\S\n]*[A-ZÀ-ÖØ-Þ][\w .'&/]{0,30}(?:</\w+>)?\s*:", text)) / 20)

    def brackets(self, text: str) -> str:
        return "([{<"

    def marks(self, text: str) -> Iterator[Mark]:
        blocks = _blocks(text)
        # Names that stand before a colon somewhere make names of the same words in bold
        # elsewhere: pages forget colons.
        found = filter(None, (_TURN.fullmatch(block.translate(_BOLD_MARKS)) for _, block in blocks))
        named = {match[1].casefold() for match in found if not paratext.is_credit(match[1])}
        for part, (line, block) in enumerate(blocks):
            plain = " ".join(block.translate(_BOLD_MARKS).split())
            turn = _TURN.fullmatch(plain)
            forgot = _UNMARKED.fullmatch(block)
            if paratext.is_break(plain):
                yield Mark(line, "scene", plain, part=part)
            elif turn and not paratext.is_credit(turn[1]):
                yield Mark(line, "name", turn[1], part=part)
                yield Mark(line, "speech", f"{turn[2]} {turn[3]}", part=part)
            elif forgot and forgot[1].casefold() in named:
                yield Mark(line, "name", forgot[1], part=part)
                yield Mark(line, "speech", forgot[2].translate(_BOLD_MARKS), part=part)
            elif turn:
                yield Mark(line, "omission", plain, "credits", part)
            elif (reason := paratext.reason(plain)) is not None:
                yield Mark(line, "omission", plain, reason, part)
            else:
                yield Mark(line, "speech", plain, part=part)
