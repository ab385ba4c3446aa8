import dataclasses
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
import torch
from torch import Tensor

from charbot.config import ChatSettings
from charbot.dialogue import Utterance
from charbot.errors import BundleError, ConfigError
from charbot.generation.conversation import Conversation
from charbot.generation.crisis import CRISIS_NOTE
from charbot.generation.filters import CHANGE_OF_SUBJECT
from charbot.generation.persona import Persona, Reply, Request
from charbot.models import LOADING
from charbot.models.language_model import LanguageModel
from charbot.models.quantization import QuantizedLSTM
from charbot.models.state import DecoderState
from charbot.personas.library import Library
from charbot.tokens.vocabulary import UNITS, Unit
from tests.conftest import VOICE

SETTINGS = ChatSettings(candidates=6, max_words=8)


@dataclasses.dataclass(frozen=True)
class _Ann:
    """Ann, always asked under the same options."""

    persona: Persona
    options: ChatSettings

    def reply(self, conversation: Conversation, seed: int | None = None) -> Reply:
        return self.persona.reply(conversation, self.options, seed=seed)


def _persona(library: Library, unit: Unit = "word", **options: Any) -> _Ann:
    return _Ann(Persona(library, "ann"), dataclasses.replace(SETTINGS, unit=unit, **options))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "text",
    ["Hello", "", "   ", "😀" * 20, "שלום, מה שלומך?", "\x00\x1b[31m\x07", "a" * 10_000, "why " * 3_000, "\ud800", "/"],
)
def test_whatever_is_said_there_is_a_reply(shared_library: Library, unit: Unit, text: str) -> None:
    reply = _persona(shared_library, unit).reply(Conversation().add(text), seed=1)
    assert reply.text.strip()
    assert reply.text.isprintable()
    assert reply.conversation.turns[-1] == Utterance("Ann", reply.text)
    assert reply.candidates[0].text == reply.text
    assert reply.seconds > 0


def test_a_seed_makes_a_reply_repeatable(shared_library: Library) -> None:
    persona = _persona(shared_library)
    context = Conversation().add("Where is my mug?", "Bob")
    assert persona.reply(context, seed=2).candidates == persona.reply(context, seed=2).candidates
    assert len({persona.reply(context, seed=seed).text for seed in range(8)}) > 1


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("native", [True, False])
def test_matrices_have_8_bits_where_the_machine_multiplies_them(
    shared_library: Library, monkeypatch: pytest.MonkeyPatch, unit: Unit, native: bool
) -> None:
    monkeypatch.setattr("charbot.models.language_model.is_supported", lambda: native)
    persona = _persona(shared_library, unit)
    assert persona.reply(Conversation().add("More tea?"), seed=1).text
    assert isinstance(persona.persona.load(unit)[0].model.recurrent, QuantizedLSTM if native else torch.nn.LSTM)


