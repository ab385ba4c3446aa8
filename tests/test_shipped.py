"""What charbot ships: every persona is there, whole, small enough, and better than its base."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from charbot.config import ChatSettings
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.personas.bundle import read_base, read_classifier, read_persona
from charbot.personas.library import Library
from charbot.personas.loading import persona_model
from charbot.speakers.identifier import SpeakerIdentifier
from charbot.tokens.vocabulary import UNITS, Unit

SHIPPED = Path(str(resources.files("charbot").joinpath("bundles")))
LIBRARY = Library((SHIPPED,))
FRIENDS = ["chandler", "joey", "monica", "phoebe", "rachel", "ross"]
SOUTH_PARK = [
    "butters", "cartman", "chef", "gerald", "jimmy", "kenny", "kyle", "liane", "mr-garrison", "mr-mackey", "randy", "sharon",
    "stan", "wendy",
]  # fmt: skip
N_GRAM_BITS = 1.753
"""Bits a character of an n-gram model of order 12 on such lines: what both bases must beat."""


def test_everybody_is_there() -> None:
    assert sorted(LIBRARY.personas) == sorted(FRIENDS + SOUTH_PARK)


def test_the_clone_stays_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 64_000_000


@pytest.mark.parametrize("unit", UNITS)
def test_a_base_beats_the_n_gram_model(unit: Unit) -> None:
    card, _ = read_base(SHIPPED / "bases" / unit)
    assert card.scores["test_bits_per_character"] < N_GRAM_BITS


@pytest.mark.parametrize("name", FRIENDS + SOUTH_PARK)
def test_a_persona_is_whole_and_better_than_its_base(name: str) -> None:
    folder = LIBRARY.find(name)
    card = read_persona(folder)
    assert card.rating == ("general" if name in FRIENDS else "mature")
    assert card.show == ("Friends" if name in FRIENDS else "South Park")
    for unit in UNITS:
        model_card = card.models[unit]
        persona_model(LIBRARY, folder, model_card, unit, card.name)
        assert model_card.scores["test_bits_per_character"] < model_card.scores["base_test_bits_per_character"]


def test_the_line_classifier_knows_everybody_and_tells_some_apart() -> None:
    card, _ = read_classifier(LIBRARY.classifier)
    names = [read_persona(LIBRARY.find(name)).name for name in FRIENDS + SOUTH_PARK]
    assert set(names) <= set(card.names)
    assert card.scores["test_right_10"] > card.scores["test_right_1"] > 2 * max(card.lines) / sum(card.lines)
    ranking = SpeakerIdentifier(LIBRARY, names).rank(["Do you want some pizza?"])
    assert sorted(name for name, _ in ranking) == sorted(names)
    assert sum(p for _, p in ranking) == pytest.approx(1)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", ["joey", "kenny"])
def test_a_shipped_persona_replies_in_plain_words(name: str, unit: Unit) -> None:
    persona, options = Persona(LIBRARY, name), ChatSettings(unit=unit)
    replies = [persona.reply(Conversation().add("How are you?"), options, seed=seed).text for seed in range(10)]
    assert len(set(replies)) > 1
    for reply in replies:
        words = reply.split()
        assert 0 < len(words) <= ChatSettings().max_words * 2
        assert reply.isprintable()


def test_loading_a_persona_leaves_the_compiler_alone() -> None:
    # torch imports it on the way to things that look harmless, and a second passes before the first reply.
    code = (
        "import sys\nfrom charbot import Library, Persona\n"
        "Persona(Library.default(), 'joey').load('word')\nsys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
