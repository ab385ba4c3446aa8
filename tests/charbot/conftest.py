import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A first call imports what it needs, and a busy machine is slow: neither is a failure.
settings.register_profile("charbot", deadline=None)
settings.load_profile("charbot")


@pytest.fixture
def quick() -> Iterator[None]:
    """Fails a test that needs seconds of processor time: a pattern that backtracks, or a loop within a loop."""
    start = time.process_time()
    yield
    assert time.process_time() - start < 5
