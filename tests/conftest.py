"""What many tests share: an invented show, and a library of tiny bundles with random weights."""

import dataclasses
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch

from charbot.config import Config, CorpusSettings, Hyperparameters, ModelSettings, UnitSettings
from charbot.corpus.table import corpus_table
from charbot.dialogue import Utterance
from charbot.models.language_model import Architecture, Cell, LanguageModel
from charbot.models.lora import LoraAdapter, merge
from charbot.personas.bundle import write_base, write_persona
from charbot.personas.copy_guard import CopyGuard
from charbot.personas.library import Library
from charbot.scripts.line import Line
from charbot.tokens.vocabulary import UNITS, Vocabulary, build_vocabulary

# Workers of pytest-xdist have it, and programs that tests start would believe it rather than their terminal.
os.environ.pop("COLUMNS", None)
# Tiny models are faster on one thread, and tests must not fight over the processor.
torch.set_num_threads(1)
# Programs that tests start would take over that it is ignored, as it is in the background of a shell.
signal.signal(signal.SIGINT, signal.default_int_handler)

SAYINGS = {
    "Ann": ("I like tea.", "More tea?", "The kettle is on!", "Oh, tea it is, then."),
    "Bob": ("No, coffee is better.", "Where is my mug?", "I don't drink tea, you know."),
    "Cy": ("Quiet, both of you.", "I was asleep..."),
}


VOICE = (Utterance(None, "Is the kettle whistling?"), Utterance("Ann", "The kettle is on!"))

GUARD = CopyGuard.of([["Nine words stand here in a row, it seems."]])


def invented_lines(episodes: int = 40) -> list[Line]:
    """A show in which everybody says the same few things, so that little is needed to learn it."""
    rng = random.Random(0)
    lines = []
    for episode in range(episodes):
        for position in range(24):
            speaker = rng.choice(list(SAYINGS))
            lines.append(Line("Demo", f"S01E{episode:02}", position // 8, position, speaker, rng.choice(SAYINGS[speaker])))
    return lines


@pytest.fixture(autouse=True)
def _denormals() -> Iterator[None]:
    """Training flushes denormals to zero, for the whole process; other tests are not to notice."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def corpus() -> pd.DataFrame:
    return corpus_table(invented_lines(), CorpusSettings(valid=0.15, test=0.15))


def tiny_config(epochs: int = 1) -> Config:
    """The default settings, with models and training small enough for a test."""

    config = Config()

    def tiny(unit: UnitSettings) -> UnitSettings:
        def fit(settings: Hyperparameters) -> Hyperparameters:
            return dataclasses.replace(settings, epochs=epochs, batch=4, window=24, warmup_steps=5, learning_rate=5e-3)

        model = ModelSettings(16, 32, 1, 300 if unit == config.train.char else 0, selector=min(8, unit.model.selector))
        return dataclasses.replace(unit, model=model, base=fit(unit.base), persona=fit(unit.persona))

    train = dataclasses.replace(config.train, char=tiny(config.train.char), word=tiny(config.train.word), precision="fp32")
    return dataclasses.replace(config, train=train)


@pytest.fixture(scope="session")
def vocabularies(corpus: pd.DataFrame) -> dict[str, Vocabulary]:
    return {
        unit: build_vocabulary(unit, [(text, 1) for text in corpus["text"]], list(SAYINGS), min_characters=5, min_words=5)
        for unit in UNITS
    }


def tiny_model(
    vocabulary: Vocabulary,
    seed: int = 0,
    layers: int = 1,
    cell: Cell = "lstm",
    cache: int = 0,
    selector: int = 0,
    attention: int = 0,
    messages: int = 0,
    word_vectors: int = 0,
) -> LanguageModel:
    torch.manual_seed(seed)
    sizes = Architecture(
        len(vocabulary), vocabulary.predicted, 16, 32, layers,
        cell=cell, cache=cache, selector=selector, attention=attention, messages=messages, word_vectors=word_vectors,
    )  # fmt: skip
    model = LanguageModel(sizes)
    if model.cache is not None:
        # Or all lengths of matches would be worth the same, and some of what caches go by would count for nothing.
        for parameter in (model.cache.match, model.cache.longest, model.cache.gate):
            torch.nn.init.uniform_(parameter, -1, 1)
        torch.nn.init.constant_(model.cache.logit_scale, 0.8)
    if model.message_encoder is not None:
        # Or all messages would be alike.
        torch.nn.init.normal_(model.message_encoder.vectors)
    return model.eval()


def write_library(folder: Path, vocabularies: dict[str, Vocabulary]) -> Library:
    """Bases with random weights, and on them the persona Ann, changed at random."""
    models = {}
    for unit in UNITS:
        vocabulary = vocabularies[unit]
        of_words = 8 if unit == "word" else 0
        known = len(vocabulary.bare_words) if of_words else 0
        model = tiny_model(
            vocabulary, seed=7, cache=8, selector=of_words, attention=of_words, messages=of_words, word_vectors=known
        )
        base = folder / "bases" / unit
        write_base(base, vocabulary, model.architecture.to_json(), dict(model.named_parameters()), GUARD, {}, {})
        speaker = vocabulary.speaker("Ann")
        adapter = LoraAdapter(model, speaker, speaker, rank=2)
        with torch.no_grad():
            for parameter in adapter.b.values():
                parameter.normal_(std=0.1)
        id_ = Library((folder,)).base(unit)[1].id
        models[unit] = (id_, speaker, {"test_bits_per_character": 1.5}, adapter.delta())
        merge(model, adapter.delta(), speaker)
    data = {"lines": {"Demo": 9}}
    write_persona(
        folder / "personas" / "ann", name="Ann", show="Demo", rating="general", guard=CopyGuard.of([]), data=data, models=models,
        voice=[VOICE],
    )  # fmt: skip
    return Library((folder,))


@pytest.fixture(scope="session")
def shared_library(tmp_path_factory: pytest.TempPathFactory, vocabularies: dict[str, Vocabulary]) -> Library:
    """For tests that only read it."""
    return write_library(tmp_path_factory.mktemp("bundles"), vocabularies)


@pytest.fixture
def library(tmp_path: Path, vocabularies: dict[str, Vocabulary]) -> Library:
    """For tests that damage it."""
    return write_library(tmp_path / "bundles", vocabularies)
