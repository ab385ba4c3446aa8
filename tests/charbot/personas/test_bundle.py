import json
from pathlib import Path

import pytest
import torch

from charbot.errors import BundleError
from charbot.personas.bundle import (
    read_base,
    read_change,
    read_guard,
    read_persona,
    read_voice,
    write_base,
    write_persona,
)
from charbot.personas.library import Library
from charbot.personas.loading import base_model, persona_model
from charbot.storage import sha256
from charbot.tokens.vocabulary import Vocabulary
from tests.conftest import GUARD, VOICE, tiny_model


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _load_all(library: Library) -> None:
    folder = library.find("ann")
    card = read_persona(folder)
    for unit, model_card in card.models.items():
        persona_model(library, folder, model_card, unit, card.name)
    library.base_guards({unit: model_card.base for unit, model_card in card.models.items()})
    read_guard(folder, card)
    read_voice(folder, card)


def test_a_bundle_comes_back_as_it_was(library: Library) -> None:
    card = read_persona(library.find("ann"))
    assert (card.name, card.show, card.rating) == ("Ann", "Demo", "general")
    assert set(card.models) == {"char", "word"}
    assert card.models["word"].scores == {"test_bits_per_character": 1.5}
    assert read_voice(library.find("ann"), card) == (VOICE,)
    _load_all(library)


def test_a_voice_of_an_older_bundle_is_read(library: Library) -> None:
    folder = library.find("ann")
    (folder / "voice.json.gz").unlink()
    old = folder / "voice.json"
    old.write_text(json.dumps([[[turn.speaker, turn.text] for turn in VOICE]]), "ascii")
    path = folder / "persona.json"
    card = json.loads(path.read_text("utf-8")) | {"voice": sha256(old)}
    path.write_text(json.dumps(card), "utf-8")
    assert read_voice(folder, read_persona(folder)) == (VOICE,)


def test_a_persona_is_its_base_changed(library: Library) -> None:
    folder = library.find("ann")
    model_card = read_persona(folder).models["char"]
    model, vocabulary = persona_model(library, folder, model_card, "char", "Ann")
    base, _, card = base_model(library, "char", model_card.base)
    assert card.id == model_card.base
    change = read_change(folder, model_card)
    before, after = (one.get_parameter("recurrent.weight_hh_l0") for one in (base, model))
    torch.testing.assert_close(after, before + change["b.recurrent_weight_hh_l0"] @ change["a.recurrent_weight_hh_l0"])
    assert vocabulary.speaker("Ann") == model_card.speaker


FILES = [
    "bases/char/base.json", "bases/char/vocabulary.json", "bases/char/weights.safetensors", "bases/char/guard.safetensors",
    "bases/char/cache.safetensors", "bases/word/selector.safetensors", "personas/ann/persona.json",
    "personas/ann/char.safetensors", "personas/ann/word.safetensors", "personas/ann/guard.safetensors",
    "bases/word/word_vectors.safetensors", "personas/ann/voice.json.gz",
]  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(library: Library, file: str) -> None:
    path = library.folders[0] / file
    path.unlink()
    with pytest.raises(BundleError, match=path.name):
        _load_all(library)


@pytest.mark.parametrize("file", [f for f in FILES if not f.endswith(("base.json", "persona.json"))])
def test_a_flipped_bit_is_named(library: Library, file: str) -> None:
    path = library.folders[0] / file
    _flip(path)
    with pytest.raises(BundleError, match=rf"{path.name}.* is damaged"):
        _load_all(library)


