import torch

from charbot.models.language_model import LanguageModel
from charbot.models.lora import LoraAdapter, merge, scale_delta
from charbot.tokens.vocabulary import Vocabulary
from tests.conftest import tiny_model


def _adapter(vocabulary: Vocabulary, like: int | None = None) -> LoraAdapter:
    speaker = vocabulary.speaker("Ann")
    return LoraAdapter(_fresh(vocabulary), speaker, speaker if like is None else like, rank=3)


def _stir(adapter: LoraAdapter) -> None:
    with torch.no_grad():
        for parameter in (*adapter.b.values(), *adapter.shift.values()):
            parameter.normal_(std=0.2)


def _fresh(vocabulary: Vocabulary) -> LanguageModel:
    return tiny_model(vocabulary, layers=2, cache=4, selector=8, messages=8, word_vectors=9)


def test_an_adapter_changes_nothing_at_first(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["word"]
    ids = torch.randint(0, len(vocabulary), (5, 2))
    torch.testing.assert_close(_adapter(vocabulary).eval()(ids)[0], _fresh(vocabulary)(ids)[0])


def test_a_newcomer_starts_as_anybody(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["word"]
    adapter = _adapter(vocabulary, like=vocabulary.anonymous).eval()
    ann, anybody = torch.tensor([[vocabulary.speaker("Ann")]]), torch.tensor([[vocabulary.anonymous]])
    torch.testing.assert_close(adapter(ann)[0], adapter(anybody)[0])


def test_merged_weights_are_the_adapter(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["char"]
    adapter = _adapter(vocabulary).eval()
    _stir(adapter)
    ids = torch.randint(0, len(vocabulary), (5, 2))
    model = _fresh(vocabulary)
    before = model(ids)[0]
    merge(model, adapter.delta(), vocabulary.speaker("Ann"))
    with torch.inference_mode():
        features, _ = model(ids)
        torch.testing.assert_close(features, adapter(ids)[0])
        scores = torch.nn.functional.linear(features, adapter.output_weight, adapter.bias)
        assert model.cache is not None
        torch.testing.assert_close(model.logits(features), model.cache.logit_scale * scores)
    assert not torch.allclose(features, before)


def test_a_change_is_none_of_what_is_fitted_after_the_base(vocabularies: dict[str, Vocabulary]) -> None:
    change = _adapter(vocabularies["word"]).delta()
    assert any("recurrent" in name for name in change)
    assert not [name for name in change if "cache" in name or "selector" in name or "message_encoder" in name]


def test_only_the_change_is_trained(vocabularies: dict[str, Vocabulary]) -> None:
    adapter = _adapter(vocabularies["char"])
    features, _ = adapter(torch.randint(0, len(vocabularies["char"]), (5, 2)))
    (features.sum() + adapter.bias.sum()).backward()
    for name, parameter in adapter.named_parameters():
        assert parameter.requires_grad == (not name.startswith("base."))
        if name.startswith("b.") or name == "shift.bias":
            assert parameter.grad is not None, name
    assert not any("cache" in name for name in adapter.delta())


def test_only_the_own_speaker_token_moves_and_not_in_the_table(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["char"]
    adapter = _adapter(vocabulary)
    _stir(adapter)
    model = _fresh(vocabulary)
    ann, everything = vocabulary.speaker("Ann"), torch.arange(len(vocabulary))[:, None]
    table, before = model.embedding.weight.clone(), model._embedded(everything, model.initial_state(1))[0]
    merge(model, adapter.delta(), ann)
    assert torch.equal(model.embedding.weight, table)
    after = model._embedded(everything, model.initial_state(1))[0]
    assert (after != before).any(2).nonzero()[:, 0].tolist() == [ann]
    change = adapter.delta()["shift.speaker"] * model.architecture.embedding**0.5
    torch.testing.assert_close(after[ann, 0], before[ann, 0] + change)


def test_a_scaled_change_goes_part_of_the_way(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["char"]
    adapter = _adapter(vocabulary)
    _stir(adapter)
    weights = {}
    for share in (0.0, 0.5, 1.0):
        model = _fresh(vocabulary)
        merge(model, scale_delta(adapter.delta(), share), vocabulary.speaker("Ann"))
        weights[share] = dict(model.named_parameters()) | {"speaker": model.speaker_embedding}
    for name, half in weights[0.5].items():
        if name == "speaker":
            torch.testing.assert_close(half, weights[1.0][name])
        else:
            torch.testing.assert_close(half, (weights[0.0][name] + weights[1.0][name]) / 2)
