import torch

from charbot.models.message_encoder import MessageEncoder


def _encoder() -> MessageEncoder:
    torch.manual_seed(0)
    encoder = MessageEncoder(9, 8)
    torch.nn.init.normal_(encoder.vectors)
    return encoder


def _bags(*texts: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    words = torch.tensor([word for text in texts for word in text], dtype=torch.int64)
    return words, torch.tensor([sum(map(len, texts[:i])) for i in range(len(texts))])


def test_a_message_is_encoded_as_a_direction_that_no_other_message_changes() -> None:
    encoder = _encoder().eval()
    texts: list[list[int]] = [[1, 2], [3], []]
    encoded = encoder(*_bags(*texts))
    assert encoded.shape == (3, 8)
    torch.testing.assert_close(encoded.norm(dim=1), torch.tensor([1.0, 1.0, 0.0]))
    for row, text in enumerate(texts):
        torch.testing.assert_close(encoder(*_bags(text))[0], encoded[row])


def test_vectors_in_8_bits_give_the_same_encodings() -> None:
    encoder = _encoder().eval()
    encoder.vectors.data = (encoder.vectors * 40).round().clamp(-127, 127) / 8
    encoder.vectors.data[:, 0] = 127 / 8
    bags = _bags([1, 2, 5], [], [3, 3])
    before = encoder(*bags)
    encoder.quantize()
    assert encoder.vectors is None
    assert torch.equal(encoder(*bags), before)


def test_words_count_by_the_length_of_their_vectors_and_in_no_order() -> None:
    encoder = _encoder().eval()
    torch.testing.assert_close(encoder(*_bags([1, 2])), encoder(*_bags([2, 1])))
    with torch.no_grad():
        encoder.vectors[2] *= 1e-6
    torch.testing.assert_close(encoder(*_bags([1, 2])), encoder(*_bags([1])))
