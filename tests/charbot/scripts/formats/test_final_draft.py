from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.final_draft import FinalDraft
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_read, found, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "fdx" / "the_door.fdx"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="no" ?>\n'


def page(kind: str, text: str) -> str:
    return f'<Paragraph Type="{kind}"><Text>{escape(text)}</Text></Paragraph>\n'


def script(*paragraphs: str, head: str = HEAD) -> str:
    return f'{head}<FinalDraft DocumentType="Script">\n<Content>\n{"".join(paragraphs)}</Content>\n</FinalDraft>\n'


def turns(*paragraphs: str) -> list[tuple[int, str, str]]:
    return said(FinalDraft(), script(*paragraphs))


def test_paragraphs_say_what_they_are() -> None:
    assert turns(
        page("Character", "NED"), page("Dialogue", "Hello & bye."), page("Character", "OLGA (O.S.)"), page("Lyrics", "La.")
    ) == [
        (0, "NED", "Hello & bye."),
        (0, "OLGA (O.S.)", "La."),
    ]


def test_runs_of_text_belong_together() -> None:
    runs = '<Paragraph Type="Dialogue"><Text>It is </Text><Text Style="Bold">so</Text><Text> good.</Text></Paragraph>'
    assert turns(page("Character", "NED"), runs) == [(0, "NED", "It is so good.")]


@pytest.mark.parametrize("text", ["(waves)", "waves"])
def test_parentheticals_are_directions(text: str) -> None:
    assert found(FinalDraft(), script(page("Character", "NED"), page("Parenthetical", text), page("Dialogue", "Hello."))) == [
        Turn(0, "NED", "Hello.", ("waves",))
    ]


@pytest.mark.parametrize("kind", ["Scene Heading", "Transition", "New Act"])
def test_scenes(kind: str) -> None:
    ned, olga = (page("Character", name) + page("Dialogue", "Hello.") for name in ("NED", "OLGA"))
    assert turns(page(kind, "x"), ned, page(kind, "x"), page(kind, "x"), olga) == [(0, "NED", "Hello."), (1, "OLGA", "Hello.")]


@pytest.mark.parametrize("kind", ["Action", "General", "Shot", ""])
def test_other_paragraphs_are_not_speech(kind: str) -> None:
    assert turns(page("Character", "NED"), page("Dialogue", "Hello."), page(kind, "He goes."), page("Dialogue", "Who?")) == [
        (0, "NED", "Hello.")
    ]


def test_a_dual_dialogue_is_read_once() -> None:
    both = page("Character", "NED") + page("Dialogue", "Hello.") + page("Character", "OLGA") + page("Dialogue", "Hi.")
    source = read(FinalDraft(), script(f"<Paragraph><DualDialogue>{both}</DualDialogue></Paragraph>"))
    assert [(turn.speaker, turn.text) for turn in source.turns] == [("NED", "Hello."), ("OLGA", "Hi.")]
    assert source.omissions == ()


def test_a_note_inside_of_a_speech_is_not_said_and_does_not_end_it() -> None:
    noted = (
        f'<Paragraph Type="Dialogue"><ScriptNote>{page("Dialogue", "Is this funny?")}</ScriptNote><Text>One.</Text></Paragraph>'
    )
    source = read(FinalDraft(), script(page("Character", "NED"), noted, page("Dialogue", "Two.")))
    assert [(turn.speaker, turn.text) for turn in source.turns] == [("NED", "One. Two.")]
    assert [omission.reason for omission in source.omissions] == ["transcriber's note"]


def test_a_page_without_line_ends_is_accounted_for() -> None:
    text = script(page("Action", "A roof."), page("Character", "NED"), page("Dialogue", "Hello."), head="").replace("\n", "")
    source = read(FinalDraft(), text)
    assert [(turn.text, turn.source) for turn in source.turns] == [("Hello.", 1)]
    assert (source.kept, [omission.reason for omission in source.omissions]) == (2, ["narration"])


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "utf-16le", "iso-8859-1", "bogus"])
def test_the_text_is_decoded_whatever_it_declares(encoding: str) -> None:
    text = script(page("Character", "NED"), page("Dialogue", "Café 🐐"), head=f'<?xml version="1.0" encoding="{encoding}"?>\n')
    assert said(FinalDraft(), text) == [(0, "NED", "Café 🐐")]


def test_a_damaged_file_is_read_as_far_as_it_goes() -> None:
    whole = script(page("Character", "NED"), page("Dialogue", "Hello."), page("Character", "OLGA"), page("Dialogue", "Hi."))
    assert said(FinalDraft(), whole[: whole.index("OLGA")])[:1] == [(0, "NED", "Hello.")]


def test_entities_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hush")
    head = f'<!DOCTYPE FinalDraft [<!ENTITY a "ha"><!ENTITY b SYSTEM "{secret.as_uri()}">]>\n'
    spoken = '<Paragraph Type="Dialogue"><Text>Hello.</Text><Text>&b;&a;</Text></Paragraph>'
    assert "hush" not in str(said(FinalDraft(), script(page("Character", "NED"), spoken, head=head)))


def test_the_sample() -> None:
    turns_ = found(FinalDraft(), SAMPLE.read_text("utf-8"))
    assert len(turns_) == 24
    assert [sum(turn.scene == scene for turn in turns_) for scene in range(2)] == [14, 10]
    assert {turn.speaker for turn in turns_} == {"HOB", "LEWIN", "SORCERESS", "SORCERESS (O.S.)"}
    assert Turn(0, "HOB", "Halt! Who goes there? Friend or what's the other one?", ("to Lewin",)) in turns_
    assert Turn(0, "HOB", "They say it's treasure. They say it's gold, up to the knee.") in turns_
    assert turns_[17:19] == [Turn(1, "HOB", "Nine years!"), Turn(1, "LEWIN", "There's a bucket?")]
    assert not any("nobody" in turn.text for turn in turns_)  # the title page


def test_confidence() -> None:
    assert FinalDraft().confidence(SAMPLE.read_text("utf-8")) == 1.0
    for text in ("", "NED: Hello.\n" * 20, "<html><p>NED: Hello.", "<?xml version='1.0'?><Draft/>"):
        assert FinalDraft().confidence(text) == 0.0


HOSTILE = {
    "paragraphs": "<Paragraph>" * 10_000,
    "paragraphs with text": "<Paragraph><Text>a</Text>" * 5_000,
    "notes": "<ScriptNote><Paragraph><Text>a</Text>" * 2_000,
    "texts": "<Paragraph Type='Dialogue'>" + "<Text>a</Text>" * 20_000,
    "angles": "<" * 200_000,
    "entities": "&#0;&bogus;&#xD800;" * 5_000,
    "parentheses": page("Character", "NED") + page("Parenthetical", "(" * 100_000),
    "a bomb": "<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><Paragraph><Text>&b;</Text>",
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    for whole in (script(text), text):
        check_read(FinalDraft(), whole)


PARTS = ["<FinalDraft>", "</FinalDraft>", "<Content>", "</Content>", "<Paragraph Type='Character'>",
         "<Paragraph Type='Dialogue'>", "</Paragraph>", "<Text>", "</Text>", "NED", "(", ")", "&", "<", "]]>",
         "<!--", "<?", "\n", "\0", "\ud800"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_read(text: str) -> None:
    for whole in (text, script(text)):
        check_read(FinalDraft(), whole)
