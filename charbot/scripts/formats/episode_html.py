"""Episode pages in HTML: `<b>Name:</b> line`, `NAME: line`, `<strong>Name</strong>: line`.

Turns stand in paragraphs or end in <br>; scenes and directions stand in either bracket.
"""

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup, UnusualUsageWarning
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from charbot.scripts.directions import split_directions
from charbot.scripts.line import Turn

_BLOCKS = frozenset(
    ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "tr", "td", "li", "center", "blockquote", "pre", "ul", "ol", "table")
)
_HIDDEN = frozenset(("head", "script", "style", "title", "map"))
_BOLD = frozenset(("b", "strong"))
_BOLD_ON, _BOLD_OFF = "\x02", "\x03"

_WORD = r"[A-ZÀ-ÖØ-Þ0-9][\w.'’-]*"
_NAME = rf"{_WORD}(?:(?:,? (?:and|AND|&|the|of|on|with|at|in|from|to) |, ?|/| ){_WORD}|'s|’s| \w+){{0,4}}"
_TURN = re.compile(rf"({_NAME})\s*((?:[(\[][^)\]]*[)\]]\s*)*):(?!//)\s*(.*)", re.S)
_UNMARKED = re.compile(rf"{_BOLD_ON}({_NAME}){_BOLD_OFF}\s*[.;]?\s*(.*)", re.S)
_CREDIT = re.compile(
    r"(?:\w+ )*(?:written|teleplay|story|directed|transcribed|transcriber|transcribing|produced|adjustments|"
    r"note|part|hosted|edited|formatted|converted|disclaimer|guest stars?|aired|additional \w+)"
    r"(?: (?:by|from|and|with|on)\b.*)?",
    re.I,
)
_BREAK = re.compile(
    r"(?:opening|closing|ending|end|commercial|title)[ -]*(?:credits?|titles?|break|theme)?|credits|the end|"
    r"time lapse|cut to.*|fade.*|scene\b.*|teaser|intro",
    re.I,
)
_SCENE = re.compile(r"[(\[{]?\s*(?:(?:scene|cut|time lapse|fade|intro|flashback|later)\b|(?:int|ext)\.)", re.I)


def _blocks(page: Tag) -> Iterator[str]:
    """The page's text, one string for each paragraph or <br> line, bold marked."""
    out: list[str] = []

    # A stack of our own: pages nest deeper than Python's. A str on it is a mark to write.
    ahead: list[PageElement | str] = [page]
    while ahead:
        node = ahead.pop()
        if isinstance(node, NavigableString):
            if not isinstance(node, PreformattedString):
                out.append(re.sub(r"\s+", " ", node))
        elif isinstance(node, str):
            out.append(node)
        elif isinstance(node, Tag) and node.name == "br":
            out.append("\n")
        elif isinstance(node, Tag) and node.name not in _HIDDEN:
            before, after = "", ""
            if node.name in _BLOCKS:
                before = after = "\n"
            elif node.name in _BOLD:
                before, after = _BOLD_ON, _BOLD_OFF
            out.append(before)
            ahead += (after, *reversed(node.contents))

    for block in "".join(out).split("\n"):
        text = re.sub(rf"{_BOLD_ON}\s*{_BOLD_OFF}", " ", block)
        text = re.sub(r"\s+", " ", text).strip()
        if text.strip(_BOLD_ON + _BOLD_OFF + " "):
            yield text


def _soup(text: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        # The parser's guesses at what else a text could be (XML, an address) are noise here.
        warnings.simplefilter("ignore", UnusualUsageWarning)
        return BeautifulSoup(text.encode("utf-8", "replace").decode(), "lxml")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace(_BOLD_ON, "").replace(_BOLD_OFF, "")).strip()


class EpisodeHtml:
    """Friends as its fans typed it, and whatever else is laid out that way."""

    name = "episode-html"

    def confidence(self, text: str) -> float:
        if not re.search(r"<(?:html|body|p|br)\b", text[:5_000], re.I):
            return 0.0
        return min(1.0, len(re.findall(r"(?m)(?:^|>)[^\S\n]*[A-ZÀ-ÖØ-Þ][\w .'&/]{0,30}(?:</\w+>)?\s*:", text)) / 20)

    def turns(self, text: str) -> Iterator[Turn]:
        blocks = list(_blocks(_soup(text)))
        # Names that stand before a colon somewhere make names of the same words in bold
        # elsewhere: pages forget colons.
        found = filter(None, (_TURN.fullmatch(_plain(block)) for block in blocks))
        named = {match[1].casefold() for match in found if not _CREDIT.fullmatch(match[1])}
        scene = 0
        speaker: str | None = None
        speech: list[str] = []

        def finished() -> Iterator[Turn]:
            said, directions = split_directions(" ".join(speech), "([{<")
            if speaker is not None and said:
                yield Turn(scene, speaker, said, directions)

        for block in blocks:
            plain = _plain(block)
            turn = _TURN.fullmatch(plain)
            forgot = _UNMARKED.fullmatch(block)
            if _BREAK.fullmatch(plain) or _SCENE.match(plain):
                yield from finished()
                scene += bool(speech)
                speaker, speech = None, []
            elif turn and not _CREDIT.fullmatch(turn[1]):
                yield from finished()
                speaker, speech = turn[1], [turn[2], turn[3]]
            elif forgot and forgot[1].casefold() in named:
                yield from finished()
                speaker, speech = forgot[1], [_plain(forgot[2])]
            elif turn:
                yield from finished()
                speaker, speech = None, []
            elif speaker is not None:
                speech.append(plain)
        yield from finished()
