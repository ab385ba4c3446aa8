"""Draws replies from a language model, those of many conversations in one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from charbot.models.language_model import LanguageModel, State
from charbot.tokens.vocabulary import END, Vocabulary

_MOST = 256
"""Ids that are drawn from: the likeliest. To sort a whole vocabulary takes longer than all else that a token costs."""

_SPELLING = 0.3
"""How much cooler words are spelled than replies are drawn: names that were learnt come out whole, and what was not
learnt is no word at any higher temperature."""


class Cancelled(Exception):  # noqa: N818 (not an error: somebody asked for it)
    """The reply is no longer wanted."""


@dataclass(frozen=True)
class Sampling:
    """How replies are drawn: how many, `temperature`, nucleus `top_p` (Holtzman et al. 2020), a bound on their tokens."""

    count: int
    temperature: float
    top_p: float
    max_tokens: int


@dataclass(frozen=True)
class Prompt:
    """What replies are drawn after: the features (E,) and the state, of one reader, that a model has come to."""

    features: Tensor
    state: State


@dataclass(frozen=True)
class Drawn:
    """A reply: its ids without its end, -ln p of each and of the end, and whether it has one or was cut."""

    ids: tuple[int, ...]
    nats: tuple[float, ...]
    ended: bool


def repeated(states: Sequence[State], times: int) -> State:
    """States side by side, each as many times, one after the other."""
    hidden, cell, places = (torch.cat(parts, 1).repeat_interleave(times, 1) for parts in zip(*states, strict=True))
    return hidden, cell, places


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

    def forbidden(self, previous: Tensor, spelling: Tensor, *, first: bool) -> Tensor:
        """(B, V) what may not follow `previous` (B,), given which rows are inside a spelling (B,)."""
        outside = self.speaking if first else self.ending
        allowed = torch.where(spelling[:, None], self.spelling, outside)
        if self.vocabulary.unit == "word":
            # Nothing is spelled in no characters at all.
            allowed[self.opening[previous], self.vocabulary.spelled] = False
        return ~allowed


def choose(scores: Tensor, uniform: Tensor, temperature: Tensor, top_p: float) -> Tensor:
    """An id for each row of scores (B, V), by a number from [0, 1) and a temperature for each (B,).

    Drawn from the smallest set of the likeliest ids that make up `top_p` of what the _MOST likeliest have.
    """
    best, ids = scores.topk(min(_MOST, scores.shape[1]), 1)
    shares = (best / temperature[:, None]).softmax(1).cumsum(1)
    kept = ((shares < top_p).sum(1, keepdim=True)).clamp(max=shares.shape[1] - 1)
    wanted = uniform[:, None] * shares.gather(1, kept)
    place = (shares <= wanted).sum(1, keepdim=True).minimum(kept)
    return ids.gather(1, place)[:, 0]


@torch.inference_mode()
def sample_replies(
    model: LanguageModel,
    vocabulary: Vocabulary,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    generators: Sequence[torch.Generator],
    cancelled: Callable[[], bool] = lambda: False,
) -> list[list[Drawn]]:
    """`sampling.count` replies to each prompt, each prompt's chance being its own generator.

    Raises Cancelled as soon as `cancelled()` says so.
    """
    grammar = _Grammar(vocabulary)
    count, total = sampling.count, sampling.count * len(prompts)
    chances = torch.cat([torch.rand((sampling.max_tokens, count), generator=one) for one in generators], 1)
    features = torch.stack([one.features for one in prompts]).repeat_interleave(count, 0)
    state = repeated([one.state for one in prompts], count)
    ids: list[list[int]] = [[] for _ in range(total)]
    nats: list[list[float]] = [[] for _ in range(total)]
    ended = [False] * total
    rows = torch.arange(total)
    previous = torch.full((total,), END)
    spelling = torch.zeros(total, dtype=torch.bool)
    for at in range(sampling.max_tokens):
        if cancelled():
            raise Cancelled
        scores = model.logits(features)
        mass = scores.logsumexp(1)
        scores.masked_fill_(grammar.forbidden(previous, spelling, first=at == 0), -torch.inf)
        temperature = torch.where(spelling, _SPELLING, 1.0) * sampling.temperature
        chosen = choose(scores, chances[at, rows], temperature, sampling.top_p)
        costs = mass - scores.gather(1, chosen[:, None])[:, 0]
        for row, id_, cost in zip(rows.tolist(), chosen.tolist(), costs.tolist(), strict=True):
            nats[row].append(cost)
            if id_ == END:
                ended[row] = True
            else:
                ids[row].append(id_)
        going = chosen != END
        if not going.all():
            # Finished replies leave the batch: most of a batch is short.
            rows, chosen, spelling = rows[going], chosen[going], spelling[going]
            state = (state[0][:, going], state[1][:, going], state[2][:, going])
            if not len(rows):
                break
        if vocabulary.unit == "word":
            spelling = (spelling | grammar.opening[chosen]) & (chosen != vocabulary.spelled)
        previous = chosen
        features, state = model.step(chosen, state)
    drawn = [Drawn(tuple(one), tuple(costs), end) for one, costs, end in zip(ids, nats, ended, strict=True)]
    return [drawn[start : start + count] for start in range(0, total, count)]
