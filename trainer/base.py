"""Training of a base: a language model of one unit (characters or words) for all speakers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import torch

from charbot.config import Hyperparameters, ModelSettings
from charbot.corpus.examples import full_example, response_examples
from charbot.corpus.table import episodes, scenes, speakers
from charbot.errors import BundleError
from charbot.generation.paraphrases import paraphrase_groups
from charbot.models.language_model import Architecture, LanguageModel
from charbot.personas.bundle import read_persona, write_base
from charbot.personas.copy_guard import CopyGuard
from charbot.personas.library import Library, slug
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.render import Rendered
from charbot.tokens.vocabulary import Unit, Vocabulary, build_vocabulary
from trainer.message_encoder import train_message_encoder
from trainer.neural_cache import train_cache
from trainer.phrases import frequent_phrases, phrase_kinds
from trainer.progress import ConsoleProgress
from trainer.response_selector import train_selector
from trainer.run import HELD_OUT, TrainingRun, held_out_scores, on_processor, stream_of, validate_model
from trainer.word_vectors import word_vectors

_WORD_VECTORS = 20_000
"""Maximum number of words with vectors, for the message encoder."""

_GUARDED_WEIGHT = 0.3
"""How often an epoch reads a chat, at least, for the copy guard to know it."""


def base_tokenizer(run: TrainingRun, unit: Unit) -> Tokenizer:
    """Return a base's tokenizer, its vocabulary built from the training examples."""
    corpus = run.config.corpus
    return tokenizer_for(
        build_vocabulary(
            unit,
            ((turn.text, example.weight) for example in run.examples() for turn in example.turns),
            speakers(run.everything, corpus.speaker_lines),
            min_characters=corpus.min_characters,
            min_words=corpus.min_words,
        )
    )


def new_base(tokenizer: Tokenizer, sizes: ModelSettings, settings: Hyperparameters, read: Sequence[Rendered]) -> LanguageModel:
    """Return an untrained base whose phrase embeddings hold the frequent phrases of `read`."""
    vocabulary = tokenizer.vocabulary
    kinds, folded = phrase_kinds(vocabulary)
    phrases = frequent_phrases(read, kinds, folded, sizes.phrases)
    torch.manual_seed(settings.seed)
    model = LanguageModel(
        Architecture(
            len(vocabulary),
            vocabulary.predicted,
            sizes.embedding,
            sizes.hidden,
            sizes.layers,
            len(phrases),
            sizes.cell,
            attention=sizes.attention,
        ),
        settings.dropout,
    )
    if model.phrases is not None:
        model.phrases.set_trie(phrases, kinds, folded)
    return model


def check_nobody_is_left(out: Path, units: Sequence[Unit], refitted: Sequence[str]) -> None:
    """Raise BundleError if new bases would replace those of personas that are not retrained with them."""
    library, again = Library((out,)), set(map(slug, refitted))
    left = []
    for name, path in library.personas.items():
        # A persona that cannot be read is broken already.
        with suppress(BundleError):
            models = read_persona(path).models
            if name not in again and any(unit in models and library.has_base(unit, models[unit].base) for unit in units):
                left.append(name)
    if left:
        raise BundleError(
            f"{out / 'bases'}: without the base that is there {', '.join(left)} could not reply. Train them with the new one "
            "(--persona NAME), delete them (`charbot personas remove NAME`), or choose another --out."
        )


def _said_by_others(run: TrainingRun, vocabulary: Vocabulary) -> Iterator[list[str]]:
    """Yield each turn of the chats, for the copy guard, except turns of known speakers: a persona's voice is to be said.

    Chats of which an epoch reads little are left out: nothing of them is learnt by heart.
    """
    known = set(vocabulary.speakers)
    for chat in run.chats:
        if run.chat_weight(chat) >= _GUARDED_WEIGHT:
            yield from ([turn.text] for turn in chat.turns if turn.speaker not in known)


def train_base(run: TrainingRun, unit: Unit) -> Path:
    """Train a base on all scripts and chats; return its bundle's folder."""
    settings = run.unit_settings(unit)
    tokenizer = base_tokenizer(run, unit)
    stream = stream_of(tokenizer, run.examples(), settings.base)
    fitting = run.with_batch_for(settings.base, stream.tokens)
    stream = stream.in_tracks(fitting.batch)
    model = new_base(tokenizer, settings.model, fitting, stream.rendered)
    architecture, vocabulary = model.architecture.to_json(), tokenizer.vocabulary
    held_out = {split: [full_example(scene) for scene in scenes(run.table, split)] for split in HELD_OUT}
    finished = run.train(
        f"base-{unit}", f"{unit} base", model, model, [stream] * fitting.epochs, fitting,
        validate=lambda: validate_model(model, tokenizer, held_out["valid"], next(iter(vocabulary.speakers), None)),
        identity={
            "settings": asdict(fitting),
            "architecture": architecture,
            "vocabulary": vocabulary.to_json(),
            "tokens": stream.tokens,
            "weights": run.config.train.weights,
        },
    )  # fmt: skip
    folder = run.out / "bases" / unit
    if run.distributed.is_main:
        fitted = on_processor(model)
        if settings.model.cache:
            valid = [
                one for scene in scenes(run.table, "valid") for one in response_examples(scene, run.config.chat.context_turns)
            ]
            with ConsoleProgress(f"{unit} base, cache", run.console) as progress:
                train_cache(
                    fitted, tokenizer, list(scenes(run.table, "train")), valid, settings.model.cache, fitting.seed, progress
                )
        if settings.model.selector:
            answered = [*scenes(run.everything, "train"), *(example.turns for example in run.chat_examples("train"))]
            with ConsoleProgress(f"{unit} base, selector", run.console) as progress:
                train_selector(fitted, tokenizer, answered, settings.model.selector, fitting.seed, progress)
        if fitted.selector is not None:
            size, seed = settings.model.selector, fitting.seed
            texts = ([turn.text for turn in turns] for turns in answered)
            vectors = word_vectors(texts, vocabulary.bare_words[:_WORD_VECTORS], size, seed)
            with ConsoleProgress(f"{unit} base, message encoder", run.console) as progress:
                train_message_encoder(fitted, tokenizer, vectors, paraphrase_groups(), size, seed, progress)
        scores = held_out_scores(fitted, tokenizer, held_out)
        guard = CopyGuard.of(chain(episodes(run.everything), _said_by_others(run, vocabulary)))
        data = run.data(run.everything) | {"conversations": Counter(chat.source for chat in run.chats if run.chat_weight(chat))}
        write_base(folder, vocabulary, fitted.architecture.to_json(), fitted.state_dict(), guard, data, scores)
        finished.close(scores, run.console)
    run.distributed.barrier()
    return folder
