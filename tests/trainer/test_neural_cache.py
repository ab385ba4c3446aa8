import random

import pytest
import torch
from rich.console import Console

from charbot.corpus.examples import response_examples
from charbot.dialogue import Utterance
from charbot.evaluation.likelihood import likelihood
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import END, UNITS, Unit, Vocabulary
from tests.conftest import tiny_model
from trainer.neural_cache import _LOGIT_SCALES, _choose_logit_scale, _fit_gate, _pieces, _queries, train_cache
from trainer.progress import ConsoleProgress

WORDS = ("tea", "coffee", "kettle", "mug", "asleep", "quiet", "better", "both")


def _scenes(count: int, seed: int) -> list[list[Utterance]]:
    """Scenes in which everybody repeats one word: only who remembers it knows what comes next."""
    chance = random.Random(seed)
    return [
        [Utterance(speaker, f"{word} {word}") for speaker in ("Ann", "Bob", "Ann")] for word in chance.choices(WORDS, k=count)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_a_cache_finds_what_is_said_again(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    model, tokenizer = tiny_model(vocabularies[unit]), tokenizer_for(vocabularies[unit])
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    held_out = [one for scene in _scenes(20, seed=1) for one in response_examples(scene, 6)]
    alone = likelihood(model, tokenizer, held_out)
    with ConsoleProgress("cache", Console(quiet=True)) as progress:
        train_cache(model, tokenizer, _scenes(400, seed=2), held_out[:30], 8, 1, progress)
    assert likelihood(model, tokenizer, held_out[30:]).bits_per_character < 0.7 * alone.bits_per_character
    assert model.cache is not None
    assert model.cache.match[0] > 0, "and what came after the same ids"
    for name, tensor in weights.items():
        assert torch.equal(model.state_dict()[name], tensor), "the base is as it was"


@pytest.mark.parametrize(("bias", "expected"), [(-3.0, min(_LOGIT_SCALES)), (3.0, max(_LOGIT_SCALES))])
def test_who_is_wrong_and_sure_of_it_is_made_less_sure(bias: float, expected: float, vocabularies: dict[str, Vocabulary]) -> None:
    tokenizer, model = tokenizer_for(vocabularies["word"]), tiny_model(vocabularies["word"])
    model.add_cache(8)
    assert model.cache is not None
    scene = _scenes(1, seed=1)[0]
    with torch.no_grad():
        model.bias[[END, *tokenizer.encode(scene[0].text)]] = bias
    _choose_logit_scale(model, model.cache, tokenizer, [*response_examples(scene, 6)])
    assert model.cache.logit_scale.item() == pytest.approx(expected)


def test_the_gate_could_not_be_better(vocabularies: dict[str, Vocabulary]) -> None:
    tokenizer, model = tokenizer_for(vocabularies["word"]), tiny_model(vocabularies["word"], cache=8)
    cache = model.cache
    assert cache is not None
    held_out = [one for scene in _scenes(30, seed=1) for one in response_examples(scene, 6)]

    def slopes() -> float:
        """How much better what is said would be found by other matches and gates, as those that ask the cache see it."""
        asked = [part for parts in _queries(model, tokenizer, held_out) for part in parts]
        found = torch.cat([model.mixed_nll(alone, query, targets) for targets, alone, query in asked], 2)
        wanted = torch.autograd.grad(found.mean(), [cache.match, cache.gate, cache.longest])
        return max(float(one.abs().max()) for one in wanted)

    before = slopes()
    _fit_gate(model, cache, tokenizer, held_out)
    assert slopes() < before / 20


def test_without_conversations_there_is_no_cache(vocabularies: dict[str, Vocabulary]) -> None:
    model, tokenizer = tiny_model(vocabularies["word"]), tokenizer_for(vocabularies["word"])
    scenes = _scenes(8, seed=1)
    with ConsoleProgress("cache", Console(quiet=True)) as progress:
        train_cache(model, tokenizer, scenes, [], 8, 1, progress)
        train_cache(model, tokenizer, [scene[:1] for scene in scenes], [*response_examples(scenes[0], 6)], 8, 1, progress)
    assert model.cache is None
    assert model.architecture.cache == 0


def test_scenes_are_read_in_pieces_and_none_twice() -> None:
    scene = [Utterance(None, str(i)) for i in range(40)]
    for seed in range(20):
        pieces = _pieces(scene, random.Random(seed))
        said = [turn.text for piece in pieces for turn in piece]
        assert len(set(said)) == len(said) >= 39
        assert all(2 <= len(piece) <= 8 for piece in pieces)
