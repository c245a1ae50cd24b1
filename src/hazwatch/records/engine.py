"""The engine and the unit of work: one use case is one transaction, and nobody else commits.

SQLite runs in WAL mode with ``synchronous=FULL`` (an acknowledged change survives a power cut). Python's driver would
begin transactions late and by its own rules, so it is told to keep its hands off and the begin is sent from here: a
writing unit says ``BEGIN IMMEDIATE`` and waits its turn at the start, where waiting is safe, not at its first write,
where SQLite could only refuse. PostgreSQL runs writing units as READ COMMITTED and reading ones as read-only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from hazwatch.records.turns import Turns

#: How long a writer waits for another writer on SQLite, ms. An import of 60,000 points holds the lock for seconds.
BUSY_TIMEOUT_MS = 60_000

_WRITE, _PATIENCE, _GUARD, _TURN = "hazwatch_write", "hazwatch_patience", "hazwatch_guard", "hazwatch_turn"
_PAUSE_S = 0.1
_log = logging.getLogger(__name__)

#: The factory that is passed around. Only ``unit_of_work`` and ``reading`` call it.
Sessions = sessionmaker[Session]
#: Looks at a writing unit before it does anything.
Guard = Callable[[Session], None]


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
        engine = create_engine(parsed, json_deserializer=orjson.loads)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if family == "postgresql":
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, json_deserializer=orjson.loads
        )
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    raise ValueError(f"记录库只支持 SQLite 与 PostgreSQL,收到 {family}")


def make_sessions(engine: Engine, patience_s: float = 0.0, guard: Guard | None = None) -> Sessions:
    """The session factory of an engine. Objects stay readable after their unit ends.

    Args:
        engine: of the database.
        patience_s: how long a unit waits at its start for a database that is away. Once begun it does not wait: what
            became of half a transaction only its author can find out.
        guard: called first in every writing unit; it may refuse the unit by raising.
    """
    turns = Turns() if engine.dialect.name == "sqlite" else None
    return sessionmaker(engine, expire_on_commit=False, info={_PATIENCE: patience_s, _GUARD: guard, _TURN: turns})


@contextmanager
def unit_of_work(sessions: Sessions, *, urgent: bool = False) -> Iterator[Session]:
    """A writing transaction: commits at the end, rolls back on any exception.

    Args:
        sessions: of the records.
        urgent: goes ahead of writers of this process that wait (SQLite only: elsewhere nobody waits for the others).
    """
    with _turn(sessions, urgent=urgent), sessions() as session:
        _begin(session, {_WRITE: True})
        guard: Guard | None = session.info.get(_GUARD)
        if guard is not None:
            guard(session)
        yield session
        session.commit()


def _turn(sessions: Sessions, *, urgent: bool) -> AbstractContextManager[None]:
    turns: Turns | None = sessions.kw["info"][_TURN]
    return nullcontext() if turns is None else turns.turn(urgent=urgent, timeout_s=BUSY_TIMEOUT_MS / 1000)


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """A reading transaction: sees one state of the records and leaves nothing behind."""
    # Closing rolls back and, unlike a rollback by hand, leaves the objects that were read usable.
    with sessions() as session:
        _begin(session, {})
        yield session


def _begin(session: Session, options: dict[str, Any]) -> None:
    """Begin, waiting for a database that is away as long as the factory allows."""
    deadline = time.monotonic() + session.info.get(_PATIENCE, 0.0)
    told = False
    while True:
        try:
            session.connection(execution_options=options)
        except (OperationalError, InterfaceError) as error:
            session.rollback()
            if session.get_bind().dialect.name == "sqlite" or time.monotonic() >= deadline:
                raise
            if not told:
                _log.warning("records are away, waiting: %s", str(error.orig).strip().partition("\n")[0])
                told = True
            time.sleep(_PAUSE_S)
        else:
            if told:
                _log.warning("records are back")
            return


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
