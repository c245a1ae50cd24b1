"""Engine, unit of work and migrations, on SQLite and on PostgreSQL."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import hazwatch
from hazwatch.records import Sessions, load_tables, make_engine, make_sessions, migrate, reading, unit_of_work
from hazwatch.registry.tables import Counter


def test_models_and_migrations_agree(records: Sessions) -> None:
    metadata = load_tables().metadata
    with reading(records) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(empty_url: str) -> None:
    migrate(empty_url)
    sessions = make_sessions(make_engine(empty_url))
    with unit_of_work(sessions) as session:
        session.add(Counter(name="mine", next=7))
    migrate(empty_url)
    with reading(sessions) as session:
        assert session.get_one(Counter, "mine").next == 7


def test_unit_rolls_back_on_an_exception(records: Sessions) -> None:
    def fail() -> None:
        with unit_of_work(records) as session:
            session.add(Counter(name="mine", next=1))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with reading(records) as session:
        assert session.get(Counter, "mine") is None


def test_reading_leaves_nothing_behind(records: Sessions) -> None:
    try:
        with reading(records) as session:
            session.add(Counter(name="mine", next=1))
            session.flush()
    except DBAPIError:
        pass  # PostgreSQL refuses at once
    with reading(records) as session:
        assert session.get(Counter, "mine") is None


def test_two_hundred_increments_by_eight_threads_lose_nothing(records: Sessions) -> None:
    def work() -> None:
        for _ in range(25):
            with unit_of_work(records) as session:
                row = session.scalars(select(Counter).where(Counter.name == "point").with_for_update()).one()
                row.next += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(records) as session:
        assert session.get_one(Counter, "point").next == 200


def test_readers_do_not_wait_for_a_writer(records: Sessions) -> None:
    with unit_of_work(records) as session:
        session.get_one(Counter, "point").next = 5
        session.flush()
        with reading(records) as other:
            assert other.get_one(Counter, "point").next == 0


def test_sqlite_survives_power_cuts_and_checks_keys(tmp_path: Path) -> None:
    sessions = make_sessions(make_engine(f"sqlite:///{tmp_path / 'deep' / 'records.sqlite'}"))
    with reading(sessions) as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA foreign_keys")) == 1


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        make_engine("mysql://localhost/x")


def test_nobody_else_commits() -> None:
    """One use case is one transaction: ``commit`` is called in records/engine.py only."""
    root = Path(hazwatch.__file__).parent
    offenders = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        if path != root / "records" / "engine.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert offenders == []
