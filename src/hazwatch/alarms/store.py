"""Reading and writing alarm records. Runs inside the transaction of a use case in ``service``."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from hazwatch.alarms.facts import FactsOf, PointFacts
from hazwatch.alarms.model import JUDGED, KIND_PROCESS, LISTED, OPEN, Aside, Cause, Change, Event, Record, State
from hazwatch.alarms.tables import Alarm, AlarmEvent, StreamOffset
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import iso

#: Whether an enterprise, by its code, is ours: of several engines each keeps the alarms of its share.
Owns = Callable[[str], bool]


def everything(enterprise: str) -> bool:
    """The one engine of a node owns every enterprise."""
    del enterprise
    return True


def _number(value: float) -> float | None:
    """NaN has no place in a database or in JSON."""
    return None if math.isnan(value) else value


def _float(value: float | None) -> float:
    return math.nan if value is None else value


def _state_columns(record: Record, facts: PointFacts) -> dict[str, Any]:
    """The columns of a record that change in its life."""
    aside = record.aside
    limit_set = facts.limit_set(record.worst_level) if record.kind == KIND_PROCESS else None
    return {
        "limit_set": limit_set,
        "level": int(record.level), "worst_level": int(record.worst_level), "state": record.state.value,
        "priority": record.priority, "value": _number(record.value), "limit": _number(record.limit),
        "limit_version": record.limit_version, "returned_at": record.returned_at, "closed_at": record.closed_at,
        "acknowledged_by": record.acknowledged_by, "acknowledged_at": record.acknowledged_at, "note": record.note,
        "found_late": record.found_late, "revoked": record.revoked, "level_since": record.level_since,
        "latched": record.latched, "silenced_in": " ".join(record.silenced_in), "first_out": record.first_out,
        "seq": record.seq, "aside_by": aside.by if aside else None, "aside_why": aside.why if aside else None,
        "aside_until": aside.until if aside else None, "aside_mode": aside.mode if aside else None,
    }  # fmt: skip


def _birth_columns(record: Record, facts: PointFacts) -> dict[str, Any]:
    """The columns that are fixed when a record begins."""
    return {
        "id": record.id, "point": record.point, "kind": record.kind, "event_time": record.event_time,
        "arrived_at": record.arrived_at, "path": facts.path, "simulated": facts.simulated, "point_code": facts.code,
        "point_name": facts.name, "quantity": facts.quantity, "unit": facts.unit, "source": facts.source,
        "source_name": facts.source_name, "enterprise": facts.enterprise, "enterprise_name": facts.enterprise_name,
    }  # fmt: skip


def record_of(row: Alarm) -> Record:
    """The record that a row holds."""
    return Record(
        row.id, row.point, row.kind, Level(row.level), Level(row.worst_level), State(row.state), _float(row.value),
        _float(row.limit), row.limit_version, row.event_time, row.arrived_at, row.level_since, row.found_late,
        row.returned_at, row.closed_at, row.acknowledged_by, row.acknowledged_at, row.note, row.revoked, row.latched,
        tuple(row.silenced_in.split()), row.first_out,
        _aside_of(row), row.seq,
    )  # fmt: skip


def _aside_of(row: Alarm) -> Aside | None:
    if row.aside_by is None:
        return None
    return Aside(row.aside_by, row.aside_why or "", row.aside_until, row.aside_mode or "")


def event_of(row: AlarmEvent) -> Event:
    """The event that a row holds."""
    return Event(
        row.alarm_id, row.event_time, row.arrived_at, Cause(row.cause), State(row.from_state), State(row.to_state),
        Level(row.level), _float(row.value), _float(row.limit), row.limit_version, row.who, row.note, row.found_late,
    )  # fmt: skip


def open_records(session: Session, owns: Owns = everything) -> list[Record]:
    """Every record that is not closed, of the enterprises that are ours."""
    # scope: node-internal because the alarm desk keeps the open records of the whole node in memory
    rows = session.scalars(select(Alarm).where(Alarm.state.in_([s.value for s in OPEN])))
    return [record_of(row) for row in rows if owns(row.enterprise)]


def records_after(session: Session, point: int, kind: str, moment: int) -> list[Record]:
    """Records of a point that reach beyond a moment: begun after it, or not over by then. Oldest first."""
    # scope: node-internal because late data amends the records of its point, whoever may see them
    rows = session.scalars(
        select(Alarm)
        .where(Alarm.point == point, Alarm.kind == kind)
        .where((Alarm.event_time > moment) | Alarm.returned_at.is_(None) | (Alarm.returned_at > moment))
        .order_by(Alarm.event_time)
    )
    return [record_of(row) for row in rows]


def calm_before(session: Session, point: int, moment: int) -> int:
    """A moment at or before the given one at which no process record of the point stood."""
    while True:
        # scope: node-internal because late data is judged for its point, whoever may see it
        begun = session.scalar(
            select(func.min(Alarm.event_time))
            .where(Alarm.point == point, Alarm.kind == KIND_PROCESS, Alarm.revoked.is_(False))
            .where(Alarm.event_time < moment, Alarm.returned_at.is_(None) | (Alarm.returned_at >= moment))
        )
        if begun is None:
            return moment
        moment = begun


def lines_of_record(session: Session, alarm_id: str) -> list[Event]:
    """The valid events of a record in the order in which they were told, so that an acknowledgement has its place."""
    rows = session.scalars(
        select(AlarmEvent)
        .where(AlarmEvent.alarm_id == alarm_id, AlarmEvent.superseded.is_(False))
        .order_by(AlarmEvent.id)
    )
    return [event_of(row) for row in rows]


def supersede_events(session: Session, point: int, alarm_ids: list[str], moment: int) -> set[tuple[int, int]]:
    """Mark what the judge had said after a moment as superseded. What people did stays.

    Returns:
        (event time, level) of what was said, so that what late data only repeats is not called late.
    """
    void = (
        (AlarmEvent.point == point)
        & AlarmEvent.alarm_id.in_(alarm_ids)
        & (AlarmEvent.event_time > moment)
        & AlarmEvent.cause.in_([cause.value for cause in JUDGED])
        & AlarmEvent.superseded.is_(False)
    )
    rows = session.execute(select(AlarmEvent.event_time, AlarmEvent.level, AlarmEvent.found_late).where(void)).all()
    session.execute(update(AlarmEvent).where(void).values(superseded=True))
    return {(row.event_time, row.level) for row in rows if not row.found_late}


def save(session: Session, change: Change, facts: FactsOf) -> None:
    """Write a change: records that began, those that changed, and the lines of their life.

    Args:
        session: of the use case.
        change: what happened; its records carry their number already.
        facts: names of the points.
    """
    new = [r for r in change.records.values() if r.id in change.begun]
    old = [r for r in change.records.values() if r.id not in change.begun]
    if new:
        born = [(r, facts(r.point)) for r in new]
        session.execute(insert(Alarm), [{**_birth_columns(r, f), **_state_columns(r, f)} for r, f in born])
    if old:
        # scope: node-internal because the desk writes what the judge found; people's changes were checked before
        changed = update(Alarm).where(Alarm.id == bindparam("record_id"))
        rows = [{"record_id": r.id, **_state_columns(r, facts(r.point))} for r in old]
        columns: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "record_id"}
        session.connection().execute(changed.values(columns), rows)
    if change.events:
        session.execute(
            insert(AlarmEvent), [_event_columns(e, change.records[e.alarm_id].point) for e in change.events]
        )


def _event_columns(event: Event, point: int) -> dict[str, Any]:
    return {
        "alarm_id": event.alarm_id, "point": point, "event_time": event.event_time, "arrived_at": event.arrived_at,
        "cause": event.cause.value, "from_state": event.from_state.value, "to_state": event.to_state.value,
        "level": int(event.level), "value": _number(event.value), "limit": _number(event.limit),
        "limit_version": event.limit_version, "who": event.who, "note": event.note, "found_late": event.found_late,
        "superseded": False,
    }  # fmt: skip


def read_offset(session: Session, name: str) -> tuple[int, int]:
    """How far the records are in the stream of a name: live, background."""
    row = session.get(StreamOffset, name)
    return (row.live, row.background) if row else (0, 0)


def write_offset(session: Session, name: str, live: int, background: int) -> None:
    """Note how far the records are, in the transaction that brought them there."""
    session.execute(delete(StreamOffset).where(StreamOffset.name == name))
    session.execute(insert(StreamOffset), [{"name": name, "live": live, "background": background}])


def bursts(session: Session, reach: int) -> dict[str, tuple[str, int]]:
    """By source the burst of alarms that its newest alarm belongs to, and that alarm's event time.

    Args:
        session: of the use case.
        reach: ms before the newest alarm of the node; older bursts are over.
    """
    # scope: node-internal because the desk marks the first alarm of a burst for the whole node
    rung = (Alarm.kind == KIND_PROCESS) & Alarm.found_late.is_(False)
    newest = session.scalar(select(func.max(Alarm.event_time)).where(rung)) or 0
    rows = session.execute(
        select(Alarm.source, Alarm.first_out, Alarm.event_time)
        .where(rung, Alarm.event_time >= newest - reach)
        .order_by(Alarm.event_time, Alarm.id)
    )
    return {source: (first, at) for source, first, at in rows.tuples()}


def newest_seq(session: Session) -> int:
    """Number of the newest change of any record."""
    # scope: node-internal because the desk numbers the changes of the whole node
    return session.scalar(select(func.max(Alarm.seq))) or 0


def form(record: Record, facts: PointFacts) -> dict[str, Any]:
    """A record in the form of the API (docs/api.md)."""
    aside = record.aside
    return {
        "id": record.id, "kind": record.kind, "point": facts.code, "point_name": facts.name,
        "quantity": facts.quantity, "unit": facts.unit, "source": facts.source, "source_name": facts.source_name,
        "enterprise": facts.enterprise, "enterprise_name": facts.enterprise_name, "level": record.level.word,
        "worst_level": record.worst_level.word, "state": record.state.value, "priority": record.priority,
        "value": _number(record.value), "limit": _number(record.limit),
        "limit_set": facts.limit_set(record.worst_level) if record.kind == KIND_PROCESS else None,
        "event_time": iso(record.event_time),
        "arrived_at": iso(record.arrived_at), "returned_at": iso_or_none(record.returned_at),
        "closed_at": iso_or_none(record.closed_at), "acknowledged_by": record.acknowledged_by,
        "acknowledged_at": iso_or_none(record.acknowledged_at), "note": record.note, "found_late": record.found_late,
        "revoked": record.revoked, "simulated": facts.simulated, "latched": record.latched,
        "silenced_in": list(record.silenced_in), "first_out": record.first_out, "seq": record.seq,
        "rose": record.rose,
        "aside": aside
        and {"by": aside.by, "why": aside.why, "until": iso_or_none(aside.until), "mode": aside.mode},
    }  # fmt: skip


def facts_of_row(row: Alarm) -> PointFacts:
    """The facts that a row remembers."""
    return PointFacts(
        row.point, row.point_code, row.point_name, row.quantity, row.unit, row.source, row.source_name,
        row.enterprise, row.enterprise_name, row.path, row.simulated, (row.limit_set or "",) * 4,
    )  # fmt: skip


def iso_or_none(ms: int | None) -> str | None:
    """ISO 8601 of a moment that may not have come."""
    return None if ms is None else iso(ms)


def ids_known(session: Session, ids: Iterable[str]) -> set[str]:
    """Which of these ids stand in the table."""
    # scope: node-internal because an id is looked up before the desk writes it
    return set(session.scalars(select(Alarm.id).where(Alarm.id.in_(list(ids)))))


def closed_record(session: Session, alarm_id: str) -> Record | None:
    """A record by id, whatever its state."""
    # scope: node-internal because the page has checked the scope of the id before it asked the desk
    row = session.get(Alarm, alarm_id)
    return None if row is None else record_of(row)


def open_counts(session: Session, codes: Collection[str]) -> dict[str, int]:
    """Open alarms by code of source or enterprise; codes without any are missing."""
    # scope: node-internal because the asker has looked up the codes within the scope
    wanted = set(codes)
    counts: dict[str, int] = {}
    for column in (Alarm.source, Alarm.enterprise):
        statement = select(column, func.count()).where(Alarm.state.in_([s.value for s in LISTED])).group_by(column)
        counts |= {code: n for code, n in session.execute(statement) if code in wanted}
    return counts
