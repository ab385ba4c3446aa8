from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.engine import Engine
from charbot.generation.sampling import Sample, SamplingParams, sample_replies, sample_top_p
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import END, UNITS, Unit, Vocabulary
from tests.conftest import tiny_model


def _draw(
    vocabulary: Vocabulary, *seeds: int, count: int = 24, temperature: float = 1.5, top_p: float = 1.0, opening: int = 60
) -> list[list[Sample]]:
    engine = Engine("", tiny_model(vocabulary), tokenizer_for(vocabulary))
    prompts = engine.begin_turn(engine.prefill([((), None)]), "Ann") * len(seeds)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return sample_replies(engine.model, vocabulary, prompts, SamplingParams(count, temperature, top_p, 60, opening), generators)


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_drawn_is_a_reply(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies[unit]
    drawn = _draw(vocabulary, 0)[0]
    assert sum(not reply.ended and len(reply.ids) < 60 for reply in drawn) <= 24 // 8, "few stay unfinished"
    for reply in drawn:
        assert 0 < len(reply.ids) <= 60
        assert len(reply.nats) == len(reply.ids) + reply.ended
        assert END not in reply.ids
        spelling = False
        for id_ in reply.ids:
            assert 256 < id_ < vocabulary.predicted, "no bytes, no speakers"
            if unit == "word":
                assert spelling == (id_ < vocabulary.spell or id_ == vocabulary.spelled)
                spelling = vocabulary.opens_spelling(id_) or (spelling and id_ != vocabulary.spelled)


def test_nothing_is_spelled_in_no_characters(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["word"]
    drawn = [reply.ids for replies in _draw(vocabulary, *range(10)) for reply in replies]
    for opening in (vocabulary.spell, vocabulary.spaced):
        assert any(opening in reply for reply in drawn)
        assert not any((opening, vocabulary.spelled) in pairwise(reply) for reply in drawn)


def test_a_seed_makes_replies_repeatable(vocabularies: dict[str, Vocabulary]) -> None:
    assert _draw(vocabularies["word"], 3) == _draw(vocabularies["word"], 3)
    assert _draw(vocabularies["word"], 3) != _draw(vocabularies["word"], 4)


def test_conversations_drawn_side_by_side_do_not_mix(vocabularies: dict[str, Vocabulary]) -> None:
    batch_entries = _draw(vocabularies["word"], 3, 4, 5)
    for replies, seed in zip(batch_entries, (3, 4, 5), strict=True):
        assert [reply.ids for reply in replies] == [reply.ids for reply in _draw(vocabularies["word"], seed)[0]]


def test_a_cold_model_says_the_likeliest(vocabularies: dict[str, Vocabulary]) -> None:
    assert len({reply.ids for reply in _draw(vocabularies["char"], 0, temperature=1e-7)[0]}) == 1


def test_a_reply_goes_on_cooler_than_it_opens(vocabularies: dict[str, Vocabulary]) -> None:
    def ids(temperature: float, opening: int) -> list[tuple[int, ...]]:
        return [reply.ids for reply in _draw(vocabularies["word"], 2, temperature=temperature, opening=opening)[0]]

    assert ids(1.0, 0) == ids(0.7, 60)
    assert [reply[:2] for reply in ids(1.0, 2)] == [reply[:2] for reply in ids(1.0, 60)]
    assert ids(1.0, 2) != ids(1.0, 60)


def test_the_batch_shrinks_without_mixing_replies(vocabularies: dict[str, Vocabulary]) -> None:
    # Whoever ends early must not shift the others' states: each token costs what reading its reply anew says.
    vocabulary = vocabularies["char"]
    engine = Engine("", tiny_model(vocabulary), tokenizer_for(vocabulary))
    before = [vocabulary.scene, vocabulary.speaker("Ann")]
    (drawn,) = _draw(vocabulary, 5, count=8, temperature=1.0)
    assert len({len(reply.ids) for reply in drawn}) > 1
    for reply in drawn:
        said = [*reply.ids, END][: len(reply.nats)]
        with torch.inference_mode():
            features, _ = engine.model(torch.tensor([*before, *said[:-1]])[:, None])
            log_p = engine.model.logits(features[1:, 0]).log_softmax(1)
        assert [-float(row[id_]) for row, id_ in zip(log_p, said, strict=True)] == pytest.approx(reply.nats, rel=1e-4)


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=9), st.floats(0, 1, exclude_max=True), st.floats(0.05, 1))
def test_what_is_chosen_is_of_the_smallest_likeliest_set(scores: list[float], uniform: float, top_p: float) -> None:
    # torch's stable order among equals: the set is told by probabilities, not by ids.
    shares = torch.tensor(scores).softmax(0)
    chosen = int(sample_top_p(shares[None], torch.tensor([[uniform, 0.1, 0.9]]), torch.ones(1), top_p)[0])
    likelier = float(shares[shares > shares[chosen] + 1e-6].sum())
    assert likelier <= top_p + 1e-5


def test_choices_follow_the_probabilities() -> None:
    shares = torch.tensor([[0.5, 0.1, 0.3, 0.1, 0.0]]).expand(10_000, -1)
    once = (torch.arange(10_000) + 0.5) / 10_000
    # What was not in the nucleus is drawn again, with other numbers.
    uniform = torch.stack([once, *torch.rand((20, 10_000), generator=torch.Generator().manual_seed(0))], 1)

    def counts(temperature: float, top_p: float) -> list[float]:
        chosen = sample_top_p(shares, uniform, torch.full_like(once, temperature), top_p)
        return (torch.bincount(chosen, minlength=5) / 10_000).tolist()

    assert counts(1.0, 1.0) == pytest.approx([0.5, 0.1, 0.3, 0.1, 0], abs=1e-3)
    assert counts(1.0, 0.7) == pytest.approx([0.625, 0, 0.375, 0, 0], abs=0.01)
    assert counts(1.0, 0.01) == [1, 0, 0, 0, 0]
    assert counts(0.5, 1.0) == pytest.approx([25 / 36, 1 / 36, 9 / 36, 1 / 36, 0], abs=1e-3)
