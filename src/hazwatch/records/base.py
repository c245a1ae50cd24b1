"""The declarative base of all tables.

Constraints get names by rule, so that a migration can name what it drops on both databases. Times are epoch
milliseconds in ``BigInteger`` columns; no column holds a datetime.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Double, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: Type of a running-number primary key. SQLite numbers rows by itself only for the type INTEGER.
Key: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


def code_text(length: int) -> TypeEngine[str]:
    """A text column that both databases order byte by byte, so that a prefix is a range and an index can serve it."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Base(DeclarativeBase):
    """Base of every table of the node."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double()}
