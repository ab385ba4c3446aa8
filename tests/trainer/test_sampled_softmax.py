import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from charbot.models.language_model import linear_cross_entropy
from trainer.sampled_softmax import shortlist


@given(outputs=st.integers(1, 60), head=st.integers(0, 20), sample=st.integers(0, 80), seed=st.integers(0, 5))
@settings(deadline=None)
def test_a_shortlist_holds_the_head_and_the_targets(outputs: int, head: int, sample: int, seed: int) -> None:
    torch.manual_seed(seed)
    targets = torch.randint(0, outputs, (9,))
    listed = shortlist(targets, outputs, head, sample)
    assert len(listed.ids.unique()) == len(listed.ids)
    assert (listed.ids[listed.targets] == targets).all()
    exact = {*range(min(head, outputs)), *targets.tolist()}
    assert exact <= set(listed.ids.tolist())
    assert len(listed.ids) == min(outputs, len(exact) + sample)
    # Each sampled id stands for as many as were left out: together, for the whole vocabulary.
    if sample:
        torch.testing.assert_close(listed.correction.exp().sum(), torch.tensor(float(outputs)))


def test_the_estimate_is_close_to_the_whole_softmax() -> None:
    torch.manual_seed(0)
    features, weight, bias = torch.randn(200, 8), 0.3 * torch.randn(4000, 8), torch.zeros(4000)
    targets = torch.randint(0, 4000, (200,))
    exact = linear_cross_entropy(features, weight, bias, targets)
    losses = []
    for _ in range(20):
        listed = shortlist(targets, 4000, 100, 400)
        losses.append(linear_cross_entropy(features, weight[listed.ids], bias[listed.ids] + listed.correction, listed.targets))
    torch.testing.assert_close(torch.stack(losses).mean(), exact, atol=0.01, rtol=0)
