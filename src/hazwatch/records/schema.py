"""Bringing the tables of a database to the state this program needs.

A room that adds a table puts its module into ``TABLE_MODULES`` and a revision into ``migrations/versions``; the suite
compares models and migrations on both databases. The modules are named as text, because records know no room.
"""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import Engine

from hazwatch.records.base import Base
from hazwatch.records.engine import make_engine, make_sessions, unit_of_work

#: Every module that declares tables. Add here, then write a revision.
TABLE_MODULES: tuple[str, ...] = (
    "hazwatch.identity.tables",
    "hazwatch.registry.tables",
    "hazwatch.registry.limits.tables",
    "hazwatch.registry.gb18218.tables",
    "hazwatch.registry.files.tables",
    "hazwatch.alarms.tables",
    "hazwatch.alarms.trial_tables",
    "hazwatch.risk.tables",
    "hazwatch.slips.tables",
    "hazwatch.access.tables",
    "hazwatch.history.tables",
    "hazwatch.records.fence",
    "hazwatch.notify.tables",
    "hazwatch.warnings.tables",
)


def load_tables() -> type[Base]:
    """Import all table modules, so that ``Base.metadata`` is whole."""
    for name in TABLE_MODULES:
        import_module(name)
    return Base


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest revision; create it when empty. Doing it again changes nothing."""
    engine = make_engine(url)
    try:
        migrate_engine(engine)
    finally:
        engine.dispose()


def migrate_engine(engine: Engine) -> None:
    """The same on an engine that exists already. All revisions run in one transaction."""
    from alembic import command
    from alembic.config import Config

    load_tables()
    with unit_of_work(make_sessions(engine)) as session:
        config = Config()
        config.set_main_option("script_location", "hazwatch.records:migrations")
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")
