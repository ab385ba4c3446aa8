"""Training of a base's neural cache (see charbot.models.neural_cache). The base itself is frozen."""

import random
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from charbot.corpus.examples import Example, full_example
from charbot.dialogue import Utterance
from charbot.evaluation.likelihood import cache_queries, likelihood, read_conversations
from charbot.models.language_model import LanguageModel, token_nll
from charbot.models.neural_cache import LONGEST_MATCH, MASKED, MAX_NLL, CacheQuery, NeuralCache, target_mask
from charbot.tokens import Tokenizer
from charbot.tokens.render import render
from trainer.optimizer import cosine_rates
from trainer.progress import ConsoleProgress

_TURNS = 8
"""Number of turns per training conversation: a chat seldom refers further back."""

_CONVERSATIONS = 16_000
"""Maximum number of training conversations: a second epoch over half as many lowered the loss by only 0.2 %."""

_AT_ONCE = 64
_IN_A_STEP = 4
_RATE, _GATE_RATE = 2e-4, 5e-3
_WARMUP_STEPS = 30
_GATE_STEPS = 60

_LOGIT_SCALES = (1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94)
_SOME = 3
"""One in this many held-out conversations is used to choose the logit scale."""


def train_cache(
    model: LanguageModel,
    tokenizer: Tokenizer,
    train: Sequence[Sequence[Utterance]],
    valid: Sequence[Example],
    size: int,
    seed: int,
    progress: ConsoleProgress,
) -> None:
    """Add a cache with keys of `size` numbers to a model, and train it.

    It is trained on `train`, scenes that the model was trained on. Its gate, match bonuses and logit scale are then fitted to
    `valid`, because the model is overconfident on its training scenes. If either is empty, no cache is added.
    """
    rng = random.Random(seed)
    conversations = [full_example(piece) for scene in train for piece in _pieces(scene, rng)]
    rng.shuffle(conversations)
    if not conversations or not valid:
        return
    torch.manual_seed(seed)
    model.requires_grad_(False)
    model.add_cache(size)
    assert model.cache is not None
    _fit_keys(model, model.cache, tokenizer, conversations[:_CONVERSATIONS], progress)
    # The best logit scale depends on the gate, and the gate on the scale.
    _fit_gate(model, model.cache, tokenizer, valid)
    _choose_logit_scale(model, model.cache, tokenizer, valid[::_SOME])
    _fit_gate(model, model.cache, tokenizer, valid)
    model.requires_grad_(False)


def _pieces(scene: Sequence[Utterance], rng: random.Random) -> list[Sequence[Utterance]]:
    """Return a scene cut into pieces of at least two and at most _TURNS turns, the first of random length."""
    cuts = [0, *range(rng.randint(2, _TURNS), len(scene), _TURNS), len(scene)]
    return [scene[start:end] for start, end in pairwise(cuts) if end - start > 1]


def _queries(
    model: LanguageModel, tokenizer: Tokenizer, conversations: Sequence[Example]
) -> Iterator[list[tuple[Tensor, Tensor, CacheQuery]]]:
    """Yield, per conversation, its parts: N targets (1, N), what `token_nll` returns of them (3, 1, N), and the cache's query."""
    for start in range(0, len(conversations), _AT_ONCE):
        rendered = [render(tokenizer, one) for one in conversations[start : start + _AT_ONCE]]
        for read in (one for batch in read_conversations(model, rendered) for one in batch):
            nats = token_nll(model, read.features[read.places], read.targets)
            yield [(read.targets[None, part], nats[:, None, part], query) for part, query in cache_queries(model, read)]


