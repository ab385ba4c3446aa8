"""What the bot keeps in its database: settings of places, the turns of conversations, and messages not yet answered."""

import json
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    cast,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    union,
    update,
)  # fmt: skip
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bots.discord_bot.place import Place
from charbot.errors import CharbotError, ConfigError

FORGOTTEN = "forgotten"
"""The fact that tells when a user was forgotten last."""
_SECONDS = 5
"""How long another program may keep the database locked. For so long nothing is then tried: others would wait in turn."""
_CURES = (
    ("stop what else uses it, or try again later", ("BUSY", "LOCKED", "55P03", "57014")),
    ("make room on the disk, or see whether it is broken", ("FULL", "IOERR", "53100")),
    ("let charbot write there", ("READONLY", "CANTOPEN", "25006", "42501")),
    ("see that its server runs, has that database and lets charbot in", ("08", "28", "3D", "53300", "57P")),
    ("mend it, or move it away to start with an empty one", ("CORRUPT", "NOTADB", "ERROR", "42", "XX")),
)
"""What to do, and how the codes of SQLite and PostgreSQL begin for which it is done; the first that fits."""
_UPGRADE = 0x63686172
"""PostgreSQL's number for the lock under which charbot changes tables."""

_TABLES = MetaData()
_BIG = BigInteger().with_variant(Integer(), "sqlite")
_settings = Table(
    "settings", _TABLES,
    Column("place", _BIG, primary_key=True),
    Column("said", JSON, nullable=False),
    Column("guild", _BIG, nullable=True),  # that the place is, or is in; none for direct messages
)  # fmt: skip
# As it is written, so that a place whose settings cannot be read is named.
_SAID = cast(_settings.c.said, String)
_turns = Table(
    "turns", _TABLES,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("channel", _BIG, nullable=False, index=True),
    Column("author", _BIG, nullable=False, index=True),  # who spoke, or who was answered
    Column("speaker", String, nullable=True),
    Column("text", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("guild", _BIG, nullable=True),
)  # fmt: skip
_inbox = Table(
    "inbox", _TABLES,
    Column("message", _BIG, primary_key=True),
    Column("guild", _BIG, nullable=True),
    Column("channel", _BIG, nullable=False),
    Column("author", _BIG, nullable=False),
    Column("text", String, nullable=False),
    Column("reply", String, nullable=True),
    Column("at", Float, nullable=False),
)  # fmt: skip
_facts = Table("facts", _TABLES, Column("name", String, primary_key=True), Column("said", String, nullable=False))


class StoreError(CharbotError):
    """The database cannot be read or written."""


@dataclass(frozen=True)
class Said:
    """A turn: who spoke or was answered (a user's id), as whom (None is nobody of the show), and what."""

    author: int
    speaker: str | None
    text: str


@dataclass(frozen=True)
class Waiting:
    """A message that is not answered yet, and the reply that was about to be sent, if it came so far."""

    message: int
    guild: int | None
    channel: int
    author: int
    text: str
    reply: str | None = None


P = ParamSpec("P")
T = TypeVar("T")


def _transaction(method: Callable[Concatenate["Store", Connection, P], T]) -> Callable[Concatenate["Store", P], T]:
    """Runs a method in a transaction of its own. Raises StoreError."""

    @wraps(method)
    def run(self: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        began = time.monotonic()
        if began < self._rests_until:
            raise StoreError(self._trouble)
        try:
            with self._engine.begin() as connection:
                return method(self, connection, *args, **kwargs)
        except SQLAlchemyError as error:
            problem = self._problem(error)
            if time.monotonic() - began > _SECONDS / 2:
                self._rests_until, self._trouble = time.monotonic() + _SECONDS, str(problem)
            raise problem from error

    return run


def _for_good(method: Callable[Concatenate["Store", P], T]) -> Callable[Concatenate["Store", P], T]:
    """Has what a method deletes stand in no file afterwards. Raises StoreError."""

    @wraps(method)
    def run(self: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        found = method(self, *args, **kwargs)
        self._empty_log()
        return found

    return run


class Store:
    """A database, brought up to date when it is opened. Its methods block: call them in a thread."""

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's: sqlite:///file, postgresql+psycopg://... Raises ConfigError, StoreError."""
        try:
            address = make_url(url)
            self._name = address.render_as_string(hide_password=True)
            self._lite = address.get_backend_name() == "sqlite"
            if self._lite and address.database and "uri" not in address.query:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            patience = {"timeout": _SECONDS} if self._lite else _postgres_patience(address)
            self._engine = create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=patience)
        except ImportError as error:
            hint = "pip install 'charbot[postgres]', and begin it with postgresql+psycopg://"
            raise ConfigError(f"`discord.database`: {error}; {hint}") from error
        except (ArgumentError, ValueError) as error:
            raise ConfigError(f"`discord.database`: {error}") from error
        except OSError as error:
            raise StoreError(f"{self._name}: {error.strerror or error}") from error
        if self._lite:
            event.listen(self._engine, "connect", _settle_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._insert = sqlite.insert if self._lite else postgresql.insert
        self._rests_until, self._trouble = 0.0, ""
        self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """Changes the tables in one transaction, which no other process can enter meanwhile. Raises StoreError."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self._engine.begin() as connection:
                if not self._lite:
                    connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE)))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except SQLAlchemyError as error:
            self.close()
            raise self._problem(error) from error
        except CommandError as error:
            self.close()
            raise StoreError(f"{self._name}: another version of charbot wrote it ({error})") from error

    def _empty_log(self) -> None:
        """What SQLite wrote beside the database goes into it, over what was deleted there.

        Where another process is in the middle of something this is left to the next time."""
        if not self._lite:
            return
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise self._problem(error) from error

    def _problem(self, error: Exception) -> StoreError:
        found = getattr(error, "orig", None) or error
        code = _code(found)
        cure = next((f"; {cure}" for cure, codes in _CURES if code.startswith(codes)), "")
        return StoreError(f"{self._name}: {str(found).splitlines()[0]}{cure}")

    def close(self) -> None:
        self._engine.dispose()

    @_transaction
    def places(self, db: Connection) -> dict[int, Place]:
        """What is set for each place."""
        return {place: self._read(place, said) for place, said in db.execute(select(_settings.c.place, _SAID))}

    def _read(self, place: int, said: str) -> Place:
        try:
            return Place.from_json(dict(json.loads(said)))
        except (TypeError, ValueError) as error:
            raise StoreError(
                f"{self._name}: what is set for {place} cannot be read ({error}); DELETE FROM settings WHERE place = {place}"
            ) from error

    @_transaction
    def set_place(
        self, db: Connection, place: int, changes: Place, guild: int | None = None, inherit: str | None = None
    ) -> Place:
        """Sets something for a place, which is in this server or is it, and leaves the field `inherit` to what is around it.

        All that is set for it then."""
        db.execute(self._insert(_settings).values(place=place, said={}).on_conflict_do_nothing())
        said = db.execute(select(_SAID).where(_settings.c.place == place).with_for_update()).scalar_one()
        changed = changes.over(self._read(place, said))
        if inherit:
            changed = replace(changed, **{inherit: None})
        db.execute(update(_settings).where(_settings.c.place == place).values(said=changed.to_json(), guild=guild))
        return changed

    @_transaction
    def fact(self, db: Connection, name: str) -> str | None:
        """What was noted under a name."""
        return db.execute(select(_facts.c.said).where(_facts.c.name == name)).scalar()

    @_transaction
    def note(self, db: Connection, name: str, said: str) -> None:
        self._note(db, name, said)

    def _note(self, db: Connection, name: str, said: str) -> None:
        row = {"name": name, "said": said}
        db.execute(self._insert(_facts).values(row).on_conflict_do_update(index_elements=["name"], set_=row))

    @_transaction
    def turns(self, db: Connection, channel: int, count: int) -> list[Said]:
        """The last turns of a channel's conversation, oldest first."""
        rows = db.execute(
            select(_turns.c.author, _turns.c.speaker, _turns.c.text)
            .where(_turns.c.channel == channel)
            .order_by(_turns.c.id.desc())
            .limit(count)
        )
        return [Said(*row) for row in reversed(rows.all())]

    @_transaction
    def receive(self, db: Connection, one: Waiting) -> bool:
        """Notes a message that is to be answered. False where it is noted already."""
        if db.execute(select(_inbox.c.message).where(_inbox.c.message == one.message)).first():
            return False
        db.execute(insert(_inbox).values(**vars(one), at=time.time()))
        return True

    @_transaction
    def sending(self, db: Connection, message: int, reply: str) -> None:
        """Notes the reply that is about to be sent."""
        db.execute(update(_inbox).where(_inbox.c.message == message).values(reply=reply))

    @_transaction
    def answered(
        self,
        db: Connection,
        message: int | None,
        channel: int,
        turns: Sequence[Said],
        keep: int,
        *,
        instead: bool = False,
        guild: int | None = None,
    ) -> None:
        """A message was answered, with these turns, no more than `keep` of which are kept; `instead` of the reply to the
        same message, where that is what was said last. `guild` is the channel's server.

        A message that was noted is so no longer. Where it is not, whoever wrote it was forgotten meanwhile, and its turns are.
        """
        now = time.time()
        if message is not None and not db.execute(delete(_inbox).where(_inbox.c.message == message)).rowcount:
            return
        if turns and instead:
            self._replace(db, channel, *turns)
        elif turns:
            db.execute(insert(_turns), [{"channel": channel, "at": now, "guild": guild, **vars(turn)} for turn in turns])
        kept = select(_turns.c.id).where(_turns.c.channel == channel).order_by(_turns.c.id.desc()).limit(keep)
        db.execute(delete(_turns).where(_turns.c.channel == channel, _turns.c.id.not_in(kept.subquery().select())))

    def _replace(self, db: Connection, channel: int, asked: Said, reply: Said) -> None:
        columns = (_turns.c.id, _turns.c.author, _turns.c.text)
        last = db.execute(select(*columns).where(_turns.c.channel == channel).order_by(_turns.c.id.desc()).limit(2)).all()
        if [one.author for one in last] == [asked.author] * 2 and last[1].text == asked.text:
            db.execute(update(_turns).where(_turns.c.id == last[0].id).values(speaker=reply.speaker, text=reply.text))

    @_transaction
    def waiting(self, db: Connection, seconds: float, ours: Callable[[int | None], bool] = lambda guild: True) -> list[Waiting]:
        """The messages of the last so many seconds that were not answered, oldest first; older ones are let go.

        Those of servers that are not `ours` wait for another process."""
        columns = (_inbox.c.message, _inbox.c.guild, _inbox.c.channel, _inbox.c.author, _inbox.c.text, _inbox.c.reply)
        rows = [row for row in db.execute(select(*columns, _inbox.c.at).order_by(_inbox.c.message)) if ours(row.guild)]
        late = {row.message for row in rows if row.at < time.time() - seconds}
        db.execute(delete(_inbox).where(_inbox.c.message.in_(late)))
        return [Waiting(*row[:-1]) for row in rows if row.message not in late]

    @_for_good
    @_transaction
    def forget_channel(self, db: Connection, channel: int) -> None:
        """The channel's conversation starts anew."""
        db.execute(delete(_turns).where(_turns.c.channel == channel))

    @_for_good
    @_transaction
    def forget_user(self, db: Connection, user: int) -> str:
        """Nothing that a user said stays, nor what was answered. What is noted as FORGOTTEN then."""
        db.execute(delete(_turns).where(_turns.c.author == user))
        db.execute(delete(_inbox).where(_inbox.c.author == user))
        noted = f"{time.time()}"
        self._note(db, FORGOTTEN, noted)
        return noted

    @_for_good
    @_transaction
    def forget_older(self, db: Connection, days: float) -> set[int]:
        """Turns of so long ago are gone. The channels that they were of."""
        then = time.time() - days * 86_400
        channels = set(db.execute(select(_turns.c.channel).where(_turns.c.at < then).distinct()).scalars())
        for table in (_turns, _inbox):
            db.execute(delete(table).where(table.c.at < then))
        return channels

    @_for_good
    @_transaction
    def forget_places(self, db: Connection, places: Iterable[int]) -> None:
        """Nothing of these servers, channels and threads stays, nor of what is in the servers."""
        self._forget_places(db, list(places))

    @_for_good
    @_transaction
    def forget_others(self, db: Connection, guilds: Container[int], ours: Callable[[int], bool]) -> list[int]:
        """Nothing stays of servers that are ours and none of these: the bot was sent away. Which those were."""
        known = union(*(select(table.c.guild).where(table.c.guild.is_not(None)) for table in (_settings, _turns, _inbox)))
        gone = sorted(guild for guild in db.execute(known).scalars() if guild not in guilds and ours(guild))
        self._forget_places(db, gone)
        return gone

    def _forget_places(self, db: Connection, places: Sequence[int]) -> None:
        for table, column in ((_settings, _settings.c.place), (_turns, _turns.c.channel), (_inbox, _inbox.c.channel)):
            db.execute(delete(table).where(column.in_(places) | table.c.guild.in_(places)))


def _code(error: object) -> str:
    """What a driver says is wrong: SQLite's name for it, without what comes before and after, or PostgreSQL's code."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "SQLITE_").split("_")[1]
    # There is none where no server has answered.
    return getattr(error, "sqlstate", None) or "08"


def _postgres_patience(address: URL) -> dict[str, Any]:
    """Nothing is waited for without end: not the server, not what others lock there, not a line that is gone."""
    own, milliseconds = address.query.get("options", ""), int(_SECONDS * 1000)
    return {
        "connect_timeout": _SECONDS,
        "tcp_user_timeout": milliseconds,
        "options": f"{own} -c lock_timeout={milliseconds} -c statement_timeout={milliseconds}",
    }


def _settle_sqlite(connection: Any, _record: Any) -> None:
    # Transactions begin where _begin_sqlite says so: by itself Python would leave changes of tables out of them.
    connection.isolation_level = None
    began = time.monotonic()
    while True:
        try:
            # A crash at any point leaves a readable file.
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            # For this SQLite itself does not wait until a process that opens the file too is done.
            if time.monotonic() - began > _SECONDS:
                raise
            time.sleep(0.01)
    for pragma in ("synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # At once as one that writes: a reader that turns into a writer fails where another was quicker.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
