from pathlib import Path

from charbot.scripts.files import ScriptFile
from charbot.scripts.preformatted import without_frame, without_quotes
from charbot.scripts.reader import read_script

SCENE = """INT. BARN - NIGHT

Dora looks for the goat.

          DORA
     Where's the goat &amp; its hat?

          WILF
     It's <b>gone</b>.
"""
PAGE = f"<html><head><title>A barn</title></head>\n<body><a href='/'>Home</a>\n<pre>\n{SCENE}</pre></body></html>"


def test_a_page_around_a_typed_text_is_read_as_the_text() -> None:
    script = read_script(ScriptFile(Path("barn.html"), lambda: PAGE.replace(SCENE, SCENE * 4).encode()))
    assert script.format == "screenplay"
    assert [(line.speaker, line.text) for line in script.lines[:2]] == [
        ("Dora", "Where's the goat & its hat?"), ("Wilf", "It's gone.")
    ]  # fmt: skip


def test_lines_stay_where_they_stand() -> None:
    plain = without_frame(PAGE).splitlines()
    assert [number for number, line in enumerate(PAGE.splitlines()) if "DORA" in line] == [plain.index("          DORA")]


def test_a_page_with_more_than_that_is_a_page() -> None:
    page = "<p>Dora: Look, some code.</p><pre>goat.feed()</pre><p>Wilf: I see it.</p>"
    assert without_frame(page) == page
    assert without_frame(SCENE) == SCENE


def test_the_quotes_of_a_table_of_one_column_are_taken_off() -> None:
    table = '"1.01 - The Heron"\n"NELE: Well, ""day"" 0."\n"[Nele waves]"\nBARTOK: Yes.\n"NELE: So, no."\n"BARTOK: Oh, why?"'
    assert (
        without_quotes(table)
        == '1.01 - The Heron\nNELE: Well, "day" 0.\n[Nele waves]\nBARTOK: Yes.\nNELE: So, no.\nBARTOK: Oh, why?'
    )
    quotes = '"Well, I never."\n"Oh, no: never."\n' * 4
    assert without_quotes(quotes) == quotes