@pytest.mark.parametrize("file", ["bases/char/base.json", "personas/ann/persona.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"kind": "base", "format": 1, "files": 3}'])
def test_a_broken_card_is_named(library: Library, file: str, content: bytes) -> None:
    path = library.folders[0] / file
    path.write_bytes(content)
    with pytest.raises(BundleError, match=path.name):
        _load_all(library)


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (["name"], 5, "`name` is 5"),
        (["show"], None, "`show` is None"),
        (["rating"], [], "`rating` is"),
        (["guard"], {}, "`guard` is"),
        (["data"], None, "'NoneType'"),
        (["data", "lines"], [1], "`lines` is"),
        (["data", "lines", "Demo"], "many", "`Demo` is 'many'"),
        (["fits"], "char", "`fits` is 'char'"),
        (["fits", "char"], 3, "ModelCard"),
        (["fits", "char", "base"], 3, "`base` is 3"),
        (["fits", "char", "speaker"], None, "`speaker` is None"),
        (["fits", "char", "scores"], [], "`scores` is"),
        (["fits", "char", "scores", "kind"], "good", "`kind` is 'good'"),
    ],
)
def test_a_value_of_a_wrong_kind_is_named(library: Library, place: list[str], value: object, problem: str) -> None:
    path = library.find("ann") / "persona.json"
    card = json.loads(path.read_text())
    inner = card
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text(json.dumps(card))
    with pytest.raises(BundleError, match=rf"persona\.json: is damaged .*{problem}"):
        read_persona(path.parent)


@pytest.mark.parametrize("file", ["bases/char/base.json", "personas/ann/persona.json"])
def test_a_card_nested_too_deeply_is_named(library: Library, file: str) -> None:
    path = library.folders[0] / file
    path.write_text("[" * 100_000)
    with pytest.raises(BundleError, match=f"{path.name}: is damaged"):
        _load_all(library)


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("personas/ann/persona.json", "charbot train --persona 'Mr. Ann'"),
        ("bases/char/base.json", "charbot train --base --unit char"),
        ("bases/word/base.json", "charbot train --base --unit word"),
    ],
)
def test_another_version_is_named_and_how_to_train_it_again(library: Library, file: str, command: str) -> None:
    path = library.folders[0] / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99, "name": "Mr. Ann"}))
    with pytest.raises(BundleError, match=f"{path.name}: bundle format 99; .*`{command}`"):
        _load_all(library)


def test_sizes_that_do_not_fit_the_weights_are_named(library: Library) -> None:
    path = library.folders[0] / "bases/char/base.json"
    card = json.loads(path.read_text())
    card["architecture"]["hidden"] *= 2
    path.write_text(json.dumps(card))
    with pytest.raises(BundleError, match="do not fit"):
        base_model(library, "char")


def test_a_persona_without_its_base_is_told(library: Library) -> None:
    folder = library.find("ann")
    card = json.loads((folder / "persona.json").read_text())
    card["fits"]["char"]["base"] = "0" * 64
    (folder / "persona.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match=r"000000000000.*not installed"):
        _load_all(library)


def test_a_card_cannot_point_outside_its_folder(library: Library, tmp_path: Path) -> None:
    folder = library.find("ann")
    (folder / "char.safetensors").rename(tmp_path / "elsewhere.safetensors")
    card = json.loads((folder / "persona.json").read_text())
    card["fits"]["char"]["file"] = str(tmp_path / "elsewhere.safetensors")
    (folder / "persona.json").write_text(json.dumps(card))
    with pytest.raises(BundleError, match="is missing"):
        _load_all(library)


def test_a_full_disk_leaves_the_old_bundle(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = library.find("ann")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("charbot.personas.bundle.save_tensors", full)
    with pytest.raises(BundleError, match=r"No space left.*untouched"):
        write_persona(folder, name="Ann", show="New", rating="general", guard=GUARD, data={}, models={"char": ("", 0, {}, {})})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["ann"]


def test_a_base_is_the_same_with_another_cache(library: Library, vocabularies: dict[str, Vocabulary]) -> None:
    folder, before, vocabulary = library.base("word")
    model, *_ = base_model(library, "word")
    assert model.cache is not None
    with torch.no_grad():
        model.cache.gate[0] = 0.5
    write_base(folder, vocabulary, model.architecture.to_json(), model.state_dict(), GUARD, {}, {})
    after, _ = read_base(folder)
    assert after.id == before.id
    assert after.cache != before.cache
    again, *_ = base_model(library, "word")
    assert again.cache is not None
    assert again.cache.gate[0] == 0.5
    plain = tiny_model(vocabularies["word"])
    write_base(folder, vocabulary, plain.architecture.to_json(), plain.state_dict(), GUARD, {}, {})
    assert read_base(folder)[0].cache == ""
    assert base_model(library, "word")[0].cache is None
