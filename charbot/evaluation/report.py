"""`charbot eval`: the scores of bases and personas on the test split."""

from collections import Counter
from math import exp
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from charbot.corpus.conversation import Conversation, exchanges, whole
from charbot.corpus.table import scenes
from charbot.errors import CorpusError
from charbot.evaluation.likelihood import Likelihood, characters, likelihood
from charbot.evaluation.mixture import chunk_nats, mixed_nats
from charbot.models.language_model import LanguageModel
from charbot.models.loading import base_model, persona_model
from charbot.personas.bundle import read_persona
from charbot.personas.library import Library
from charbot.tokens import tokenizer_for
from charbot.tokens.pieces import pieces
from charbot.tokens.render import render
from charbot.tokens.vocabulary import END, UNITS, Unit, Vocabulary
from charbot.tokens.word import WordTokenizer

_CLOSED_MIN_COUNT = 3


def base_report(library: Library, table: pd.DataFrame) -> dict[str, Any]:
    """Bits a character of all speakers' lines for each base and for both mixed, and the word base's perplexity a word."""
    held_out = [whole(scene) for scene in scenes(table, "test")]
    if not held_out:
        raise CorpusError("no episode of these scripts falls into the test split (`corpus.test`)")
    report: dict[str, Any] = {"lines": sum(len(one.turns) for one in held_out)}
    length = sum(map(characters, held_out))
    chunks: dict[Unit, list[list[float]]] = {}
    for unit in UNITS:
        model, vocabulary, _ = base_model(library, unit)
        chunks[unit] = chunk_nats(model, tokenizer_for(vocabulary), held_out)
        report[f"{unit}_bits_per_character"] = Likelihood(sum(map(sum, chunks[unit])), length).bits_per_character
        if unit == "word":
            train = Counter(_closed(piece) for text in table.loc[table["split"] == "train", "text"] for piece in pieces(text))
            known = frozenset(word for word, count in train.items() if word and count >= _CLOSED_MIN_COUNT)
            report |= closed_perplexity(model, WordTokenizer(vocabulary), held_out, known)
    report["both_bits_per_character"] = Likelihood(sum(mixed_nats(chunks)), length).bits_per_character
    return report


def persona_report(library: Library, name: str, table: pd.DataFrame, context: int) -> dict[str, Any]:
    """Bits a character of the persona's own test lines: its fit, and the base with its speaker token."""
    folder = library.find(name)
    card = read_persona(folder)
    held_out = [one for scene in scenes(table, "test") for one in exchanges(scene, card.name, context)]
    if not held_out:
        raise CorpusError(f"{card.name} says nothing in the test episodes of these scripts")
    report: dict[str, Any] = {"persona": card.name, "lines": len(held_out)}
    for unit, fit in card.fits.items():
        model, vocabulary = persona_model(library, folder, fit, unit, card.name)
        tokenizer = tokenizer_for(vocabulary)
        base, _, _ = base_model(library, unit, fit.base)
        report[f"{unit}_base"] = likelihood(base, tokenizer, held_out).bits_per_character
        report[f"{unit}_persona"] = likelihood(model, tokenizer, held_out).bits_per_character
    return report


def _closed(piece: str) -> str:
    """A piece as a closed lower-cased vocabulary knows it: without its space and case."""
    return piece.strip().lower()


def closed_perplexity(
    model: LanguageModel, tokenizer: WordTokenizer, conversations: list[Conversation], known: frozenset[str]
) -> dict[str, Any]:
    """Perplexity per word or line end over the closed lower-cased vocabulary `known`, everything
    else being one unknown word: what an n-gram model over that vocabulary reports.

    The probabilities of a word's listed forms, with and without capitals and space, are summed,
    and that of the form at hand where it is spelled in characters; its other spellings are left out.
    """
    vocabulary = tokenizer.vocabulary
    classes = {word: i for i, word in enumerate(sorted(known))}
    unknown = len(classes)
    of_id = np.full(vocabulary.predicted, unknown + 1)
    of_id[[vocabulary.spell, vocabulary.spaced]] = unknown
    for piece, id_ in vocabulary.word_ids.items():
        of_id[id_] = classes.get(_closed(piece), unknown)
    nats, words, misses = 0.0, 0, 0
    for conversation in conversations:
        rendered = render(tokenizer, conversation)
        ids = torch.from_numpy(rendered.ids.astype(np.int64))
        with torch.inference_mode():
            features, _ = model(ids[:-1, None])
            log_p = model.logits(features[:, 0]).log_softmax(1)
            # Speakers, whose ids lie beyond the scores, are never looked at below.
            own = log_p.gather(1, ids[1:, None].clamp(max=vocabulary.predicted - 1))[:, 0].numpy()
            summed = torch.zeros(len(log_p), unknown + 2).index_add_(1, torch.from_numpy(of_id), log_p.exp()).log().numpy()
        for start, stop in _word_spans(rendered.ids[1:], rendered.predicted[1:], vocabulary):
            id_ = int(rendered.ids[1 + start])
            words += 1
            if id_ == END:
                nats -= float(own[start])
            elif not vocabulary.opens_spelling(id_):
                nats -= float(summed[start, of_id[id_]])
                misses += int(of_id[id_] == unknown)
            else:
                spelled = _closed(vocabulary.read_spelling(map(int, rendered.ids[2 + start : stop])))
                misses += int(spelled not in classes)
                log_p_word = summed[start, classes.get(spelled, unknown)]
                nats -= float(np.logaddexp(log_p_word, own[start:stop].sum()) if spelled in classes else log_p_word)
    return {"word_perplexity": exp(nats / words), "word_vocabulary": len(classes), "word_unknown_share": misses / words}


def _word_spans(ids: NDArray[np.int32], predicted: NDArray[np.bool_], vocabulary: Vocabulary) -> list[tuple[int, int]]:
    """(start, stop) of each word, spelled ones whole, and of each end, among the predicted tokens."""
    spans = []
    at = 0
    while at < len(ids):
        stop = at + 1
        if predicted[at]:
            if vocabulary.opens_spelling(int(ids[at])):
                stop += int(np.argmax(ids[at:] == vocabulary.spelled))
            spans.append((at, stop))
        at = stop
    return spans
