"""HTML that is wrong in ways in which the standard library fails."""

import html
import re
from html.parser import HTMLParser

_LONG_NUMBER = re.compile(r"&#\d{8,}")
"""A reference to no character; Python refuses numbers of thousands of digits."""


def unescape(text: str) -> str:
    """Return a text with the characters that its HTML references stand for; U+FFFD for numbers of no character."""
    return html.unescape(_LONG_NUMBER.sub("&#0", text))


def parse_page(parser: HTMLParser, page: str) -> None:
    """Feed a whole page to a parser."""
    # html.parser fails on unknown marked sections; "<! [" makes them comments.
    parser.feed(_LONG_NUMBER.sub("&#0", page).replace("<![", "<! ["))
    parser.close()
