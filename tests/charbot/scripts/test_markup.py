import pytest

from charbot.scripts.formats import FORMATS, Format, read
from charbot.scripts.markup import unescape
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
