"""Locks among processes, which the system releases when a process ends, however it does."""

import zlib
from pathlib import Path
from typing import Protocol

import filelock
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError


class ProcessLock(Protocol):
    """A lock that at most one process holds."""

    def acquire(self) -> bool:
        """Take the lock; return False if another process holds it."""

    def release(self) -> None: ...


class FileLock:
    """A lock on a file."""

    def __init__(self, path: Path) -> None:
        # Another thread may release it.
        self._lock = filelock.FileLock(path, thread_local=False)

    def acquire(self) -> bool:
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            return False
        except OSError:
            # The folder cannot be written, and so no lock be held: better two than none.
            return True
        return True

    def release(self) -> None:
        self._lock.release()


class PostgresLock:
    """An advisory lock of a PostgreSQL session, on a connection of its own."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine, self._key = engine, zlib.crc32(name.encode())
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        connection = self._engine.connect()
        if connection.execute(select(func.pg_try_advisory_lock(self._key))).scalar():
            connection.commit()
            self._connection = connection
            return True
        connection.close()
        return False

    def release(self) -> None:
        if self._connection is not None:
            try:
                self._connection.execute(select(func.pg_advisory_unlock(self._key)))
            except SQLAlchemyError:
                # The session is gone, and the lock with it.
                self._connection.invalidate()
            self._connection.close()


class NoLock:
    """A lock for a database in memory, which no other process has."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None
