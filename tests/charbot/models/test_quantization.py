import pytest
import torch
from torch import nn

from charbot.models.quantization import ByteTable, QuantizedLinear, QuantizedLSTM, is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="torch multiplies no matrices of 8 bits on this machine")


def _rows(*sizes: int) -> torch.Tensor:
    return torch.randn(sizes, generator=torch.Generator().manual_seed(3))


def test_a_product_is_nearly_that_of_float32() -> None:
    weight, bias, x = _rows(70, 90), _rows(70), 40 * _rows(5, 3, 90)
    exact = nn.functional.linear(x, weight, bias)
    found = QuantizedLinear(weight, bias)(x)
    assert found.shape == exact.shape
    assert (found - exact).norm() < 0.02 * exact.norm()


def test_a_row_depends_on_no_other() -> None:
    quantised, x = QuantizedLinear(_rows(70, 90)), _rows(33, 90)
    x[7] *= 1000
    together = quantised(x)
    for row, expected in zip(x, together, strict=True):
        assert torch.equal(quantised(row[None])[0], expected)


def test_the_largest_numbers_do_not_overflow() -> None:
    ones = torch.ones(4, 512)
    assert QuantizedLinear(ones)(ones) == pytest.approx(torch.full((4, 4), 512.0), rel=1e-3)
    assert QuantizedLinear(ones)(-ones) == pytest.approx(torch.full((4, 4), -512.0), rel=1e-3)


def test_weights_that_were_stored_in_8_bits_are_kept_so_and_others_as_they_are() -> None:
    scales = _rows(1500, 1).abs() / 1000
    levels = (_rows(1500, 90) * 40).round().clamp(-127, 127)
    levels[:, 3], levels[7] = 127, 0
    weight = levels * scales
    table = ByteTable.of(weight)
    assert table is not None
    assert table.levels.dtype == torch.int8
    assert torch.equal(table[torch.arange(1500)], weight)
    assert torch.equal(table[slice(20)], weight[:20])
    assert ByteTable.of(_rows(1500, 90)) is None


def test_nothing_is_nothing() -> None:
    assert torch.equal(QuantizedLinear(torch.zeros(3, 4))(_rows(2, 4)), torch.zeros(2, 3))
    assert torch.equal(QuantizedLinear(_rows(3, 4))(torch.zeros(2, 4)), torch.zeros(2, 3))


def test_an_lstm_is_nearly_that_of_float32() -> None:
    lstm = nn.LSTM(24, 32, 2).eval()
    x, state = _rows(12, 5, 24), (_rows(2, 5, 32).tanh(), _rows(2, 5, 32))
    with torch.inference_mode():
        expected, (hidden, cell) = lstm(x, state)
        found, (after, held) = QuantizedLSTM(lstm)(x, state)
    torch.testing.assert_close(found, expected, atol=0.03, rtol=0.03)
    torch.testing.assert_close(after, hidden, atol=0.03, rtol=0.03)
    torch.testing.assert_close(held, cell, atol=0.03, rtol=0.03)
    assert torch.equal(found[-1], after[-1])
