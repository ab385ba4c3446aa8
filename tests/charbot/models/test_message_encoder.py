import torch

from charbot.models.message_encoder import MessageEncoder
from charbot.models.response_selector import Bags


def _bags(*texts: list[int]) -> Bags:
    ids = torch.tensor([id_ for text in texts for id_ in text], dtype=torch.int64)
    starts = torch.tensor([sum(map(len, texts[:i])) for i in range(len(texts))])
    table = torch.nn.functional.normalize(torch.randn(9, 4, generator=torch.Generator().manual_seed(3)), dim=1)
    return Bags(ids, starts, table[ids])


def test_a_message_is_encoded_as_a_direction_that_no_other_message_changes() -> None:
    torch.manual_seed(0)
    encoder = MessageEncoder(9, 4, 8).eval()
    texts: list[list[int]] = [[1, 2], [3], []]
    features = torch.randn(3, 4)
    encoded = encoder(_bags(*texts), features)
    assert encoded.shape == (3, 8)
    torch.testing.assert_close(encoded.norm(dim=1), torch.ones(3))
    for row, text in enumerate(texts):
        torch.testing.assert_close(encoder(_bags(text), features[row : row + 1])[0], encoded[row])


def test_words_count_by_their_weights_and_in_no_order() -> None:
    torch.manual_seed(0)
    encoder = MessageEncoder(9, 4, 8).eval()
    nothing = torch.zeros(1, 4)
    torch.testing.assert_close(encoder(_bags([1, 2]), nothing), encoder(_bags([2, 1]), nothing))
    with torch.no_grad():
        encoder.features.bias.zero_()
        encoder.weights[0, 2] = -30.0
    torch.testing.assert_close(encoder(_bags([1, 2]), nothing), encoder(_bags([1]), nothing))


def test_training_leaves_something_out() -> None:
    torch.manual_seed(0)
    encoder = MessageEncoder(9, 4, 8).train()
    bags, features = _bags([1, 2, 3, 4]), torch.ones(1, 4)
    assert not torch.equal(encoder(bags, features), encoder(bags, features))
