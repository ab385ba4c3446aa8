import pytest
import torch
from rich.console import Console

from charbot.dialogue import Utterance
from charbot.models.language_model import LanguageModel
from charbot.models.response_selector import TURNS
from charbot.tokens import tokenizer_for
from charbot.tokens.vocabulary import Vocabulary, build_vocabulary
from tests.conftest import tiny_model
from trainer.progress import ConsoleProgress
from trainer.response_selector import train_selector

KINDS = ("tea", "cake", "soup", "bread")


def _scenes(count: int) -> list[list[Utterance]]:
    """Who is asked for something says its colour, whatever its size: that is all there is to learn."""
    colours = dict(zip(KINDS, ("green", "white", "red", "brown"), strict=True))
    sizes = ("big", "small", "long")
    return [
        [
            Utterance("Ann", f"{sizes[i % 3]} {KINDS[i % 4]} please"),
            Utterance("Bob", f"here is {colours[KINDS[i % 4]]} {sizes[i // 3 % 3]}"),
        ]
        for i in range(count)
    ]


def _fitted(monkeypatch: pytest.MonkeyPatch, enough: int = 10) -> tuple[LanguageModel, Vocabulary]:
    monkeypatch.setattr("trainer.response_selector._ENOUGH", enough)
    monkeypatch.setattr("trainer.response_selector._BATCH", 64)
    monkeypatch.setattr("trainer.response_selector._EPOCHS", 12)
    scenes = _scenes(2_400)
    vocabulary = build_vocabulary(
        "word", [(turn.text, 1) for scene in scenes for turn in scene], ["Ann", "Bob"], min_characters=1, min_words=1
    )
    model = tiny_model(vocabulary).eval()
    train_selector(model, tokenizer_for(vocabulary), scenes, 16, 1, ConsoleProgress("", Console(quiet=True)))
    return model, vocabulary


@pytest.mark.slow
def test_a_selector_learns_what_answers_what(monkeypatch: pytest.MonkeyPatch) -> None:
    model, vocabulary = _fitted(monkeypatch)
    before = dict(tiny_model(vocabulary).named_parameters())
    selector, encode = model.selector, tokenizer_for(vocabulary).encode
    assert selector is not None
    assert not selector.training
    assert model.architecture.selector == 16

    def ids(text: str) -> torch.Tensor:
        return torch.tensor(encode(text), dtype=torch.int64)

    replies = selector.encode_response(
        model.bags([ids(f"here is {colour} big") for colour in ("green", "white", "red", "brown")])
    )
    for place, kind in enumerate(KINDS):
        turns = [model.bags([ids(f"small {kind} please" if back == 0 else "")]) for back in range(TURNS)]
        features = torch.zeros(1, model.architecture.embedding)
        assert int(selector.score(selector.encode_context(turns, features), replies).argmax()) == place
    for name, p in model.named_parameters():
        assert not p.requires_grad
        assert name.startswith("selector.") or torch.equal(p, before[name]), "the base stays as it is"


def test_few_replies_make_no_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = _fitted(monkeypatch, enough=2_401)
    assert model.selector is None
    assert model.architecture.selector == 0
