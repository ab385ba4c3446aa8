from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.subtitles import Subtitles
from charbot.scripts.line import Turn
from tests.charbot.scripts.formats.helpers import check_account, found, said

SAMPLES = Path(__file__).parents[4] / "scripts_data" / "samples" / "subtitles"
TIME = "00:00:01,000 --> 00:00:02,000"


def cues(*texts: str) -> str:
    return "\n\n".join(f"{number}\n{TIME}\n{text}" for number, text in enumerate(texts, 1))


def turns(*texts: str) -> list[tuple[str, str]]:
    return [(speaker, text) for _, speaker, text in said(Subtitles(), cues(*texts))]


@pytest.mark.parametrize(
    "cue",
    [
        "NED: Hello there.",
        "Ned: Hello\nthere.",
        "<i>NED: Hello</i> there.",
        "- NED: Hello there.",
        "NED:\nHello there.",
        "{\\an8}NED: <b>Hello</b> there.",
        "<v Ned>Hello there.",
        "<v Ned>Hello there.</v>",
        "<v.loud Ned>Hello</v>\n<v Ned>there.</v>",
        "<v Ned>Hello\nthere.</v>",
        "NED:   Hello   there.  ",
    ],
)
def test_every_way_to_name_who_speaks(cue: str) -> None:
    found_ = turns(cue)
    assert {speaker.upper() for speaker, _ in found_} == {"NED"}
    assert " ".join(text for _, text in found_) == "Hello there."


@pytest.mark.parametrize(
    "time",
    [
        "00:00:01,000 --> 00:00:02,000",
        "00:01.000 --> 00:02.000",
        "1:00:01.000-->1:00:02.000 align:start",
        "00:00:01,5 --> 00:00:02,5",
    ],
)
def test_times(time: str) -> None:
    assert said(Subtitles(), f"1\n{time}\nNED: Hello.") == [(0, "NED", "Hello.")]


@pytest.mark.parametrize("name", ["NED", "Mr. Loam", "O'HARA", "Élodie", "NED (softly)", "MAN 2", "ANNE-MARIE"])
def test_names(name: str) -> None:
    assert turns(f"{name}: Hello.") == [(name, "Hello.")]


@pytest.mark.parametrize("text", ["It's 3:15.", "see: this", "(sighs): oh", "Go to http://example.org"])
def test_a_colon_alone_names_nobody(text: str) -> None:
    assert {speaker for speaker, _ in turns("NED: Hello.", text)} == {"NED"}


def test_speech_runs_on_into_the_next_cue() -> None:
    assert turns("NED: Hello,", "there.", "OLGA: Hi.") == [("NED", "Hello, there."), ("OLGA", "Hi.")]


def test_an_unnamed_cue_after_a_pause_has_no_speaker() -> None:
    def timed(*texts: str) -> list[tuple[str, str]]:
        text = "\n\n".join(f"00:{10 * i:02}:00,000 --> 00:{10 * i:02}:02,000\n{one}" for i, one in enumerate(texts))
        return [(speaker, text) for _, speaker, text in said(Subtitles(), text)]

    assert timed("NED: Hello.", "Who is that?", "OLGA: Hi.") == [("NED", "Hello."), ("OLGA", "Hi.")]
    assert timed("NED: Hello.", "OLGA: Hi\nthere.", "<v Ned>Who\nis that?") == [
        ("NED", "Hello."), ("OLGA", "Hi there."), ("Ned", "Who is that?")
    ]  # fmt: skip
    assert timed("NED: Hello,", "there.", "OLGA: Hi.") == [("NED", "Hello, there."), ("OLGA", "Hi.")]
    assert timed("<v Ned>Hello.", "Who is that?", "<v Olga>Hi.") == [("Ned", "Hello."), ("Olga", "Hi.")]


def test_dashes_in_one_cue_are_unknown_speakers() -> None:
    assert turns("NED: Hello.", "- Who's that?\n- Me.", "stray", "OLGA: Hi.") == [("NED", "Hello."), ("OLGA", "Hi.")]


