"""Training of a base's message encoder (see charbot.models.message_encoder). The base itself is frozen."""

import random
from collections.abc import Sequence

import torch
from torch.nn.functional import cross_entropy

from charbot.dialogue import Utterance, prepare_turns
from charbot.generation.engine import Engine
from charbot.models.language_model import LanguageModel
from charbot.tokens import Tokenizer
from trainer.progress import ConsoleProgress

_STEPS, _RATE = 600, 2e-3
_GROUPS = 256
"""Number of groups in a batch, in which each is a negative example for the others."""

_AT_ONCE = 128


def train_message_encoder(
    model: LanguageModel,
    tokenizer: Tokenizer,
    groups: Sequence[Sequence[str]],
    size: int,
    seed: int,
    progress: ConsoleProgress,
) -> None:
    """Add a message encoder with encodings of `size` numbers to a model, and train it.

    It learns to tell a message that means the same, one of the same group (of at least two), from messages of other groups.
    """
    torch.manual_seed(seed)
    chance = random.Random(seed)
    model.requires_grad_(False)
    model.add_message_encoder(size)
    encoder = model.message_encoder
    assert encoder is not None
    messages = [prepare_turns([Utterance(None, message)])[0].text for group in groups for message in group]
    features = _features(Engine("", model, tokenizer), messages, chance)
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    features = (features - mean) / deviation
    ids = [torch.tensor(tokenizer.encode(message)) for message in messages]
    members = _members(groups)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=_RATE)
    rates = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, _STEPS)
    progress.on_start(0, _STEPS)
    encoder.train()
    for step in range(1, _STEPS + 1):
        chosen = chance.sample(members, min(_GROUPS, len(members)))
        pairs = [chance.sample(group, 2) for group in chosen]
        encoded = [encoder(model.bags([ids[i] for i in side]), features[list(side)]) for side in zip(*pairs, strict=True)]
        scores = encoder.logit_scale.exp() * encoded[0] @ encoded[1].t()
        true = torch.arange(len(scores))
        loss = (cross_entropy(scores, true) + cross_entropy(scores.t(), true)) / 2
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        rates.step()
        progress.on_step(step, len(scores), loss.item())
    encoder.eval()
    with torch.no_grad():
        # From here on the encoder reads features as they are.
        encoder.features.weight.div_(deviation)
        encoder.features.bias.sub_(encoder.features.weight @ mean)
    model.requires_grad_(False)


def _features(engine: Engine, messages: Sequence[str], chance: random.Random) -> torch.Tensor:
    """Return the language model's features (N, E) after each message, where some speaker's reply begins."""
    speakers = [None, *engine.tokenizer.vocabulary.speakers]
    order = sorted(range(len(messages)), key=lambda i: len(messages[i]))
    features = torch.zeros(len(messages), engine.model.architecture.embedding)
    for start in range(0, len(order), _AT_ONCE):
        rows = order[start : start + _AT_ONCE]
        encoded = engine.prefill([((Utterance(None, messages[i]),), None) for i in rows])
        prompts = engine.begin_turn(encoded, chance.choice(speakers))
        features[rows] = torch.stack([prompt.features for prompt in prompts])
    return features


def _members(groups: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the numbers of each group's messages, counted over all groups."""
    members, first = [], 0
    for group in groups:
        members.append(list(range(first, first + len(group))))
        first += len(group)
    return members
