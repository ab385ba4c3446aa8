"""Fits the selector of a base (see charbot.models.response_selector). The base itself stays as it is."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from charbot.corpus.examples import full_example
from charbot.dialogue import Utterance
from charbot.evaluation.likelihood import read_conversations
from charbot.models.language_model import LanguageModel
from charbot.models.response_selector import TURNS, ResponseSelector
from charbot.tokens import Tokenizer
from charbot.tokens.render import render
from charbot.tokens.vocabulary import END
from trainer.optimizer import cosine_rates
from trainer.progress import ConsoleProgress

_ENOUGH = 5_000
"""Replies to learn from: with fewer, a selector would know those by heart, and nothing else."""

_ALL = 250_000
"""Replies of which it learns at the most."""

_EPOCHS = 3
_BATCH, _LEAST = 256, 32
"""Replies that are told from one another in a step, at the most and at the least."""
_RATE, _WEIGHT_RATE = 2e-3, 2e-2
_WARMUP_STEPS = 100
_AT_ONCE = 256
"""Scenes that are read together."""


@dataclass(frozen=True)
class _Turns:
    """The turns of scenes, end to end: the ids of what is said in each, the model's features (N, E) where it begins, who
    says it (N,), and how many turns of its scene come before (N,)."""

    texts: Sequence[Tensor]
    features: Tensor
    speakers: Tensor
    before: Tensor


def train_selector(
    model: LanguageModel, tokenizer: Tokenizer, scenes: Sequence[Sequence[Utterance]], size: int, seed: int,
    progress: ConsoleProgress,
) -> None:  # fmt: skip
    """Puts a selector into a model, whose encoders meet in `size` numbers, fitted to tell what answers the turns before
    from other lines of the same speaker, or of nobody in particular. Where there are few, the model does without; of many
    scenes it reads some."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    scenes = _some(scenes, chance)
    if sum(max(0, len(scene) - 1) for scene in scenes) < _ENOUGH:
        return
    model.requires_grad_(False)
    model.add_selector(size)
    assert model.selector is not None
    turns = _read(model, tokenizer, scenes)
    _fit(model, model.selector, turns, [_batches(turns, chance) for _ in range(_EPOCHS)], progress)
    model.requires_grad_(False)


def _some(scenes: Sequence[Sequence[Utterance]], chance: random.Random) -> list[Sequence[Utterance]]:
    """Scenes in another order, up to the one with which they hold _ALL replies."""
    shuffled = chance.sample(list(scenes), len(scenes))
    replies = accumulate(max(0, len(scene) - 1) for scene in shuffled)
    return [scene for scene, before in zip(shuffled, replies, strict=True) if before <= _ALL]


def _read(model: LanguageModel, tokenizer: Tokenizer, scenes: Sequence[Sequence[Utterance]]) -> _Turns:
    texts: list[Tensor] = []
    features, speakers, before = [], [], []
    for start in range(0, len(scenes), _AT_ONCE):
        rendered = [render(tokenizer, full_example(scene)) for scene in scenes[start : start + _AT_ONCE]]
        for read in (one for batch in read_conversations(model, rendered) for one in batch):
            ids = read.ids.clone()
            starts, ends = (ids >= tokenizer.vocabulary.anonymous).nonzero()[:, 0], (ids == END).nonzero()[:, 0]
            texts += [ids[first + 1 : last] for first, last in zip(starts.tolist(), ends.tolist(), strict=True)]
            features.append(read.features[starts].half())
            speakers.append(ids[starts])
            before.append(torch.arange(len(starts)))
    return _Turns(texts, torch.cat(features), torch.cat(speakers), torch.cat(before))


def _batches(turns: _Turns, chance: random.Random) -> list[Tensor]:
    """The numbers of all turns that answer another, shuffled, those of a speaker together: who talks is not to tell which
    reply is the true one. Of those who say little, several share a batch."""
    of: dict[int, list[int]] = {}
    for i in (turns.before > 0).nonzero()[:, 0].tolist():
        of.setdefault(int(turns.speakers[i]), []).append(i)
    few = [i for some in of.values() if len(some) < 2 * _LEAST for i in some]
    groups = [*(some for some in of.values() if len(some) >= 2 * _LEAST), few]
    for some in groups:
        chance.shuffle(some)
    batches = [some[start : start + _BATCH] for some in groups for start in range(0, len(some), _BATCH)]
    chance.shuffle(batches)
    return [torch.tensor(one) for one in batches if len(one) >= _LEAST]


def _fit(
    model: LanguageModel, selector: ResponseSelector, turns: _Turns, epochs: Sequence[Sequence[Tensor]], progress: ConsoleProgress
) -> None:
    counts = torch.bincount(torch.cat(list(turns.texts)), minlength=model.architecture.inputs)
    with torch.no_grad():
        # Rare words tell more: a first guess, for both encoders.
        selector.weights.copy_(3 - (counts + 5).log() / 2)
    others = [p for p in selector.parameters() if p is not selector.weights]
    optimizer = torch.optim.Adam([{"params": others, "lr": _RATE}, {"params": [selector.weights], "lr": _WEIGHT_RATE}])
    steps = sum(map(len, epochs))
    rates = cosine_rates(optimizer, _WARMUP_STEPS, steps)
    progress.on_start(0, steps)
    selector.train()
    nothing = torch.empty(0, dtype=torch.int64)
    for done, batch in enumerate((batch for epoch in epochs for batch in epoch), 1):
        at = batch.tolist()
        before = turns.before[batch].tolist()
        said = [
            model.bags([turns.texts[i - back] if back <= known else nothing for i, known in zip(at, before, strict=True)])
            for back in range(1, TURNS + 1)
        ]
        contexts = selector.encode_context(said, turns.features[batch].float())
        scores = selector.score(contexts, selector.encode_response(model.bags([turns.texts[i] for i in at])))
        true = torch.arange(len(at))
        loss = (cross_entropy(scores, true) + cross_entropy(scores.t(), true)) / 2
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        rates.step()
        progress.on_step(done, len(at), loss.item())
    selector.eval()
