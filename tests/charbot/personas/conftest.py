"""Tests of loading start without what the personas of other tests share."""

import pytest

from charbot.personas import loading


@pytest.fixture(autouse=True)
def _nothing_shared() -> None:
    loading._loaded.clear()
