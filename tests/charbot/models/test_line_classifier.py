import torch

from charbot.models.line_classifier import LineClassifier


def _classifier(dropout: float = 0.0) -> LineClassifier:
    torch.manual_seed(1)
    model = LineClassifier(torch.randn(40, 8), classes=3, hidden=6, buckets=512, dropout=dropout)
    torch.nn.init.normal_(model.deep)
    torch.nn.init.normal_(model.wide.weight)
    model.rarity.fill_(1.0)
    return model.eval()


def test_scores_are_log_probabilities_and_the_same_alone_and_side_by_side() -> None:
    model = _classifier()
    lines = [[1, 2, 3], [3, 2, 1], [7, 7, 7]]
    scores = model.scores([*lines, [5]])
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(4))
    features, _ = model(torch.tensor(lines).T)
    together = torch.nn.functional.linear(features[0], model.output_weight, model.bias).log_softmax(1)
    torch.testing.assert_close(scores[:3], together)


def test_the_order_of_words_matters_to_both_halves() -> None:
    model = _classifier()
    ids = torch.tensor([[1, 2, 3], [3, 2, 1]]).T
    features, _ = model(ids)
    assert (features[0, 0] != features[0, 1]).all()
    found = model.buckets(ids)
    assert found.shape == (2 * 3 + 1, 2)
    assert set(found[:3, 0].tolist()) == set(found[:3, 1].tolist()), "the same words"
    assert set(found[3:, 0].tolist()) != set(found[3:, 1].tolist()), "other pairs"


def test_buckets_are_used_evenly() -> None:
    found = _classifier().buckets(torch.arange(40).repeat(40, 1).reshape(40, 40))
    assert len(torch.unique(found[:40])) >= 37


def test_a_line_is_read_whole_before_a_name_is_said() -> None:
    model = _classifier()
    features, _ = model(torch.tensor([[1], [2], [3]]))
    assert (features[0] == features[2]).all()
