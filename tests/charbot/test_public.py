import pytest

import charbot


def test_every_public_name_is_there() -> None:
    for name in charbot.__all__:
        assert getattr(charbot, name).__module__.startswith("charbot.")


def test_no_public_name_is_left_out() -> None:
    assert sorted(name for names in charbot._HOMES.values() for name in names) == charbot.__all__


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        charbot.nonsense  # noqa: B018
