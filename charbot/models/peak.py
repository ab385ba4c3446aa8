"""Peak speed of matrix products on this machine."""

import time

import torch

_SIZE = 2_048


def peak_gflops(dtype: torch.dtype) -> float:
    """Return the GFLOP/s of a large matrix product, the reference for every benchmark."""
    a, b = (torch.randn(_SIZE, _SIZE).to(dtype) for _ in range(2))
    times = []
    for _ in range(4):
        start = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - start)
    return 2 * _SIZE**3 / min(times) / 1e9
