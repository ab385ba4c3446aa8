from pathlib import Path

from bots.discord_bot.restarts import Restarts
from bots.discord_bot.store import Store
from tests.bots.discord_bot.harness import AdjustableClock


def test_starts_that_follow_one_another_wait_longer_each_time(tmp_path: Path) -> None:
    clock = AdjustableClock()
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", clock=clock)
    assert [Restarts(store, "").begin() for _ in range(5)] == [0, 0, 0, 10, 20]
    assert [Restarts(store, "").begin() for _ in range(9)][-1] == 900
    assert Restarts(store, "0-1").begin() == 0, "another process"
    Restarts(store, "").clear()
    assert Restarts(store, "").begin() == 0
    for _ in range(4):
        Restarts(store, "").begin()
    clock.ahead = 3601
    assert Restarts(store, "").begin() == 0
    store.set_meta("starts ", "nonsense")
    assert Restarts(store, "").begin() == 0
    store.close()
