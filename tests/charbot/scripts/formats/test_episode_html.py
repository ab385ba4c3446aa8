from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.decoding import decode
from charbot.scripts.formats.episode_html import EpisodeHtml
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_read, found, said

SAMPLES = Path(__file__).parents[4] / "scripts_data" / "samples" / "episode_html"


def turns(text: str) -> list[tuple[int, str, str]]:
    return said(EpisodeHtml(), text)


def sample(name: str) -> list[Turn]:
    return found(EpisodeHtml(), decode((SAMPLES / name).read_bytes()))


@pytest.mark.parametrize(
    "text",
    [
        "<p><b>Dora:</b> Hello.</p><p><b>Wilf:</b> Bye.</p>",
        "<p>Dora: Hello.<br>\n<br>\nWilf: Bye.</p>",
        "<p><strong>Dora</strong>: Hello.</p><p><strong>Wilf</strong>: Bye.</p>",
        "<b><p>Dora:</b> Hello.<p><b>Wilf</b> <b>:</b> Bye.",
        "<div>Dora: <i>Hel</i>lo.</div><ul><li>Wilf : Bye.</ul>",
        "<P><B>Dora:\n</B>\nHello.\n<BR/>Wilf: Bye.</P>",
        "<table><tr><td>Dora: Hello.<tr><td>Wilf: Bye.</table>",
        "<html><head><title>Ned: x</title><p><b>Dora:</b> Hello.<p><b>Wilf:</b> Bye.",
        "<html><head><title>Ned: x<p><b>Dora:</b> Hello.<p><b>Wilf:</b> Bye.",
        "<head><style>Ned: x</style><script>Ned: y</script></head>Dora: Hello.<br>Wilf: Bye.",
        "<?xml version='1.0'?><page><p>Dora: Hello.</p><p>Wilf: Bye.</p></page>",
    ],
)
def test_every_layout_says_the_same(text: str) -> None:
    assert turns(text) == [(0, "Dora", "Hello."), (0, "Wilf", "Bye.")]


@pytest.mark.parametrize(
    "name",
    ["Dora", "MRS. PYM", "Bus Driver", "Wilf and Dora", "Ned, Olga", "Ned/Olga", "Dora's Mum", "O’Hara", "The Man in the Hat",
     "Élodie", "2nd Goat", "Voice on speaker", "Goat Keeper #2", "Maitre d'"],
)  # fmt: skip
def test_names(name: str) -> None:
    assert turns(f"<p>{name}: Hello.</p>") == [(0, name, "Hello.")]


def test_directions_stand_in_either_bracket_and_span_paragraphs() -> None:
    (turn,) = found(EpisodeHtml(), "<p>Dora (low): Hi [waves</p><p>a lot] there {beat}.</p><p>(She goes.)</p>")
    assert turn == Turn(0, "Dora", "Hi there.", ("low", "waves a lot", "beat", "She goes."))


def test_a_turn_of_directions_alone_says_nothing() -> None:
    assert turns("<p>Dora: (nods)</p><p>Wilf: Bye.</p>") == [(0, "Wilf", "Bye.")]


def test_a_forgotten_colon_is_forgiven_where_the_name_is_known() -> None:
    assert turns("<p><b>Dora:</b> Hello.</p><p><b>DORA</b> Bye.</p>") == [(0, "Dora", "Hello."), (0, "DORA", "Bye.")]
    assert turns("<p><b>Dora:</b> Hello.</p><p><b>Never</b> again.</p>") == [(0, "Dora", "Hello. Never again.")]


@pytest.mark.parametrize("credit", ["Written by", "Teleplay by", "Story", "Additional transcribing by", "Note", "Part"])
@pytest.mark.parametrize("layout", ["<p>{}: Nobody.</p>", "<p><b>{}:</b> Nobody.</p>", "<p><strong>{}</strong>: Nobody.</p>"])
def test_credits_are_no_turns(credit: str, layout: str) -> None:
    page = layout.format(credit)
    assert turns(page) == []
    # Nor do they run on into what is said before them.
    assert turns(f"<p>Dora: Hello.</p>{page}<p>stray</p>") == [(0, "Dora", "Hello.")]


@pytest.mark.parametrize(
    "scene",
    [
        "[Scene: The roof.]",
        "(Scene: The roof)",
        "[Flashback: the roof",
        "Cut to: the roof",
        "INT. ROOF",
        "fade out",
        "Time Lapse",
        "Commercial Break",
        "Ending Credits",
    ],
)
def test_scenes(scene: str) -> None:
    page = f"<p>{scene}</p><p>Dora: Hello.</p><p>{scene}</p><p>{scene}</p><p>A roof.</p><p>Wilf: Bye.</p>"
    assert turns(page) == [(0, "Dora", "Hello."), (1, "Wilf", "Bye.")]


@pytest.mark.parametrize("text", ["it is: go.", "See http://example.org", "Http://example.org", ": oh"])
def test_a_colon_alone_makes_no_turn(text: str) -> None:
    assert turns(f"<p>{text}</p>") == []
    assert turns(f"<p>Dora: {text}</p>") == [(0, "Dora", text.removeprefix(": "))]


