"""Training of a persona: a LoRA delta that makes a base talk like one character."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from math import isnan, nan
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from charbot.corpus.examples import Example, character_spans, response_examples
from charbot.corpus.split import SPLITS, Split
from charbot.corpus.table import episodes, find_speaker, scenes
from charbot.errors import CorpusError
from charbot.evaluation.likelihood import characters, likelihood
from charbot.generation.dialogue_acts import marked
from charbot.models.language_model import LanguageModel
from charbot.models.lora import LoraAdapter, merge, scale_delta
from charbot.personas.bundle import read_change, read_persona, read_voice, write_persona
from charbot.personas.copy_guard import CopyGuard
from charbot.personas.library import Library, slug
from charbot.personas.loading import base_model
from charbot.text import is_name
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import UNITS, Unit
from trainer.run import HELD_OUT, TrainingResult, TrainingRun, held_out_scores, stream_of, validate_model

_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Scales of the delta to choose from: see `best_share`."""

_MOST_READINGS = 20.0
"""Maximum number of times that an epoch reads a persona's voice, however many script lines there are."""

_TrainedUnit = tuple[str, int, dict[str, float], dict[str, Tensor]]
"""The base's id, speaker id, scores and delta, as `write_persona` takes them."""


def train_persona(run: TrainingRun, library: Library, name: str, units: Sequence[Unit], rating: str) -> Path:
    """Train a persona's units on their bases; return its bundle's folder.

    Units other than `units` keep their present models. Raises CorpusError if there is no such character, it has too few lines or
    no name for a folder, or it does not speak in the conversations of --voice.
    """
    name = find_speaker(run.table, name)
    lines = run.table[run.table["speaker"] == name]
    count = int((lines["split"] == "train").sum())
    needed = run.config.train.persona_min_lines
    if count < needed:
        raise CorpusError(
            f"{name} has {count} lines to train on in these scripts; a persona needs {needed} (`persona_min_lines`)"
        )
    show = str(lines["show"].mode().iloc[0])
    if not (slug(name) and is_name(name) and is_name(show)):
        raise CorpusError(
            f"{name!r} of {show!r}: a persona and its show need printable names of at most 80 characters, with a letter; "
            "give the speaker another name in cast.yaml, or the folder of the scripts"
        )
    folder = run.out / "personas" / slug(name)
    models: dict[Unit, _TrainedUnit] = {}
    # The models are not trained on the held-out conversations, but the persona may give their answers.
    voice = [chat.turns for split in SPLITS for chat in voice_conversations(run, name, split)]
    if run.voices.files and not voice:
        raise CorpusError(f"nobody called {name} says anything in the conversations of --voice")
    if set(units) != set(UNITS) and slug(name) in Library((run.out,)).personas:
        before = read_persona(folder)
        voice = voice or list(read_voice(folder, before))
        for unit, old in before.models.items():
            # Without its base, a persona's model is of no use.
            if library.has_base(unit, old.base):
                models[unit] = (old.base, old.speaker, dict(old.scores), read_change(folder, old))
    finished = {}
    for unit in units:
        models[unit], finished[unit] = _train_unit(run, library, name, unit)
    if run.distributed.is_main:
        guard = CopyGuard.of(episodes(run.table), excluded=library.base_guards({unit: one[0] for unit, one in models.items()}))
        write_persona(
            folder, name=name, show=show, rating=rating, guard=guard, data=run.data(lines), models=models, voice=voice,
        )  # fmt: skip
        for unit, one in finished.items():
            one.close(models[unit][2], run.console)
    run.distributed.barrier()
    return folder


