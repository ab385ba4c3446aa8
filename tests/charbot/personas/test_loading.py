import gc
import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from charbot.errors import BundleError
from charbot.models.language_model import LanguageModel
from charbot.models.lora import merge
from charbot.personas import loading
from charbot.personas.bundle import read_base_guard, read_change, read_persona, write_base
from charbot.personas.library import Library
from charbot.personas.loading import base_model, persona_model
from charbot.storage import sha256
from charbot.tokens.vocabulary import UNITS, Unit


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden": -1},
        {"hidden": 0},
        {"hidden": 5},
        {"layers": 0},
        {"embedding": -3},
        {"embedding": "many"},
        {"inputs": 10**15},
        {"cell": "cnn"},
        {"cache": -2},
        {"selector": -2},
        {"selector": 8},
        {"phrases": -1},
        {"colour": 3},
    ],
)
def test_sizes_that_no_model_can_have_are_told(library: Library, sizes: dict[str, object]) -> None:
    path = library.folders[0] / "bases/char/base.json"
    card = json.loads(path.read_text())
    card["architecture"].update(sizes)
    path.write_text(json.dumps(card))
    with pytest.raises(BundleError, match="install or train it again"):
        base_model(library, "char")


def test_no_weights_are_drawn_that_those_of_a_file_replace(library: Library) -> None:
    before = torch.get_rng_state()
    base_model(library, "char")
    assert torch.equal(torch.get_rng_state(), before)


LATER = ("cache.match", "cache.longest", "cache.logit_scale")


def test_a_cache_that_knows_nothing_of_matches_does_without(library: Library) -> None:
    model, vocabulary, card = base_model(library, "char")
    folder = library.folders[0] / "bases/char"
    before = {name: tensor for name, tensor in model.state_dict().items() if name not in LATER}
    before["cache.gate"] = torch.ones(5)
    write_base(folder, vocabulary, card.architecture, before, read_base_guard(folder, card), {}, {})
    again, _, _ = base_model(Library(library.folders), "char")
    assert again.cache is not None
    assert not again.cache.match.any()
    assert not again.cache.longest.any()
    assert again.cache.gate.tolist() == [1, 1, 1, 1, 1, 0]
    assert again.cache.logit_scale == 1


def test_weights_are_read_under_the_names_that_they_had_before(library: Library) -> None:
    model, vocabulary, card = base_model(library, "word")
    folder = library.folders[0] / "bases/word"
    now = {old: now for now, old in loading._OLD_NAMES.items()}
    assert now.keys() <= model.state_dict().keys()
    before = {now.get(name, name): tensor for name, tensor in model.state_dict().items()}
    write_base(folder, vocabulary, card.architecture, before, read_base_guard(folder, card), {}, {})
    again, _, _ = base_model(Library(library.folders), "word")
    for name, tensor in model.state_dict().items():
        assert torch.allclose(again.state_dict()[name], tensor, rtol=0.02, atol=1e-3), name


def test_a_change_that_does_not_fit_its_base_is_told(library: Library) -> None:
    folder = library.find("ann")
    card = read_persona(folder)
    change = read_change(folder, card.models["word"])
    for other in (
        {name: tensor for name, tensor in change.items() if name != "shift.speaker"},
        change | {"shift.bias": torch.zeros(3)},
    ):
        save_file(other, folder / "word.safetensors")
        model_card = replace(card.models["word"], sha256=sha256(folder / "word.safetensors"))
        with pytest.raises(BundleError, match="its word model does not fit its base"):
            persona_model(library, folder, model_card, "word", "Ann")
    (folder / "word.safetensors").write_bytes(b"no tensors")
    model_card = replace(model_card, sha256=sha256(folder / "word.safetensors"))
    with pytest.raises(BundleError, match="is damaged"):
        persona_model(library, folder, model_card, "word", "Ann")


def _persona(library: Library, unit: Unit) -> LanguageModel:
    folder = library.find("ann")
    return persona_model(library, folder, read_persona(folder).models[unit], unit, "Ann")[0]


@pytest.mark.parametrize("unit", UNITS)
def test_personas_share_what_they_do_not_change(library: Library, unit: Unit) -> None:
    one, other = (_persona(Library(library.folders), unit) for _ in range(2))
    assert one.embedding is other.embedding
    assert one.cache is other.cache
    assert one.selector is other.selector
    assert one.message_encoder is other.message_encoder
    assert one.recurrent is not other.recurrent
    one.quantize(20)
    again = _persona(library, unit)
    for model in (other, again):
        model.quantize(20)
        assert model.embedding.softmax(20) is one.embedding.softmax(20)


@pytest.mark.parametrize("unit", UNITS)
def test_a_persona_that_shares_is_the_same_as_one_that_stands_alone(library: Library, unit: Unit) -> None:
    before = _persona(library, unit)
    before.quantize(20)
    folder = library.find("ann")
    model_card = read_persona(folder).models[unit]
    shared = persona_model(library, folder, model_card, unit, "Ann")[0]
    alone, vocabulary, _ = base_model(library, unit, model_card.base)
    merge(alone, read_change(folder, model_card), model_card.speaker)
    ids = torch.randint(0, len(vocabulary), (9, 3), generator=torch.Generator().manual_seed(1))
    ids[2] = model_card.speaker
    with torch.inference_mode():
        for quantised in (False, True):
            if quantised:
                shared.quantize(20)
                alone.quantize(20)
            (features, state), (expected, end) = shared(ids), alone(ids)
            assert torch.equal(features, expected)
            assert torch.equal(shared.step(ids[0], state)[0], alone.step(ids[0], end)[0])
            for limit in (20, None):
                assert torch.equal(shared.logits(features[-1], limit), alone.logits(expected[-1], limit))


def test_what_no_persona_uses_any_more_is_dropped(library: Library) -> None:
    held = len(loading._loaded)
    model = _persona(library, "word")
    assert len(loading._loaded) > held
    del model
    gc.collect()
    assert len(loading._loaded) == held


def test_a_base_whose_parts_were_trained_again_shares_only_the_rest(library: Library) -> None:
    before = _persona(library, "word")
    folder = library.folders[0] / "bases/word"
    model, vocabulary, card = base_model(library, "word")
    assert model.message_encoder is not None
    with torch.no_grad():
        model.message_encoder.vectors.add_(1)
    shutil.copytree(folder, folder.with_name("before"))
    write_base(folder, vocabulary, card.architecture, model.state_dict(), read_base_guard(folder, card), {}, {})
    for file in ("weights.safetensors", "vocabulary.json"):
        shutil.copy(folder.with_name("before") / file, folder / file)
    written = json.loads((folder / "base.json").read_text())
    written["files"]["weights.safetensors"] = card.id
    (folder / "base.json").write_text(json.dumps(written))
    after = _persona(Library(library.folders), "word")
    assert after.embedding is before.embedding
    assert after.message_encoder is not before.message_encoder
