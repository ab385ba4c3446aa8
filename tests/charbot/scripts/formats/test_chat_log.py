from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.scripts.formats import read
from charbot.scripts.formats.chat_log import ChatLog
from charbot.scripts.reader import detect
from tests.charbot.scripts.formats.helpers import check_account, said

SAMPLE = Path(__file__).parents[4] / "scripts_data" / "samples" / "chat" / "harbour_crew.txt"
TALK = (("Nele", "Is the heron back?"), ("Bartok", "It is: since noon."), ("Nele", "Then hide the fish!"), ("Bartok", "Which?"))


def turns(text: str) -> list[tuple[int, str, str]]:
    return said(ChatLog(), text)


FORMS = {
    "WhatsApp, Android, US": "2/1/24, 6:0{i} PM - {name}: {text}",
    "WhatsApp, Android, narrow space": "2/1/24, 6:0{i}\u202fPM - {name}: {text}",
    "WhatsApp, Android, Germany": "01.02.24, 18:0{i} - {name}: {text}",
    "WhatsApp, Android, France": "01/02/2024 à 18:0{i} - {name}: {text}",
    "WhatsApp, Android, Spain": "1/2/24, 6:0{i} p. m. - {name}: {text}",
    "WhatsApp, Android, Italy": "01/02/24, 18:0{i} - {name}: {text}",
    "WhatsApp, Android, Sweden": "2024-02-01 18:0{i} - {name}: {text}",
    "WhatsApp, iPhone": "[01.02.24, 18:0{i}:07] {name}: {text}",
    "WhatsApp, iPhone, US": "\u200e[2/1/24, 6:0{i}:07 PM] {name}: {text}",
    "signal-export": "[2024-02-01 18:0{i}:00] {name}: {text}",
    "Discord": "[7/1/2024 8:0{i} AM] {name}\n{text}\n",
    "Discord, older": "[01-Jul-24 08:0{i} AM] {name}#0001\n{text}\n",
    "iMessage": "Feb 01, 2024  6:0{i}:07 PM\n{name}\n{text}\n",
    "IRC": "[18:0{i}] <{name}> {text}",
    "irssi": "18:0{i} <@{name}> {text}",
    "IRC with dates": "2024-02-01 18:0{i}:10 <{name}> {text}",
    "Otter": "{name}  0:0{i}\n{text}\n",
    "Rev": "{name} (00:0{i}):\n{text}\n",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_program_is_read(form: str, end: str) -> None:
    text = "\n".join(form.format(i=i, name=name, text=text) for i, (name, text) in enumerate(TALK)).replace("\n", end)
    assert turns(text) == [(0, name, text) for name, text in TALK]
    assert detect(text).name == "chat"
    check_account(ChatLog(), text)


def test_a_message_runs_over_lines() -> None:
    text = "2/1/24, 18:00 - Nele: One,\ntwo: three\n\n[four]\n2/1/24, 18:01 - Bartok: Five.\n2/1/24, 18:02 - Nele: Six.\n"
    assert turns(text)[0] == (0, "Nele", "One, two: three [four]")


@pytest.mark.parametrize("form", ["1/2/24, 18:0{} - {}: {}", "[1.2.24, 18:0{}:07] {}: {}"])
def test_a_message_may_begin_on_the_line_below_its_name(form: str) -> None:
    text = form.format(0, "Nele", "One.\n") + form.format(1, "Bartok", "\nTwo.\n") + form.format(2, "Nele", "Three.\n")
    assert turns(text) == [(0, "Nele", "One."), (0, "Bartok", "Two."), (0, "Nele", "Three.")]
    check_account(ChatLog(), text)


def test_what_signal_export_adds_is_not_said() -> None:
    head = "[2024-02-01 18:0{}:00] {}: "
    said_by_both = [
        "Is it back?\n(- Bartok: 👍 -)",
        "Look ![heron.jpg](./media/heron.jpg)  ",
        "\n\n> Is it back?\n\nIt is.",
        "Good.",
    ]
    nothing = ["![heron.jpg](./media/heron.jpg)  ", "(This message was deleted)", "\n(( 😀 ))"]
    text = "".join(head.format(i, "NB"[i % 2]) + words + "\n" for i, words in enumerate(said_by_both + nothing))
    assert turns(text) == [(0, "N", "Is it back?"), (0, "B", "Look"), (0, "N", "It is."), (0, "B", "Good.")]
    check_account(ChatLog(), text)


def test_messages_of_one_person_within_minutes_are_one_turn() -> None:
    text = (
        "1/2/24, 18:00 - Nele: One.\n1/2/24, 18:03 - Nele: Two.\n1/2/24, 18:20 - Nele: Three.\n"
        "1/2/24, 18:21 - Bartok: Four.\n1/2/24, 18:21 - Bartok: Five.\n"
    )
    assert [text for *_, text in turns(text)] == ["One. Two.", "Three.", "Four. Five."]


@pytest.mark.parametrize(
    "times",
    [("31/1/24, 18:00", "1/2/24, 9:00"), ("1/31/24, 18:00", "2/1/24, 9:00"), ("2024-01-31 18:00", "2024-02-01 09:00"),
     ("1/2/24, 9:00 AM", "1/2/24, 12:01 PM")],
)  # fmt: skip
def test_hours_of_silence_begin_a_scene(times: tuple[str, str]) -> None:
    first, second = times
    lines = [f"{first} - Nele: One.", f"{first} - Bartok: Two.", f"{second} - Nele: Three.", f"{second} - Bartok: Four."]
    assert [scene for scene, *_ in turns("\n".join(lines))] == [0, 0, 1, 1]


def test_after_midnight_a_clock_without_a_date_starts_again() -> None:
    lines = ["[23:59] <nele> One.", "[00:01] <bartok> Two.", "[00:02] <nele> Three.", "[09:00] <bartok> Four."]
    assert [scene for scene, *_ in turns("\n".join(lines))] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<Media omitted>", "attachment"), ("<Medien ausgeschlossen>", "attachment"), ("\u200eimage omitted", "attachment"),
        ("IMG-2024-WA0001.jpg (file attached)", "attachment"), ("This message was deleted", "attachment"),
        ("Mensagem apagada", "attachment"), ("Você apagou esta mensagem", "attachment"),
        ("Dit bericht is verwijderd", "attachment"),
        ("Verpasster Sprachanruf", "attachment"), ("Verpasster Videoanruf, Zum Zurückrufen tippen", "attachment"),
        ("Chamada de voz perdida", "attachment"), ("conta.pdf (arquivo anexado)", "attachment"),
        ("Standort: https://maps.example/?q=1,2", "attachment"),
        ("Rechnung.pdf • \u200e4 Seiten \u200eDokument weggelassen", "attachment"),
        ("> Is the heron back?", "quoted reply"), (">not mine", "quoted reply"),
    ],
)  # fmt: skip
def test_system_messages_and_attachments_are_left_out(text: str, reason: str) -> None:
    chat = f"1/2/24, 18:00 - Nele: Hi.\n1/2/24, 18:01 - Bartok: {text}\n1/2/24, 18:01 - Nele: Oh.\n1/2/24, 18:02 - Bartok: Yo.\n"
    source = read(ChatLog(), chat)
    assert [turn.text for turn in source.turns] == ["Hi. Oh.", "Yo."]
    assert [(omission.line, omission.reason) for omission in source.omissions] == [(2, reason)]


