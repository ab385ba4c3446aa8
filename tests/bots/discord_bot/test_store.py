import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bots.discord_bot.channel_settings import ChannelSettings
from bots.discord_bot.database import StoreError
from bots.discord_bot.store import FORGOTTEN, PendingMessage, Store, StoredTurn
from charbot.errors import CharbotError, ConfigError
from tests.bots.discord_bot.test_metrics import free_port

_NUMBERS = itertools.count()
_ROOT = Path(__file__).parents[3]
_FIRST = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version VALUES ('first');
CREATE TABLE facts (name VARCHAR NOT NULL, said VARCHAR NOT NULL, PRIMARY KEY (name));
INSERT INTO facts VALUES ('commands', 'x');
CREATE TABLE inbox (
    message INTEGER NOT NULL, guild INTEGER, channel INTEGER NOT NULL, author INTEGER NOT NULL, text VARCHAR NOT NULL,
    reply VARCHAR, at FLOAT NOT NULL, PRIMARY KEY (message)
);
INSERT INTO inbox VALUES (10, 3, 4, 5, 'Tea?', NULL, 1795337166.3);
CREATE TABLE settings (place INTEGER NOT NULL, said JSON NOT NULL, PRIMARY KEY (place));
INSERT INTO settings VALUES (3, '{"persona": "joey"}'), (4, '{"clean": false}');
CREATE TABLE turns (
    id INTEGER NOT NULL, channel INTEGER NOT NULL, author INTEGER NOT NULL, speaker VARCHAR, text VARCHAR NOT NULL,
    at FLOAT NOT NULL, PRIMARY KEY (id)
);
INSERT INTO turns VALUES (1, 4, 5, NULL, 'Hi', 1795337166.2), (2, 4, 5, 'Ann', 'Yo', 1795337166.2);
CREATE INDEX ix_turns_author ON turns (author);
CREATE INDEX ix_turns_channel ON turns (channel);
"""
_OPENS = """
import sys
from bots.discord_bot.store import Store
print("ready", flush=True)
sys.stdin.readline()
Store(sys.argv[1]).close()
"""
_DIES = """
import os, signal, sys
from sqlalchemy import Engine, event
from bots.discord_bot.store import Store

@event.listens_for(Engine, "after_cursor_execute")
def die(connection, cursor, statement, *_):
    if "CREATE TABLE turns" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

