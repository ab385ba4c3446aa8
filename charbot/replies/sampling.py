"""Draws replies from a language model, many in one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from charbot.models.language_model import LanguageModel
from charbot.tokens.vocabulary import END, Vocabulary


class Cancelled(Exception):  # noqa: N818 (not an error: somebody asked for it)
    """The reply is no longer wanted."""


@dataclass(frozen=True)
class Sampling:
    """How replies are drawn: `temperature`, nucleus `top_p` (Holtzman et al. 2020), a bound on their tokens."""

    temperature: float
    top_p: float
    max_tokens: int


class _Grammar:
    """Which ids may follow which: none spells a byte (a model would seldom finish the character),
    words are spelled whole, and a reply is not empty."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        characters = list(vocabulary.character_ids.values())
        self.spelling = torch.zeros(vocabulary.predicted, dtype=torch.bool)
        self.spelling[characters] = True
        self.speaking, self.opening = torch.zeros_like(self.spelling), torch.zeros_like(self.spelling)
        if vocabulary.unit == "char":
            self.speaking[characters] = True
        else:
            self.spelling[vocabulary.spelled] = True
            self.opening[[vocabulary.spell, vocabulary.spaced]] = True
            self.speaking[vocabulary.first_word :] = True
            self.speaking |= self.opening
        self.ending = self.speaking.clone()
        self.ending[END] = True

    def allowed(self, previous: Tensor, spelling: Tensor, *, first: bool) -> Tensor:
        """(B, V) what may follow `previous` (B,), given which rows are inside a spelling (B,)."""
        outside = self.speaking if first else self.ending
        allowed = torch.where(spelling[:, None], self.spelling, outside)
        if self.vocabulary.unit == "word":
            # Nothing is spelled in no characters at all.
            allowed[self.opening[previous], self.vocabulary.spelled] = False
        return allowed


def _nucleus(probabilities: Tensor, top_p: float) -> Tensor:
    """Probabilities (B, V) with all but the likeliest ids that make up `top_p` set to zero."""
    if top_p >= 1:
        return probabilities
    ordered, order = probabilities.sort(dim=1, descending=True)
    before = ordered.cumsum(1) - ordered
    ordered[before >= top_p] = 0
    return torch.zeros_like(probabilities).scatter_(1, order, ordered)


@torch.inference_mode()
def sample_replies(
    model: LanguageModel,
    vocabulary: Vocabulary,
    prompt: Sequence[int],
    count: int,
    sampling: Sampling,
    generator: torch.Generator,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[list[int]]:
    """`count` replies to a prompt, each as the ids up to its end, without it.

    Raises Cancelled as soon as `cancelled()` says so.
    """
    grammar = _Grammar(vocabulary)
    features, state = model(torch.tensor(prompt)[:, None])
    state = tuple(part.repeat_interleave(count, 1) for part in state)
    features = features[-1].expand(count, -1)
    replies: list[list[int]] = [[] for _ in range(count)]
    rows = torch.arange(count)
    previous = torch.full((count,), END)
    spelling = torch.zeros(count, dtype=torch.bool)
    for step in range(sampling.max_tokens):
        if cancelled():
            raise Cancelled
        scores = model.logits(features) / sampling.temperature
        scores = scores.masked_fill(~grammar.allowed(previous, spelling, first=step == 0), -torch.inf)
        chosen = torch.multinomial(_nucleus(scores.softmax(1), sampling.top_p), 1, generator=generator)[:, 0]
        going = chosen != END
        if not going.all():
            # Finished replies leave the batch: most of a batch is short.
            rows, chosen, spelling = rows[going], chosen[going], spelling[going]
            state = tuple(part[:, going] for part in state)
            if not len(rows):
                break
        for row, id_ in zip(rows.tolist(), chosen.tolist(), strict=True):
            replies[row].append(id_)
        if vocabulary.unit == "word":
            spelling = (spelling | grammar.opening[chosen]) & (chosen != vocabulary.spelled)
        previous = chosen
        features, state = model(chosen[None], state)
        features = features[0]
    return replies
