"""Fits a base: a model of one unit, to all speakers."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch

from charbot.corpus.conversation import whole
from charbot.corpus.table import scenes, speakers
from charbot.models.language_model import Architecture, LanguageModel
from charbot.personas.bundle import write_base
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import Unit, build_vocabulary
from trainer.phrases import frequent_phrases, phrase_kinds
from trainer.workshop import HELD_OUT, Workshop, examination, held_out_scores, on_processor, stream_of


def fit_base(shop: Workshop, unit: Unit) -> Path:
    """Fits a base, to the lines of other shows and its own first; returns its bundle's folder."""
    settings, corpus = shop.unit_settings(unit), shop.config.corpus
    everything = pd.concat([shop.table, shop.pretrain])
    vocabulary = build_vocabulary(
        unit,
        everything.loc[everything["split"] == "train", "text"],
        speakers(everything, corpus.speaker_lines),
        min_characters=corpus.min_characters,
        min_words=corpus.min_words,
    )
    tokenizer = tokenizer_for(vocabulary)
    own, first = (
        stream_of(tokenizer, [whole(scene) for scene in scenes(table, "train")], settings.base)
        for table in (shop.table, everything)
    )
    streams = [first] * (settings.pretrain_epochs if len(shop.pretrain) else 0) + [own] * settings.base.epochs
    sizes = settings.model
    kinds, folded = phrase_kinds(vocabulary)
    phrases = frequent_phrases(first.rendered, kinds, folded, sizes.phrases)
    architecture = Architecture(
        len(vocabulary), vocabulary.predicted, sizes.embedding, sizes.hidden, sizes.layers, len(phrases), sizes.cell
    )
    torch.manual_seed(settings.base.seed)
    model = LanguageModel(architecture, settings.base.dropout)
    if model.phrases is not None:
        model.phrases.learn(phrases, kinds, folded)
    held_out = {split: [whole(scene) for scene in scenes(shop.table, split)] for split in HELD_OUT}
    finished = shop.fit(
        f"base-{unit}", f"{unit} base", model, model, streams, settings.base,
        examine=lambda: examination(on_processor(model), tokenizer, held_out["valid"], next(iter(vocabulary.speakers), None)),
        identity={
            "settings": asdict(settings.base),
            "architecture": architecture.to_json(),
            "vocabulary": vocabulary.to_json(),
            "tokens": [stream.tokens for stream in streams],
        },
    )  # fmt: skip
    folder = shop.out / "bases" / unit
    if shop.world.leads:
        scores = held_out_scores(model := on_processor(model), tokenizer, held_out)
        write_base(folder, vocabulary, architecture.to_json(), model.state_dict(), shop.data(everything), scores)
        finished.close(scores, shop.console)
    shop.world.wait()
    return folder
