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

GROUPS = [
    ["more tea", "tea please", "a cup of tea"],
    ["where is my mug", "my mug is gone", "lost my mug"],
    ["good night", "sleep well", "off to bed"],
    ["hello there", "good morning", "hi"],
]


def test_messages_that_mean_the_same_come_near_each_other(
    vocabularies: dict[str, Vocabulary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer.message_encoder, "_STEPS", 80)
    model = tiny_model(vocabularies["word"], seed=1)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with ConsoleProgress("messages", Console(quiet=True)) as progress:
        train_message_encoder(model, tokenizer_for(vocabularies["word"]), GROUPS, 8, 1, progress)
    assert model.architecture.messages == 8
    after = model.state_dict()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items()), "the base is frozen"
    encoded = Engine("", model, tokenizer_for(vocabularies["word"])).encode_openings(
        [message for group in GROUPS for message in group], "Ann"
    )
    assert encoded is not None
    similarity = (encoded @ encoded.t()).fill_diagonal_(-1)
    nearest = similarity.argmax(1) // 3
    assert (nearest == torch.arange(12) // 3).float().mean() > 0.8
