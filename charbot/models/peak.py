"""What this machine can do."""

import time

import torch

_SIZE = 2_048


def peak_gflops(dtype: torch.dtype) -> float:
    """GFLOP/s of a large matrix product: the measure of every benchmark."""
    a, b = (torch.randn(_SIZE, _SIZE).to(dtype) for _ in range(2))
    times = []
    for _ in range(4):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return 2 * _SIZE**3 / min(times) / 1e9
