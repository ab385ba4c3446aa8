"""The bot's database: settings of places, turns of conversations, and messages not yet answered."""

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

from bots.discord_bot.channel_settings import ChannelSettings
from charbot.errors import CharbotError, ConfigError

FORGOTTEN = "forgotten"
"""Name of the fact that says when a user was last forgotten."""
_SECONDS = 5
"""Timeout of the database. After a slow failure calls fail at once for as long, instead of each waiting in turn."""
_CURES = (
    ("stop what else uses it, or try again later", ("BUSY", "LOCKED", "55P03", "57014")),
    ("make room on the disk, or see whether it is broken", ("FULL", "IOERR", "53100")),
    ("let charbot write there", ("READONLY", "CANTOPEN", "25006", "42501")),
    ("see that its server runs, has that database and lets charbot in", ("08", "28", "3D", "53300", "57P")),
    ("mend it, or move it away to start with an empty one", ("CORRUPT", "NOTADB", "ERROR", "42", "XX")),
)
"""What to do about an error, and prefixes of the SQLite and PostgreSQL codes to which it applies; the first match counts."""
_UPGRADE = 0x63686172
"""Key of the PostgreSQL advisory lock for migrations."""

_TABLES = MetaData()
_BIG = BigInteger().with_variant(Integer(), "sqlite")
_settings = Table(
    "settings", _TABLES,
    Column("place", _BIG, primary_key=True),
    Column("said", JSON, nullable=False),
    Column("guild", _BIG, nullable=True),  # the server that the place is, or is in; NULL for direct messages
)  # fmt: skip
# Text, not parsed by SQLAlchemy, so that the error for invalid JSON can name the place.
_SAID = cast(_settings.c.said, String)
_turns = Table(
    "turns", _TABLES,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("channel", _BIG, nullable=False, index=True),
    Column("author", _BIG, nullable=False, index=True),  # the user who spoke, or who was answered
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
class StoredTurn:
    """A stored turn of a conversation."""

    author: int
    """Id of the user who spoke, or who was answered."""
    speaker: str | None
    """The persona that spoke; None if the user did."""
    text: str


@dataclass(frozen=True)
class PendingMessage:
    """A stored message that is not answered yet."""

    message: int
    guild: int | None
    channel: int
    author: int
    text: str
    reply: str | None = None
    """The reply that was about to be sent, if it was generated."""


P = ParamSpec("P")
T = TypeVar("T")


def _transaction(method: Callable[Concatenate["Store", Connection, P], T]) -> Callable[Concatenate["Store", P], T]:
    """Run the decorated method in a transaction of its own. It then raises StoreError."""

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
    """Truncate the WAL after the decorated method, so that deleted text leaves no trace on disk. It then raises StoreError."""

    @wraps(method)
    def run(self: "Store", /, *args: P.args, **kwargs: P.kwargs) -> T:
        found = method(self, *args, **kwargs)
        self._empty_log()
        return found

    return run


class Store:
    """The database, migrated when it is opened. Its methods block: call them in a thread."""

    def __init__(self, url: str) -> None:
        """Open SQLAlchemy's `url`: sqlite:///file, postgresql+psycopg://... Raises ConfigError, StoreError."""
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
        """Migrate the tables in one transaction, locking out other processes. Raises StoreError."""
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
        """Move SQLite's WAL into the database file, where it overwrites deleted text, and truncate it.

        If another process is using the database, this is left to the next time. Raises StoreError.
        """
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
    def places(self, db: Connection) -> dict[int, ChannelSettings]:
        """Return the settings of each place."""
        return {place: self._read(place, said) for place, said in db.execute(select(_settings.c.place, _SAID))}

    def _read(self, place: int, said: str) -> ChannelSettings:
        try:
            return ChannelSettings.from_json(dict(json.loads(said)))
        except (TypeError, ValueError) as error:
            raise StoreError(
                f"{self._name}: what is set for {place} cannot be read ({error}); DELETE FROM settings WHERE place = {place}"
            ) from error

    @_transaction
    def set_place(
        self, db: Connection, place: int, changes: ChannelSettings, guild: int | None = None, inherit: str | None = None
    ) -> ChannelSettings:
        """Change a place's settings, and return all that it has then.

        `guild` is the server that the place is, or is in; `inherit` names a setting to reset to None.
        """
        db.execute(self._insert(_settings).values(place=place, said={}).on_conflict_do_nothing())
        said = db.execute(select(_SAID).where(_settings.c.place == place).with_for_update()).scalar_one()
        changed = changes.with_fallback(self._read(place, said))
        if inherit:
            changed = replace(changed, **{inherit: None})
        db.execute(update(_settings).where(_settings.c.place == place).values(said=changed.to_json(), guild=guild))
        return changed

    @_transaction
    def fact(self, db: Connection, name: str) -> str | None:
        """Return the text stored by `note` under a name, or None."""
        return db.execute(select(_facts.c.said).where(_facts.c.name == name)).scalar()

    @_transaction
    def note(self, db: Connection, name: str, said: str) -> None:
        self._note(db, name, said)

    def _note(self, db: Connection, name: str, said: str) -> None:
        row = {"name": name, "said": said}
        db.execute(self._insert(_facts).values(row).on_conflict_do_update(index_elements=["name"], set_=row))

    @_transaction
    def turns(self, db: Connection, channel: int, count: int) -> list[StoredTurn]:
        """Return the last `count` turns of a channel's conversation, oldest first."""
        rows = db.execute(
            select(_turns.c.author, _turns.c.speaker, _turns.c.text)
            .where(_turns.c.channel == channel)
            .order_by(_turns.c.id.desc())
            .limit(count)
        )
        return [StoredTurn(*row) for row in reversed(rows.all())]

    @_transaction
    def receive(self, db: Connection, one: PendingMessage) -> bool:
        """Store a message that is to be answered; return False if it is stored already."""
        if db.execute(select(_inbox.c.message).where(_inbox.c.message == one.message)).first():
            return False
        db.execute(insert(_inbox).values(**vars(one), at=time.time()))
        return True

    @_transaction
    def sending(self, db: Connection, message: int, reply: str) -> None:
        """Store the reply to a message that is about to be sent."""
        db.execute(update(_inbox).where(_inbox.c.message == message).values(reply=reply))

    @_transaction
    def answered(
        self,
        db: Connection,
        message: int | None,
        channel: int,
        turns: Sequence[StoredTurn],
        keep: int,
        *,
        instead: bool = False,
        guild: int | None = None,
    ) -> None:
        """Remove an answered message, if it was stored, and store its turns.

        The channel keeps its last `keep` turns. With `instead` the reply replaces the channel's last one, if that answers the
        same message. `guild` is the channel's server. If `message` is not stored any more, its author was forgotten
        meanwhile, and no turns are stored.
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

    def _replace(self, db: Connection, channel: int, asked: StoredTurn, reply: StoredTurn) -> None:
        columns = (_turns.c.id, _turns.c.author, _turns.c.text)
        last = db.execute(select(*columns).where(_turns.c.channel == channel).order_by(_turns.c.id.desc()).limit(2)).all()
        if [one.author for one in last] == [asked.author] * 2 and last[1].text == asked.text:
            db.execute(update(_turns).where(_turns.c.id == last[0].id).values(speaker=reply.speaker, text=reply.text))

    @_transaction
    def waiting(
        self, db: Connection, seconds: float, ours: Callable[[int | None], bool] = lambda guild: True
    ) -> list[PendingMessage]:
        """Return the unanswered messages of the last `seconds`, oldest first, and delete older ones.

        Those of servers that are not `ours` are left to another process.
        """
        columns = (_inbox.c.message, _inbox.c.guild, _inbox.c.channel, _inbox.c.author, _inbox.c.text, _inbox.c.reply)
        rows = [row for row in db.execute(select(*columns, _inbox.c.at).order_by(_inbox.c.message)) if ours(row.guild)]
        late = {row.message for row in rows if row.at < time.time() - seconds}
        db.execute(delete(_inbox).where(_inbox.c.message.in_(late)))
        return [PendingMessage(*row[:-1]) for row in rows if row.message not in late]

    @_for_good
    @_transaction
    def forget_channel(self, db: Connection, channel: int) -> None:
        """Delete a channel's conversation."""
        db.execute(delete(_turns).where(_turns.c.channel == channel))

    @_for_good
    @_transaction
    def forget_user(self, db: Connection, user: int) -> str:
        """Delete a user's messages and the answers to them; return the new value of the fact FORGOTTEN."""
        db.execute(delete(_turns).where(_turns.c.author == user))
        db.execute(delete(_inbox).where(_inbox.c.author == user))
        noted = f"{time.time()}"
        self._note(db, FORGOTTEN, noted)
        return noted

    @_for_good
    @_transaction
    def forget_older(self, db: Connection, days: float) -> set[int]:
        """Delete turns and unanswered messages older than `days`; return the channels of those turns."""
        then = time.time() - days * 86_400
        channels = set(db.execute(select(_turns.c.channel).where(_turns.c.at < then).distinct()).scalars())
        for table in (_turns, _inbox):
            db.execute(delete(table).where(table.c.at < then))
        return channels

    @_for_good
    @_transaction
    def forget_places(self, db: Connection, places: Iterable[int]) -> None:
        """Delete all that is stored for these servers, including their channels, and for these channels and threads."""
        self._forget_places(db, list(places))

    @_for_good
    @_transaction
    def forget_others(self, db: Connection, guilds: Container[int], ours: Callable[[int], bool]) -> list[int]:
        """Delete all that is stored for servers that are `ours` but not in `guilds`, which the bot has left; return their ids."""
        known = union(*(select(table.c.guild).where(table.c.guild.is_not(None)) for table in (_settings, _turns, _inbox)))
        gone = sorted(guild for guild in db.execute(known).scalars() if guild not in guilds and ours(guild))
        self._forget_places(db, gone)
        return gone

    def _forget_places(self, db: Connection, places: Sequence[int]) -> None:
        for table, column in ((_settings, _settings.c.place), (_turns, _turns.c.channel), (_inbox, _inbox.c.channel)):
            db.execute(delete(table).where(column.in_(places) | table.c.guild.in_(places)))


def _code(error: object) -> str:
    """Return the code of a driver's error: BUSY for SQLite's SQLITE_BUSY or SQLITE_BUSY_..., or PostgreSQL's SQLSTATE."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "SQLITE_").split("_")[1]
    # There is no SQLSTATE if no server answered; 08 is the class of connection errors.
    return getattr(error, "sqlstate", None) or "08"


def _postgres_patience(address: URL) -> dict[str, Any]:
    """Return connection arguments with timeouts for connecting, lost connections, locks and statements."""
    own, milliseconds = address.query.get("options", ""), int(_SECONDS * 1000)
    return {
        "connect_timeout": _SECONDS,
        "tcp_user_timeout": milliseconds,
        "options": f"{own} -c lock_timeout={milliseconds} -c statement_timeout={milliseconds}",
    }


def _settle_sqlite(connection: Any, _record: Any) -> None:
    # Transactions are begun by _begin_sqlite: Python's own would not include changes of tables.
    connection.isolation_level = None
    began = time.monotonic()
    while True:
        try:
            # With a WAL, a crash at any point leaves a readable file.
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            # SQLite's timeout does not apply to this pragma, which fails while another process opens the file.
            if time.monotonic() - began > _SECONDS:
                raise
            time.sleep(0.01)
    for pragma in ("synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # Lock for writing at once: a reader that turns into a writer fails if another process wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
