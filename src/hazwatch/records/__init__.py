"""Relational store of everything people edit or sign: one engine, one unit of work, one line of migrations."""

from hazwatch.records.base import Base, Key
from hazwatch.records.engine import Sessions, make_engine, make_sessions, reading, unit_of_work
from hazwatch.records.schema import load_tables, migrate

__all__ = [
    "Base",
    "Key",
    "Sessions",
    "load_tables",
    "make_engine",
    "make_sessions",
    "migrate",
    "reading",
    "unit_of_work",
]