@pytest.mark.parametrize("poll", ["POLL:\nWho comes?\nOPTION: I (2 votes)", "ENQUETE:\nQuem?\n\u200eOPÇÃO: Eu (1 voto)"])
def test_polls_are_left_out(poll: str) -> None:
    chat = f"1/2/24, 18:00 - Nele: Hi.\n1/2/24, 18:01 - Bartok: {poll}\n1/2/24, 18:01 - Nele: Oh.\n1/2/24, 18:02 - Bartok: Yo.\n"
    source = read(ChatLog(), chat)
    assert [turn.text for turn in source.turns] == ["Hi. Oh.", "Yo."]
    assert [(omission.line, omission.reason) for omission in source.omissions] == [(i, "attachment") for i in (2, 3, 4)]


def test_what_the_program_tells_may_hold_a_colon_or_stand_in_the_place_of_a_name() -> None:
    android = "1/2/24, 18:0{} - {}: Hi.\n"
    renamed = '1/2/24, 18:02 - Nele changed the group name from "Pier" to "Pier: 9"\n'
    text = android.format(0, "Nele") + renamed + android.format(3, "Ivo") * 3
    assert turns(text) == [(0, "Nele", "Hi."), (0, "Ivo", "Hi. Hi. Hi.")]
    apple = "[01.02.24, 18:0{}:07] {}Hi.\n"
    text = apple.format(0, "Nele: ") + apple.format(1, "\u200e") + apple.format(2, 'Bartok "Buck" Sands: ') * 3
    assert turns(text) == [(0, "Nele", "Hi."), (0, 'Bartok "Buck" Sands', "Hi. Hi. Hi.")]


@pytest.mark.parametrize("mark", ["<Mensagem editada>", "<Diese Nachricht wurde bearbeitet.>", "<Se editó este mensaje.>"])
def test_the_mark_of_edited_messages_is_no_speech(mark: str) -> None:
    text = f"1/2/24, 18:00 - Nele: Hi. \u200e{mark}\n" + "1/2/24, 18:01 - Bartok: Yo.\n" * 3
    assert turns(text)[0] == (0, "Nele", "Hi.")


