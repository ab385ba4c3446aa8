"""Samples replies from a language model, for many conversations in one batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from charbot.errors import Cancelled
from charbot.models.language_model import LanguageModel
from charbot.models.neural_cache import WINDOW, CacheEntries, CacheQuery, batch_entries, match_lengths, next_match_lengths
from charbot.models.state import DecoderState
from charbot.tokens.vocabulary import END, Vocabulary

REPLY_VOCABULARY = 8192
"""Size of the reply vocabulary, the most frequent ids; rarer words can only be spelled. It has a third of the shipped bases'
words, which make up 97 % of all words said, and halves the time per token."""

_MAX_DRAWS = 16
"""Maximum draws per token until one is in the nucleus; after that the likeliest id is taken."""

_STRAGGLERS = 8
"""Up to one in this many replies to a prompt is left unfinished: the last would take as long as all others together."""

_SPELLING_SCALE = 0.3
"""Factor of the temperature inside spelled words: learnt names come out correct, and at higher temperatures the rest would
hardly ever be words."""


_LATER_SCALE = 0.7
"""Factor of the temperature after the opening of a reply: the first words provide variety, the others have to make sense
(Lee et al. 2022, "Factuality Enhanced Language Models", narrow the nucleus likewise)."""


@dataclass(frozen=True)
class SamplingParams:
    """How replies are sampled."""

    count: int
    """Replies per prompt."""
    temperature: float
    top_p: float
    """Probability mass of the nucleus (Holtzman et al. 2020)."""
    max_tokens: int
    opening: int
    """Tokens at the start of a reply that are sampled at the full temperature."""


@dataclass(frozen=True)
class Prompt:
    """A model's position in one conversation, from which replies are sampled."""

    features: Tensor
    """(E,), from which the next token is predicted."""
    state: DecoderState
    entries: CacheEntries
    """Entries of the neural cache."""


@dataclass(frozen=True)
class Sample:
    """A sampled reply."""

    ids: tuple[int, ...]
    """Without END."""
    nats: tuple[float, ...]
    """-ln p of each id, and of END if it was reached."""
    end_nats: tuple[float, ...]
    """-ln p of END at the place of each of `nats`; infinite before the first id, because no reply is empty."""
    ended: bool
    """Whether END was reached; if not, the reply was cut."""


