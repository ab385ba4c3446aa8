"""Rendering of turns as ids, shared by training and replying.

SCENE  speaker text... END  speaker text... END  ...  speaker

In replying, the last speaker is the one whose reply is generated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charbot.corpus.examples import Example
from charbot.dialogue import Utterance
from charbot.tokens import Tokenizer
from charbot.tokens.vocabulary import END


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as ids."""

    ids: NDArray[np.int32]
    predicted: NDArray[np.bool_]
    """For each id whether it is to be predicted: text and END of the turns that the loss mask includes, never speakers."""


def render_turn(tokenizer: Tokenizer, utterance: Utterance) -> list[int]:
    """Return the ids of one turn: speaker, text and END."""
    return [tokenizer.vocabulary.speaker(utterance.speaker), *tokenizer.encode(utterance.text), END]


def render(tokenizer: Tokenizer, conversation: Example) -> Rendered:
    """Return a conversation rendered from its start, SCENE first."""
    ids: list[int] = [tokenizer.vocabulary.scene]
    predicted: list[bool] = [False]
    for utterance, loss_mask in zip(conversation.turns, conversation.loss_mask, strict=True):
        turn = render_turn(tokenizer, utterance)
        ids += turn
        predicted += [False] + [loss_mask] * (len(turn) - 1)
    return Rendered(np.asarray(ids, dtype=np.int32), np.asarray(predicted, dtype=np.bool_))
