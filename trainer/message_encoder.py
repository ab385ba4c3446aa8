"""Training of a base's message encoder (see charbot.models.message_encoder). The base itself is frozen."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding_bag, normalize

from charbot.generation.engine import Engine
from charbot.models.language_model import LanguageModel
from charbot.text import words
from charbot.tokens import Tokenizer
from charbot.tokens.vocabulary import Vocabulary
from trainer.progress import ConsoleProgress

_STEPS, _RATE = 1_200, 2e-3
_GROUPS = 256
"""Number of groups in a batch, in which each is a negative example for the others."""

_WORD_DROPOUT = 0.15


def train_message_encoder(
    model: LanguageModel,
    tokenizer: Tokenizer,
    vectors: Tensor,
    groups: Sequence[Sequence[str]],
    size: int,
    seed: int,
    progress: ConsoleProgress,
) -> None:
    """Add a message encoder with encodings of `size` numbers to a model, and train it.

    It learns to tell a message that means the same, one of the same group (of at least two), from messages of other groups: a
    weight of each word, and a projection of what is known of it, its vector (of `vectors` (V, D), those of the vocabulary's
    first V `bare_words`) and its embedding in the language model.
    """
    torch.manual_seed(seed)
    chance = random.Random(seed)
    model.requires_grad_(False)
    model.add_message_encoder(len(vectors), size)
    encoder = model.message_encoder
    assert encoder is not None
    known = torch.cat([vectors, _embeddings(model, tokenizer.vocabulary)[: len(vectors)]], dim=1)
    weights = torch.zeros(len(known), requires_grad=True)
    projection = (torch.randn(known.shape[1], size) * known.shape[1] ** -0.5).requires_grad_()
    scale = torch.tensor(2.5, requires_grad=True)
    engine = Engine("", model, tokenizer)
    optimizer = torch.optim.Adam([weights, projection, scale], lr=_RATE)
    rates = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, _STEPS)
    progress.on_start(0, _STEPS)

    def encoded(messages: Sequence[str]) -> Tensor:
        rows, starts = engine.word_bags(messages)
        kept = weights[rows].exp() * (torch.rand(len(rows)) >= _WORD_DROPOUT)
        return normalize(embedding_bag(rows, known, starts, mode="sum", per_sample_weights=kept) @ projection, dim=1)

    for step in range(1, _STEPS + 1):
        chosen = chance.sample(groups, min(_GROUPS, len(groups)))
        some, others = zip(*(chance.sample(group, 2) for group in chosen), strict=True)
        scores = scale.exp() * encoded(some) @ encoded(others).t()
        true = torch.arange(len(scores))
        loss = (cross_entropy(scores, true) + cross_entropy(scores.t(), true)) / 2
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        rates.step()
        progress.on_step(step, len(scores), loss.item())
    with torch.no_grad():
        encoder.vectors.copy_(weights.exp()[:, None] * known @ projection)
    model.requires_grad_(False)


def _embeddings(model: LanguageModel, vocabulary: Vocabulary) -> Tensor:
    """Return the embeddings (V, E), of length 1, of the vocabulary's `bare_words`, each that of its most frequent spelling."""
    ids: dict[str, int] = {}
    for word, id_ in vocabulary.word_ids.items():
        for bare in words(word):
            ids.setdefault(bare, id_)
    return normalize(model.embedding.weight[[ids[bare] for bare in vocabulary.bare_words]], dim=1)
