"""The engine and the unit of work: one use case is one transaction, and nobody else commits.

SQLite runs in WAL mode with ``synchronous=FULL`` (an acknowledged change survives a power cut). Python's driver would
begin transactions late and by its own rules, so it is told to keep its hands off and the begin is sent from here: a
writing unit says ``BEGIN IMMEDIATE`` and waits its turn at the start, where waiting is safe, not at its first write,
where SQLite could only refuse. PostgreSQL runs writing units as READ COMMITTED and reading ones as read-only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

#: How long a writer waits for another writer on SQLite, ms. An import of 60,000 points holds the lock for seconds.
BUSY_TIMEOUT_MS = 60_000

_WRITE = "hazwatch_write"

#: The factory that is passed around. Only ``unit_of_work`` and ``reading`` call it.
Sessions = sessionmaker[Session]


def make_engine(url: str) -> Engine:
    """An engine for ``sqlite:///…`` or ``postgresql://…`` (psycopg 3).

    Raises:
        ValueError: another database.
    """
    parsed = make_url(url)
    family = parsed.get_backend_name()
    if family == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if family == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    raise ValueError(f"记录库只支持 SQLite 与 PostgreSQL,收到 {family}")


def make_sessions(engine: Engine) -> Sessions:
    """The session factory of an engine. Objects stay readable after their unit ends."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def unit_of_work(sessions: Sessions) -> Iterator[Session]:
    """A writing transaction: commits at the end, rolls back on any exception."""
    with sessions() as session:
        session.connection(execution_options={_WRITE: True})
        yield session
        session.commit()


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """A reading transaction: sees one state of the records and leaves nothing behind."""
    # Closing rolls back and, unlike a rollback by hand, leaves the objects that were read usable.
    with sessions() as session:
        yield session


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set a new SQLite connection up."""
    connection.isolation_level = None
    cursor = connection.cursor()
    # The wait comes first: changing to WAL itself needs the file's lock.
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin on SQLite: writers queue at once."""
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    """Begin on PostgreSQL: a reading unit may not write, and sees one state throughout."""
    if not connection.get_execution_options().get(_WRITE, False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
