import json
import os
import shutil
from pathlib import Path

import pytest

from bots.persona_pool import PersonaInfo, PersonaPool
from charbot.errors import BundleError
from charbot.personas.library import Library


def _cast(library: Library) -> PersonaPool:
    return PersonaPool(lambda: Library(library.folders))


def test_a_persona_is_loaded_once(library: Library) -> None:
    cast = _cast(library)
    assert PersonaInfo("Ann", "Demo", False, ("char", "word")) in cast.members
    assert cast.persona("Ann") is cast.persona("ann")


def test_who_would_have_said_it_is_read_once_and_again_when_it_changes(tmp_path: Path) -> None:
    shipped = Library.shipped()
    shutil.copytree(shipped / "classifier", tmp_path / "classifier")
    cast = PersonaPool(lambda: Library((tmp_path, shipped)))
    ranking = cast.who_said("Do you want some pizza?")
    assert sum(probability for _, probability in ranking) == pytest.approx(1)
    assert {one.name for one in cast.members} <= {name for name, _ in ranking}
    known = cast._identifier
    assert cast.who_said("Do you want some pizza?") == ranking
    assert cast._identifier is known
    os.utime(tmp_path / "classifier", (1, 1))
    cast.who_said("Hi")
    assert cast._identifier is not known


def test_a_persona_that_changed_is_read_anew_and_one_that_is_gone_is_gone(library: Library) -> None:
    cast = _cast(library)
    before = cast.persona("Ann")
    cast.refresh()
    assert cast.persona("Ann") is before
    card = library.folders[0] / "personas" / "ann" / "persona.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "rating": "mature"}))
    cast.refresh()
    assert cast.persona("Ann") is not before
    member = cast.member("ANN")
    assert member is not None
    assert member.mature
    shutil.rmtree(card.parent)
    cast.refresh()
    assert cast.member("Ann") is None
    with pytest.raises(BundleError):
        cast.persona("Ann")


def test_without_personas_it_says_what_to_do(library: Library) -> None:
    shutil.rmtree(library.folders[0] / "personas")
    with pytest.raises(BundleError, match="charbot train"):
        _cast(library)
