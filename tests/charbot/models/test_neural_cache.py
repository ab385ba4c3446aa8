import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from charbot.models.neural_cache import (
    LONGEST_MATCH,
    MAX_NLL,
    CacheDistribution,
    CacheEntries,
    NeuralCache,
    batch_entries,
    match_lengths,
    next_match_lengths,
)

IDS = torch.tensor([[3, 5, 3, -1], [4, -1, -1, 2]])


@pytest.fixture
def cache() -> NeuralCache:
    torch.manual_seed(0)
    cache = NeuralCache(16, 8)
    with torch.no_grad():
        for parameter in cache.parameters():
            parameter.normal_()
    return cache


def _opinion(cache: NeuralCache, visible: Tensor | None = None) -> CacheDistribution:
    held, nats = CacheEntries(torch.randn(2, 4, 8), IDS), torch.rand(2, 3, 4)
    seen = (IDS >= 0)[:, None].expand(2, 3, 4) if visible is None else visible
    with torch.no_grad():
        opinion: CacheDistribution = cache(torch.randn(2, 3, 16), held, seen, match_lengths(IDS, seen), nats, torch.rand(2, 3))
    return opinion


def test_model_and_cache_together_are_a_distribution(cache: NeuralCache) -> None:
    opinion = _opinion(cache)
    p = torch.rand(2, 3, 9).softmax(2)
    blended = opinion.to_vocab(9) + p * opinion.log_model_weight.exp()[..., None]
    torch.testing.assert_close(blended.sum(2), torch.ones(2, 3))
    assert (opinion.to_vocab(9).sum(2) > 0).all()
    for id_ in range(9):
        nats = opinion.mixture_nll(-p[..., id_].log(), (opinion.ids == id_)[:, None])
        torch.testing.assert_close((-nats).exp(), blended[..., id_])


def test_a_group_is_as_likely_as_its_members(cache: NeuralCache) -> None:
    opinion = _opinion(cache)
    p = torch.rand(2, 3, 9).softmax(2)
    group = torch.tensor([3, 4, 7])
    members = (opinion.to_vocab(9) + p * opinion.log_model_weight.exp()[..., None])[..., group].sum(2)
    nats = opinion.mixture_nll(-p[..., group].sum(2).log(), torch.isin(opinion.ids, group)[:, None])
    torch.testing.assert_close((-nats).exp(), members)


def test_what_is_not_visible_is_not_expected(cache: NeuralCache) -> None:
    visible = torch.zeros(2, 3, 4, dtype=torch.bool)
    visible[0, 1, :2] = visible[1, 0, 3] = True
    opinion = _opinion(cache, visible)
    spread = opinion.to_vocab(9)
    assert spread[0, 1, [3, 5]].min() > 0
    torch.testing.assert_close(spread[1, 0, 2], opinion.log_cache_weight[1, 0].exp())
    spread[0, 1, [3, 5]] = spread[1, 0, 2] = 0.0
    assert spread.sum() == 0, "nothing else, and nothing at all where nothing is visible"
    assert (opinion.mixture_nll(torch.ones(2, 3), torch.zeros(2, 1, 4, dtype=torch.bool))[0, 0] == 1).all()


def test_ids_beyond_those_asked_for_are_left_out(cache: NeuralCache) -> None:
    opinion = _opinion(cache)
    torch.testing.assert_close(opinion.to_vocab(4), opinion.to_vocab(9)[..., :4])


def test_keys_are_kept_exactly_in_half_precision(cache: NeuralCache) -> None:
    keys = cache.keys(torch.randn(5, 16), torch.randn(5, 16))
    assert (keys.half().float() == keys).all()
    (1e-9 * keys).sum().backward()
    assert cache.key.weight.grad is not None
    assert cache.key.weight.grad.abs().min() > 0, "what is rounded is not the gradient"


