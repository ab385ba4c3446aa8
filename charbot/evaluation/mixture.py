"""Probability of a text under a mixture of the character and the word unit, chunk by chunk.

A chunk ends with a space, or at the end of its turn. Both units give it a probability, given the text before. For the
character unit, this is the probability of its characters. For the word unit, it is that of its words, times the probability
that the next word begins with a space; the first word of the next chunk is then conditioned on this. A weighted mean of two
distributions over the next chunk is a distribution, so the product of these means is one over texts.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charbot.corpus.examples import Example
from charbot.evaluation.likelihood import predicted_nats
from charbot.models.language_model import LanguageModel
from charbot.tokens import Tokenizer
from charbot.tokens.render import render
from charbot.tokens.vocabulary import Unit, Vocabulary

_WORD_WEIGHT = 0.8
"""Weight of the word unit: the best on validation episodes. Weights that adapt to the units' performance so far (Herbster
and Warmuth 1998, "Tracking the Best Expert") did worse there."""


def spaced_ids(vocabulary: Vocabulary) -> Tensor:
    """Return a mask (V,) of the predicted ids of a word vocabulary that begin with a space."""
    spaced = torch.zeros(vocabulary.predicted, dtype=torch.bool)
    spaced[vocabulary.spaced] = True
    spaced[[id_ for word, id_ in vocabulary.word_ids.items() if word.startswith(" ")]] = True
    return spaced


def _characters(tokenizer: Tokenizer, text: str, nats: NDArray[np.float32]) -> list[float]:
    space = tokenizer.encode(" ")
    ends = [at + 1 for at, id_ in enumerate(tokenizer.encode(text)) if [id_] == space]
    return [float(nats[start:end].sum()) for start, end in pairwise([0, *ends, len(nats)])]


def _words(tokenizer: Tokenizer, text: str, nats: NDArray[np.float32], spaced: Tensor) -> list[float]:
    own, any_spaced = nats
    starts = [at for at, id_ in enumerate(tokenizer.encode(text)) if at and spaced[id_]]
    owed = {at: float(any_spaced[at]) for at in starts}
    return [
        float(own[start:end].sum()) + owed.get(end, 0.0) - owed.get(start, 0.0) for start, end in pairwise([0, *starts, len(own)])
    ]


def chunk_nats(model: LanguageModel, tokenizer: Tokenizer, conversations: Sequence[Example]) -> list[list[float]]:
    """Return -ln P of each chunk of the predicted turns of each conversation, in order."""
    spaced = spaced_ids(tokenizer.vocabulary) if tokenizer.vocabulary.unit == "word" else None
    found = []
    nats = predicted_nats(model, [render(tokenizer, one) for one in conversations], spaced)
    for conversation, of_conversation in zip(conversations, nats, strict=True):
        chunks: list[float] = []
        at = 0
        for turn, loss_mask in zip(conversation.turns, conversation.loss_mask, strict=True):
            if loss_mask:
                end = at + len(tokenizer.encode(turn.text)) + 1
                part, at = of_conversation[..., at:end], end
                chunks += (
                    _characters(tokenizer, turn.text, part) if spaced is None else _words(tokenizer, turn.text, part, spaced)
                )
        found.append(chunks)
    return found


def mixed_nats(of_units: dict[Unit, list[list[float]]]) -> list[float]:
    """Return -ln P of each conversation under the mixture, given each unit's `chunk_nats`."""
    words, characters = log(_WORD_WEIGHT), log(1 - _WORD_WEIGHT)
    return [
        -sum(float(np.logaddexp(characters - c, words - w)) for c, w in zip(char, word, strict=True))
        for char, word in zip(of_units["char"], of_units["word"], strict=True)
    ]
