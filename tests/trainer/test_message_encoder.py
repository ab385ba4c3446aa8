import pytest
import torch
from rich.console import Console

import trainer.message_encoder
from charbot.generation.engine import Engine
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import Vocabulary
from tests.conftest import tiny_model
from trainer.message_encoder import train_message_encoder
from trainer.progress import ConsoleProgress


def test_messages_that_mean_the_same_come_near_each_other(
    vocabularies: dict[str, Vocabulary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer.message_encoder, "_STEPS", 300)
    known = vocabularies["word"].bare_words
    groups = [[f"{a} {b}", f"{b} {c}", f"{c} {a}"] for a, b, c in zip(known[:12:3], known[1:12:3], known[2:12:3], strict=True)]
    model = tiny_model(vocabularies["word"], seed=1)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    vectors = torch.randn(len(known), 16, generator=torch.Generator().manual_seed(1))
    with ConsoleProgress("messages", Console(quiet=True)) as progress:
        train_message_encoder(model, tokenizer_for(vocabularies["word"]), vectors, groups, 8, 1, progress)
    assert (model.architecture.messages, model.architecture.word_vectors) == (8, len(known))
    after = model.state_dict()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items()), "the base is frozen"
    encoded = Engine("", model, tokenizer_for(vocabularies["word"])).encode_messages(
        [message for group in groups for message in group]
    )
    assert encoded is not None
    similarity = (encoded @ encoded.t()).fill_diagonal_(-1)
    nearest = similarity.argmax(1) // 3
    assert (nearest == torch.arange(12) // 3).float().mean() > 0.8
