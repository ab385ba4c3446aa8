"""Layers and tables with 8-bit integer weights, for small batches, whose products take as long as reading the weights."""

import warnings
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

_LEVELS, _ZERO = 63, 64
"""Inputs are rounded to 7 bits (-63 to 63, with zero point 64): the sum of two products with 8-bit weights then fits in the
16 bits in which processors without VNNI accumulate it."""


_ROWS = 1_024
"""Rows that are converted at once: in parts that fit in the processor's caches, a table takes half the time."""


@dataclass(frozen=True)
class ByteTable:
    """A lookup table (N, K) of 8-bit integers with a scale per row, as bundles store it."""

    levels: Tensor
    scales: Tensor
    """(N, 1)."""

    @classmethod
    def of(cls, weight: Tensor) -> "ByteTable | None":
        """Return a table that equals `weight` (N, K) exactly, or None: there is one of weights that were stored in 8 bits."""
        weight = weight.detach()
        levels, scales = torch.empty_like(weight, dtype=torch.int8), weight.new_empty(len(weight), 1)
        for own, level, scale in zip(*(torch.split(one, _ROWS) for one in (weight, levels, scales)), strict=True):
            scale.copy_(_largest(own)[:, None] / 127)
            level.copy_((own / scale).round_())
            if not torch.equal(level * scale, own):
                return None
        return cls(levels, scales)

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        return self.levels[rows] * self.scales[rows]


def _largest(weight: Tensor) -> Tensor:
    """Return the largest magnitude (N,) in each row of a weight (N, K), at least the least positive number."""
    # `weight.abs()` would be another copy of a large table.
    least, most = weight.aminmax(dim=1)
    return torch.maximum(most, -least).clamp_(min=torch.finfo(weight.dtype).tiny)


class QuantizedLinear(nn.Module):
    """A linear layer, (..., K) to (..., N), with 8-bit weights and a scale per output.

    Each input row is quantised by its own largest magnitude, so that its output depends on no other row (Jacob et al. 2018,
    "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", share one for all rows).
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        """Quantise a weight (N, K). Raises RuntimeError or AttributeError where torch cannot: see `is_supported`."""
        super().__init__()
        self.bias = None if bias is None else bias.detach()
        weight = weight.detach().contiguous()
        scales = _largest(weight).double() / 127
        with warnings.catch_warnings():
            # torch warns that quantised dtypes are deprecated, but offers no replacement that is as fast.
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
    """An `nn.LSTM` with 8-bit weights, without dropout or gradients."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self._layers = [
            (QuantizedLinear(of_x, bias + more_bias), QuantizedLinear(of_hidden))
            for of_x, of_hidden, bias, more_bias in lstm.all_weights
        ]

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the last layer's outputs (T, B, hidden) for x (T, B, inputs), and the state after it.

        States are hidden and cell state, each (layers, B, hidden).
        """
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
    """Return whether torch can run QuantizedLinear on this machine: FBGEMM, its backend, supports x86 only."""
    try:
        found = QuantizedLinear(torch.eye(8))(torch.arange(-4.0, 4.0)[None])
    except (RuntimeError, AttributeError):
        return False
    return bool((found - torch.arange(-4.0, 4.0)).abs().max() < 0.1)
