from collections.abc import Sequence

import numpy as np
import pytest
import torch

import charbot.generation.engine
import charbot.generation.sampling
from charbot.corpus.examples import response_example
from charbot.dialogue import Utterance
from charbot.errors import Cancelled
from charbot.evaluation.likelihood import predicted_nats
from charbot.generation.conversation import EncodedContext
from charbot.generation.engine import Engine, whole_sentences
from charbot.generation.sampling import REPLY_VOCABULARY, Prompt, Sample, SamplingParams, sample_replies
from charbot.models.language_model import Cell
from charbot.models.neural_cache import WINDOW
from charbot.tokens import tokenizer_for
from charbot.tokens.render import render
from charbot.tokens.vocabulary import UNITS, Unit, Vocabulary
from tests.conftest import tiny_model

TURNS = [Utterance("Bob", "Where is my mug?"), Utterance(None, "Hey, you!"), Utterance("Ann", "Zzz!")]


def _nats(engine: Engine, prompts: Sequence[Prompt], texts: Sequence[Sequence[int]]) -> torch.Tensor:
    return engine._nats(prompts, texts, engine._features(prompts, texts), REPLY_VOCABULARY)


def _mind(vocabulary: Vocabulary, cell: Cell = "lstm") -> Engine:
    attention = 8 if vocabulary.unit == "word" else 0
    return Engine("", tiny_model(vocabulary, layers=2, cell=cell, cache=8, attention=attention), tokenizer_for(vocabulary))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_reading_on_and_reading_together_is_reading_from_the_start(
    unit: Unit, cell: Cell, vocabularies: dict[str, Vocabulary]
) -> None:
    engine = _mind(vocabularies[unit], cell)
    alone = [engine.prefill([(TURNS[:count], None)])[0] for count in range(4)]
    together = engine.prefill([(TURNS[:count], None) for count in (2, 0, 3, 1)])
    on = engine.prefill([(TURNS[:2], alone[2]), (TURNS, alone[0]), (TURNS[:1], alone[0])])
    (alone_on,) = engine.prefill([(TURNS, alone[1])])
    for found, count in zip((*together, *on, alone_on), (2, 0, 3, 1, 2, 3, 1, 3), strict=True):
        assert found.turns == count
        for one, other in zip(found.state, alone[count].state, strict=True):
            # What is kept in half precision may be rounded the other way.
            np.testing.assert_allclose(one, other, rtol=1e-3 if one.dtype == np.float16 else 1e-7, atol=1e-6)


def test_what_is_no_state_of_its_own_is_not_gone_on_from(vocabularies: dict[str, Vocabulary]) -> None:
    engine = _mind(vocabularies["word"])
    (alone,), (known,) = engine.prefill([(TURNS, None)]), engine.prefill([(TURNS[:1], None)])
    odd = [np.zeros((1, 3), one.dtype)[: one.ndim, 0 if one.ndim == 1 else slice(None)] for one in known.state]
    said = known.state[6]
    nothing_to_say = said + engine.model.architecture.outputs
    for part, state in (*enumerate(odd), (6, nothing_to_say), (6, -1 - said)):
        reading = EncodedContext(1, (*known.state[:part], state, *known.state[part + 1 :]))
        (found,) = engine.prefill([(TURNS, reading)])
        assert all(np.array_equal(one, other) for one, other in zip(found.state, alone.state, strict=True))


