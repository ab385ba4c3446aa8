"""HTML as people save it, often wrong: its character references, and the tags and texts of a page."""

import html
import re

_LONG_NUMBER = re.compile(r"&#\d{8,}")
"""A reference to no character; Python refuses numbers of thousands of digits."""
_TAG = re.compile(r"""<(?:(/\s*)?([a-z][^\s/<>]*)((?>[^<>=]+|=\s*(?:"[^"]*"|'[^']*')|=)*+)>|(!--)|[!?/][^<>]*>)""", re.I)
"""A tag with its attributes, in which quotes may hold ">"; the beginning of a comment; a declaration."""
_ATTRIBUTE = re.compile(r"""([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_VERBATIM = {tag: re.compile(f"</{tag}", re.I) for tag in ("script", "style")}
"""Elements that hold no text and no tags, up to their end."""


def unescape(text: str) -> str:
    """Return a text with the characters that its HTML references stand for; U+FFFD for numbers of no character."""
    return html.unescape(_LONG_NUMBER.sub("&#0", text)) if "&" in text else text


def attributes_of(attributes: str) -> dict[str, str]:
    """Return the values of a tag's attributes by their names in lower case."""
    return {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(attributes)}


class PageReader:
    """A base for readers of pages, which is told of each tag and text in order.

    It builds no tree, because pages nest deeper than trees allow. html.parser takes three times as long, and reads wrong
    pages differently in each version of Python.
    """

    line = 1
    """The source line of the current tag or text."""

    def start(self, tag: str, attributes: str) -> None:
        """Read a start tag, called `tag` in lower case."""

    def end(self, tag: str) -> None:
        """Read an end tag, called `tag` in lower case."""

    def text(self, text: str) -> None:
        """Read the text between two tags."""

    def read(self, page: str) -> None:
        """Read a whole page."""
        at = begin = counted = 0
        last, last_comment = page.rfind(">") + 1, page.rfind("-->")
        while match := _TAG.search(page, at, last):
            place, at = match.span()
            closing, name, attributes, comment = match.groups()
            if comment and at > last_comment:
                # A comment without an end is text.
                continue
            if begin < place:
                self.line += page.count("\n", counted, begin)
                counted = begin
                self.text(unescape(page[begin:place]))
            if comment:
                at = page.index("-->", at) + 3
            elif name:
                self.line += page.count("\n", counted, place)
                counted = place
                tag = name.lower()
                if closing:
                    self.end(tag)
                else:
                    self.start(tag, attributes)
                    if attributes.endswith("/"):
                        self.end(tag)
                    elif tag in _VERBATIM:
                        end = _VERBATIM[tag].search(page, at)
                        at = end.start() if end else len(page)
            begin = at
        if begin < len(page):
            self.line += page.count("\n", counted, begin)
            self.text(unescape(page[begin:]))
