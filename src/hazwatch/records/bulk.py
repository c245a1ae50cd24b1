"""Reading whole tables in columns, straight from the driver: a nation's points as ORM rows would take ten seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.orm import Session

_AT_ONCE = 20_000
#: Stands for "no value" on the way from the database: a column without objects becomes an array ten times faster.
_NOTHING = -1.5e300
_SEPARATOR = "\0"


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


@dataclass(frozen=True, slots=True)
class Texts:
    """N texts as UTF-8 one after the other, and the size of each in bytes, int64[N]."""

    data: bytes
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Without an object for each; databases keep no NUL in a text."""
        joined = np.frombuffer(_SEPARATOR.join([*texts, ""]).encode(), np.uint8)
        ends = np.flatnonzero(joined == 0)
        if len(ends) != len(texts):
            raise ValueError("a text of the records holds a NUL")
        return cls(joined[joined != 0].tobytes(), np.diff(ends, prepend=-1) - 1)


def fixed(texts: Sequence[str], width: int) -> NDArray[np.bytes_]:
    """ASCII texts of at most ``width`` characters as fixed-width bytes, [N]."""
    joined = "".join(texts)
    if len(joined) == width * len(texts) and joined.isascii():
        return np.frombuffer(joined.encode(), f"S{width}")
    return np.array(texts, f"S{width}")


def figure(column: Any) -> ColumnElement[float]:
    """A column of numbers that may be missing, to be read by ``figures``."""
    return func.coalesce(column, _NOTHING)


def figures(values: Sequence[float]) -> NDArray[np.float64]:
    """What ``figure`` brought, NaN where there is no value, float64[N]."""
    found = np.array(values, np.float64)
    found[found == _NOTHING] = np.nan
    return found
