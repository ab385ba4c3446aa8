"""The reports of `charbot eval`: metrics of bases and personas on the test split."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from charbot.config import ChatSettings
from charbot.corpus.chats import Chat
from charbot.corpus.examples import Example, response_example, response_examples
from charbot.corpus.table import scenes
from charbot.dialogue import Utterance
from charbot.errors import CorpusError
from charbot.evaluation.chats import voice_report
from charbot.evaluation.judge import Judge
from charbot.evaluation.likelihood import Likelihood, characters, likelihood
from charbot.evaluation.mixture import chunk_nats, mixed_nats
from charbot.evaluation.perplexity import closed_perplexity, closed_vocabulary
from charbot.evaluation.replies import judge_of, reply_report
from charbot.generation.persona import Persona
from charbot.personas.bundle import PersonaCard, read_persona
from charbot.personas.library import Library
from charbot.personas.loading import base_model, persona_model
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import UNITS, Unit
from charbot.tokens.word import WordTokenizer

_CLOSED_MIN_COUNT = 3
_CONTEXT = 4
"""Turns of context for the bases."""


def base_report(library: Library, table: pd.DataFrame) -> dict[str, Any]:
    """Return bits per character of all speakers' lines for each base and their mixture, and the word base's perplexity.

    Raises CorpusError if the test split is empty.
    """
    held_out = [one for scene in scenes(table, "test") for one in response_examples(scene, _CONTEXT)]
    if not held_out:
        raise CorpusError("no episode of these scripts falls into the test split (`corpus.test`)")
    report: dict[str, Any] = {"lines": len(held_out), "context_turns": _CONTEXT}
    length = sum(map(characters, held_out))
    chunks: dict[Unit, list[list[float]]] = {}
    for unit in UNITS:
        model, vocabulary, _ = base_model(library, unit)
        chunks[unit] = chunk_nats(model, tokenizer_for(vocabulary), held_out)
        report[f"{unit}_bits_per_character"] = Likelihood(sum(map(sum, chunks[unit])), length).bits_per_character
        if unit == "word":
            known = closed_vocabulary(table.loc[table["split"] == "train", "text"], _CLOSED_MIN_COUNT)
            report |= closed_perplexity(model, WordTokenizer(vocabulary), held_out, known)
    report["both_bits_per_character"] = Likelihood(sum(mixed_nats(chunks)), length).bits_per_character
    return report


def persona_reports(
    library: Library, names: Sequence[str], table: pd.DataFrame, settings: ChatSettings, voices: Iterable[Chat] = ()
) -> Iterator[dict[str, Any]]:
    """Yield, for each persona, its persona, voice and reply reports as one, with the seconds that it took."""
    judges: dict[str, Judge | None] = {}
    for name in names:
        started = time.monotonic()
        persona = Persona(library, name)
        show = persona.card.show
        if show not in judges:
            judges[show] = judge_of(table, [card.name for _, card in library.cards() if card.show == show])
        found = persona_report(library, name, table, settings.context_turns) | voice_report(persona, library, voices, settings)
        yield found | reply_report(persona, table, judges[show], settings) | {"seconds": time.monotonic() - started}


def persona_report(library: Library, name: str, table: pd.DataFrame, context: int) -> dict[str, Any]:
    """Return bits per character of the character's test lines: under the base with its speaker token, under the persona, and
    the mean under the other personas of the show (if any).

    Raises CorpusError if there are no such lines.
    """
    folder = library.find(name)
    card = read_persona(folder)
    held_out = [one for scene in scenes(table, "test") for one in response_examples(scene, context, card.name)]
    if not held_out:
        raise CorpusError(f"{card.name} says nothing in the test episodes of these scripts")
    report: dict[str, Any] = {"persona": card.name, "lines": len(held_out)}
    others = [one for one in library.cards() if one[1].show == card.show and one[1].name != card.name]
    for unit, model_card in card.models.items():
        base, vocabulary, _ = base_model(library, unit, model_card.base)
        report[f"{unit}_base"] = likelihood(base, tokenizer_for(vocabulary.knowing(card.name)), held_out).bits_per_character
        report[f"{unit}_persona"] = _bits(library, folder, card, unit, held_out)
        under = [_bits(library, *other, unit, _said_by(other[1].name, held_out)) for other in others if unit in other[1].models]
        if under:
            report[f"{unit}_others"] = mean(under)
    return report


def _said_by(name: str, conversations: Sequence[Example]) -> list[Example]:
    """Return the same examples, with `name` as the speaker of their replies."""
    return [response_example(one.turns[:-1], Utterance(name, one.turns[-1].text)) for one in conversations]


def _bits(library: Library, folder: Path, card: PersonaCard, unit: Unit, conversations: Sequence[Example]) -> float:
    model, vocabulary = persona_model(library, folder, card.models[unit], unit, card.name)
    return likelihood(model, tokenizer_for(vocabulary), conversations).bits_per_character
