import dataclasses

import pytest

from charbot.config import ChatSettings
from charbot.corpus.conversation import Utterance
from charbot.errors import BundleError
from charbot.personas.library import Library
from charbot.replies.engine import Voice, _repetition, _whole_sentences
from charbot.tokens.vocabulary import UNITS, Unit

SETTINGS = ChatSettings(candidates=6, max_words=8)


def _voice(library: Library, unit: Unit = "word") -> Voice:
    return Voice(library, "ann", dataclasses.replace(SETTINGS, unit=unit))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "text",
    ["Hello", "", "   ", "😀" * 20, "שלום, מה שלומך?", "\x00\x1b[31m\x07", "a" * 10_000, "why " * 3_000, "\ud800", "/"],
)
def test_whatever_is_said_there_is_a_reply(shared_library: Library, unit: Unit, text: str) -> None:
    reply = _voice(shared_library, unit).reply([Utterance(None, text)], seed=1)
    assert reply.text.strip()
    assert reply.text.isprintable()
    assert reply.speaker == "Ann"
    assert reply.candidates[0].text == reply.text
    assert reply.seconds > 0


def test_a_seed_makes_a_reply_repeatable(shared_library: Library) -> None:
    voice = _voice(shared_library)
    context = [Utterance("Bob", "Where is my mug?")]
    assert voice.reply(context, seed=2).candidates == voice.reply(context, seed=2).candidates
    assert len({voice.reply(context, seed=seed).text for seed in range(8)}) > 1


def test_the_settings_hold_a_seed_too(shared_library: Library) -> None:
    voice = Voice(shared_library, "ann", dataclasses.replace(SETTINGS, seed=2))
    assert voice.reply([]).candidates == voice.reply([], seed=2).candidates


def test_the_message_and_the_turns_before_it_are_read(shared_library: Library) -> None:
    voice = _voice(shared_library)
    question = Utterance(None, "More tea?")

    def scores(*before: Utterance) -> list[float]:
        return [candidate.here for candidate in voice.reply([*before, question], seed=2).candidates]

    assert scores() != scores(Utterance("Bob", "No, coffee is better."))


def test_only_the_last_turns_are_read(shared_library: Library) -> None:
    voice = Voice(shared_library, "ann", dataclasses.replace(SETTINGS, context_turns=1))
    last = Utterance(None, "More tea?")
    assert voice.reply([last], seed=2).candidates == voice.reply([Utterance(None, "Hm."), last], seed=2).candidates


def test_candidates_are_distinct_and_best_first(shared_library: Library) -> None:
    candidates = _voice(shared_library).reply([Utterance(None, "Hello")], seed=1).candidates
    assert len({candidate.text for candidate in candidates}) == len(candidates) > 1
    assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)


def test_a_missing_persona_or_unit_is_told(shared_library: Library, library: Library) -> None:
    with pytest.raises(BundleError, match="no persona called 'Zed'"):
        Voice(shared_library, "Zed", SETTINGS)
    voice = _voice(library, "char")
    voice.card = dataclasses.replace(voice.card, fits={})
    with pytest.raises(BundleError, match="Ann has no char model"):
        voice.reply([])


@pytest.mark.parametrize(
    ("text", "cut", "unit", "expected"),
    [
        ("I like tea. More te", False, "word", "I like tea. More te"),
        ("I like tea. More te", True, "char", "I like tea."),
        ('He said "go." and the', True, "word", 'He said "go."'),
        ("I like te", True, "char", "I like..."),
        ("I like", True, "word", "I like..."),
        ("Aaaa", True, "char", "Aaaa..."),
    ],
)
def test_a_cut_reply_ends_well(text: str, cut: bool, unit: Unit, expected: str) -> None:
    assert _whole_sentences(text, cut=cut, unit=unit) == expected


def test_repetition() -> None:
    assert _repetition("Where is my mug?", ["where is my mug"]) == 1
    assert _repetition("so so so so", []) == pytest.approx(2 / 3)
    assert _repetition("I like tea", ["No, I like coffee"]) == pytest.approx(1 / 2)
    assert _repetition("Something new", ["No."]) == 0
    assert _repetition("!", ["No."]) == 0
