from math import log

import numpy as np
import pytest
import torch

from charbot.corpus.examples import full_example, response_example
from charbot.dialogue import Utterance
from charbot.evaluation import likelihood as module
from charbot.evaluation.likelihood import Likelihood, characters, likelihood, predicted_nats
from charbot.models.neural_cache import CacheEntries, match_lengths
from charbot.tokens import tokenizer_for
from charbot.tokens.render import render
from charbot.tokens.vocabulary import UNITS, Unit, Vocabulary
from tests.conftest import tiny_model

TURNS = [Utterance("Bob", "More tea?"), Utterance(None, "No."), Utterance("Ann", "Ωmega is a word that nobody lists.")]


@pytest.mark.parametrize("unit", UNITS)
def test_a_batch_gives_what_each_gives_alone(
    unit: Unit, vocabularies: dict[str, Vocabulary], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = tokenizer_for(vocabularies[unit])
    model = tiny_model(vocabularies[unit], cache=8)
    rendered = [render(tokenizer, full_example(TURNS[i:j])) for i in range(3) for j in range(i + 1, 4)]
    alone = [predicted_nats(model, [one])[0] for one in rendered]
    for size in (1, 64, 8192):
        monkeypatch.setattr(module, "_BATCH_TOKENS", size)
        for a, b, one in zip(predicted_nats(model, rendered), alone, rendered, strict=True):
            assert len(a) == one.predicted.sum()
            np.testing.assert_allclose(a, b, rtol=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_a_cache_sees_what_was_said_as_far_back_as_its_horizon(
    unit: Unit, vocabularies: dict[str, Vocabulary], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked at many places at once, it says what it says at each alone, of what it holds there."""
    model = tiny_model(vocabularies[unit], cache=8)
    assert model.cache is not None
    monkeypatch.setattr(module, "WINDOW", 5)
    one = render(tokenizer_for(vocabularies[unit]), full_example(TURNS))
    ids = torch.from_numpy(one.ids.astype(np.int64))
    with torch.no_grad():
        features = model(ids[:-1, None])[0][:, 0]
        expected: list[float] = []
        held: list[tuple[torch.Tensor, torch.Tensor]] = []
        for place, (feature, following) in enumerate(zip(features, ids[1:], strict=True)):
            p = model.logits(feature).softmax(0)
            nats = -p.log()
            if held:
                now = CacheEntries(
                    torch.stack([key for key, _ in held[-5:]])[None], torch.stack([id_ for _, id_ in held[-5:]])[None]
                )
                visible = torch.ones(1, 1, len(held[-5:]), dtype=torch.bool)
                matched, known = match_lengths(now.ids, visible), nats[now.ids][None]
                opinion = model.cache(feature[None, None], now, visible, matched, known, nats.min()[None, None])
                p = p * opinion.log_model_weight.exp()[0, 0] + opinion.to_vocab(len(p))[0, 0]
            if one.predicted[place + 1]:
                expected.append(-log(float(p[following])))
                held.append((model.keys(feature, following), following))
    for places in (1, 3, 256):
        monkeypatch.setattr(module, "_PLACES", places)
        np.testing.assert_allclose(predicted_nats(model, [one])[0], expected, rtol=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_nats_are_minus_log_of_the_model(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies[unit]
    model = tiny_model(vocabulary)
    one = render(tokenizer_for(vocabulary), response_example(TURNS[:2], TURNS[2]))
    ids = torch.from_numpy(one.ids.astype(np.int64))
    with torch.inference_mode():
        features, _ = model(ids[:, None])
        p = model.logits(features[:, 0]).softmax(1)
    expected = sum(-log(float(p[i - 1, ids[i]])) for i in range(1, len(ids)) if one.predicted[i])
    assert predicted_nats(model, [one])[0].sum() == pytest.approx(expected, rel=1e-4)


def test_characters_count_the_end_of_each_scored_turn() -> None:
    assert characters(full_example([Utterance(None, "abc"), Utterance("Ann", "")])) == 5
    assert characters(response_example([Utterance(None, "abc")], Utterance("Ann", "é😀"))) == 3


def test_bits_per_character() -> None:
    assert Likelihood(nats=4 * log(2), characters=2).bits_per_character == pytest.approx(2)
    assert np.isnan(Likelihood(0.0, 0).bits_per_character)


def test_dropout_plays_no_part_and_comes_back(vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies["char"])
    model.dropout = 0.5
    model.train()
    tokenizer = tokenizer_for(vocabularies["char"])
    first = likelihood(model, tokenizer, [full_example(TURNS)])
    assert first == likelihood(model, tokenizer, [full_example(TURNS)])
    assert model.training
