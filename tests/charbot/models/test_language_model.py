import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from charbot.models.language_model import MIN_PROB, Cell, LanguageModel, linear_cross_entropy, token_nll
from charbot.models.neural_cache import CacheEntries, CacheQuery, match_lengths
from charbot.models.quantization import is_supported
from charbot.tokens.vocabulary import UNITS, Unit, Vocabulary
from tests.conftest import tiny_model


@pytest.fixture(params=["lstm", "gru", "rnn"])
def model(request: pytest.FixtureRequest, vocabularies: dict[str, Vocabulary]) -> LanguageModel:
    return tiny_model(vocabularies["word"], cell=request.param)


@given(rows=st.integers(1, 600), outputs=st.integers(1, 40), seed=st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_sliced_cross_entropy_is_cross_entropy(rows: int, outputs: int, seed: int) -> None:
    torch.manual_seed(seed)
    parameters = [torch.randn(rows, 8), torch.randn(outputs, 8), torch.randn(outputs)]
    targets = torch.randint(0, outputs, (rows,))
    ours = [p.clone().requires_grad_() for p in parameters]
    theirs = [p.clone().requires_grad_() for p in parameters]
    loss = linear_cross_entropy(ours[0], ours[1], ours[2], targets)
    expected = torch.nn.functional.cross_entropy(torch.nn.functional.linear(theirs[0], theirs[1], theirs[2]), targets)
    torch.testing.assert_close(loss, expected)
    (3 * loss).backward()
    (3 * expected).backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-5, rtol=1e-4)


def test_cross_entropy_by_bfloat16_products_is_nearly_the_same() -> None:
    torch.manual_seed(0)
    parameters = [torch.randn(300, 64), torch.randn(900, 64) / 8, torch.randn(900)]
    targets = torch.randint(0, 900, (300,))
    exact, near = ([p.clone().requires_grad_() for p in parameters] for _ in range(2))
    loss = linear_cross_entropy(exact[0], exact[1], exact[2], targets)
    rounded = linear_cross_entropy(near[0], near[1], near[2], targets, torch.bfloat16)
    assert rounded.dtype == torch.float32
    assert 0 < abs(rounded.item() - loss.item()) < 0.01
    loss.backward()
    rounded.backward()
    for a, b in zip(exact, near, strict=True):
        assert a.grad is not None
        assert b.grad is not None
        assert 0 < (a.grad - b.grad).norm() < 0.01 * a.grad.norm()


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16])
def test_the_loss_of_what_was_thought_impossible_is_finite(products: torch.dtype, flush: bool) -> None:
    torch.set_flush_denormal(flush)
    try:
        features, weight = torch.tensor([[400.0]], requires_grad=True), torch.tensor([[1.0], [-1.0]], requires_grad=True)
        loss = linear_cross_entropy(features, weight, torch.zeros(2), torch.tensor([1]), products)
        loss.backward()
    finally:
        torch.set_flush_denormal(False)
    assert 80 < loss.item() < 1000
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_a_frozen_weight_gets_no_gradient() -> None:
    features, weight, bias = torch.randn(5, 4, requires_grad=True), torch.randn(7, 4), torch.zeros(7, requires_grad=True)
    linear_cross_entropy(features, weight, bias, torch.arange(5)).backward()
    assert features.grad is not None
    assert weight.grad is None


def test_probabilities_sum_to_one(model: LanguageModel) -> None:
    ids = torch.randint(0, model.architecture.inputs, (6, 3))
    with torch.inference_mode():
        features, _ = model(ids)
        total = model.logits(features).softmax(-1).sum(-1)
    torch.testing.assert_close(total, torch.ones(6, 3))


