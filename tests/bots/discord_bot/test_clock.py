import time

import pytest

from bots.discord_bot.clock import SteadyClock


def test_it_does_not_jump_with_the_system_s_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = SteadyClock(), time.time
    assert abs(clock() - system()) < 60
    monkeypatch.setattr(time, "time", lambda: system() + 365 * 86_400)
    assert abs(clock() - system()) < 60