def test_what_is_hidden_is_not_said() -> None:
    page = "<head><title>Dora: a</title></head><script>Dora: b</script><style>c</style><p>Dora: d<!-- e --><?f g?></p>"
    assert turns(page) == [(0, "Dora", "d")]


@pytest.mark.parametrize("section", ["<![CDATA[x]]>", "<![CDAT[ x ]]>", "<![if x]>", "<![[[[[>", "<![", "<![\xad>"])
def test_marked_sections_are_no_speech(section: str) -> None:
    assert turns(f"<p>Dora: Hel{section}lo.</p>")[0][:2] == (0, "Dora")
    assert turns(f"{section}>\n<p>Dora: Hello.</p>") == [(0, "Dora", "Hello.")]


def test_internal_markers_inside_of_a_turn_are_dropped() -> None:
    assert turns("<p>\x02Dora\x03: Hel\x02lo.</p>") == [(0, "Dora", "Hello.")]


def test_the_paragraph_sample() -> None:
    turns_ = sample("0101.html")
    assert len(turns_) == 31
    assert {turn.speaker for turn in turns_} == {"Dora", "Wilf", "Priya", "Barnaby", "All", "Wilf and Dora"}
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [15, 9, 7]
    assert Turn(0, "Priya", "For two years now.", ("nodding (sadly)",)) in turns_
    assert Turn(0, "Wilf", "You could move the desk.") in turns_  # its colon is missing
    assert Turn(2, "Wilf", "There are two of them! Nobody tell me how that happened.", ("opens the door",)) in turns_


def test_the_line_break_sample_which_is_cp1252() -> None:
    data = (SAMPLES / "0102.html").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    turns_ = sample("0102.html")
    assert len(turns_) == 33
    assert {turn.speaker for turn in turns_} == {"PRIYA", "DORA", "INSPECTOR", "MRS. PYM", "WILF", "ALL"}
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(3)] == [13, 7, 13]
    assert Turn(0, "DORA", "Better...", ("from below", "a knock at the door")) in turns_
    assert Turn(0, "INSPECTOR", "And this is held up by ...?", ("writing",)) in turns_
    assert Turn(1, "WILF", "I must warn the others!", ("runs out, comes back, takes the scone, runs out",)) in turns_


def test_the_strong_sample() -> None:
    turns_ = sample("0103.html")
    assert len(turns_) == 29
    assert {turn.speaker for turn in turns_} == {
        "Dora", "Wilf", "Barnaby", "Dora & Barnaby", "Bus Driver", "Voice On Speaker", "Everybody"
    }  # fmt: skip
    assert Turn(0, "Barnaby", "Somebody sing something.", ("yawning",)) in turns_
    assert Turn(1, "Bus Driver", "Then it sits on your lap.") in turns_  # a semicolon stands for its colon
    assert turns_[6].text.endswith("we are wet and rather cross, and the driver is a horse!")
    assert turns_[-1] == Turn(1, "Barnaby", "This has been the best holiday I ever had.")


@pytest.mark.parametrize("name", ["0101.html", "0102.html", "0103.html"])
def test_confidence_is_high_in_samples(name: str) -> None:
    assert EpisodeHtml().confidence(decode((SAMPLES / name).read_bytes())) > 0.9


@pytest.mark.parametrize("text", ["", "Dora: Hello.\n" * 50, "<p>" + "Nobody. " * 50, "<html></html>", "NED\nHello.\n" * 50])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert EpisodeHtml().confidence(text) == 0.0


