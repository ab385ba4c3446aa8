"""Episode pages in HTML: `<b>Name:</b> line`, `NAME: line`, `<strong>Name</strong>: line`, `<b>Name</b> line`.

Turns stand in paragraphs, end in <br>, or begin a source line. Scenes and directions are in brackets of any kind, directions
also in italics.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from charbot.scripts.assembly import LineTag
from charbot.scripts.formats import paratext
from charbot.scripts.markup import PageReader

_BLOCKS = frozenset(
    ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "tr", "td", "th", "li", "dl", "dt", "dd", "center", "blockquote",
     "pre", "ul", "ol", "table", "caption", "br", "section", "article", "header", "footer", "main", "nav", "aside", "figure",
     "figcaption", "form", "option", "address")
)  # fmt: skip
_TAG = re.compile(rf"<(?:html|body|b|strong|{'|'.join(sorted(_BLOCKS))})\b", re.I)
_HIDDEN = frozenset(("script", "style", "title", "map", "template"))
"""Elements whose text is not shown. That of a page's head is in one of them."""
_BOLD_ON, _BOLD_OFF, _ITALIC_ON, _ITALIC_OFF = "\x02\x03\x04\x05"
_ON = {"b": _BOLD_ON, "strong": _BOLD_ON, "i": _ITALIC_ON, "em": _ITALIC_ON}
_OFF = {"b": _BOLD_OFF, "strong": _BOLD_OFF, "i": _ITALIC_OFF, "em": _ITALIC_OFF}
_STYLES = re.compile(f"[{_BOLD_ON}{_BOLD_OFF}{_ITALIC_ON}{_ITALIC_OFF}]")
_NOTHING_BOLD = re.compile(rf"{_BOLD_ON}\s*{_BOLD_OFF}")
_OFTEN = 3
"""Minimum number of turns that begin with the same words for these to be certainly a name."""
_CERTAIN = 20
"""Number of names that make a page certainly a script."""
_ALONE = 0.8
"""Minimum number of bold names alone on their lines, per line with a colon, for the colons to be speech."""

_CAPITAL = "A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ"
_WORD = rf"(?:[{_CAPITAL}0-9][\w.'’-]*|#\d[\w-]*|d['’])"
_NAME = rf"{_WORD}(?:(?:,? (?:and|AND|&|the|of|on|with|at|in|from|to) |, ?|/| ){_WORD}|'s|’s| \w+){{0,4}}"
_TURN = re.compile(rf"({_NAME})\s*((?:[(\[][^)\]]*[)\]]\s*)*):(?!//)\s*(.*)", re.S)
_UNMARKED = re.compile(rf"{_BOLD_ON}({_NAME}){_BOLD_OFF}\s*[.;]?\s*(.*)", re.S)
_COLON_NAME = re.compile(rf"(?m)(?:^|>)[^\S\n]*[{_CAPITAL}][\w .'&/]{{0,30}}(?:</\w+>)?\s*:")
_BOLD_NAME = re.compile(rf"<(?:b|strong)>\s*([{_CAPITAL}][\w .'&/]{{0,30}}?)\s*</(?:b|strong)>", re.I)
_ALL_ITALIC = re.compile(rf"\W*{_ITALIC_ON}[^{_ITALIC_OFF}]+{_ITALIC_OFF}\W*")
_ITALIC_DIRECTION = re.compile(
    rf"([^:]{{1,60}}:[\s{_BOLD_OFF}]*){_ITALIC_ON}([a-zß-ÿ][^{_ITALIC_OFF}()\[\]]* [^{_ITALIC_OFF}()\[\]]*){_ITALIC_OFF}"
    r"(?=\W*\w)",
    re.S,
)
_ENDS_ITALIC = re.compile(rf"{_ITALIC_OFF}\W*$")