Store(sys.argv[1])
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server's address, without the name of a database."""
    if not shutil.which("initdb"):
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp())
    # It refuses to run as root.
    who: dict[str, Any] = {"user": "postgres"} if os.getuid() == 0 else {}
    if who:
        shutil.chown(folder, "postgres")
    programs = Path(shutil.which("initdb") or "").resolve().parent

    def call(*command: str) -> None:
        subprocess.run([str(programs / command[0]), *command[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)

    port = free_port()
    call("initdb", "--pgdata=data", "--auth=trust", "--username=charbot", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call("pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", "--options", options)
    try:
        yield f"postgresql+psycopg://charbot@127.0.0.1:{port}"
    finally:
        call("pg_ctl", "stop", "--pgdata=data", "--mode=immediate")
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres: str) -> str:
    name = f"bot{next(_NUMBERS)}"
    engine = create_engine(f"{postgres}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{postgres}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


def test_settings_survive(store: Store, url: str) -> None:
    store.set_place(7, ChannelSettings(persona="joey", roles=(1, 2)))
    store.set_place(7, ChannelSettings(persona="ross", roles=(1, 2), clean=False))
    store.close()
    again = Store(url)
    assert again.places() == {7: ChannelSettings(persona="ross", roles=(1, 2), clean=False)}
    again.close()


def test_processes_that_open_a_new_database_at_once_share_it(url: str) -> None:
    command = [sys.executable, "-c", _OPENS, url]
    pipe = subprocess.PIPE
    opening = [subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    for process in opening:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in opening:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate()[1] for process in opening]
    assert [process.returncode for process in opening] == [0] * 4, told


def test_a_database_opens_again_after_a_crash_in_the_middle_of_a_migration(url: str) -> None:
    died = subprocess.run([sys.executable, "-c", _DIES, url], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    store = Store(url)
    store.answered(None, 1, [StoredTurn(5, None, "Hi")], keep=4)
    assert store.turns(1, 9) == [StoredTurn(5, None, "Hi")]
    store.close()


def test_only_the_last_turns_of_a_channel_are_kept(store: Store) -> None:
    for number in range(6):
        store.answered(None, 1, [StoredTurn(5, None, f"Hi {number}"), StoredTurn(5, "Ann", f"Yo {number}")], keep=4)
    store.answered(None, 2, [StoredTurn(5, None, "Elsewhere")], keep=4)
    assert [turn.text for turn in store.turns(1, 99)] == ["Hi 4", "Yo 4", "Hi 5", "Yo 5"]
    assert [turn.text for turn in store.turns(1, 1)] == ["Yo 5"]
    assert [turn.text for turn in store.turns(2, 99)] == ["Elsewhere"]


def test_the_last_turns_can_be_others(store: Store) -> None:
    for said in ("Hi", "And?"):
        store.answered(None, 1, [StoredTurn(5, None, said), StoredTurn(5, "Ann", "Yo")], keep=9)
    store.answered(None, 2, [StoredTurn(5, None, "Elsewhere")], keep=9)
    store.answered(None, 1, [StoredTurn(5, None, "And?"), StoredTurn(5, "Bob", "Well.")], keep=9, instead=True)
    assert [turn.text for turn in store.turns(1, 9)] == ["Hi", "Yo", "And?", "Well."]
    for author, asked in ((6, "And?"), (5, "Hi")):
        store.answered(None, 1, [StoredTurn(author, None, asked), StoredTurn(author, "Bob", "No.")], keep=9, instead=True)
    assert [turn.text for turn in store.turns(1, 9)] == ["Hi", "Yo", "And?", "Well."], "that was not what was said last"
    assert [turn.text for turn in store.turns(2, 9)] == ["Elsewhere"]


def test_a_message_waits_until_it_is_answered_and_is_taken_once(store: Store) -> None:
    one = PendingMessage(10, None, 1, 5, "Hi")
    assert store.receive(one)
    assert not store.receive(one)
    assert store.waiting(60) == [one]
    store.sending(10, "Yo")
    assert store.waiting(60) == [PendingMessage(10, None, 1, 5, "Hi", "Yo")]
    store.answered(10, 1, [], keep=4)
    assert store.waiting(60) == []
    store.receive(one)
    assert store.waiting(-1) == [], "it is too old"


def test_a_user_is_forgotten_with_what_was_answered(store: Store) -> None:
    store.answered(None, 1, [StoredTurn(5, None, "Mine"), StoredTurn(5, "Ann", "Answer"), StoredTurn(6, None, "Theirs")], keep=9)
    store.receive(PendingMessage(10, None, 1, 5, "Hi"))
    assert store.forget_user(5) == store.get_meta(FORGOTTEN)
    assert [turn.text for turn in store.turns(1, 9)] == ["Theirs"]
    assert store.waiting(60) == []
    store.answered(10, 1, [StoredTurn(5, None, "Hi"), StoredTurn(5, "Ann", "Too late")], keep=9)
    assert [turn.text for turn in store.turns(1, 9)] == ["Theirs"]
    assert store.forget_older(1) == set()
    assert store.forget_older(-1) == {1}
    assert store.turns(1, 9) == []


def test_a_server_that_is_left_leaves_nothing(store: Store) -> None:
    for server in (3, 30):
        store.set_place(server, ChannelSettings(persona="joey"), server)
        store.set_place(server + 1, ChannelSettings(persona="joey"), server)
        store.answered(None, server + 1, [StoredTurn(5, None, "Mine")], keep=9, guild=server)
        store.receive(PendingMessage(server, server, server + 1, 5, "Hi"))
    store.set_place(5, ChannelSettings(persona="joey"))
    store.forget_places([3, 5])
    assert set(store.places()) == {30, 31}
    assert store.turns(4, 9) == []
    assert [turn.text for turn in store.turns(31, 9)] == ["Mine"]
    assert [one.message for one in store.waiting(60)] == [30]


def test_servers_that_were_left_are_forgotten_after_some_days(store: Store) -> None:
    for server in (2, 3, 5, 7):
        store.set_place(server, ChannelSettings(persona="joey"), server)
        store.answered(None, 10 * server, [StoredTurn(5, None, "Mine")], keep=9, guild=server)
        store.receive(PendingMessage(server, server, 10 * server, 5, "Hi"))
    store.set_place(9, ChannelSettings(persona="joey"))
    store.note_departures({3}, lambda server: server % 2 == 1)
    assert store.departed() == {5, 7}, "it is in 3, and 2 is served by another process"
    assert store.forget_departed(1) == set()
    store.note_departures({3, 7}, lambda server: server % 2 == 1)
    assert store.forget_departed(-1) == {5, 50}, "it came back to 7"
    assert set(store.places()) == {2, 3, 7, 9}
    assert [len(store.turns(10 * server, 9)) for server in (2, 3, 5, 7)] == [1, 1, 0, 1]
    assert [one.message for one in store.waiting(60)] == [2, 3, 7]


def test_each_application_has_its_own_rows(store: Store, url: str) -> None:
    other = Store(url, 8)
    for mine in (store, other):
        mine.set_place(3, ChannelSettings(cooldown=float(mine.application)), 3)
        mine.answered(None, 4, [StoredTurn(5, None, f"To {mine.application}")], keep=1, guild=3)
        assert mine.receive(PendingMessage(10, 3, 4, 5, "Hi"))
        mine.set_meta("commands", str(mine.application))
    assert [turn.text for turn in store.turns(4, 9)] == ["To 0"]
    other.forget_user(5)
    other.forget_places([3])
    assert (other.places(), other.turns(4, 9), other.waiting(60)) == ({}, [], [])
    assert store.places() == {3: ChannelSettings(cooldown=0.0)}
    assert [message.text for message in store.waiting(60)] == ["Hi"]
    assert (store.get_meta("commands"), other.get_meta("commands")) == ("0", "8")
    other.claim(9)
    assert [turn.text for turn in other.turns(4, 9)] == ["To 0"], "what belonged to nobody"
    assert store.places() == {}
    other.close()


def test_messages_that_another_process_serves_wait_on(store: Store) -> None:
    for server in (2, 3):
        store.receive(PendingMessage(server, server, 10, 5, "Hi"))
    assert store.waiting(-1, lambda server: server == 3) == []
    assert [one.message for one in store.waiting(60, lambda server: server == 3)] == []
    assert [one.message for one in store.waiting(60)] == [2]


def test_a_database_of_the_first_version_is_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        db.executescript(_FIRST)
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    assert store.places() == {3: ChannelSettings(persona="joey"), 4: ChannelSettings(clean=False)}
    assert store.turns(4, 9) == [StoredTurn(5, None, "Hi"), StoredTurn(5, "Ann", "Yo")]
    assert store.waiting(time.time()) == [PendingMessage(10, 3, 4, 5, "Tea?")]
    assert store.get_meta("commands") == "x"
    store.answered(10, 4, [StoredTurn(5, None, "Tea?")], keep=9, guild=3)
    store.note_departures(set(), lambda server: True)
    assert store.forget_departed(-1) == {3, 4}
    assert [turn.text for turn in store.turns(4, 9)] == ["Hi", "Yo"], "nobody wrote down where that was said"
    store.forget_places([3, 4])
    assert store.places() == {}
    assert store.turns(4, 9) == []
    store.close()


def test_rows_without_an_application_go_to_the_application_that_wrote_them(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db:
        db.executescript(_FIRST.replace("'x'", "'77 abc'"))
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", 8)
    store.claim(8)
    assert store.places() == {}
    store.claim(77)
    assert set(store.places()) == {3, 4}
    assert len(store.turns(4, 9)) == 2
    assert store.get_meta("commands") == "77 abc"
    store.close()


@pytest.mark.parametrize(
    "forget",
    [
        lambda store: store.forget_user(5),
        lambda store: store.forget_channel(4),
        lambda store: store.forget_places([4]),
        lambda store: store.forget_older(-1),
    ],
)
def test_what_is_forgotten_stands_in_no_file(tmp_path: Path, forget: Callable[[Store], object]) -> None:
    def stands() -> bool:
        return any(b"A secret" in path.read_bytes() for path in tmp_path.iterdir())

    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    store.answered(None, 4, [StoredTurn(5, None, "A secret")], keep=9)
    assert stands()
    forget(store)
    assert not stands()
    store.close()


def test_two_who_change_a_place_at_once_lose_nothing(store: Store, url: str) -> None:
    other = Store(url)
    assert store.places() == other.places() == {}
    with ThreadPoolExecutor() as pool:
        changes = [
            ChannelSettings(persona="joey"),
            ChannelSettings(clean=True),
            ChannelSettings(random_reply_chance=0.5),
            ChannelSettings(cooldown=1.0),
        ]
        list(pool.map(lambda one, change: one.set_place(7, change, 3), [store, other] * 2, changes))
    assert store.places() == {7: ChannelSettings(persona="joey", clean=True, random_reply_chance=0.5, cooldown=1.0)}
    assert other.set_place(7, ChannelSettings(persona="ross"), 3, "clean") == ChannelSettings(
        persona="ross", random_reply_chance=0.5, cooldown=1.0
    )
    assert store.places() == {7: ChannelSettings(persona="ross", random_reply_chance=0.5, cooldown=1.0)}
    other.close()


@pytest.mark.parametrize(
    ("broken", "left"),
    [
        ("{'persona'", ChannelSettings()),
        ('["joey"]', ChannelSettings()),
        ("7", ChannelSettings()),
        ("null", ChannelSettings()),
        ('{"persona": "ross", "cooldown": "long", "roles": 7, "mode": "loud"}', ChannelSettings(persona="ross")),
        ('{"temperature": true, "clean": "yes", "trigger_words": [1], "random_reply_chance": 3}', ChannelSettings()),
    ],
)
def test_settings_that_cannot_be_read_are_named_and_cost_no_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str, left: ChannelSettings
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    store.set_place(7, ChannelSettings(persona="joey"))
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db, db:
        db.execute("UPDATE settings SET said = ?", [broken])
    store.set_place(8, ChannelSettings(persona="joey"))
    assert store.places() == {7: left, 8: ChannelSettings(persona="joey")}
    assert "bot.db: ignored what is set for 7: " in caplog.text
    assert store.set_place(7, ChannelSettings(clean=True)) == ChannelSettings(clean=True).with_fallback(left)
    store.close()


def test_a_read_only_database_can_be_read(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    store.answered(None, 1, [StoredTurn(5, None, "Hi")], keep=9)
    store.close()
    store = Store(f"sqlite:///file:{tmp_path / 'bot.db'}?mode=ro&uri=true")
    assert [turn.text for turn in store.turns(1, 9)] == ["Hi"]
    assert store.places() == {}
    store.close()


def test_a_damaged_or_locked_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    path.write_bytes(b"This is no database, and was never one." * 50)
    with pytest.raises(StoreError, match=r"bot\.db: file is not a database; mend it"):
        Store(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match="database"):
        Store("no url")


def test_ids_of_discord_fit(store: Store) -> None:
    large = 2**63 - 1
    assert store.receive(PendingMessage(large, large, large, large, "Hi"))
    store.answered(large, large, [StoredTurn(large, None, "Hi")], keep=4)
    store.set_place(large, ChannelSettings(persona="joey"))
    assert store.places() == {large: ChannelSettings(persona="joey")}
    assert store.turns(large, 1) == [StoredTurn(large, None, "Hi")]


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(
        StoreError, match=r"\*\*\*@127.*; see that its server runs, has that database and lets charbot in$"
    ) as error:
        Store(f"postgresql+psycopg://charbot:secret@127.0.0.1:{free_port()}/bot")
    assert "secret" not in str(error.value)


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"`discord\.database`: .*psycopg.*; pip install 'charbot\[postgres\]'"):
        Store("postgresql+psycopg://127.0.0.1/bot")


def test_a_database_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store(f"sqlite:///{tmp_path / 'bot.db'}").close()
    store = Store(f"sqlite:///file:{tmp_path / 'bot.db'}?mode=ro&uri=true")
    with pytest.raises(StoreError, match=r"readonly database; let charbot write there$"):
        store.set_place(1, ChannelSettings())
    store.close()
    assert not (tmp_path / "file:").exists(), "that is how an address begins, and no folder"


def test_a_database_that_may_not_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"unable to open database file; let charbot write there$"):
        Store(f"sqlite:///{tmp_path}")


def test_a_database_of_postgresql_that_may_not_be_written_is_named(postgres_url: str) -> None:
    Store(postgres_url).close()
    store = Store(f"{postgres_url}?options=-c%20default_transaction_read_only=on")
    with pytest.raises(StoreError, match=r"read-only transaction; let charbot write there$"):
        store.set_place(1, ChannelSettings())
    store.close()


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", timeout=60)
    with store._engine.begin() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full; make room on the disk"):
        store.set_meta("much", "x" * 10**5)
    store.close()


def test_tables_that_are_missing_are_named(store: Store) -> None:
    with store._engine.begin() as db:
        db.execute(text("DROP TABLE facts"))
    with pytest.raises(StoreError, match=r"facts.*; mend it, or move it away"):
        store.get_meta("commands")


def test_what_another_program_locks_is_named(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path / 'bot.db'}").close()
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"database is locked; stop what else uses it, or try again later$"):
        Store(f"sqlite:///{tmp_path / 'bot.db'}", timeout=0).set_place(1, ChannelSettings())
    other.execute("ROLLBACK")
    other.close()


def test_what_stays_locked_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", timeout=0.5)
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"database is locked; stop what else uses it, or try again later$"):
        store.set_place(1, ChannelSettings())
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(StoreError, match=r"database is locked; stop what else uses it, or try again later$"):
        store.places()
    monkeypatch.setattr(store, "_retry_at", 0.0)
    assert store.places() == {}
    store.close()


def test_a_table_that_stays_locked_is_not_waited_for_without_end(postgres_url: str) -> None:
    store, engine = Store(f"{postgres_url}?options=-c%20application_name=mine", timeout=1), create_engine(postgres_url)
    with ThreadPoolExecutor() as pool, engine.begin() as other:
        assert other.execute(text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mine'")).scalar() == 1
        other.execute(text("LOCK TABLE settings"))
        with pytest.raises(StoreError, match=r"timeout; stop what else uses it, or try again later$"):
            pool.submit(store.set_place, 1, ChannelSettings()).result(timeout=30)
    engine.dispose()
    store.close()


def test_settings_under_their_old_names_are_read(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}")
    store.set_place(7, ChannelSettings())
    with closing(sqlite3.connect(tmp_path / "bot.db")) as db, db:
        db.execute("UPDATE settings SET said = ?", ['{"faces": true, "wake": ["tea"], "chance": 0.5}'])
    assert store.places() == {7: ChannelSettings(webhooks=True, trigger_words=("tea",), random_reply_chance=0.5)}
    changed = store.set_place(7, ChannelSettings(webhooks=False))
    assert changed == ChannelSettings(webhooks=False, trigger_words=("tea",), random_reply_chance=0.5)
    store.close()


def test_what_a_later_version_set_is_no_obstacle() -> None:
    assert ChannelSettings.from_json({"persona": "joey", "hat": "red"}) == (ChannelSettings(persona="joey"), [])
    assert ChannelSettings(mode="always").with_fallback(ChannelSettings(mode="mentions", clean=True)) == ChannelSettings(
        mode="always", clean=True
    )


def test_one_process_at_a_time_serves_a_part_of_an_application(store: Store, url: str) -> None:
    second, other = Store(url), Store(url, 8)
    store.hold(["shard-0", "shard-1"])
    second.hold(["shard-2"])
    other.hold(["shard-0"])
    with pytest.raises(CharbotError, match="another charbot runs with this token and database; stop it first"):
        second.hold(["shard-1"])
    store.close()
    second.hold(["shard-1"])
    for opened in (second, other):
        opened.close()


def test_servers_with_webhooks_are_told(store: Store) -> None:
    store.set_place(3, ChannelSettings(webhooks=True), 3)
    store.set_place(4, ChannelSettings(webhooks=False), 4)
    store.set_place(50, ChannelSettings(webhooks=True), 5)
    store.set_place(9, ChannelSettings(webhooks=True))
    assert store.guilds_with_webhooks() == {3, 5}
