import pytest
import torch

import charbot.models.attention
from charbot.models.language_model import Architecture, LanguageModel
from charbot.models.state import DecoderState

SCENE = 50
"""The first id that is read and never predicted begins a conversation."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> LanguageModel:
    monkeypatch.setattr(charbot.models.attention, "SPAN", 12)
    torch.manual_seed(0)
    model = LanguageModel(Architecture(SCENE + 4, SCENE, 16, 32, 1, attention=8)).eval().requires_grad_(False)
    assert model.attention is not None
    torch.nn.init.normal_(model.attention.distance)
    return model


def _conversations() -> torch.Tensor:
    ids = torch.randint(0, SCENE, (40, 3))
    ids[0] = SCENE
    ids[17, 1] = ids[25, 0] = SCENE
    return ids


@pytest.mark.parametrize("cuts", [(1, 2, 9, 30), (12, 13), tuple(range(1, 40))])
def test_what_is_read_in_parts_is_read_as_at_once(model: LanguageModel, cuts: tuple[int, ...]) -> None:
    ids = _conversations()
    whole, end = model(ids)
    state, parts = None, []
    for part in torch.tensor_split(ids, cuts):
        features, state = model(part, state)
        parts.append(features)
    # Sums of single precision: in another order they differ by as much, of values of about 1.
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-4, atol=1e-4)
    for one, other in zip(state or (), end, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_a_token_at_a_time_is_the_same(model: LanguageModel) -> None:
    ids = _conversations()
    state = model.initial_state(3)
    for at, features in enumerate(model(ids)[0]):
        one, state = model.step(ids[at], state)
        torch.testing.assert_close(one, features)


def test_only_the_last_tokens_of_a_conversation_are_seen(model: LanguageModel) -> None:
    """Without the LSTMs' states, what an id does to the attention ends with the span and with the conversation."""
    assert model.attention is not None
    x = torch.randn(40, 1, 32)
    begins = torch.zeros(40, 1, dtype=torch.bool)
    begins[30] = True
    before = model.attention(x, begins, model.initial_state(1))[0]
    for changed in (5, 29):
        x = x.clone()
        x[changed] += 1
        after = model.attention(x, begins, model.initial_state(1))[0]
        differs = [at for at in range(40) if not torch.allclose(before[at], after[at])]
        assert differs == list(range(changed, min(30, changed + 12)))
        before = after


def test_readers_do_not_see_what_pads_them(model: LanguageModel) -> None:
    ids = _conversations()
    states = [model(ids[:length, [column]])[1] for column, length in enumerate((3, 11, 20))]
    features, _ = model.step(ids[30], DecoderState.stack(states))
    for column, state in enumerate(states):
        torch.testing.assert_close(features[[column]], model.step(ids[30, [column]], state)[0])
        torch.testing.assert_close(features[[column]], model.step(ids[30].repeat(2)[[column]], state.repeat(1))[0])


def test_gradients_reach_what_was_said(model: LanguageModel) -> None:
    model.requires_grad_(True).train()
    model(_conversations())[0][-1].sum().backward()
    assert model.attention is not None
    for parameter in model.attention.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0