HOSTILE = {
    "words": "<p>" + "a " * 100_000,
    "initials": "<p>" + "A B C D " * 25_000,
    "names": "<p>" + "Ann and " * 25_000,
    "possessives": "<p>A" + "'s" * 30_000 + " x",
    "asides": "<p>A " + "(b) " * 50_000 + "x",
    "colons": "<p>" + "Ann: " * 40_000,
    "credits": "<p>" + "Additional " * 20_000 + ": x",
    "parentheses": "<p>Ann: " + "(" * 200_000,
    "squares": "<p>Ann [" * 8_000,
    "spaces": "<p>A" + " " * 200_000 + "x",
    "blank lines": "<p>" + "\n" * 200_000 + "x",
    "angles": "<" * 200_000,
    "bold": "<b>" * 10_000,
    "bold names": "<p>" + "<b>Ann</b>" * 10_000,
    "divisions": "<div>" * 7_000 + "Ann: Hello.",
    "tables": "<table><tr><td>" * 2_000,
    "comment": "<!--" * 50_000,
    "a number": "<p>Ann: &#" + "9" * 50_000,
    "entities": "<p>Ann: " + "&#0;&#xD800;&bogus;" * 5_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pages_are_read_in_time(text: str) -> None:
    check_read(EpisodeHtml(), text)


def test_speech_at_any_depth_is_heard() -> None:
    assert turns("<div><i>" * 5_000 + "Dora: Hello.") == [(0, "Dora", "Hello.")]


MARKUP = ["<p>", "</p>", "<b>", "</b>", "<br>", "<", ">", "&", "<!--", "-->", "<![CDATA[", "<?", "<script>", "Dora", "Wilf", ":",
          " ", "(", ")", "[", "]", "\n", "\0", "\ud800", "[Scene", "http://a.b", "a.txt", "Written by"]  # fmt: skip


@given(st.lists(st.sampled_from(MARKUP)).map("".join) | st.text(st.characters(codec=None)))
def test_no_page_raises(text: str) -> None:
    assert all(turn.speaker for turn in check_read(EpisodeHtml(), text).turns)


@pytest.mark.parametrize(
    "text",
    [
        "<dl><dd><b>Dora</b>: Hello.</dd><dd><b>Wilf</b>: Bye.</dd></dl>",
        "<section><header>Dora: Hello.</header><article>Wilf: Bye.</article></section>",
        "<p><b>DORA</b></p><blockquote>Hello.</blockquote><p><b>WILF</b></p><blockquote>Bye.</blockquote>",
        "<p><b>Dora</b> Hello.</p><p><b>Wilf</b><br>Bye.</p>",
        "<p>Dora: Hello.\nWilf: Bye.\n</p>",
    ],
)
def test_other_layouts_of_a_whole_page(text: str) -> None:
    page = text * 7
    assert EpisodeHtml().confidence(page) > 0.3
    assert [(speaker.title(), said) for _, speaker, said in turns(page)] == [("Dora", "Hello."), ("Wilf", "Bye.")] * 7


def test_a_line_that_is_wrapped_after_a_name_is_no_turn() -> None:
    assert turns("<p>Dora: What I like is\ntwo: A hat and\nSalt: that is all.</p>") == [
        (0, "Dora", "What I like is two: A hat and Salt: that is all.")
    ]


def test_turns_on_lines_of_one_paragraph_know_their_lines() -> None:
    text = "<p>\n" + "Dora: Hello.\nand you?\n" * 3 + "</p>"
    assert [turn.source for turn in check_read(EpisodeHtml(), text).turns] == [2, 4, 6]


def test_italics_beside_speech_are_directions() -> None:
    text = "<p>Dora: Hello.</p><p><i>The goat walks past.</i></p><p>Wilf: <em>looks up</em> Nice, <i>very</i> nice goat.</p>"
    assert found(EpisodeHtml(), text) == [
        Turn(0, "Dora", "Hello.", ("The goat walks past.",)), Turn(0, "Wilf", "Nice, very nice goat.", ("looks up",))
    ]  # fmt: skip


def test_songs_in_italics_are_sung() -> None:
    text = "<p>Dora: (singing) <i>Roll along</i>,<br><i>little bus</i>.</p><p>Wilf: <i>roll along to us</i></p>"
    assert [said for *_, said in turns(text)] == ["Roll along, little bus.", "roll along to us"]


def test_what_somebody_does_is_no_part_of_the_name() -> None:
    text = "<p>Dora: Hi.</p>" * 3 + "<p><b>Dora waves</b>: Yes.</p><p>Dora, to Wilf: So.</p><p>Dora and Wilf: No.</p>"
    assert found(EpisodeHtml(), text)[3:] == [
        Turn(0, "Dora", "Yes.", ("waves",)), Turn(0, "Dora", "So.", ("to Wilf",)), Turn(0, "Dora and Wilf", "No.")
    ]  # fmt: skip


def test_names_in_other_alphabets() -> None:
    assert turns("<p>Вера: Вот она.</p><p>Νίκη: Ναι.</p>") == [(0, "Вера", "Вот она."), (0, "Νίκη", "Ναι.")]


@pytest.mark.parametrize("text", ["<p>\x02</p>", "<p><i>\x04 \x02</i></p>", "<p>\x05\n\x03</p>"])
def test_internal_markers_between_turns_are_dropped(text: str) -> None:
    assert turns(f"<p>Dora: Hello.</p>{text}<p>Wilf: Bye.</p>") == [(0, "Dora", "Hello."), (0, "Wilf", "Bye.")]


def test_plays_with_bold_names_alone_above_their_speech() -> None:
    speeches = ("Good night: the heron sleeps,<br>And nobody shall call it.", "And so to bed: the tide is out.", "Aye.") * 2
    page = "<html><h3>SCENE I. A pier.</h3>" + "".join(
        f"<a name=s{i}><b>{('NELE', 'BARTOK')[i % 2]}</b></a>\n<blockquote>\n{speech}\n</blockquote>\n"
        for i, speech in enumerate(speeches)
    )
    assert turns(page)[:3] == [
        (0, "NELE", "Good night: the heron sleeps, And nobody shall call it."),
        (0, "BARTOK", "And so to bed: the tide is out."),
        (0, "NELE", "Aye."),
    ]
    assert len(turns(page)) == 6
    assert EpisodeHtml().confidence(page) >= 0.3
