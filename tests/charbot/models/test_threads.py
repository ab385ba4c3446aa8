import os
from collections.abc import Iterator

import pytest
import torch

from charbot.models.threads import one_thread, replies_at_once


@pytest.fixture
def threads() -> Iterator[int]:
    """A number of threads that is not 1."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield 2
    torch.set_num_threads(before)


def test_a_reply_is_computed_by_one_thread_unless_the_user_chose(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with one_thread():
        assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("chosen", "expected"), [(None, 8), ("1", 8), ("2", 4), ("16", 1), ("4,2", 8)])
def test_all_cores_compute_replies(chosen: str | None, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    if chosen is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    assert replies_at_once() == expected
