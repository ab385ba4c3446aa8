"""Fits a base or a persona from a corpus, and writes its bundle."""

import hashlib
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console
from torch import Tensor

from charbot.config import Config, FitSettings, UnitSettings
from charbot.corpus.conversation import Conversation, exchanges, stretches, whole
from charbot.corpus.split import Split
from charbot.corpus.table import find_speaker, scenes, speakers
from charbot.errors import CorpusError
from charbot.evaluation.likelihood import likelihood
from charbot.models.adapter import Adapter, merge
from charbot.models.language_model import Architecture, LanguageModel
from charbot.models.loading import base_model
from charbot.personas.bundle import read_change, read_persona, write_base, write_persona
from charbot.personas.library import Library, slug
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.vocabulary import UNITS, Unit, build_vocabulary
from trainer.loop import CheckpointPlan, bf16_pays, fit
from trainer.memory import keep_freed_memory
from trainer.phrases import frequent_phrases, phrase_kinds
from trainer.progress import ConsoleProgress
from trainer.stream import Stream

_MIN_STEPS = 100
"""Steps that an epoch of a persona's fit has at least, however few lines there are."""

MIN_TRAIN_LINES = 20
"""A corpus with fewer lines to train on is refused: nothing would be learnt from it."""


@dataclass(frozen=True)
class Workshop:
    """What every fit of one command shares."""

    config: Config
    table: pd.DataFrame
    pretrain: pd.DataFrame
    """Lines of other shows, to which a base is fitted first; it may be empty."""
    out: Path
    console: Console

    @property
    def bf16(self) -> bool:
        precision = self.config.train.precision
        return bf16_pays() if precision == "auto" else precision == "bf16"

    def checkpoint(self, name: str) -> Path:
        """Where the state of the fit called `name` is kept while it runs."""
        return self.out / "runs" / f"{name}.safetensors"

    def plan(self, name: str, *identity: Any) -> CheckpointPlan:
        """How a fit is checkpointed. Whatever changes what it would do belongs to its `identity`."""
        fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        return CheckpointPlan(self.checkpoint(name), self.config.train.checkpoint_minutes, fingerprint)


def prepare(config: Config, table: pd.DataFrame, out: Path, console: Console, pretrain: pd.DataFrame | None = None) -> Workshop:
    """Sets torch up for training, and checks that there is something to train on. Raises CorpusError."""
    lines = int((table["split"] == "train").sum())
    if lines < MIN_TRAIN_LINES:
        raise CorpusError(
            f"only {lines} lines to train on (the rest is kept for validation and test); at least {MIN_TRAIN_LINES} are needed"
        )
    keep_freed_memory()
    torch.set_flush_denormal(True)
    if config.train.threads:
        torch.set_num_threads(config.train.threads)
    return Workshop(config, table, table.iloc[:0] if pretrain is None else pretrain, out, console)


def _unit_settings(config: Config, unit: Unit) -> UnitSettings:
    return config.train.char if unit == "char" else config.train.word


def _data(table: pd.DataFrame, config: Config) -> dict[str, Any]:
    """What a bundle says of its data: counts alone, never words."""
    return {
        "lines": {str(k): int(v) for k, v in table.groupby(["show"]).size().items()},
        "splits": {str(k): int(v) for k, v in table["split"].value_counts().items()},
        "split_seed": config.corpus.split_seed,
    }


def fit_base(shop: Workshop, unit: Unit) -> Path:
    """Fits a base of one unit to all speakers; returns its bundle's folder."""
    settings = _unit_settings(shop.config, unit)
    corpus = shop.config.corpus
    everything = pd.concat([shop.table, shop.pretrain])
    vocabulary = build_vocabulary(
        unit,
        everything.loc[everything["split"] == "train", "text"],
        speakers(everything, corpus.speaker_lines),
        min_characters=corpus.min_characters,
        min_words=corpus.min_words,
    )
    tokenizer = tokenizer_for(vocabulary)
    sizes = settings.model
    stream, first = (
        _stream(tokenizer, [whole(scene) for scene in scenes(table, "train")], settings.base)
        for table in (shop.table, everything)
    )
    kinds, folded = phrase_kinds(vocabulary)
    phrases = frequent_phrases(first.rendered, kinds, folded, sizes.phrases)
    architecture = Architecture(len(vocabulary), vocabulary.predicted, sizes.embedding, sizes.hidden, sizes.layers, len(phrases))
    torch.manual_seed(settings.base.seed)
    model = LanguageModel(architecture, settings.base.dropout)
    if model.phrases is not None:
        model.phrases.learn(phrases, kinds, folded)
    streams = [first] * (settings.pretrain_epochs if len(shop.pretrain) else 0) + [stream] * settings.base.epochs
    held_out = {split: [whole(scene) for scene in scenes(shop.table, split)] for split in _HELD_OUT}
    name = f"base-{unit}"
    plan = shop.plan(name, asdict(settings.base), architecture.to_json(), vocabulary.to_json(), [one.tokens for one in streams])
    with ConsoleProgress(f"{unit} base", shop.console) as progress:
        fit(
            model, model, streams, settings.base,
            validate=lambda: likelihood(model, tokenizer, held_out["valid"]).bits_per_character,
            progress=progress, checkpoint=plan, bf16=shop.bf16,
        )  # fmt: skip
    scores = _scores(model, tokenizer, held_out, "")
    folder = shop.out / "bases" / unit
    write_base(folder, vocabulary, architecture.to_json(), model.state_dict(), _data(everything, shop.config), scores)
    plan.path.unlink(missing_ok=True)
    return folder