def test_reading_in_steps_is_reading_at_once(model: LanguageModel) -> None:
    ids = torch.randint(0, model.architecture.inputs, (9, 2))
    with torch.inference_mode():
        whole, end = model(ids)
        first, state = model(ids[:4])
        second, state = model(ids[4:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(state, end)


def test_beside_a_cache_scores_may_be_less_sure(model: LanguageModel) -> None:
    features = torch.randn(5, 16)
    with torch.no_grad():
        before = model.logits(features)
        model.add_cache(8)
        assert model.cache is not None
        torch.testing.assert_close(model.logits(features), before)
        model.cache.logit_scale.fill_(0.5)
        torch.testing.assert_close(model.logits(features), before / 2)


def test_token_nats_are_minus_log_probabilities(model: LanguageModel) -> None:
    torch.manual_seed(0)
    features, targets = torch.randn(300, 16), torch.randint(0, model.architecture.outputs, (300,))
    expected = torch.nn.functional.cross_entropy(model.logits(features), targets, reduction="none")
    scores = model.logits(features).detach()
    log_p, mass = scores.log_softmax(1), scores.logsumexp(1)
    group = torch.arange(model.architecture.outputs) % 3 == 0
    expected_of_group = -log_p[:, group].logsumexp(1)
    torch.testing.assert_close(
        token_nll(model, features, targets, group), torch.stack((expected.detach(), expected_of_group, -log_p.amax(1), mass))
    )
    assert token_nll(model, features[:0], targets[:0]).shape == (3, 0)
    ids = torch.tensor([[3, 5, 3, -1], [4, -1, -1, 2]])
    with torch.no_grad():
        nats = model.entry_nll(features[:6].view(2, 3, 16), ids, mass[:6].view(2, 3), vocab_limit=5)
    for row, place, held in ((0, 2, 0), (0, 0, 2), (1, 1, 3)):
        assert float(nats[row, place, held]) == pytest.approx(-float(log_p[3 * row + place, ids[row, held]]), rel=1e-4)
    assert nats[0, 0, 1] == torch.inf, "not among those that can be said"


@pytest.mark.parametrize("limit", [None, 6])
def test_mixed_probabilities_and_likelihoods_agree(model: LanguageModel, limit: int | None) -> None:
    """Whether all probabilities are asked for or those of single ids and groups, of many places at once or of each alone."""
    model.add_cache(8)
    assert model.cache is not None
    for parameter in model.cache.parameters():
        torch.nn.init.normal_(parameter)
    torch.nn.init.constant_(model.cache.logit_scale, 0.8)
    features = torch.randn(2, 3, 16)
    ids = torch.tensor([[3, 5, 3, 4], [4, -1, 7, 2]])
    entries = CacheEntries(torch.randn(2, 4, 8), ids)
    visible = (ids >= 0)[:, None] & (torch.arange(4) <= torch.arange(3)[:, None])
    query = CacheQuery(features, entries, visible, match_lengths(ids, visible))
    with torch.no_grad():
        scores = model.logits(features, limit)
        alone = scores.softmax(2)
        torch.testing.assert_close(model.mixed_probs(scores.clone(), None), alone)
        mixed = model.mixed_probs(scores, query)
        assert not torch.isclose(mixed, alone).all()
        group = torch.arange(alone.shape[2]) % 3 == 0
        for id_ in range(alone.shape[2]):
            targets = torch.full((2, 3), id_)
            nats = token_nll(model, features.view(6, 16), targets.view(6), None if limit else group, limit).view(-1, 2, 3)
            own, *of_group = model.mixed_nll(nats, query, targets, None if limit else group, limit).neg().exp()
            torch.testing.assert_close(own, mixed[..., id_])
            if not limit:
                torch.testing.assert_close(of_group[0], mixed[..., group].sum(2))


def test_no_probability_is_zero(model: LanguageModel) -> None:
    model.add_cache(8)
    ids, visible = torch.tensor([[2]]), torch.ones(1, 1, 1, dtype=torch.bool)
    query = CacheQuery(torch.randn(1, 1, 16), CacheEntries(torch.randn(1, 1, 8), ids), visible, match_lengths(ids, visible))
    with torch.no_grad():
        for asked in (None, query):
            assert model.mixed_probs(torch.tensor([[[0.0, -1000.0, 0.0]]]), asked).min() == MIN_PROB


def test_dropout_is_locked_in_time_and_off_when_replying(model: LanguageModel) -> None:
    model.dropout = 0.5
    x = torch.ones(5, 4, 64)
    model.train()
    dropped = model._drop(x)
    assert (dropped == dropped[0]).all()
    assert 0 < (dropped[0] == 0).float().mean() < 1
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    model.eval()
    assert (model._drop(x) == x).all()


def test_forget_gates_start_open(vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies["char"], layers=2)
    for layer in range(2):
        assert (getattr(model.recurrent, f"bias_ih_l{layer}")[32:64] == 1).all()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("unit", UNITS)
def test_a_step_is_what_reading_on_by_one_token_is(cell: Cell, unit: Unit, vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies[unit], layers=2, cell=cell)
    ids = torch.randint(0, len(vocabularies[unit]), (7, 3), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        features, after = model(ids)
        _, before = model(ids[:-1])
        stepped, state = model.step(ids[-1], before)
    torch.testing.assert_close(stepped, features[-1])
    for one, other in zip(state, after, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.skipif(not is_supported(), reason="torch multiplies no matrices of 8 bits on this machine")
def test_a_quantised_model_finds_nearly_the_same(vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies["word"], layers=2)
    ids = torch.randint(0, model.architecture.inputs, (9, 2))
    with torch.inference_mode():
        features, end = model(ids)
        expected = model.logits(features, 20).log_softmax(-1)
        model.quantize(20)
        found, state = model(ids[:8])
        torch.testing.assert_close(model.logits(found, 20).log_softmax(-1), expected[:8], atol=0.05, rtol=0.02)
        last, state = model.step(ids[8], state)
        torch.testing.assert_close(model.logits(last, 20).log_softmax(-1), expected[8], atol=0.05, rtol=0.02)
        torch.testing.assert_close(state, end, atol=0.05, rtol=0.02)
        for limit in (20, None):
            scores, exact = model.logits(last, limit), model.logits(last, 21 if limit else len(model.output_weight) + 1)
            torch.testing.assert_close(scores, exact[:, : scores.shape[1]], atol=0.05, rtol=0.02)
            assert not torch.equal(scores, exact[:, : scores.shape[1]]), "not quantised"


def test_other_cells_are_not_quantised(vocabularies: dict[str, Vocabulary]) -> None:
    model = tiny_model(vocabularies["char"], cell="gru")
    ids = torch.randint(0, model.architecture.inputs, (9, 2))
    with torch.inference_mode():
        expected = model.logits(model(ids)[0], 20)
        model.quantize(20)
        assert torch.equal(model.logits(model(ids)[0], 20), expected)
