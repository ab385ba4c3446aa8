"""How many threads compute a reply, and how many replies are computed at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_CHOSEN = "OMP_NUM_THREADS"
"""Environment variable with the number of threads of a reply, where a user has chosen it."""


def replies_at_once() -> int:
    """Return the number of replies that the machine's cores can compute at once."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = os.environ.get(_CHOSEN, "1")
    return max(1, cores // max(1, int(threads) if threads.isdecimal() else 1))


@contextmanager
def one_thread() -> Iterator[None]:
    """Have this thread compute alone meanwhile, unless OMP_NUM_THREADS is set.

    The matrix products of a reply are so small that more threads gain little, and they lose much on a machine that does
    something else too: each product waits for a thread that is not running.
    """
    import torch

    threads = torch.get_num_threads()
    if _CHOSEN not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
