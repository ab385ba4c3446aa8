from pathlib import Path

from charbot.scripts.formats import read
from charbot.scripts.formats.signal_text import SignalText
from charbot.scripts.reader import detect

SAMPLE = (Path(__file__).parents[4] / "scripts_data" / "samples" / "signal_text" / "lighthouse.txt").read_text("utf-8")


def test_a_chat_as_sigtop_writes_it() -> None:
    assert detect(SAMPLE).name == "signal-text"
    transcript = read(SignalText(), SAMPLE)
    assert [(turn.scene, turn.speaker, turn.text, turn.source) for turn in transcript.turns] == [
        (0, "You", "Did you lock the lighthouse?", 7),
        (0, "Marit", "I thought that you had the key. Note: it is not under the mat. There is no mat.", 14),
        (0, "You", "Then who is waving up there?", 33),
        (1, "Marit", "It was a heron.", 46),
        (1, "You", "Herons do not wave.", 52),
    ]
    reasons = [omission.reason for omission in transcript.omissions]
    assert {reason: reasons.count(reason) for reason in reasons} == {"title": 1, "timing": 26, "quoted reply": 4}


def test_other_mail_is_no_chat() -> None:
    assert not SignalText().confidence("From: Nele\nTo: Bartok\nSent: Sat, 3 Feb 2024 18:00:00 +0000\n\nHello.\n" * 5)


def test_times_that_are_none_and_missing_heads_do_no_harm() -> None:
    text = "From: Nele\nType: incoming\nSent: never\n\nHello.\n\nFrom: Bartok\nType: outgoing\n"
    assert [(turn.speaker, turn.text) for turn in read(SignalText(), text).turns] == [("Nele", "Hello.")]
    assert not read(SignalText(), "Nele: Hi.").turns
