"""Perplexity per word over a closed vocabulary, as n-gram models report it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import exp
from typing import Any

import numpy as np
import torch

from charbot.corpus.examples import Example
from charbot.evaluation.likelihood import cache_queries, read_conversations
from charbot.models.language_model import LanguageModel
from charbot.tokens.pieces import lower, lower_pieces
from charbot.tokens.render import render
from charbot.tokens.vocabulary import END, Vocabulary
from charbot.tokens.word import WordTokenizer


def closed_vocabulary(texts: Iterable[str], min_count: int) -> frozenset[str]:
    """Return the words, in lower case, that occur at least `min_count` times."""
    counts = Counter(word for text in texts for word in lower_pieces(text))
    return frozenset(word for word, count in counts.items() if count >= min_count)


def closed_perplexity(
    model: LanguageModel, tokenizer: WordTokenizer, conversations: list[Example], known: frozenset[str]
) -> dict[str, Any]:
    """Return the perplexity per word or line end over the lower-case vocabulary `known`, with one class for unknown words.

    This is what an n-gram model over that vocabulary reports. A word's probability is the sum over its listed forms, with and
    without capitals and space, and its actual form if that is spelled in characters; other spellings are ignored.
    """
    vocabulary = tokenizer.vocabulary
    classes = {word: i for i, word in enumerate(sorted(known))}
    unknown = len(classes)
    of_id = np.full(vocabulary.predicted, unknown + 1)
    of_id[[vocabulary.spell, vocabulary.spaced]] = unknown
    for piece, id_ in vocabulary.word_ids.items():
        of_id[id_] = classes.get(lower(piece), unknown)
    nats, words, misses = 0.0, 0, 0
    reads = (one for batch in read_conversations(model, [render(tokenizer, one) for one in conversations]) for one in batch)
    for read in reads:
        with torch.inference_mode():
            log_p = model.logits(read.features[read.places]).log_softmax(1)
            for part, query in cache_queries(model, read):
                log_p[part] = model.mixed_probs(log_p[None, part], query)[0].log_()
            own = log_p.gather(1, read.targets[:, None])[:, 0].numpy()
            summed = torch.zeros(len(log_p), unknown + 2).index_add_(1, torch.from_numpy(of_id), log_p.exp()).log().numpy()
        ids = read.targets.tolist()
        for start, stop in _word_spans(ids, vocabulary):
            words += 1
            if ids[start] == END:
                nats -= float(own[start])
            elif not vocabulary.opens_spelling(ids[start]):
                nats -= float(summed[start, of_id[ids[start]]])
                misses += int(of_id[ids[start]] == unknown)
            else:
                spelled = lower(vocabulary.read_spelling(ids[1 + start : stop]))
                misses += int(spelled not in classes)
                log_p_word = summed[start, classes.get(spelled, unknown)]
                nats -= float(np.logaddexp(log_p_word, own[start:stop].sum()) if spelled in classes else log_p_word)
    return {"word_perplexity": exp(nats / words), "word_vocabulary": len(classes), "word_unknown_share": misses / words}


def _word_spans(ids: list[int], vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of each word, spelled or listed, and of each END."""
    start = 0
    while start < len(ids):
        stop = start + 1
        if vocabulary.opens_spelling(ids[start]):
            stop = ids.index(vocabulary.spelled, start) + 1
        yield start, stop
        start = stop