class _TokenConstraints:
    """Constraints on which ids may follow: no bytes (a model would seldom complete the character), no spelled words that are
    empty or incomplete, no empty replies."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        characters = list(vocabulary.character_ids.values())
        self.spelling = torch.zeros(min(REPLY_VOCABULARY, vocabulary.predicted), dtype=torch.bool)
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
        """Return a mask (B, V) of ids that may not follow `previous` (B,); `spelling` (B,) marks rows inside a spelled word."""
        outside = self.speaking if first else self.ending
        allowed = torch.where(spelling[:, None], self.spelling, outside)
        if self.vocabulary.unit == "word":
            # A spelled word has at least one character.
            allowed[self.opening[previous], self.vocabulary.spelled] = False
        return ~allowed


class _Caches:
    """Neural caches of the replies in progress: entries of the conversation and of the reply itself."""

    def __init__(self, model: LanguageModel, prompts: Sequence[Prompt], sampling: SamplingParams) -> None:
        self.model = model
        self.entries = batch_entries([prompt.entries for prompt in prompts], sampling.count, sampling.max_tokens)
        self.length = self.entries.ids.shape[1] - sampling.max_tokens
        said = self.entries.ids[:: sampling.count, : self.length]
        self.matched = match_lengths(said, (said >= 0)[:, None])[:, 0].repeat_interleave(sampling.count, 0)

    def query(self, features: Tensor) -> CacheQuery | None:
        """Return the query for the next ids, given the features (B, E) before them; None if the model has no cache."""
        if self.model.cache is None:
            return None
        seen = slice(max(0, self.length - WINDOW), self.length)
        entries = CacheEntries(self.entries.keys[:, seen], self.entries.ids[:, seen])
        # Matches must not reach back beyond the window.
        matched = self.matched[:, seen].minimum(torch.arange(entries.ids.shape[1]))
        return CacheQuery(features[:, None], entries, (entries.ids >= 0)[:, None], matched[:, None])

    def append(self, features: Tensor, ids: Tensor) -> None:
        """Add the next id of each reply, given the features before it."""
        if self.model.cache is not None:
            self.matched = next_match_lengths(self.matched, self.entries.ids[:, : self.length], ids)
            self.entries.keys[:, self.length] = self.model.keys(features, ids)
            self.entries.ids[:, self.length] = ids
        self.length += 1

    def select(self, unfinished: Tensor) -> None:
        """Keep only the rows of replies that continue."""
        self.entries = CacheEntries(self.entries.keys[unfinished], self.entries.ids[unfinished])
        self.matched = self.matched[unfinished]


def sample_top_p(probs: Tensor, uniform: Tensor, temperature: Tensor, top_p: float) -> Tensor:
    """Sample an id (B,) from the nucleus (top-p) of each row of probabilities (B, V).

    `uniform` (B, tries) are random numbers from [0, 1), `temperature` (B,) is that of each row. This is rejection sampling:
    draw from all ids, and again if the likelier ones make up `top_p` already. Sorting the vocabulary would take longer than
    the rest of a decoding step.
    """
    top, likeliest = probs.max(1, keepdim=True)
    scaled = (probs / top).log_().div_(temperature[:, None]).exp_()
    sums = scaled.cumsum(1)
    chosen = likeliest[:, 0]
    rows = torch.arange(len(probs))
    for numbers in uniform.unbind(1):
        # Rounding must not lead beyond the last id.
        drawn = torch.searchsorted(sums, numbers[rows, None] * sums[:, -1:], right=True).clamp_(max=probs.shape[1] - 1)
        mass = scaled.gather(1, drawn)
        likelier = torch.where(scaled > mass, scaled, 0.0).sum(1)
        accepted = (mass[:, 0] > 0) & (likelier < top_p * sums[:, -1])
        chosen[rows[accepted]] = drawn[accepted, 0]
        if accepted.all():
            break
        rows, scaled, sums = rows[~accepted], scaled[~accepted], sums[~accepted]
    return chosen


@torch.inference_mode()
def sample_replies(
    model: LanguageModel,
    vocabulary: Vocabulary,
    prompts: Sequence[Prompt],
    sampling: SamplingParams,
    generators: Sequence[torch.Generator],
    cancelled: Callable[[], bool] = lambda: False,
) -> list[list[Sample]]:
    """Return `sampling.count` replies to each prompt, sampled with the prompt's own generator.

    Raises Cancelled as soon as `cancelled()` returns True.
    """
    constraints = _TokenConstraints(vocabulary)
    count, total = sampling.count, sampling.count * len(prompts)
    shape = sampling.max_tokens, count, _MAX_DRAWS
    uniform = torch.cat([torch.rand(shape, generator=generator) for generator in generators], 1)
    features = torch.stack([prompt.features for prompt in prompts]).repeat_interleave(count, 0)
    state = DecoderState.stack([prompt.state for prompt in prompts]).repeat(count)
    caches = _Caches(model, prompts, sampling)
    ids: list[list[int]] = [[] for _ in range(total)]
    nats, end_nats = ([list[float]() for _ in range(total)] for _ in range(2))
    ended = [False] * total
    rows, previous = torch.arange(total), torch.full((total,), END)
    spelling = torch.zeros(total, dtype=torch.bool)
    for position in range(sampling.max_tokens):
        if cancelled():
            raise Cancelled
        probs = model.mixed_probs(model.logits(features, REPLY_VOCABULARY)[:, None], caches.query(features))[:, 0]
        probs.masked_fill_(constraints.forbidden(previous, spelling, first=position == 0), 0.0)
        temperature = sampling.temperature * (1.0 if position < sampling.opening else _LATER_SCALE)
        temperatures = torch.where(spelling, _SPELLING_SCALE, 1.0) * temperature
        chosen = sample_top_p(probs, uniform[position, rows], temperatures, sampling.top_p)
        costs, end_costs = (-probs.gather(1, ids_[:, None])[:, 0].log() for ids_ in (chosen, torch.full_like(chosen, END)))
        for row, id_, cost, end_cost in zip(rows.tolist(), chosen.tolist(), costs.tolist(), end_costs.tolist(), strict=True):
            nats[row].append(cost)
            end_nats[row].append(end_cost)
            if id_ == END:
                ended[row] = True
            else:
                ids[row].append(id_)
        unfinished = chosen != END
        left = torch.bincount(rows[unfinished] // count, minlength=len(prompts))
        unfinished &= left[rows // count] > count // _STRAGGLERS
        if not unfinished.all():
            # Remove finished replies from the batch: most are short.
            rows, chosen, spelling, features = rows[unfinished], chosen[unfinished], spelling[unfinished], features[unfinished]
            caches.select(unfinished)
            state = state.select(unfinished)
            if not len(rows):
                break
        if vocabulary.unit == "word":
            spelling = (spelling | constraints.opening[chosen]) & (chosen != vocabulary.spelled)
        previous = chosen
        caches.append(features, chosen)
        features, state = model.step(chosen, state)
    drawn = [
        Sample(tuple(reply), tuple(costs), tuple(end_costs), end)
        for reply, costs, end_costs, end in zip(ids, nats, end_nats, ended, strict=True)
    ]
    return [drawn[start : start + count] for start in range(0, total, count)]