def test_a_name_in_brackets_is_a_speaker_where_it_is_one_elsewhere() -> None:
    cues_ = ("ANNA: Are you coming?", "BERT: Fine, I am here.", "[ANNA] Finally you came.", "BERT: Let us go.")
    assert turns(*cues_) == [
        ("ANNA", "Are you coming?"), ("BERT", "Fine, I am here."), ("ANNA", "Finally you came."), ("BERT", "Let us go.")
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["[{}] {}", "[{}]\n{}", "[{}]: {}", "- [{}] {}", "({}) {}", ">> {}: {}", "<i>[{}]</i> {}"])
@pytest.mark.parametrize("names", [("Anna", "Bert"), ("ANNA", "BERT"), ("Mr. Pym", "Man 2"), ("Anna and Bert", "Both")])
def test_names_in_brackets_or_after_arrows(form: str, names: tuple[str, str]) -> None:
    texts = ("Where is it?", "Where is what?", "My hat.", "On your head.")
    cues_ = [form.format(names[i % 2], text) for i, text in enumerate(texts)]
    assert turns(*cues_) == [(names[i % 2], text) for i, text in enumerate(texts)]
    assert turns(*cues_, form.format("Waiter", "Menu?"))[-1] == ("Waiter", "Menu?")


def test_names_in_small_letters_in_brackets() -> None:
    cues_ = ("(nele) Hello.", "(chris) Hi.", "(nele) Bye.", "(chris) (laughing) Bye. (sighs)", "(whispering) Bye!")
    assert turns(*cues_) == [("nele", "Hello."), ("chris", "Hi."), ("nele", "Bye."), ("chris", "Bye. Bye!")]


def test_a_name_with_a_direction_in_brackets() -> None:
    source = read(Subtitles(), cues("[Anna] Hello?", "[Bert] Hi.", "[Anna on the phone] Who?", "[Bert, softly] Me."))
    assert [(turn.speaker, turn.text, turn.directions) for turn in source.turns] == [
        ("Anna", "Hello?", ()), ("Bert", "Hi.", ()), ("Anna", "Who?", ("on the phone",)), ("Bert", "Me.", ("softly",))
    ]  # fmt: skip


@pytest.mark.parametrize("sound", ["[Sighs]", "[laughing]", "(Laughing)", "[Door creaks]", "[In French]", "(on phone)"])
def test_sounds_in_brackets_are_no_names(sound: str) -> None:
    assert turns("ANNA: Hello.", f"{sound} Hello?", "BERT: Hi.", f"{sound} Bye.", "ANNA: Bye.") == [
        ("ANNA", "Hello. Hello?"), ("BERT", "Hi. Bye."), ("ANNA", "Bye.")
    ]  # fmt: skip


@pytest.mark.parametrize("song", ["♪ la la ♪", "♪ la la\nla la ♪", "♪ la la", "# la la #", "<i>♫ la la ♫</i>", "♪♪"])
def test_a_song_without_a_name_has_no_speaker(song: str) -> None:
    source = read(Subtitles(), cues("ANNA: Hello.", song, "BERT: Hi."))
    assert [(turn.speaker, turn.text) for turn in source.turns] == [("ANNA", "Hello."), ("BERT", "Hi.")]
    assert [omission.reason for omission in source.omissions].count("song") == song.count("\n") + 1


def test_a_song_with_a_name_has_a_speaker() -> None:
    assert turns("ANNA: ♪ La la\nla. ♪", "BERT: Stop.") == [("ANNA", "La la la."), ("BERT", "Stop.")]


def test_a_word_before_a_colon_is_no_name_where_names_are_in_capitals() -> None:
    cues_ = ("ANNA: Hello.", "BERT: Listen.", "One thing: the hat.", "ANNA: Yes?", "Mind: it is mine.")
    assert turns(*cues_) == [("ANNA", "Hello."), ("BERT", "Listen. One thing: the hat."), ("ANNA", "Yes? Mind: it is mine.")]


def test_two_voices_on_one_line() -> None:
    assert turns("<v Ned>Hello.</v> <v Olga>Hi.</v>") == [("Ned", "Hello."), ("Olga", "Hi.")]
    assert turns("<v Ned>Hello. <v Olga>Hi.") == [("Ned", "Hello."), ("Olga", "Hi.")]


def test_what_stands_before_a_voice_is_not_lost() -> None:
    assert turns("NED: Hello", "again. <v Olga>Hi.") == [("NED", "Hello again."), ("Olga", "Hi.")]