def test_what_several_hold_ends_at_the_same_place() -> None:
    one, other = (
        CacheEntries(torch.ones(1, 3, 2), torch.tensor([[1, 2, 3]])),
        CacheEntries(torch.ones(1, 1, 2), torch.tensor([[4]])),
    )
    together = batch_entries([one, other], 2, 1)
    assert together.ids.tolist() == [[1, 2, 3, -1]] * 2 + [[-1, -1, 4, -1]] * 2
    assert together.keys.shape == (4, 4, 2)
    assert together.keys[3].sum(1).tolist() == [0, 0, 2, 0]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20), st.integers(0, 3), st.data())
def test_what_came_after_the_same_ids_is_told(ids: list[int], empty: int, data: st.DataObject) -> None:
    held = torch.tensor([[-1] * empty + ids + [-1] * empty])
    first = data.draw(st.integers(0, len(ids)))
    last = data.draw(st.integers(first, len(ids)))
    visible = torch.zeros(1, 1, held.shape[1], dtype=torch.bool)
    visible[0, 0, empty + first : empty + last] = True
    found = match_lengths(held, visible)[0, 0].tolist()
    seen = ids[first:last]
    for place in range(len(seen)):
        before = seen[:place]
        length = 0
        while length < min(LONGEST_MATCH, len(before)) and before[-1 - length] == seen[-1 - length]:
            length += 1
        assert found[empty + first + place] == length


@given(st.lists(st.integers(0, 2), min_size=2, max_size=20), st.integers(1, 19))
def test_matches_go_on_as_ids_come(ids: list[int], first: int) -> None:
    held = torch.tensor([ids])
    known = min(first, len(ids))
    matched = match_lengths(held[:, :known], torch.ones(1, 1, known, dtype=torch.bool))[:, 0]
    for at in range(known, len(ids)):
        matched = next_match_lengths(matched, held[:, :at], held[:, at])
    torch.testing.assert_close(matched, match_lengths(held, torch.ones(1, 1, len(ids), dtype=torch.bool))[:, 0])


def test_what_came_after_the_same_ids_can_count_for_more(cache: NeuralCache) -> None:
    held = CacheEntries(torch.zeros(1, 5, 8), torch.tensor([[1, 2, 3, 1, 2]]))
    visible, nothing = torch.ones(1, 1, 5, dtype=torch.bool), torch.zeros(1, 1, 16)
    with torch.no_grad():
        cache.match.fill_(1)
        matched, nats = match_lengths(held.ids, visible), torch.zeros(1, 1, 5)
        shares = cache(nothing, held, visible, matched, nats, torch.zeros(1, 1)).log_shares[0, 0]
    assert (shares - shares[0]).tolist() == pytest.approx([0, 0, 2, 0, 0]), "after 1 and 2 there was a 3"


def test_what_the_model_expects_too_and_long_matches_can_be_trusted_more(cache: NeuralCache) -> None:
    with torch.no_grad():
        cache.gate.copy_(torch.tensor([0.0, 0, 0, 0, 0, 1]))
        cache.longest.copy_(torch.tensor([0.0, 0, 10, 0, 0, 0, 0]))

    def trust(ids: list[int], nats: float) -> float:
        held = CacheEntries(torch.zeros(1, len(ids), 8), torch.tensor([ids]))
        visible, expected = torch.ones(1, 1, len(ids), dtype=torch.bool), torch.full((1, 1, len(ids)), nats)
        with torch.no_grad():
            opinion = cache(torch.zeros(1, 1, 16), held, visible, match_lengths(held.ids, visible), expected, torch.zeros(1, 1))
        return float(opinion.log_cache_weight - opinion.log_model_weight)

    assert trust([1, 2, 3], 2) == pytest.approx(-2)
    assert trust([1, 2, 3], torch.inf) == pytest.approx(-MAX_NLL), "counts for no more"
    assert trust([1, 2, 3, 1, 2], 2) == pytest.approx(10 - 2)
