"""Training of a base's response selector (see charbot.models.response_selector). The base itself is frozen."""

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
"""Minimum number of replies: with fewer, a selector would only memorise them."""

_ALL = 250_000
"""Maximum number of replies to train on."""

_EPOCHS = 3
_BATCH, _LEAST = 256, 32
"""Maximum and minimum number of replies in a batch, in which each is a negative example for the others."""
_RATE, _WEIGHT_RATE = 2e-3, 2e-2
_WARMUP_STEPS = 100
_AT_ONCE = 256
"""Number of scenes that are read together."""


@dataclass(frozen=True)
class _Turns:
    """The N turns of all scenes, in order."""

    texts: Sequence[Tensor]
    """The ids of each turn, without speaker and END."""
    features: Tensor
    """(N, E), half precision: the language model's features where the text begins."""
    speakers: Tensor
    """(N,): speaker ids."""
    before: Tensor
    """(N,): number of turns before it in its scene."""


def train_selector(
    model: LanguageModel, tokenizer: Tokenizer, scenes: Sequence[Sequence[Utterance]], size: int, seed: int,
    progress: ConsoleProgress,
) -> None:  # fmt: skip
    """Add a response selector with encodings of `size` numbers to a model, and train it.

    It learns to tell the reply that follows the turns before from other replies, of the same speaker as far as possible. If
    there are fewer than _ENOUGH replies, no selector is added; of many scenes, only some are read.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    scenes = _sample(scenes, rng)
    if sum(max(0, len(scene) - 1) for scene in scenes) < _ENOUGH:
        return
    model.requires_grad_(False)
    model.add_selector(size)
    assert model.selector is not None
    turns = _read(model, tokenizer, scenes)
    _fit(model, model.selector, turns, [_batches(turns, rng) for _ in range(_EPOCHS)], progress)
    model.requires_grad_(False)


def _sample(scenes: Sequence[Sequence[Utterance]], rng: random.Random) -> list[Sequence[Utterance]]:
    """Return scenes in random order, as many as hold at most _ALL replies."""
    shuffled = rng.sample(list(scenes), len(scenes))
    replies = accumulate(max(0, len(scene) - 1) for scene in shuffled)
    return [scene for scene, before in zip(shuffled, replies, strict=True) if before <= _ALL]


def _read(model: LanguageModel, tokenizer: Tokenizer, scenes: Sequence[Sequence[Utterance]]) -> _Turns:
    """Return the turns of scenes, with the language model's features."""
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


def _batches(turns: _Turns, rng: random.Random) -> list[Tensor]:
    """Return shuffled batches of the indices of all turns that follow another.

    The turns of a batch have the same speaker, so that the speaker does not reveal which reply is the true one; only speakers
    with few turns share batches.
    """
    of: dict[int, list[int]] = {}
    for i in (turns.before > 0).nonzero()[:, 0].tolist():
        of.setdefault(int(turns.speakers[i]), []).append(i)
    few = [i for group in of.values() if len(group) < 2 * _LEAST for i in group]
    groups = [*(group for group in of.values() if len(group) >= 2 * _LEAST), few]
    for group in groups:
        rng.shuffle(group)
    batches = [group[start : start + _BATCH] for group in groups for start in range(0, len(group), _BATCH)]
    rng.shuffle(batches)
    return [torch.tensor(one) for one in batches if len(one) >= _LEAST]


def _fit(
    model: LanguageModel, selector: ResponseSelector, turns: _Turns, epochs: Sequence[Sequence[Tensor]], progress: ConsoleProgress
) -> None:
    counts = torch.bincount(torch.cat(list(turns.texts)), minlength=model.architecture.inputs)
    with torch.no_grad():
        # Start with higher weights for rare words, in both encoders.
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