class _Page(PageReader):
    """A reader that collects (line, text) of each paragraph or <br> line of a page, with bold and italics marked."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, str]] = []
        self._pieces: list[str] = []
        self._line = 0
        self._hidden = ""

    def start(self, tag: str, attributes: str) -> None:
        if tag in _HIDDEN and not self._hidden:
            self._hidden = tag
        elif tag == "body" or (self._hidden == "title" and tag in _BLOCKS):
            self._hidden = ""
        self._border(tag, _ON)

    def end(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        self._border(tag, _OFF)

    def _border(self, tag: str, styles: dict[str, str]) -> None:
        if tag in _BLOCKS:
            self.end_block()
        elif tag in styles:
            self._pieces.append(styles[tag])

    def text(self, text: str) -> None:
        if self._hidden:
            return
        if not self._line and (shown := text.lstrip()):
            self._line = self.line + text.count("\n", 0, len(text) - len(shown))
        self._pieces.append(text)

    def end_block(self) -> None:
        if self._line:
            joined = "".join(self._pieces)
            if _BOLD_ON in joined:
                joined = _NOTHING_BOLD.sub(" ", joined)
            lines = [" ".join(line.split()) for line in joined.split("\n")]
            first = next((number for number, line in enumerate(lines) if _unstyled(line).strip()), None)
            if first is not None:
                self.blocks.append((self._line, "\n".join(lines[first:])))
        self._pieces.clear()
        self._line = 0


def _unstyled(text: str) -> str:
    # Most texts have none, and this is the quickest way to see it.
    return text if text.isprintable() else _STYLES.sub("", text)


def _blocks(text: str) -> list[tuple[int, str]]:
    page = _Page()
    page.read(text)
    page.end_block()
    return page.blocks


def _turns_apart(blocks: Collection[tuple[int, str]]) -> list[tuple[int, str]]:
    """Join each block into one line, after splitting those with several turns on lines of their own."""
    heads: Counter[str] = Counter()
    for _, block in blocks:
        heads.update(_head(line) for line in block.split("\n"))
    lines: list[tuple[int, str]] = []
    for start, block in blocks:
        for number, line in enumerate(block.split("\n")):
            if number == 0 or ((head := _head(line)) and heads[head] >= _OFTEN):
                lines.append((start + number, line))
            else:
                lines[-1] = lines[-1][0], f"{lines[-1][1]} {line}".rstrip()
    return lines


def _head(line: str) -> str:
    """Return the casefolded name of the turn that a line begins, or an empty string."""
    turn = _TURN.match(_unstyled(line)) if ":" in line else None
    return "" if turn is None or paratext.is_credit(turn[1]) else turn[1].casefold()


def _named(bold: Iterable[re.Match[str]], colons: Counter[str]) -> Counter[str]:
    """Count the turns that begin with each casefolded name.

    Names stand before a colon; bold ones without a colon are added where they are more frequent.
    """
    counts = Counter(match[1].casefold() for match in bold)
    often = Counter({name: count for name, count in counts.items() if count >= _OFTEN})
    return colons + often if often.total() > colons.total() else colons


def _alone(bold: Iterable[re.Match[str]], colons: int) -> Counter[str]:
    """Count the casefolded bold names that stand alone above a speech, as in plays; nothing where names have colons."""
    counts = Counter(match[1].casefold() for match in bold if not match[2])
    often = Counter({name: count for name, count in counts.items() if count > 1})
    return counts if len(often) > 1 and often.total() >= max(2 * _OFTEN, _ALONE * colons) else Counter()


def _without_action(name: str, named: Counter[str]) -> tuple[str, str]:
    """Split a name from an action that is also before the colon: "Dora waves" gives "Dora" and "(waves) "."""
    words = name.split(" ")
    for i in range(1, len(words)):
        name_part = " ".join(words[:i]).rstrip(",")
        if named[name_part.casefold()] >= _OFTEN and words[i][:1].islower() and words[i] not in ("and", "or", "the", "of"):
            return name_part, f"({' '.join(words[i:])}) "
    return name, ""


class EpisodeHtml:
    """Fan transcripts in HTML, such as those of Friends."""

    name = "episode-html"

    def confidence(self, text: str) -> float:
        if not _TAG.search(text[:5_000]) or text.lstrip()[:1] in ("{", "["):
            return 0.0
        # No more names are counted than are needed.
        named = sum(1 for _ in islice(_COLON_NAME.finditer(text), _CERTAIN))
        if named < _CERTAIN:
            bold = Counter(_BOLD_NAME.findall(text)).values()
            named = max(named, sum(count for count in bold if count >= _OFTEN))
        return min(1.0, named / _CERTAIN)

    def brackets(self, text: str) -> str:
        return "([{<"

    def tags(self, text: str) -> Iterator[LineTag]:
        blocks = _turns_apart(_blocks(text))
        # Pages forget colons: bold words are a name where they have a colon elsewhere, or recur.
        colons = Counter(filter(None, (_head(block) for _, block in blocks)))
        bold = [match for match in (_UNMARKED.match(block) for _, block in blocks) if match]
        alone = _alone(bold, colons.total())
        named = alone or _named(bold, colons)
        sung = False
        for part, (line, block) in enumerate(blocks):
            # Most blocks have no italics, and this is the quickest way to see it.
            directed = _ITALIC_DIRECTION.sub(r"\1(\2)", block, count=1) if _ITALIC_ON in block else block
            plain = " ".join(_unstyled(directed).split())
            turn = _TURN.fullmatch(plain) if ":" in plain else None
            forgot = _UNMARKED.fullmatch(block) if bold else None
            if paratext.is_break(plain):
                yield LineTag(line, "scene", plain, part=part)
            elif turn and not alone and not paratext.is_credit(turn[1]):
                name, action = _without_action(turn[1], named)
                yield LineTag(line, "name", name, part=part)
                yield LineTag(line, "speech", f"{action}{turn[2]} {turn[3]}", part=part)
            elif forgot and forgot[1].casefold() in named:
                yield LineTag(line, "name", forgot[1], part=part)
                yield LineTag(line, "speech", _unstyled(forgot[2]), part=part)
            elif turn and not alone:
                yield LineTag(line, "omission", plain, "credits", part)
            elif (reason := paratext.reason(plain)) is not None:
                yield LineTag(line, "omission", plain, reason, part)
            elif _ALL_ITALIC.fullmatch(block) and not sung and plain[0] not in "([{<":
                yield LineTag(line, "speech", f"({plain})", part=part)
                continue
            else:
                yield LineTag(line, "speech", plain, part=part)
            # Songs are in italics too: italics right after italics are their next verse, not a direction.
            sung = _ENDS_ITALIC.search(block) is not None