def _train_unit(run: TrainingRun, library: Library, name: str, unit: Unit) -> tuple[_TrainedUnit, TrainingResult]:
    config = run.config
    unit_settings = run.unit_settings(unit)
    settings = unit_settings.persona
    model, vocabulary, base = base_model(library, unit)
    vocabulary = vocabulary.knowing(name)
    tokenizer = tokenizer_for(vocabulary)
    speaker = vocabulary.speaker(name)
    torch.manual_seed(settings.seed)
    model.dropout = settings.dropout
    adapter = LoraAdapter(
        model, speaker, speaker if vocabulary.newcomer is None else vocabulary.anonymous, config.train.adapter_rank
    )
    found = [
        stretch for scene in scenes(run.table, "train") for stretch in character_spans(scene, name, config.train.persona_context)
    ]
    stream = stream_of(tokenizer, [*found, *voice_examples(run, name, found)], settings, keep=name)
    epochs = min(settings.epochs, max(1, unit_settings.persona_tokens // stream.tokens))
    settings = run.with_batch_for(replace(settings, epochs=epochs), stream.tokens)
    stream = stream.in_tracks(settings.batch)
    held_out = {
        split: [one for scene in scenes(run.table, split) for one in response_examples(scene, config.chat.context_turns, name)]
        for split in HELD_OUT
    }
    voice_held_out = {split: voice_conversations(run, name, split) for split in HELD_OUT}
    scores = held_out_scores(model, tokenizer, held_out, "base_") | held_out_scores(
        model, tokenizer, voice_held_out, "base_voice_"
    )

    def merged(share: float = 1.0) -> LanguageModel:
        copied = deepcopy(model).cpu()
        merge(copied, {name: tensor.cpu() for name, tensor in scale_delta(adapter.delta(), share).items()}, speaker)
        return copied

    finished = run.train(
        f"{slug(name)}-{unit}", f"{name}, {unit}", adapter, adapter, [stream] * epochs, settings,
        validate=lambda: validate_model(merged(), tokenizer, held_out["valid"], name),
        identity={
            "settings": asdict(settings),
            "base": base.id,
            "voice": run.voices.checksums(),
            "tokens": stream.tokens,
            "rank": config.train.adapter_rank,
        },
    )  # fmt: skip

    def bits(share: float) -> float:
        """Return the mean bits per character of script lines and voice, or of the one that exists; NaN without any."""
        model = merged(share)
        asked = [some for some in (held_out["valid"], voice_held_out["valid"]) if some]
        costs = [likelihood(model, tokenizer, some).bits_per_character for some in asked]
        return fmean(costs) if costs else nan

    share = best_share(bits)
    fitted = merged(share)
    scores |= held_out_scores(fitted, tokenizer, held_out) | held_out_scores(fitted, tokenizer, voice_held_out, "voice_")
    return (base.id, speaker, scores, scale_delta(adapter.delta(), share)), finished


def voice_conversations(run: TrainingRun, name: str, split: Split) -> list[Example]:
    """Return the persona's voice: the conversations of one split in which it speaks, only its turns to be predicted.

    Answers to whole dialogue acts are left out: their messages were not said.
    """
    return [
        Example(chat.turns, loss_mask)
        for chat in run.voices
        if chat.split == split
        and not marked(chat.turns[0].text)
        and any(loss_mask := tuple(turn.speaker == name for turn in chat.turns))
    ]


def voice_examples(run: TrainingRun, name: str, lines: Sequence[Example]) -> list[Example]:
    """Return the persona's voice, weighted so that its share in training, beside the script `lines`, is `persona_voice`."""
    voice = voice_conversations(run, name, "train")
    share = run.config.train.persona_voice
    if not voice or not share:
        return []
    wanted = share / (1 - share) * sum(map(characters, lines)) / sum(map(characters, voice))
    return [replace(one, weight=min(wanted, _MOST_READINGS)) for one in voice]


def best_share(bits: Callable[[float], float]) -> float:
    """Return the scale of a persona's delta with the fewest validation `bits`, or 0.6 if they are all NaN.

    A model between the base and the fine-tuned one is often better than both (Wortsman et al. 2022, "Robust fine-tuning of
    zero-shot models").
    """
    found = {share: 0.0 if isnan(cost := bits(share)) else cost for share in _SHARES}
    return min(found, key=lambda share: (found[share], abs(share - _SHARES[2])))
