from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _denormals() -> Iterator[None]:
    """Fits flush denormals to zero, for the whole process; other tests are not to notice."""
    yield
    torch.set_flush_denormal(False)