def test_models_are_loaded_one_after_the_other_whoever_asks(shared_library: Library) -> None:
    personas = [_persona(shared_library) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        with LOADING:
            loaded = [threads.submit(persona.persona.load, "word") for persona in personas]
            assert not wait(loaded, timeout=0.2).done
        assert all(future.result(30) for future in loaded)


def test_the_settings_hold_a_seed_too(shared_library: Library) -> None:
    persona = _persona(shared_library, seed=2)
    assert persona.reply(Conversation()).candidates == persona.reply(Conversation(), seed=2).candidates


@pytest.mark.parametrize("seed", [2**70, -1, "7", 1.5, True])
def test_a_seed_that_settings_may_not_have_is_refused(shared_library: Library, seed: Any) -> None:
    with pytest.raises(ConfigError, match="`seed` is "):
        _persona(shared_library).reply(Conversation().add("Hello"), seed=seed)


def test_the_message_and_the_turns_before_it_are_read(shared_library: Library) -> None:
    persona = _persona(shared_library)
    question = Utterance(None, "More tea?")

    def scores(*before: Utterance) -> list[float]:
        return [candidate.log_prob for candidate in persona.reply(Conversation().extend([*before, question]), seed=2).candidates]

    assert scores() != scores(Utterance("Bob", "No, coffee is better."))


def test_what_was_read_once_is_not_read_again(shared_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    persona = _persona(shared_library)
    engine, _ = persona.persona.load("word")
    read: list[int] = []
    forward = type(engine.model).forward

    def counting(model: LanguageModel, ids: Tensor, state: DecoderState | None = None) -> tuple[Tensor, DecoderState]:
        read.append(len(ids) if ids.shape[1] == 1 else 0)
        return forward(model, ids, state)

    monkeypatch.setattr(type(engine.model), "forward", counting)
    conversation, costs = Conversation(), []
    for _ in range(5):
        read.clear()
        conversation = persona.reply(conversation.add("More tea?"), seed=1).conversation
        costs.append(sum(read))
    assert max(costs[1:]) <= len(engine.tokenizer.encode("More tea?")) + SETTINGS.max_words * 12 + 4
    afresh = persona.reply(Conversation(conversation.turns).add("Oh."), seed=3)
    goes_on = persona.reply(conversation.add("Oh."), seed=3)
    assert [c.text for c in goes_on.candidates] == [c.text for c in afresh.candidates]


def test_conversations_side_by_side_are_answered_as_each_alone(shared_library: Library) -> None:
    persona = _persona(shared_library)
    conversations = [Conversation(), Conversation().add("More tea?"), Conversation().add("Where is my mug?", "Bob").add("Here.")]
    requests = [Request(conversation, seed) for conversation, seed in zip(conversations, (4, 5, 6), strict=True)]
    together = persona.persona.reply_batch(requests, persona.options)
    for reply, conversation, seed in zip(together, conversations, (4, 5, 6), strict=True):
        alone = persona.reply(conversation, seed=seed)
        assert [c.text for c in reply.candidates] == [c.text for c in alone.candidates]
        assert reply.conversation == alone.conversation


def test_a_long_conversation_is_bounded(shared_library: Library) -> None:
    persona = _persona(shared_library, context_turns=2)
    conversation = Conversation()
    for turn in range(12):
        conversation = persona.reply(conversation.add(f"More tea {turn}?"), seed=1).conversation
        assert len(conversation.turns) <= 5
    assert conversation.turns[-2].text == "More tea 11?"


def test_two_units_of_one_conversation_read_it_each_for_itself(shared_library: Library) -> None:
    conversation = _persona(shared_library, "word").reply(Conversation().add("More tea?"), seed=1).conversation
    goes_on = _persona(shared_library, "char").reply(conversation.add("Oh."), seed=1)
    assert (
        goes_on.candidates
        == _persona(shared_library, "char").reply(Conversation(conversation.turns).add("Oh."), seed=1).candidates
    )
    assert len(goes_on.conversation.encoded) == 2


def _drawing(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    monkeypatch.setattr(
        "charbot.generation.engine.Engine.generate", lambda self, prompts, *_: [dict.fromkeys(texts, -1.0)] * len(prompts)
    )


def _quoting(monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    _drawing(monkeypatch, *texts)
    monkeypatch.setattr("charbot.generation.lexicon.Lexicon.knows", lambda self, text: True)


def test_what_is_no_word_is_not_said_if_anything_else_is(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    _drawing(monkeypatch, "More blorf?", "More tea?")
    assert [candidate.text for candidate in _persona(library).reply(Conversation()).candidates] == ["More tea?"]
    _drawing(monkeypatch, "More blorf?")
    assert _persona(library).reply(Conversation()).text == "More blorf?"


def test_a_reply_that_goes_in_circles_is_not_said_if_anything_else_is(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    circle = "I like more tea, and I like more tea."
    _quoting(monkeypatch, circle, "More tea?")
    assert [candidate.text for candidate in _persona(library).reply(Conversation()).candidates] == ["More tea?"]
    _quoting(monkeypatch, circle)
    assert _persona(library).reply(Conversation()).text == circle


COPIED = "nine words stand here in a row, it seems"


def test_no_script_is_quoted_at_length(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    _quoting(monkeypatch, f"Well, {COPIED}!", "Well, that is that, I should say.")
    assert _persona(library).reply(Conversation()).text == "Well, that is that, I should say."
    _quoting(monkeypatch, f"Well, {COPIED}!")
    assert _persona(library).reply(Conversation()).text == "Well, nine words stand here in a row..."


def test_a_clean_reply_is_chosen_and_else_masked(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = _persona(library, clean=True, unclean_words=("kettle",))
    _quoting(monkeypatch, "Oh, shit!", "The kettle is on.", "More tea?")
    said = clean.reply(Conversation())
    assert [candidate.text for candidate in said.candidates] == ["More tea?"]
    assert len(_persona(library).reply(Conversation()).candidates) == 3
    _quoting(monkeypatch, "The kettle is on.")
    assert clean.reply(Conversation()).text == "The bleep is on."


def test_what_offends_is_not_answered_where_replies_are_clean(shared_library: Library) -> None:
    persona, offence = _persona(shared_library, clean=True), Conversation().add("Do you hate hippies?")
    evasion = persona.reply(offence, seed=1)
    assert evasion.text == evasion.candidates[0].text
    assert all(one.text.startswith(f"{CHANGE_OF_SUBJECT} ") for one in evasion.candidates)
    assert evasion.conversation.turns == (*offence.turns, Utterance("Ann", evasion.text))
    instead = persona.reply(Conversation().add("Tell me something interesting."), seed=1)
    assert [one.text.removeprefix(f"{CHANGE_OF_SUBJECT} ") for one in evasion.candidates] == [o.text for o in instead.candidates]
    goes_on = persona.reply(evasion.conversation.add("More tea?"), seed=2)
    assert not goes_on.text.startswith(CHANGE_OF_SUBJECT)
    afresh = persona.reply(Conversation(evasion.conversation.turns).add("More tea?"), seed=2)
    assert [one.text for one in goes_on.candidates] == [one.text for one in afresh.candidates]
    assert not _persona(shared_library).reply(offence, seed=1).text.startswith(CHANGE_OF_SUBJECT)


def test_an_evasion_may_be_said_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    _quoting(monkeypatch, "More tea?", "Less tea?")
    clean, offence = _persona(library, clean=True), "Do you hate hippies?"
    evasion = clean.reply(Conversation().add(offence), seed=1)
    assert len(clean.reply(evasion.conversation.add(offence)).candidates) == 2
    other = clean.persona.reply(Conversation().add(offence), clean.options, seed=1, avoid=[evasion.text])
    assert other.text != evasion.text


def test_where_replies_are_clean_no_group_is_judged(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    _quoting(monkeypatch, "They smell.", "A Mormon?", "More tea?")
    clean, met = _persona(library, clean=True), Conversation().add("I met some Mormons")
    assert [one.text for one in clean.reply(met).candidates] == ["More tea?"]
    assert {one.text for one in clean.reply(Conversation().add("I met some cats")).candidates} == {"They smell.", "More tea?"}
    assert len(_persona(library).reply(met).candidates) == 3


def test_candidates_are_distinct_and_best_first(shared_library: Library) -> None:
    candidates = _persona(shared_library).reply(Conversation().add("More tea?"), seed=2).candidates
    assert len({candidate.text for candidate in candidates}) == len(candidates) > 1
    assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)


@pytest.mark.parametrize("unit", UNITS)
def test_a_reply_begins_as_a_script_would_have_it(shared_library: Library, unit: Unit) -> None:
    candidates = [
        one.text
        for seed in range(4)
        for one in _persona(shared_library, unit).reply(Conversation().add("tea"), seed=seed).candidates
    ]
    assert any(text[0].isalpha() for text in candidates)
    assert not any(text[0].islower() for text in candidates)


def test_a_missing_persona_or_unit_is_told(shared_library: Library, library: Library) -> None:
    with pytest.raises(BundleError, match="no persona called 'Zed'"):
        Persona(shared_library, "Zed")
    persona = _persona(library, "char")
    persona.persona.card = dataclasses.replace(persona.persona.card, models={})
    with pytest.raises(BundleError, match="Ann has no char model"):
        persona.reply(Conversation())


def test_what_was_written_for_such_a_message_is_a_candidate(shared_library: Library) -> None:
    persona = _persona(shared_library)
    asked = Conversation().add("is the kettle whistling")
    (familiar,) = (one for one in persona.reply(asked, seed=1).candidates if one.familiarity)
    assert familiar.text == VOICE[1].text
    assert 0.9 < familiar.familiarity < 1.001
    assert familiar.log_prob < 0
    said = Conversation().add(familiar.text, "Ann").add("is the kettle whistling")
    assert not any(one.familiarity for one in persona.reply(said, seed=1).candidates), "nothing is said twice"
    assert not any(one.familiarity for one in persona.reply(Conversation().add("Zounds"), seed=1).candidates)


def test_where_there_is_a_written_answer_nothing_is_generated(shared_library: Library) -> None:
    persona, asked = _persona(shared_library), Conversation().add("is the kettle whistling")
    assert [one.text for one in persona.reply(asked, seed=1).candidates] == [VOICE[1].text]


def test_what_is_to_be_avoided_is_not_the_reply(shared_library: Library) -> None:
    persona = _persona(shared_library)
    asked = Conversation().add("is the kettle whistling")
    avoided = persona.persona.reply(asked, persona.options, seed=1, avoid=[VOICE[1].text])
    assert VOICE[1].text not in {one.text for one in avoided.candidates}
    generated = [one.text for one in avoided.candidates]
    again = persona.persona.reply(asked, persona.options, seed=1, avoid=[VOICE[1].text, *generated[1:]])
    assert again.text == generated[0]
    nothing_else = persona.persona.reply(asked, persona.options, seed=1, avoid=[VOICE[1].text, *generated])
    assert nothing_else.text in generated, "a repeated reply is better than none"


def test_who_speaks_of_suicide_is_answered_with_a_note(shared_library: Library) -> None:
    persona = _persona(shared_library)
    plain, crisis = Conversation().add("More tea?"), Conversation().add("i want to kill myself")
    requests = [Request(crisis, 1), Request(plain, 1), Request(crisis, 2)]
    first, second, third = persona.persona.reply_batch(requests, persona.options)
    assert first.text == third.text == CRISIS_NOTE == first.candidates[0].text
    assert first.conversation.turns[-1] == Utterance("Ann", CRISIS_NOTE)
    assert second.candidates == persona.reply(plain, seed=1).candidates
    own = dataclasses.replace(persona.options, crisis_note="Call 123.")
    assert persona.persona.reply(crisis, own).text == "Call 123."
    assert persona.reply(crisis.add("Thank you. More tea?"), seed=1).text != CRISIS_NOTE


def test_what_was_written_need_not_look_generated(shared_library: Library) -> None:
    persona = _persona(shared_library)
    persona.persona.__dict__["_sound"] = (_Nothing(),)
    (written,) = persona.reply(Conversation().add("is the kettle whistling"), seed=1).candidates
    assert written.text == VOICE[1].text
    persona = _persona(shared_library, clean=True, unclean_words=("kettle",))
    assert VOICE[1].text not in {
        one.text for one in persona.reply(Conversation().add("is the kettle whistling"), seed=1).candidates
    }


class _Nothing:
    """A filter that accepts nothing."""

    def accepts(self, text: str) -> bool:
        return False

    def repair(self, text: str) -> str:
        return text
