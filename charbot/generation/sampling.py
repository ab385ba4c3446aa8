"""Draws replies from a language model, those of many conversations in one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from charbot.errors import Cancelled
from charbot.models.language_model import MIN_PROB, LanguageModel, shifted_exp_
from charbot.models.neural_cache import WINDOW, CacheEntries, batch_entries, match_lengths, next_match_lengths
from charbot.models.state import DecoderState
from charbot.tokens.vocabulary import END, Vocabulary

SPOKEN = 8192
"""Replies are made of this many ids, the most frequent; rarer words they spell, if at all. A third of the shipped
bases' words, they make up 97 % of what is said, and a token costs half as long."""

_TRIES = 16
"""How often an id is drawn until one is in the nucleus; the likeliest is taken after that."""

_STRAGGLERS = 8
"""Of so many replies to a prompt, one is left unfinished: the last would take as long as all others together."""

_SPELLING = 0.3
"""How much cooler words are spelled than replies are drawn: names that were learnt come out whole, and what was not
learnt is no word at any higher temperature."""


_SETTLED = 0.7
"""How much cooler a reply goes on than it opens: its first words make it one of many, the others have to make sense of
them (Lee et al. 2022, "Factuality Enhanced Language Models", narrow the nucleus likewise)."""


@dataclass(frozen=True)
class SamplingParams:
    """How replies are drawn: how many, `temperature`, nucleus `top_p` (Holtzman et al. 2020), a bound on their tokens,
    and how many of these are their opening, which alone has the whole temperature."""

    count: int
    temperature: float
    top_p: float
    max_tokens: int
    opening: int


@dataclass(frozen=True)
class Prompt:
    """What replies are drawn after: the features (E,) and the state, of one reader, that a model has come to, and what
    its cache holds."""

    features: Tensor
    state: DecoderState
    held: CacheEntries


@dataclass(frozen=True)
class Drawn:
    """A reply: its ids without its end, -ln p of each and of the end, and whether it has one or was cut."""

    ids: tuple[int, ...]
    nats: tuple[float, ...]
    ended: bool


class _Grammar:
    """Which ids may follow which: none spells a byte (a model would seldom finish the character),
    words are spelled whole, and a reply is not empty."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        characters = list(vocabulary.character_ids.values())
        self.spelling = torch.zeros(min(SPOKEN, vocabulary.predicted), dtype=torch.bool)
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


class _Caches:
    """The cache of each reply in progress: it holds what was said before, and the reply's own ids."""

    def __init__(self, model: LanguageModel, prompts: Sequence[Prompt], sampling: SamplingParams) -> None:
        self.model = model
        self.held = batch_entries([one.held for one in prompts], sampling.count, sampling.max_tokens)
        self.length = self.held.ids.shape[1] - sampling.max_tokens
        said = self.held.ids[:: sampling.count, : self.length]
        self.matched = match_lengths(said, (said >= 0)[:, None])[:, 0].repeat_interleave(sampling.count, 0)

    def probabilities(self, features: Tensor, scores: Tensor) -> Tensor:
        """The probabilities (B, V) by model and cache of the ids that have `scores`, which they take the place of; none is
        nothing, for one of those that may follow has to be drawn."""
        shares, sums = shifted_exp_(scores)
        if self.model.cache is None:
            return shares.div_(sums[:, None]).clamp_(min=MIN_PROB)
        seen = slice(max(0, self.length - WINDOW), self.length)
        held = CacheEntries(self.held.keys[:, seen], self.held.ids[:, seen])
        # What is further back than the horizon matches nothing.
        matched = self.matched[:, seen].minimum(torch.arange(held.ids.shape[1]))
        there, likeliest = held.ids >= 0, sums.log()
        has_share = there & (held.ids < shares.shape[1])
        logs = shares.gather(1, held.ids.where(has_share, 0)).log_().where(has_share, -torch.inf)
        nats = likeliest[:, None] - logs
        opinion = self.model.cache(features[:, None], held, there[:, None], matched[:, None], nats[:, None], likeliest[:, None])
        shares.mul_(opinion.log_model_weight.exp() / sums[:, None])
        return shares.add_(opinion.to_vocab(shares.shape[1])[:, 0]).clamp_(min=MIN_PROB)

    def keep(self, features: Tensor, ids: Tensor) -> None:
        """Takes up the id that each reply goes on with, given the features before it."""
        if self.model.cache is not None:
            self.matched = next_match_lengths(self.matched, self.held.ids[:, : self.length], ids)
            self.held.keys[:, self.length] = self.model.keys(features, ids)
            self.held.ids[:, self.length] = ids
        self.length += 1

    def leave(self, going: Tensor) -> None:
        """Forgets the replies that do not go on."""
        self.held = CacheEntries(self.held.keys[going], self.held.ids[going])
        self.matched = self.matched[going]


