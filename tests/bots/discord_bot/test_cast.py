import json
import shutil

import pytest

from bots.discord_bot.cast import Cast, Member
from charbot.config import ChatSettings
from charbot.errors import BundleError
from charbot.personas.library import Library


def _cast(library: Library) -> Cast:
    return Cast(lambda: Library(library.folders))


def test_a_persona_is_loaded_once_for_all_settings(library: Library) -> None:
    cast = _cast(library)
    assert Member("Ann", "Demo", False) in cast.members
    one, other = (cast.voice("Ann", ChatSettings(temperature=temperature)) for temperature in (0.5, 1.0))
    assert one.settings != other.settings
    assert one.load("word") is other.load("word")
    assert cast.voice("ann", ChatSettings(temperature=0.5)) is one


def test_a_persona_that_changed_is_read_anew_and_one_that_is_gone_is_gone(library: Library) -> None:
    cast = _cast(library)
    before = cast.voice("Ann", ChatSettings())
    cast.refresh()
    assert cast.voice("Ann", ChatSettings()) is before
    card = library.folders[0] / "personas" / "ann" / "persona.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "rating": "mature"}))
    cast.refresh()
    assert cast.voice("Ann", ChatSettings()) is not before
    member = cast.member("ANN")
    assert member is not None
    assert member.mature
    shutil.rmtree(card.parent)
    cast.refresh()
    assert cast.member("Ann") is None
    with pytest.raises(BundleError):
        cast.voice("Ann", ChatSettings())


def test_without_personas_it_says_what_to_do(library: Library) -> None:
    shutil.rmtree(library.folders[0] / "personas")
    with pytest.raises(BundleError, match="charbot train"):
        _cast(library)