@pytest.mark.parametrize("unit", UNITS)
def test_how_likely_a_reply_is_agrees_with_scoring(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    engine = _mind(vocabularies[unit])
    texts = ["More tea?", "", "Żółw, 😀!", "Oh, tea it is, then."] * 40
    encoded = engine.prefill([(TURNS, None)])
    for speaker in ("Ann", None):
        (prompt,) = engine.begin_turn(encoded, speaker)
        found = engine.log_likelihoods([(prompt, text) for text in texts])
        asked = [render(engine.tokenizer, response_example(TURNS, Utterance(speaker, text))) for text in texts]
        for text, log_p, nats in zip(texts, found, predicted_nats(engine.model, asked), strict=True):
            assert log_p == pytest.approx(-nats.sum() / (len(text) + 1), rel=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_how_likely_texts_with_rare_words_are_is_the_same_alone(
    unit: Unit, vocabularies: dict[str, Vocabulary], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _mind(vocabularies[unit])
    ids = [id_ for text in ("More tea?", "Oh, tea it is, then.") for id_ in engine.tokenizer.encode(text)]
    monkeypatch.setattr(charbot.generation.engine, "REPLY_VOCABULARY", max(ids))  # one of the ids is rare
    (prompt,) = engine.begin_turn(engine.prefill([(TURNS, None)]), "Ann")
    pairs = [(prompt, text) for text in ("More tea?", "", "Oh, tea it is, then.", "Tea.", "Where is my mug? No, more tea!")]
    alone = [engine.log_likelihoods([pair])[0] for pair in pairs]
    assert engine.log_likelihoods(pairs) == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_drawn_comes_with_its_likelihood(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    engine = _mind(vocabularies[unit])
    (prompt,) = engine.begin_turn(engine.prefill([(TURNS, None)]), "Ann")
    (drawn,) = engine.generate([prompt], SamplingParams(24, 1.0, 1.0, 90, 90), [torch.Generator().manual_seed(1)])
    again = engine.log_likelihoods([(prompt, text) for text in drawn])
    # Cut replies lack an end, and a listed word may come spelled: the rest agree.
    agreeing = sum(one == pytest.approx(other, rel=1e-4) for one, other in zip(drawn.values(), again, strict=True))
    assert agreeing > len(drawn) / 4 if unit == "char" else agreeing > 0


def test_a_first_sentence_is_a_reply_with_its_own_likelihood(vocabularies: dict[str, Vocabulary]) -> None:
    engine = _mind(vocabularies["char"])
    (prompt,) = engine.begin_turn(engine.prefill([(TURNS, None)]), "Ann")
    text, sentence = "More tea for me. Oh no.", "More tea for me."
    ids = engine.tokenizer.encode(text)
    with torch.inference_mode():
        nats = [_nats(engine, [prompt], [ids[:length]]).item() for length in range(len(ids) + 1)]
    reply = Sample(tuple(ids), (0.0,) * len(ids), tuple(nats), ended=True)
    ((said, log_prob),) = engine._first_sentence(reply, text).items()
    assert said == sentence
    assert log_prob == pytest.approx(engine.log_likelihoods([(prompt, sentence)])[0], rel=1e-4)
    for short in ("More tea for me.", "Oh no. More tea."):
        ids = engine.tokenizer.encode(short)
        assert not engine._first_sentence(Sample(tuple(ids), (0.0,) * len(ids), (0.0,) * len(ids), ended=True), short)


@pytest.mark.parametrize("horizon", [WINDOW, 7])
@pytest.mark.parametrize("unit", UNITS)
def test_ids_are_drawn_as_likely_as_they_are_found(
    unit: Unit, horizon: int, vocabularies: dict[str, Vocabulary], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (charbot.generation.engine, charbot.generation.sampling):
        monkeypatch.setattr(module, "WINDOW", horizon)
    engine = _mind(vocabularies[unit])
    (prompt,) = engine.begin_turn(engine.prefill([(TURNS, None)]), "Ann")
    chance = torch.Generator().manual_seed(0)
    (drawn,) = sample_replies(engine.model, vocabularies[unit], [prompt], SamplingParams(64, 2.0, 1.0, 90, 90), [chance])
    ended = [one for one in drawn if one.ended]
    assert len(max((one.ids for one in ended), key=len)) > 2 * 7
    with torch.inference_mode():
        again = _nats(engine, [prompt] * len(ended), [one.ids for one in ended])
    assert [sum(one.nats) for one in ended] == pytest.approx(again.tolist(), rel=1e-4)


def test_a_cancelled_draw_stops(vocabularies: dict[str, Vocabulary]) -> None:
    engine = _mind(vocabularies["char"])
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Cancelled):
        engine.generate(
            engine.begin_turn(engine.prefill([((), None)]), None),
            SamplingParams(4, 1.0, 1.0, 500, 500),
            [torch.Generator()],
            cancelled,
        )
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("I like tea. More te", "char", "I like tea."),
        ('He said "go." and the', "word", 'He said "go."'),
        ("I like te", "char", "I like..."),
        ("I like", "word", "I like..."),
        ("I like,", "word", "I like..."),
        ("Aaaa", "char", "Aaaa..."),
    ],
)
def test_a_cut_reply_ends_well(text: str, unit: Unit, expected: str) -> None:
    assert whole_sentences(text, unit) == expected


def test_how_well_texts_follow_conversations_side_by_side_is_as_alone(vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies["word"], selector=8)
    assert model.selector is not None
    torch.nn.init.normal_(model.selector.weights)
    engine = Engine("mind", model, tokenizer_for(vocabularies["word"]))
    model.quantize(REPLY_VOCABULARY)
    said = [
        [Utterance("Ann", "Is there any tea?")],
        [],
        [Utterance("Ann", text) for text in ("The kettle is on.", "Is it?", "No.", "Where is my mug?", "There.")],
    ]
    prompts = engine.begin_turn(engine.prefill([(turns, None) for turns in said]), "Ann")
    texts = [["More tea!", ""], ["Hello."], []]
    together = engine.relevance_scores(prompts, said, texts)
    assert [len(some) for some in together] == [2, 1, 0]
    for one, turns, some, found in zip(prompts, said, texts, together, strict=True):
        assert engine.relevance_scores([one], [turns], [some])[0] == pytest.approx(found, abs=1e-4)
    late = engine.relevance_scores(prompts, [turns[-4:] for turns in said], texts)
    assert [pytest.approx(some, abs=1e-4) for some in late] == together, "what is further back is forgotten"
    assert together[0][0] != pytest.approx(engine.relevance_scores([prompts[0]], [said[2]], [["More tea!"]])[0][0])


def test_without_a_selector_nothing_follows_better(vocabularies: dict[str, Vocabulary]) -> None:
    engine = _mind(vocabularies["word"])
    prompts = engine.begin_turn(engine.prefill([([Utterance("Ann", "Hi.")], None)]), "Ann")
    assert engine.relevance_scores(prompts, [[Utterance("Ann", "Hi.")]], [["Hello.", "Bye."]]) == [[0.0, 0.0]]
