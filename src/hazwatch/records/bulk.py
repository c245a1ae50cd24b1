"""Reading whole tables in columns, straight from the driver: a nation's points as ORM rows would take ten seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

_AT_ONCE = 20_000


def columns(session: Session, statement: Select[*tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """The columns of a statement without parameters, a part of at most 20,000 rows at a time.

    Values are those of the driver: SQLite gives 0 and 1 for booleans.
    """
    connection = session.connection()
    sql = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield tuple(zip(*rows, strict=True))
    finally:
        cursor.close()
