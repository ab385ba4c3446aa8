import torch

from charbot.speakers.bilstm import BiLSTMSpeakerEncoder


def _reader() -> BiLSTMSpeakerEncoder:
    torch.manual_seed(1)
    model = BiLSTMSpeakerEncoder(torch.randn(40, 8), classes=3, hidden=6)
    torch.nn.init.normal_(model.output_weight)
    return model.eval()


def test_scores_are_log_probabilities_and_the_same_alone_and_side_by_side() -> None:
    model = _reader()
    lines = [[1, 2, 3], [3, 2, 1], [7, 7, 7]]
    scores = model.scores([*lines, [5]])
    torch.testing.assert_close(scores.logsumexp(1), torch.zeros(4))
    features, _ = model(torch.tensor(lines).T)
    together = torch.nn.functional.linear(features[0], model.output_weight, model.bias).log_softmax(1)
    torch.testing.assert_close(scores[:3], together)


def test_the_order_of_words_matters() -> None:
    features, _ = _reader()(torch.tensor([[1, 2, 3], [3, 2, 1]]).T)
    assert (features[0, 0] != features[0, 1]).all()


def test_a_line_is_read_whole_before_a_name_is_said() -> None:
    features, _ = _reader()(torch.tensor([[1], [2], [3]]))
    assert (features[0] == features[2]).all()