def test_directions_and_entities() -> None:
    (turn,) = found(Subtitles(), cues("NED: [sits] Tea &amp; cake (two) &lt;3"))
    assert turn == Turn(0, "NED", "Tea & cake <3", ("sits", "two"))


def test_a_forgotten_blank_line_makes_no_number_speech() -> None:
    assert said(Subtitles(), f"1\n{TIME}\nNED: Hello.\n2\n{TIME}\nOLGA: 7\n") == [(0, "NED", "Hello."), (0, "OLGA", "7")]


def test_numbers_may_be_said() -> None:
    assert turns("NED: Count!", "1\n2") == [("NED", "Count! 1 2")]


def test_what_stands_outside_of_cues_is_furniture() -> None:
    text = f"WEBVTT - Ned: a title\n\nNOTE Ned: a note\n1\n\nSTYLE\nNed: red\n\n{TIME}\nNED: Hello.\n"
    source = read(Subtitles(), text)
    assert [turn.text for turn in source.turns] == ["Hello."]
    assert [omission.reason for omission in source.omissions] == ["page furniture"] * 5 + ["timing"]


def test_the_srt_sample() -> None:
    turns_ = found(Subtitles(), (SAMPLES / "under_pressure.srt").read_text("utf-8"))
    assert len(turns_) == 25
    assert turns_[0] == Turn(0, "GUNTHRAM", "Good evening, and welcome to Cooking Under Pressure.", ("applause, then one cough",))
    assert Turn(0, "GUNTHRAM (whispering)", "Why?") in turns_
    assert Turn(0, "BIRD", "Peep.") in turns_
    assert Turn(0, "JUDGE", "But it rose.", ("chewing",)) in turns_
    assert not any("oven, madam" in turn.text for turn in turns_)  # who says it, the file does not know


def test_the_vtt_sample() -> None:
    turns_ = found(Subtitles(), (SAMPLES / "the_plain.vtt").read_text("utf-8"))
    assert len(turns_) == 25
    assert {turn.speaker for turn in turns_} == {"Narrator", "Badger", "Linda"}
    assert Turn(0, "Linda", "I'm smiling, you pudding.") in turns_
    assert Turn(0, "Narrator", "One of them, er, will go home early.", ("a rustle of paper",)) in turns_
    assert Turn(0, "Narrator", "Against all odds, & in the wrong country, a miracle of nature.") in turns_


@pytest.mark.parametrize("name", ["under_pressure.srt", "the_plain.vtt"])
def test_confidence_is_high_in_samples(name: str) -> None:
    assert Subtitles().confidence((SAMPLES / name).read_text("utf-8")) > 0.9


@pytest.mark.parametrize("text", ["", "NED: Hello.\n" * 20, cues("Hello.", "Bye.", "Yes?"), cues("NED: Hello."), "WEBVTT\n"])
def test_confidence_is_none_where_nobody_is_named(text: str) -> None:
    assert Subtitles().confidence(text) == 0.0


HOSTILE = {
    "blank lines": "\n" * 200_000,
    "digits": "1" * 200_000,
    "times": f"{TIME}\n" * 5_000,
    "open tags": "<a" * 100_000,
    "open voices": "<v a" * 50_000,
    "voices": "<v a>" * 10_000,
    "spaces in a voice": "<v" + " " * 200_000 + "x",
    "spaces in a name": "NED" + " " * 200_000 + "x",
    "overrides": "{\\" * 100_000,
    "parentheses": "Ned (" * 40_000,
    "entities": "&amp" * 50_000,
    "dashes": "-" * 200_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    whole = f"{text}\n\n{cues('NED: Hello.', text, 'OLGA: Hi.')}"
    check_account(Subtitles(), whole)


PARTS = [f"\n{TIME}\n", "NED: ", "<v Ned>", "</v>", "Hello.", "- ", "\n", " ", "1", "[", ")", "<i>", "&lt;",
         "WEBVTT", "NOTE", "\0", "\ud800", "\x1c", "\r"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(Subtitles(), text)


def test_a_line_of_a_cue_that_holds_nothing_but_markup_is_accounted_for() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nNED: Hi.\n\n2\n00:00:09,000 --> 00:00:10,000\n<br>\n"
    transcript = read(Subtitles(), text)
    assert [(omission.line, omission.reason) for omission in transcript.omissions][-1] == (7, "nothing said")
