from itertools import pairwise

import pytest
import torch

from charbot.replies.sampling import Cancelled, Sampling, _nucleus, sample_replies
from charbot.tokens import tokenizer_for
from charbot.tokens.render import render_prompt
from charbot.tokens.vocabulary import END, UNITS, Unit, Vocabulary
from tests.conftest import tiny_model


def _draw(
    vocabulary: Vocabulary, seed: int = 0, *, count: int = 24, temperature: float = 1.5, top_p: float = 1.0
) -> list[list[int]]:
    prompt = render_prompt(tokenizer_for(vocabulary), [], "Ann")
    generator = torch.Generator().manual_seed(seed)
    return sample_replies(tiny_model(vocabulary), vocabulary, prompt, count, Sampling(temperature, top_p, 60), generator)


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_drawn_is_a_reply(unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies[unit]
    for reply in _draw(vocabulary):
        assert 0 < len(reply) <= 60
        assert END not in reply
        spelling = False
        for id_ in reply:
            assert 256 < id_ < vocabulary.predicted, "no bytes, no speakers"
            if unit == "word":
                assert spelling == (id_ < vocabulary.spell or id_ == vocabulary.spelled)
                spelling = vocabulary.opens_spelling(id_) or (spelling and id_ != vocabulary.spelled)


def test_nothing_is_spelled_in_no_characters(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["word"]
    drawn = [reply for seed in range(10) for reply in _draw(vocabulary, seed)]
    for opening in (vocabulary.spell, vocabulary.spaced):
        assert any(opening in reply for reply in drawn)
        assert not any((opening, vocabulary.spelled) in pairwise(reply) for reply in drawn)


def test_a_seed_makes_replies_repeatable(vocabularies: dict[str, Vocabulary]) -> None:
    assert _draw(vocabularies["word"], 3) == _draw(vocabularies["word"], 3)
    assert _draw(vocabularies["word"], 3) != _draw(vocabularies["word"], 4)


def test_a_cold_model_says_the_likeliest(vocabularies: dict[str, Vocabulary]) -> None:
    assert len({tuple(reply) for reply in _draw(vocabularies["char"], temperature=1e-7)}) == 1


def test_the_batch_shrinks_without_mixing_replies(vocabularies: dict[str, Vocabulary]) -> None:
    # Whoever ends early must not shift the others' states: with the model's arg max, every
    # reply goes the same way, whatever its first id.
    vocabulary = vocabularies["char"]
    model = tiny_model(vocabulary)
    prompt = render_prompt(tokenizer_for(vocabulary), [], "Ann")
    drawn = _draw(vocabulary, 5, count=8, temperature=1.0)
    assert len({len(reply) for reply in drawn}) > 1
    for reply in drawn:
        with torch.inference_mode():
            features, _ = model(torch.tensor([*prompt, *reply])[:, None])
            log_p = model.logits(features[:, 0]).log_softmax(1)
        chances = [float(log_p[len(prompt) - 1 + i, id_]) for i, id_ in enumerate(reply)]
        assert min(chances) > -12


def test_the_nucleus_is_the_smallest_likeliest_set() -> None:
    probabilities = torch.tensor([[0.5, 0.1, 0.3, 0.1]])
    assert _nucleus(probabilities, 0.7)[0].tolist() == pytest.approx([0.5, 0, 0.3, 0])
    assert _nucleus(probabilities, 0.5).nonzero()[:, 1].tolist() == [0]
    assert _nucleus(probabilities, 0.01).nonzero()[:, 1].tolist() == [0]
    assert _nucleus(probabilities, 1.0) is probabilities


def test_a_cancelled_reply_stops(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["char"]
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Cancelled):
        sample_replies(
            tiny_model(vocabulary), vocabulary, [vocabulary.scene], 4, Sampling(1.0, 1.0, 500), torch.Generator(), cancelled
        )
    assert len(asked) == 3
