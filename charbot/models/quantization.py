"""Matrices of 8-bit whole numbers: with few rows at a time, a product takes as long as the matrix takes to be read."""

import warnings
from functools import cache

import torch
from torch import Tensor, nn

_LEVELS, _ZERO = 63, 64
"""Rows are rounded to 7 bits, of -63 to 63 and stored above zero: the sum of two products with 8 bits then fits in the
16 that processors without VNNI add them up in."""


class QuantizedLinear(nn.Module):
    """A linear map of rows, (..., K) to (..., N), with a weight of 8 bits and a scale for each output.

    Each row is rounded by its own largest number (Jacob et al. 2018, "Quantization and Training of Neural Networks for
    Efficient Integer-Arithmetic-Only Inference", have one for all): what becomes of it depends on no other row.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """Rounds a weight (N, K). Raises RuntimeError or AttributeError where torch cannot: see `works`."""
        super().__init__()
        self.bias = None if bias is None else bias.detach()
        weight = weight.detach().contiguous()
        scales = weight.abs().amax(1).clamp_(min=torch.finfo(weight.dtype).tiny).double() / 127
        with warnings.catch_warnings():
            # torch is to lose its types of quantised numbers one day, and has nothing as fast in their place.
            warnings.simplefilter("ignore")
            rounded = torch.quantize_per_channel(weight, scales, torch.zeros(len(weight), dtype=torch.int64), 0, torch.qint8)
            self._packed = torch.ops.quantized.linear_prepack(rounded, None)

    def forward(self, x: Tensor) -> Tensor:
        largest = x.abs().amax(-1, keepdim=True).clamp_(min=torch.finfo(x.dtype).tiny)
        product: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            x / largest, 1 / _LEVELS, _ZERO, self._packed
        )
        product.mul_(largest)
        return product if self.bias is None else product.add_(self.bias)


class QuantizedLSTM(nn.Module):
    """What an `nn.LSTM` computes, without dropout or gradients, with matrices of 8 bits."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self._layers = [
            (QuantizedLinear(of_x, bias + more_bias), QuantizedLinear(of_hidden))
            for of_x, of_hidden, bias, more_bias in lstm.all_weights
        ]

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (T, B, inputs) and the hidden and cell state before, each (layers, B, hidden), to what the last layer
        has at each place (T, B, hidden), and the state after."""
        last_hidden, last_cell = [], []
        for (of_x, of_hidden), hidden, cell in zip(self._layers, *state, strict=True):
            found = []
            for gates in of_x(x):
                into, forget, new, out = gates.add_(of_hidden(hidden)).chunk(4, 1)
                cell = forget.sigmoid_() * cell + into.sigmoid_() * new.tanh_()
                hidden = out.sigmoid_() * cell.tanh()
                found.append(hidden)
            x = torch.stack(found)
            last_hidden.append(hidden)
            last_cell.append(cell)
        return x, (torch.stack(last_hidden), torch.stack(last_cell))


@cache
def is_supported() -> bool:
    """Whether torch multiplies such matrices on this machine: FBGEMM, which does, knows x86 alone."""
    try:
        found = QuantizedLinear(torch.eye(8))(torch.arange(-4.0, 4.0)[None])
    except (RuntimeError, AttributeError):
        return False
    return bool((found - torch.arange(-4.0, 4.0)).abs().max() < 0.1)
