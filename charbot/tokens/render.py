"""Turns rendered into ids: the one place, shared by training and replying.

SCENE  speaker text... END  speaker text... END  ...  speaker
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
    """Ids of a conversation, and which of them a model is to predict (text and ends; not who speaks)."""

    ids: NDArray[np.int32]
    predicted: NDArray[np.bool_]


def render_turn(tokenizer: Tokenizer, utterance: Utterance) -> list[int]:
    """One turn: who speaks, what, and its end."""
    return [tokenizer.vocabulary.speaker(utterance.speaker), *tokenizer.encode(utterance.text), END]


def render(tokenizer: Tokenizer, conversation: Example) -> Rendered:
    """A conversation from its start."""
    ids: list[int] = [tokenizer.vocabulary.scene]
    predicted: list[bool] = [False]
    for utterance, loss_mask in zip(conversation.turns, conversation.loss_mask, strict=True):
        turn = render_turn(tokenizer, utterance)
        ids += turn
        predicted += [False] + [loss_mask] * (len(turn) - 1)
    return Rendered(np.asarray(ids, dtype=np.int32), np.asarray(predicted, dtype=np.bool_))
