"""Points of two enterprises, changes of level in words, and databases for Hypothesis."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select
from tests.postgres import _template, folder_in_memory

from hazwatch.alarms.facts import PointFacts
from hazwatch.alarms.model import Record, Transition
from hazwatch.alarms.service import Revision
from hazwatch.alarms.store import lines_of_record, record_of
from hazwatch.alarms.tables import Alarm
from hazwatch.records import Sessions, make_engine, make_sessions, reading
from hazwatch.vocabulary.levels import Level

NOON = 1_795_417_200_000
SECOND = 1000
LIMIT = {Level.LL: 1.0, Level.L: 2.0, Level.H: 8.0, Level.HH: 9.0}

JIA, YI = "/410000/410900/P4109001/410902001/", "/410000/410900/410902/410902002/"


def facts(index: int) -> PointFacts:
    """Points 0–9 belong to 甲, the others to 乙."""
    mine = index < 10
    enterprise, path = ("410902001", JIA) if mine else ("410902002", YI)
    name = "甲化工" if mine else "乙化工"
    source = f"{enterprise}001"
    code = f"{source}G0001YW{index + 1:03d}"
    return PointFacts(
        index, code, f"液位{index}", "YW", "m", source, f"{name}罐区", enterprise, name, path, simulated=False
    )


def at(seconds: float) -> int:
    return NOON + int(seconds * SECOND)


def moved(before: str, after: str, seconds: float, *, point: int = 0, arrived: float | None = None) -> Transition:
    """``moved("normal", "H", 1)``: at 1 s the point goes from normal to 高."""
    was, now = Level.parse(before), Level.parse(after)
    concerned = now if now is not Level.NORMAL else was
    arrival = at(seconds if arrived is None else arrived)
    value = {Level.NORMAL: 5.0, Level.H: 8.2, Level.HH: 9.3, Level.L: 1.8, Level.LL: 0.7}[now]
    return Transition(point, at(seconds), arrival, was, now, value, LIMIT[concerned], 1)


def revised(after: float, *instead: Transition, arrived: float = 100, point: int = 0) -> Revision:
    return Revision(point, at(after), at(arrived), list(instead))


def table(sessions: Sessions) -> list[Record]:
    """All records as they stand in the table, by event time."""
    with reading(sessions) as session:
        rows = session.scalars(select(Alarm).order_by(Alarm.event_time, Alarm.point))
        return [record_of(row) for row in rows]


def life(sessions: Sessions, alarm_id: str) -> list[tuple[str, float, str]]:
    """What happened to a record: (cause, seconds, state after), superseded lines left out."""
    with reading(sessions) as session:
        events = sorted(lines_of_record(session, alarm_id), key=lambda e: e.event_time)
    return [(e.cause.value, (e.event_time - NOON) / SECOND, e.to_state.value) for e in events]


@contextmanager
def scratch() -> Iterator[Sessions]:
    """A migrated SQLite database of its own, for one example of a law."""
    folder = folder_in_memory("hazwatch-law-")
    try:
        shutil.copy(_template("sqlite"), folder / "records.sqlite")
        engine = make_engine(f"sqlite:///{folder}/records.sqlite")
        yield make_sessions(engine)
        engine.dispose()
    finally:
        shutil.rmtree(folder)
