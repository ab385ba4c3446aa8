import json
import os
import shutil
from pathlib import Path

import pytest

from bots.persona_pool import PersonaInfo, PersonaPool
from charbot.errors import BundleError
from charbot.personas.library import Library
from tests.bots.discord_bot.harness import add_persona


def _pool(library: Library) -> PersonaPool:
    return PersonaPool(lambda: Library(library.folders))


def test_a_persona_is_loaded_once(library: Library) -> None:
    pool = _pool(library)
    assert PersonaInfo("Ann", "Demo", False, ("char", "word")) in pool.members
    assert pool.persona("Ann") is pool.persona("ann")


def test_the_classifier_is_loaded_once_and_again_after_a_change(tmp_path: Path) -> None:
    shipped = Library.shipped()
    shutil.copytree(shipped / "classifier", tmp_path / "classifier")
    pool = PersonaPool(lambda: Library((tmp_path, shipped)))
    ranking = pool.who_said("Do you want some pizza?")
    assert sum(probability for _, probability in ranking) == pytest.approx(1)
    assert {member.name for member in pool.members} <= {name for name, _ in ranking}
    identifier = pool._identifier
    assert pool.who_said("Do you want some pizza?") == ranking
    assert pool._identifier is identifier
    os.utime(tmp_path / "classifier", (1, 1))
    pool.who_said("Hi")
    assert pool._identifier is not identifier


def test_a_persona_that_changed_is_read_anew_and_one_that_is_gone_is_gone(library: Library) -> None:
    pool = _pool(library)
    before = pool.persona("Ann")
    pool.refresh()
    assert pool.persona("Ann") is before
    card = library.folders[0] / "personas" / "ann" / "persona.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "rating": "mature"}))
    pool.refresh()
    assert pool.persona("Ann") is not before
    member = pool.member("ANN")
    assert member is not None
    assert member.mature
    shutil.rmtree(card.parent)
    pool.refresh()
    assert pool.member("Ann") is None
    with pytest.raises(BundleError):
        pool.persona("Ann")


def test_the_persona_unused_longest_is_unloaded(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.persona_pool._LOADED", 2)
    for name in ("Bea", "Cleo"):
        add_persona(library, name)
    pool = _pool(library)
    for name in ("Ann", "Bea", "Ann", "Cleo"):
        pool.persona(name)
    assert list(pool._personas) == ["ann", "cleo"]


def test_without_personas_it_says_what_to_do(library: Library) -> None:
    shutil.rmtree(library.folders[0] / "personas")
    with pytest.raises(BundleError, match="charbot train"):
        _pool(library)
