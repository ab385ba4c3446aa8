import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import FORMATS, Format, read
from charbot.scripts.markup import PageReader, attributes_of, unescape
from charbot.scripts.preformatted import without_frame

LONG = f"&#{'9' * 5_000};"
FILES = {
    "json": f'[["Ned", "Hello. {LONG}"], ["Olga", "Hi."]]',
    "chat-json": f'[{{"from": "Ned", "text": "Hello. {LONG}", "date": "2024-07-01T10:00:00"}}]',
    "chat-html": f'<div class="message default"><div class="from_name">Ned</div><div class="text">Hello. {LONG}</div></div>',
    "csv": f"speaker,text\nNed,Hello. {LONG}\n",
    "cornell": f"L1 +++$+++ u0 +++$+++ m0 +++$+++ NED +++$+++ Hello. {LONG}",
    "episode-html": f"<p><b>Ned:</b> Hello. {LONG}</p>",
    "subtitles": f"1\n00:00:01,000 --> 00:00:02,000\nNED: Hello. {LONG}\n",
}


@pytest.mark.parametrize("format_", [format_ for format_ in FORMATS if format_.name in FILES], ids=lambda format_: format_.name)
def test_a_reference_of_thousands_of_digits_is_one_wrong_character(format_: Format) -> None:
    text = FILES[format_.name]
    assert 0 <= format_.confidence(text) <= 1
    assert read(format_, text).turns[0].text.startswith("Hello.")


def test_preformatted_text_may_hold_a_reference_of_thousands_of_digits() -> None:
    assert without_frame(f"<pre>Ned: Hello. {LONG}</pre>") == "Ned: Hello. \ufffd"


def test_other_references_are_characters() -> None:
    assert unescape("Ned &amp; Olga&#33; &#x21;") == "Ned & Olga! !"


class Recorder(PageReader):
    """A reader that keeps what it is told, with the source lines of texts."""

    def __init__(self, page: str) -> None:
        self.told: list[str] = []
        self.read(page)

    def start(self, tag: str, attributes: str) -> None:
        self.told.append(f"<{tag}>")

    def end(self, tag: str) -> None:
        self.told.append(f"</{tag}>")

    def text(self, text: str) -> None:
        self.told.append(f"{self.line}:{text}")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("<P>Ned</p >", ["<p>", "1:Ned", "</p>"]),
        ('a\n<b\nclass=">">Ned\n&amp; Olga</ b>', ["1:a\n", "<b>", "3:Ned\n& Olga", "</b>"]),
        ("a<br/>b", ["1:a", "<br>", "</br>", "1:b"]),
        ("a<!-- <b>\n --->b", ["1:a", "2:b"]),
        ("a<!-- b", ["1:a<!-- b"]),
        ("<!DOCTYPE html><?xml?>a<![endif]>b</>c", ["1:a", "1:b", "1:c"]),
        ("<script>if (a<b) '<p>'</SCRIPT>b", ["<script>", "</script>", "1:b"]),
        ("<style>p > a", ["<style>"]),
        ("1 < 2, <3 and a<b", ["1:1 < 2, <3 and a<b"]),
        ("a <b c", ["1:a <b c"]),
        ("a</b) and <i>b", ["1:a</b) and ", "<i>", "1:b"]),
        ("<font size='3>Ned</font>", ["<font>", "1:Ned", "</font>"]),
        ('<a b=c="d>e', ["<a>", "1:e"]),
    ],
)
def test_a_page_is_read_as_browsers_read_it_except_that_no_words_are_lost(page: str, told: list[str]) -> None:
    assert Recorder(page).told == told


@given(
    st.lists(st.sampled_from(["<", ">", "/", "!--", "-->", "b", "script", "=", '"', "'", " ", "a", "&#", "&lt;", "\n"])).map(
        "".join
    )
)
def test_every_page_can_be_read(page: str) -> None:
    Recorder(page)


def test_attributes_are_quoted_or_not() -> None:
    assert attributes_of(""" Class="a &amp; b" title='c' id=d hidden /""") == {"class": "a & b", "title": "c", "id": "d"}
