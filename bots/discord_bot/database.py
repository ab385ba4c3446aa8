"""A database of SQLite or PostgreSQL: opening, migrating, transactions, and errors that say what to do."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bots.discord_bot.process_lock import FileLock, NoLock, PostgresLock, ProcessLock
from charbot.errors import CharbotError, ConfigError

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


class StoreError(CharbotError):
    """The database cannot be read or written."""


P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D", bound="Database")


def transaction(method: Callable[Concatenate[D, Connection, P], T]) -> Callable[Concatenate[D, P], T]:
    """Run the decorated method in a transaction of its own. It then raises StoreError."""
    return _in_transaction(method, reads_only=False)


def read_transaction(method: Callable[Concatenate[D, Connection, P], T]) -> Callable[Concatenate[D, P], T]:
    """Run the decorated method in a transaction that only reads, as is possible on a full or read-only disk too."""
    return _in_transaction(method, reads_only=True)


def _in_transaction(method: Callable[Concatenate[D, Connection, P], T], *, reads_only: bool) -> Callable[Concatenate[D, P], T]:
    @wraps(method)
    def run(self: D, /, *args: P.args, **kwargs: P.kwargs) -> T:
        began = time.monotonic()
        if began < self._retry_at:
            raise StoreError(self._trouble)
        try:
            with self._engine.connect() as connection, connection.execution_options(reads_only=reads_only).begin():
                return method(self, connection, *args, **kwargs)
        except SQLAlchemyError as error:
            problem = self._problem(error)
            if time.monotonic() - began > self._timeout / 2:
                self._retry_at, self._trouble = time.monotonic() + self._timeout, str(problem)
            raise problem from error

    return run


def checkpoint_after(method: Callable[Concatenate[D, P], T]) -> Callable[Concatenate[D, P], T]:
    """Truncate the WAL after the decorated method, so that deleted text leaves no trace on disk. It then raises StoreError."""

    @wraps(method)
    def run(self: D, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result = method(self, *args, **kwargs)
        self._truncate_wal()
        return result

    return run


class Database:
    """A database, migrated when it is opened. Methods block: call them in a thread.

    `errors` counts the calls that failed.
    """

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        """Open SQLAlchemy's `url`: sqlite:///file, postgresql+psycopg://... Raises ConfigError, StoreError.

        A call fails after `timeout` seconds. For as long again further calls fail at once, instead of each waiting in turn.
        """
        self._timeout = timeout
        try:
            address = make_url(url)
            self._name = address.render_as_string(hide_password=True)
            self._is_sqlite = address.get_backend_name() == "sqlite"
            if self._is_sqlite and address.database and "uri" not in address.query:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            arguments = {"timeout": timeout} if self._is_sqlite else _postgres_timeouts(address, timeout)
            self._engine = create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=arguments)
        except ImportError as error:
            hint = "pip install 'charbot[postgres]', and begin it with postgresql+psycopg://"
            raise ConfigError(f"`discord.database`: {error}; {hint}") from error
        except (ArgumentError, ValueError) as error:
            raise ConfigError(f"`discord.database`: {error}") from error
        except OSError as error:
            raise StoreError(f"{self._name}: {error.strerror or error}") from error
        if self._is_sqlite:
            event.listen(self._engine, "connect", partial(_configure_sqlite, timeout))
            event.listen(self._engine, "begin", _begin_sqlite)
        self._insert = sqlite.insert if self._is_sqlite else postgresql.insert
        self._retry_at, self._trouble = 0.0, ""
        self.errors = 0
        self._migrate()

    def _migrate(self) -> None:
        """Migrate the tables in one transaction, locking out other processes. Raises StoreError."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self._engine.begin() as connection:
                if not self._is_sqlite:
                    connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE)))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except SQLAlchemyError as error:
            self.close()
            raise self._problem(error) from error
        except CommandError as error:
            self.close()
            raise StoreError(f"{self._name}: another version of charbot wrote it ({error})") from error

    def _truncate_wal(self) -> None:
        """Move SQLite's WAL into the database file, where it overwrites deleted text, and truncate it.

        If another process is using the database, this is left to the next time. Raises StoreError.
        """
        if not self._is_sqlite:
            return
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise self._problem(error) from error

    def process_lock(self, name: str) -> ProcessLock:
        """Return a lock of this name among the processes that share the database. They lose it when they end."""
        path = self._engine.url.database
        if not self._is_sqlite:
            return PostgresLock(self._engine, name)
        return FileLock(Path(path).with_name(f".{Path(path).name}-{name}.lock")) if path else NoLock()

    def backup(self, name: str) -> Path:
        """Copy the database into a file of this name, beside SQLite's own, and return its path. Raises StoreError."""
        if not self._is_sqlite or not self._engine.url.database:
            raise StoreError(f"{self._name}: only a file of SQLite is copied; use pg_dump")
        file = Path(self._engine.url.database)
        path = file.with_name(f"{file.stem}-{name}{file.suffix}")
        try:
            with closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("VACUUM INTO ?", (str(path),))
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise self._problem(error) from error
        return path

    def _problem(self, error: Exception) -> StoreError:
        self.errors += 1
        cause = getattr(error, "orig", None) or error
        code = _code(cause)
        cure = next((f"; {cure}" for cure, codes in _CURES if code.startswith(codes)), "")
        return StoreError(f"{self._name}: {str(cause).splitlines()[0]}{cure}")

    def close(self) -> None:
        self._engine.dispose()


def _code(error: object) -> str:
    """Return the code of a driver's error: BUSY for SQLite's SQLITE_BUSY or SQLITE_BUSY_..., or PostgreSQL's SQLSTATE."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", "SQLITE_").split("_")[1]
    # There is no SQLSTATE if no server answered; 08 is the class of connection errors.
    return getattr(error, "sqlstate", None) or "08"


def _postgres_timeouts(address: URL, timeout: float) -> dict[str, Any]:
    """Return connection arguments with timeouts for connecting, lost connections, locks and statements."""
    given, milliseconds = address.query.get("options", ""), int(timeout * 1000)
    return {
        "connect_timeout": max(1, int(timeout)),
        "tcp_user_timeout": milliseconds,
        "options": f"{given} -c lock_timeout={milliseconds} -c statement_timeout={milliseconds}",
    }


def _configure_sqlite(timeout: float, connection: Any, _record: Any) -> None:
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
            if time.monotonic() - began > timeout:
                raise
            time.sleep(0.01)
    for pragma in ("synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # Lock for writing at once: a reader that turns into a writer fails if another process wrote meanwhile.
    reads_only = connection.get_execution_options().get("reads_only")
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
