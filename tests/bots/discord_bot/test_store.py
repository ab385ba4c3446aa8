import sqlite3
from pathlib import Path

import pytest

from bots.discord_bot.place import Place
from bots.discord_bot.store import Said, Store, StoreError, Waiting
from charbot.errors import ConfigError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'bot.db'}")


def test_settings_survive(store: Store, tmp_path: Path) -> None:
    store.set_place(7, Place(persona="joey", roles=(1, 2)))
    store.set_place(7, Place(persona="ross", roles=(1, 2), clean=False))
    store.close()
    assert Store(f"sqlite:///{tmp_path / 'bot.db'}").places() == {7: Place(persona="ross", roles=(1, 2), clean=False)}


def test_only_the_last_turns_of_a_channel_are_kept(store: Store) -> None:
    for number in range(6):
        store.answered(None, 1, [Said(5, None, f"Hi {number}"), Said(5, "Ann", f"Yo {number}")], keep=4)
    store.answered(None, 2, [Said(5, None, "Elsewhere")], keep=4)
    assert [turn.text for turn in store.turns(1, 99)] == ["Hi 4", "Yo 4", "Hi 5", "Yo 5"]
    assert [turn.text for turn in store.turns(1, 1)] == ["Yo 5"]
    assert [turn.text for turn in store.turns(2, 99)] == ["Elsewhere"]


def test_a_message_waits_until_it_is_answered_and_is_taken_once(store: Store) -> None:
    one = Waiting(10, None, 1, 5, "Hi")
    assert store.receive(one)
    assert not store.receive(one)
    assert store.waiting(60) == [one]
    store.sending(10, "Yo")
    assert store.waiting(60) == [Waiting(10, None, 1, 5, "Hi", "Yo")]
    store.answered(10, 1, [], keep=4)
    assert store.waiting(60) == []
    store.receive(one)
    assert store.waiting(-1) == [], "it is too old"


def test_a_user_is_forgotten_with_what_was_answered(store: Store) -> None:
    store.answered(None, 1, [Said(5, None, "Mine"), Said(5, "Ann", "Answer"), Said(6, None, "Theirs")], keep=9)
    store.receive(Waiting(10, None, 1, 5, "Hi"))
    store.forget_user(5)
    assert [turn.text for turn in store.turns(1, 9)] == ["Theirs"]
    assert store.waiting(60) == []
    store.forget_older(-1)
    assert store.turns(1, 9) == []


def test_a_server_that_is_left_leaves_nothing(store: Store) -> None:
    store.set_place(3, Place(persona="joey"))
    store.answered(None, 4, [Said(5, None, "Mine")], keep=9)
    store.forget_places([3, 4])
    assert store.places() == {}
    assert store.turns(4, 9) == []


def test_a_damaged_or_locked_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(b"This is no database, and was never one." * 50)
    with pytest.raises(StoreError, match=r"bot\.db: file is not a database; mend it"):
        Store(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match="database"):
        Store("no url")


def test_what_another_program_locks_is_named(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("bots.discord_bot.store._SECONDS", 0)
    with pytest.raises(StoreError, match="database is locked"):
        Store(f"sqlite:///{tmp_path / 'bot.db'}").set_place(1, Place())
    other.execute("ROLLBACK")
    other.close()


def test_what_a_later_version_set_is_no_obstacle() -> None:
    assert Place.from_json({"persona": "joey", "hat": "red"}) == Place(persona="joey")
    assert Place(mode="always").over(Place(mode="mentions", clean=True)) == Place(mode="always", clean=True)