def test_the_footer_of_otter_is_no_speech() -> None:
    text = "".join(f"{name}  0:0{i}\n{words}\n\n" for i, (name, words) in enumerate(TALK))
    assert turns(f"{text}Transcribed by https://otter.ai\n")[-1] == (0, *TALK[-1])


def test_what_the_program_tells_is_left_out() -> None:
    source = read(
        ChatLog(),
        "1/2/24, 18:00 - Messages are encrypted.\n1/2/24, 18:00 - Nele: Hi.\n1/2/24, 18:01 - Nele added Ivo\n"
        "1/2/24, 18:01 - Ivo: Yo.\n1/2/24, 18:02 - Nele: So? <This message was edited>\n",
    )
    assert [turn.text for turn in source.turns] == ["Hi.", "Yo.", "So?"]
    assert [omission.reason for omission in source.omissions] == ["system message"] * 2
    irc = "[18:00] * nele waves\n[18:00] <nele> Hi.\n[18:01] -!- ivo has quit\n[18:01] <ivo> Yo.\n[18:02] <nele> So?\n"
    assert [text for *_, text in turns(irc)] == ["Hi.", "Yo.", "So?"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("See https://example.org/a?b=c now", "See [link] now"),
        ("www.example.org", "[link]"),
        ("t.me/harbour and example.de/x", "[link] and [link]"),
        ("Mail nele.karst+x@example.co.uk!", "Mail [email]!"),
        ("Call +49 170 1234567 or (030) 123-4567.", "Call [phone] or [phone]."),
        ("It was 1999, in 12 days, at 10:30, on 01.02.2024.", "It was 1999, in 12 days, at 10:30, on 01.02.2024."),
        ("file.txt e.g. 3.5", "file.txt e.g. 3.5"),
    ],
)
def test_links_addresses_and_numbers_become_one_mark(typed: str, kept: str) -> None:
    chat = f"1/2/24, 18:00 - Nele: Hi.\n1/2/24, 18:01 - Bartok: {typed}\n1/2/24, 18:02 - Nele: Oh.\n"
    assert turns(chat)[1] == (0, "Bartok", kept)


def test_phone_numbers_as_names_become_numbered_persons() -> None:
    names = ("+49 170 1234567", "~ Nele", "+49 170 7654321", "+49 170 1234567")
    chat = "\n".join(f"1/2/24, 18:0{i} - {name}: Hi." for i, name in enumerate(names))
    assert [name for _, name, _ in turns(chat)] == ["Person 1", "Nele", "Person 2", "Person 1"]


def test_what_people_type_in_brackets_is_speech() -> None:
    chat = "1/2/24, 18:00 - Nele: Hi (all) [sic].\n1/2/24, 18:01 - Bartok: *waves*\n1/2/24, 18:02 - Nele: Oh.\n"
    assert turns(chat)[:2] == [(0, "Nele", "Hi (all) [sic]."), (0, "Bartok", "*waves*")]


def test_the_sample() -> None:
    found = turns(SAMPLE.read_text("utf-8"))
    assert len(found) == 10
    assert found[0] == (0, "Oda", "has anybody seen my oars? the blue ones")
    assert found[-1] == (1, "Oda", "FINN")


@pytest.mark.parametrize("text", ["", "Nele: Hello.\n" * 9, "12:30 - 13:00: lunch\n" * 9, "[00:01:10] Nele: Hi.\n" * 9])
def test_confidence_is_none_elsewhere(text: str) -> None:
    assert ChatLog().confidence(text) == 0.0


HOSTILE = {
    "digits": "1" * 200_000,
    "phones": "1/2/24, 18:00 - Nele: " + "1 " * 100_000,
    "links": "1/2/24, 18:00 - Nele: " + "www.a" * 40_000,
    "dots": "1/2/24, 18:00 - Nele: " + "a." * 100_000,
    "mails": "1/2/24, 18:00 - Nele: " + "a@a." * 50_000,
    "names": "Nele " * 40_000,
    "heads": "1/2/24, 18:00 - Nele: a\n" * 3_000,
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_read_in_time(text: str) -> None:
    check_account(ChatLog(), f"1/2/24, 18:00 - Nele: Hi.\n1/2/24, 18:01 - Bartok: Yo.\n1/2/24, 18:01 - Nele: Hi.\n{text}\n")


PARTS = ["1/2/24, 18:00 - ", "Nele: ", "[18:00] <nele> ", "[7/1/2024 8:00 AM] nele", "Feb 01, 2024  6:00:07 PM", "Hi.", "> a",
         "<Media omitted>", "\u200e", "=====",
         "99/99/99, 99:99 - Nele: x", "0000-00-00 00:00 - a: b", "\n", " ", "\0", "\x1c", "\u2028"]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join) | st.text(st.characters(codec=None)))
def test_any_text_is_accounted_for(text: str) -> None:
    check_account(ChatLog(), text)