def _fit_keys(
    model: LanguageModel, cache: NeuralCache, tokenizer: Tokenizer, conversations: Sequence[Example], progress: ConsoleProgress
) -> None:
    """Train the whole cache, except the logit scale, for one epoch."""
    cache.requires_grad_(True)
    matrices = [p for p in cache.parameters() if p.ndim == 2]
    others = [p for p in cache.parameters() if p.ndim == 1]
    optimizer = torch.optim.Adam([{"params": matrices, "lr": _RATE}, {"params": others, "lr": _GATE_RATE}])
    steps = -(-len(conversations) // _IN_A_STEP)
    rates = cosine_rates(optimizer, _WARMUP_STEPS, steps)
    progress.on_start(0, steps)
    asked = _queries(model, tokenizer, conversations)
    for done in range(1, steps + 1):
        nats = torch.cat([
            model.mixed_nll(alone, query, targets)[0, 0]
            for parts in islice(asked, _IN_A_STEP)
            for targets, alone, query in parts
        ])  # fmt: skip
        loss = nats.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        rates.step()
        progress.on_step(done, len(nats), loss.item())


def _choose_logit_scale(model: LanguageModel, cache: NeuralCache, tokenizer: Tokenizer, conversations: Sequence[Example]) -> None:
    """Set the logit scale to that with the lowest loss on `conversations`, given the rest of the cache."""

    def nats(logit_scale: float) -> float:
        cache.logit_scale.data.fill_(logit_scale)
        return likelihood(model, tokenizer, conversations).nats

    cache.logit_scale.data.fill_(min(_LOGIT_SCALES, key=nats))


def _fit_gate(model: LanguageModel, cache: NeuralCache, tokenizer: Tokenizer, conversations: Sequence[Example]) -> None:
    """Fit the match bonuses and the gate with L-BFGS.

    Both depend on the entries only through sums and maxima over those with equal match lengths, which are computed once.
    """
    known: list[tuple[Tensor, ...]] = []
    with torch.no_grad():
        for targets, alone, query in (part for parts in _queries(model, tokenizer, conversations) for part in parts):
            features, entries, (visible,), (matched,) = query
            own, likeliest, mass = alone[:, 0]
            (nats,) = model.entry_nll(features, entries.ids, mass[None])
            scores = cache.compare(features, entries, visible[None])[0]
            hit, nats = target_mask(entries.ids, targets)[0], nats.clamp(max=MAX_NLL)
            alike = [scores.masked_fill((matched != length) | ~visible, MASKED) for length in range(LONGEST_MATCH + 1)]
            masses, found, tops, surprise = (
                torch.stack(parts, 1)
                for parts in (
                    [one.logsumexp(1) for one in alike],
                    [one.masked_fill(~hit, MASKED).logsumexp(1) for one in alike],
                    [one.amax(1) for one in alike],
                    [(one.softmax(1) * nats).sum(1) for one in alike],
                )
            )
            longest = matched.where(visible, 0).amax(1)
            seen = visible.any(1)
            known.append(tuple(part[seen] for part in (own, likeliest, visible.sum(1), masses, found, tops, surprise, longest)))
    own, likeliest, count, masses, found, tops, surprise, longest = (torch.cat(parts) for parts in zip(*known, strict=True))
    fitted = [cache.match, cache.gate, cache.longest]
    match, gate, at_longest = (nn.Parameter(part.detach().clone()) for part in fitted)
    optimizer = torch.optim.LBFGS([match, gate, at_longest], max_iter=_GATE_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        worth = cache.match_bonus(match)
        mass = (masses + worth).logsumexp(1)
        shares = (masses + worth - mass[:, None]).exp()
        facts = cache.gate_features(mass, (tops + worth).amax(1), count, (shares * surprise).sum(1), likeliest)
        weight = facts @ gate + at_longest[longest]
        held = (found + worth).logsumexp(1) - mass
        nats = -torch.logaddexp(logsigmoid(weight) + held, logsigmoid(-weight) - own).mean()
        nats.backward()  # type: ignore[no-untyped-call]
        return nats

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for part, new in zip(fitted, (match, gate, at_longest), strict=True):
            part.copy_(new)