def choose(shares: Tensor, uniform: Tensor, temperature: Tensor, top_p: float) -> Tensor:
    """An id for each row of shares (B, V), by numbers from [0, 1) (B, tries) and a temperature for each (B,).

    Drawn from the smallest set of the likeliest ids that make up `top_p`: from all of them, again where
    those that are likelier make up as much. To sort a vocabulary would take longer than a token's other work.
    """
    top, likeliest = shares.max(1, keepdim=True)
    masses = (shares / top).log_().div_(temperature[:, None]).exp_()
    sums = masses.cumsum(1)
    chosen = likeliest[:, 0]
    rows = torch.arange(len(shares))
    for numbers in uniform.unbind(1):
        # Rounding must not lead beyond the last id that has a share.
        drawn = torch.searchsorted(sums, numbers[rows, None] * sums[:, -1:], right=True).clamp_(max=shares.shape[1] - 1)
        mass = masses.gather(1, drawn)
        likelier = torch.where(masses > mass, masses, 0.0).sum(1)
        fits = (mass[:, 0] > 0) & (likelier < top_p * sums[:, -1])
        chosen[rows[fits]] = drawn[fits, 0]
        if fits.all():
            break
        rows, masses, sums = rows[~fits], masses[~fits], sums[~fits]
    return chosen


@torch.inference_mode()
def sample_replies(
    model: LanguageModel,
    vocabulary: Vocabulary,
    prompts: Sequence[Prompt],
    sampling: SamplingParams,
    generators: Sequence[torch.Generator],
    cancelled: Callable[[], bool] = lambda: False,
) -> list[list[Drawn]]:
    """`sampling.count` replies to each prompt, each prompt's chance being its own generator.

    Raises Cancelled as soon as `cancelled()` says so.
    """
    grammar = _Grammar(vocabulary)
    count, total = sampling.count, sampling.count * len(prompts)
    chances = torch.cat([torch.rand((sampling.max_tokens, count, _TRIES), generator=one) for one in generators], 1)
    features = torch.stack([one.features for one in prompts]).repeat_interleave(count, 0)
    state = DecoderState.stack([one.state for one in prompts]).repeat(count)
    caches = _Caches(model, prompts, sampling)
    ids: list[list[int]] = [[] for _ in range(total)]
    nats: list[list[float]] = [[] for _ in range(total)]
    ended = [False] * total
    settled = _SETTLED * sampling.temperature
    rows = torch.arange(total)
    previous = torch.full((total,), END)
    spelling = torch.zeros(total, dtype=torch.bool)
    for at in range(sampling.max_tokens):
        if cancelled():
            raise Cancelled
        shares = caches.probabilities(features, model.logits(features, SPOKEN))
        shares.masked_fill_(grammar.forbidden(previous, spelling, first=at == 0), 0.0)
        temperature = torch.where(spelling, _SPELLING, 1.0) * (sampling.temperature if at < sampling.opening else settled)
        chosen = choose(shares, chances[at, rows], temperature, sampling.top_p)
        costs = -shares.gather(1, chosen[:, None])[:, 0].log()
        for row, id_, cost in zip(rows.tolist(), chosen.tolist(), costs.tolist(), strict=True):
            nats[row].append(cost)
            if id_ == END:
                ended[row] = True
            else:
                ids[row].append(id_)
        going = chosen != END
        left = torch.bincount(rows[going] // count, minlength=len(prompts))
        going &= left[rows // count] > count // _STRAGGLERS
        if not going.all():
            # Finished replies leave the batch: most of a batch is short.
            rows, chosen, spelling, features = rows[going], chosen[going], spelling[going], features[going]
            caches.leave(going)
            state = state.select(going)
            if not len(rows):
                break
        if vocabulary.unit == "word":
            spelling = (spelling | grammar.opening[chosen]) & (chosen != vocabulary.spelled)
        previous = chosen
        caches.keep(features, chosen)
        features, state = model.step(chosen, state)
    drawn = [Drawn(tuple(one), tuple(costs), end) for one, costs, end in zip(ids, nats, ended, strict=True)]
    return [drawn[start : start + count] for start in range(0, total, count)]
