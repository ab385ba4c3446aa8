"""Fits a base: a model of one unit, to all speakers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import torch

from charbot.config import FitSettings, ModelSettings
from charbot.corpus.examples import full_example, response_examples
from charbot.corpus.table import episodes, scenes, speakers
from charbot.errors import BundleError
from charbot.models.language_model import Architecture, LanguageModel
from charbot.personas.bundle import read_persona, write_base
from charbot.personas.guard import CopyGuard
from charbot.personas.library import Library, slug
from charbot.tokens import Tokenizer, tokenizer_for
from charbot.tokens.render import Rendered
from charbot.tokens.vocabulary import Unit, Vocabulary, build_vocabulary
from trainer.cache import fit_cache
from trainer.phrases import frequent_phrases, phrase_kinds
from trainer.progress import ConsoleProgress
from trainer.selector import fit_selector
from trainer.workshop import HELD_OUT, Workshop, examination, held_out_scores, on_processor, stream_of


def base_tokenizer(shop: Workshop, unit: Unit) -> Tokenizer:
    """The tokenizer of what a base reads."""
    corpus = shop.config.corpus
    return tokenizer_for(
        build_vocabulary(
            unit,
            ((turn.text, example.weight) for example in shop.examples() for turn in example.turns),
            speakers(shop.everything, corpus.speaker_lines),
            min_characters=corpus.min_characters,
            min_words=corpus.min_words,
        )
    )


def new_base(tokenizer: Tokenizer, sizes: ModelSettings, settings: FitSettings, read: Sequence[Rendered]) -> LanguageModel:
    """A base that has learnt nothing but which phrases are frequent in what it is about to read."""
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
    """Raises BundleError where a new base would take the place of one that a persona stands on who is not refitted with it."""
    library, again = Library((out,)), set(map(slug, refitted))
    left = []
    for name, path in library.personas.items():
        # One that cannot be read has nothing to lose.
        with suppress(BundleError):
            fits = read_persona(path).fits
            if name not in again and any(unit in fits and library.has_base(unit, fits[unit].base) for unit in units):
                left.append(name)
    if left:
        raise BundleError(
            f"{out / 'bases'}: without the base that is there {', '.join(left)} could not reply. Fit them along with the new one "
            "(--persona NAME), delete them (`charbot personas remove NAME`), or choose another --out."
        )


def _said_by_others(shop: Workshop, vocabulary: Vocabulary) -> Iterator[list[str]]:
    """Each turn of the chats that a base reads but those of people whom it knows by name: what a persona says in
    conversations that were written for it, it is to say."""
    known = set(vocabulary.speakers)
    for split in ("train", *HELD_OUT):
        for example in shop.chat_examples(split):
            yield from ([turn.text] for turn in example.turns if turn.speaker not in known)


def fit_base(shop: Workshop, unit: Unit) -> Path:
    """Fits a base to all scripts and chats; returns its bundle's folder."""
    settings = shop.unit_settings(unit)
    tokenizer = base_tokenizer(shop, unit)
    stream = stream_of(tokenizer, shop.examples(), settings.base)
    fitting = shop.narrowed(settings.base, stream.tokens)
    stream = stream.in_tracks(fitting.batch)
    model = new_base(tokenizer, settings.model, fitting, stream.rendered)
    architecture, vocabulary = model.architecture.to_json(), tokenizer.vocabulary
    held_out = {split: [full_example(scene) for scene in scenes(shop.table, split)] for split in HELD_OUT}
    finished = shop.fit(
        f"base-{unit}", f"{unit} base", model, model, [stream] * fitting.epochs, fitting,
        examine=lambda: examination(model, tokenizer, held_out["valid"], next(iter(vocabulary.speakers), None)),
        identity={
            "settings": asdict(fitting),
            "architecture": architecture,
            "vocabulary": vocabulary.to_json(),
            "tokens": stream.tokens,
            "weights": shop.config.train.weights,
        },
    )  # fmt: skip
    folder = shop.out / "bases" / unit
    if shop.world.leads:
        fitted = on_processor(model)
        if settings.model.cache:
            valid = [
                one for scene in scenes(shop.table, "valid") for one in response_examples(scene, shop.config.chat.context_turns)
            ]
            with ConsoleProgress(f"{unit} base, cache", shop.console) as progress:
                fit_cache(
                    fitted, tokenizer, list(scenes(shop.table, "train")), valid, settings.model.cache, fitting.seed, progress
                )
        if settings.model.selector:
            answered = [*scenes(shop.everything, "train"), *(example.turns for example in shop.chat_examples("train"))]
            with ConsoleProgress(f"{unit} base, selector", shop.console) as progress:
                fit_selector(fitted, tokenizer, answered, settings.model.selector, fitting.seed, progress)
        scores = held_out_scores(fitted, tokenizer, held_out)
        guard = CopyGuard.of(chain(episodes(shop.everything), _said_by_others(shop, vocabulary)))
        data = shop.data(shop.everything) | {
            "conversations": Counter(chat.source for chat in shop.chats if shop.chat_weight(chat))
        }
        write_base(folder, vocabulary, fitted.architecture.to_json(), fitted.state_dict(), guard, data, scores)
        finished.close(scores, shop.console)
    shop.world.wait()
    return folder