_HELD_OUT: tuple[Split, ...] = ("valid", "test")


def _scores(
    model: LanguageModel, tokenizer: Tokenizer, held_out: dict[Split, list[Conversation]], prefix: str
) -> dict[str, float]:
    """Bits a character on each split that has any text."""
    found = {split: likelihood(model, tokenizer, chosen) for split, chosen in held_out.items() if chosen}
    return {f"{prefix}{split}_bits_per_character": round(one.bits_per_character, 5) for split, one in found.items()}


def _stream(
    tokenizer: Tokenizer, conversations: Sequence[Conversation], settings: FitSettings, keep: str | None = None
) -> Stream:
    return Stream(
        tokenizer,
        conversations,
        batch=settings.batch,
        window=settings.window,
        anonymous=settings.anonymous,
        seed=settings.seed,
        keep=keep,
    )


def fit_persona(shop: Workshop, library: Library, name: str, units: Sequence[Unit], rating: str) -> Path:
    """Fits a persona's units on their bases; returns its bundle's folder.

    A unit that is not asked for keeps the fit it has. Raises CorpusError where there is no such
    character, or one with too few lines.
    """
    name = find_speaker(shop.table, name)
    lines = shop.table[shop.table["speaker"] == name]
    count = int((lines["split"] == "train").sum())
    needed = shop.config.train.persona_min_lines
    if count < needed:
        raise CorpusError(
            f"{name} has {count} lines to train on in these scripts; a persona needs {needed} (`persona_min_lines`)"
        )
    folder = shop.out / "personas" / slug(name)
    fits = {}
    if set(units) != set(UNITS) and slug(name) in Library((shop.out,)).personas:
        for unit, old in read_persona(folder).fits.items():
            fits[unit] = (old.base, old.speaker, dict(old.scores), read_change(folder, old))
    for unit in units:
        fits[unit] = _fit_unit(shop, library, name, unit)
    show = str(lines["show"].mode().iloc[0])
    data = _data(lines, shop.config)
    write_persona(folder, name=name, show=show, rating=rating, data=data, fits=fits)
    for unit in units:
        shop.checkpoint(f"{slug(name)}-{unit}").unlink(missing_ok=True)
    return folder


def _fit_unit(shop: Workshop, library: Library, name: str, unit: Unit) -> tuple[str, int, dict[str, float], dict[str, Tensor]]:
    config = shop.config
    unit_settings = _unit_settings(config, unit)
    settings = unit_settings.persona
    model, vocabulary, base = base_model(library, unit)
    vocabulary = vocabulary.knowing(name)
    tokenizer = tokenizer_for(vocabulary)
    speaker = vocabulary.speaker(name)
    torch.manual_seed(settings.seed)
    model.dropout = settings.dropout
    adapter = Adapter(model, speaker, speaker if vocabulary.newcomer is None else vocabulary.anonymous, config.train.adapter_rank)
    found = [stretch for scene in scenes(shop.table, "train") for stretch in stretches(scene, name, config.train.persona_context)]
    stream = _stream(tokenizer, found, settings, keep=name)
    epochs = min(settings.epochs, max(1, unit_settings.persona_tokens // stream.tokens))
    # Few lines in many tracks would make few steps.
    batch = max(4, min(settings.batch, stream.tokens // (_MIN_STEPS * settings.window)))
    settings = replace(settings, batch=batch)
    stream = _stream(tokenizer, found, settings, keep=name)
    held_out = {
        split: [one for scene in scenes(shop.table, split) for one in exchanges(scene, name, config.chat.context_turns)]
        for split in _HELD_OUT
    }
    scores = _scores(model, tokenizer, held_out, "base_")

    def merged() -> LanguageModel:
        copied = deepcopy(model)
        merge(copied, adapter.change(), speaker)
        return copied

    plan = shop.plan(f"{slug(name)}-{unit}", asdict(settings), base.id, stream.tokens, config.train.adapter_rank)
    with ConsoleProgress(f"{name}, {unit}", shop.console) as progress:
        fit(
            adapter, adapter, [stream] * epochs, settings,
            validate=lambda: likelihood(merged(), tokenizer, held_out["valid"]).bits_per_character,
            progress=progress, checkpoint=plan, bf16=shop.bf16,
        )  # fmt: skip
    scores |= _scores(merged(), tokenizer, held_out, "")
    return base.id, speaker, scores, adapter.change()
