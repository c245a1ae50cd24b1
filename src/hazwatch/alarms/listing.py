"""Lists of alarm records, always through the scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from hazwatch.alarms.condition import condition
from hazwatch.alarms.inherit import chain
from hazwatch.alarms.model import ASIDE, LISTED, OPEN, WAITING, State
from hazwatch.alarms.store import event_of, facts_of_row, form, iso_or_none, newest_seq, record_of
from hazwatch.alarms.tables import Alarm, AlarmEvent
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.paging import Page, PageRequest, contains, count, ordered
from hazwatch.vocabulary.levels import Level

#: What a list may show → states; "all" is not limited.
_STATES: dict[str, tuple[State, ...]] = {
    "open": LISTED, "unacknowledged": WAITING, "aside": ASIDE, "closed": (State.NORMAL,),
    **{state.value: (state,) for state in ASIDE},
}  # fmt: skip
SHOW = (*_STATES, "all")
_SORT = {
    name: getattr(Alarm, name)
    for name in (
        "event_time", "arrived_at", "priority", "level", "state", "point_code", "point_name", "source", "source_name",
        "enterprise_name", "value", "returned_at", "acknowledged_at",
    )
}  # fmt: skip
_SORT["point"] = Alarm.point_code


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Filters of the list; empty = all. Times in epoch ms; ``upto``: only what has not changed after this number."""

    show: str = "open"
    q: str = ""
    source: str = ""
    enterprise: str = ""
    point: str = ""
    level: str = ""
    kind: str = ""
    start: int | None = None
    end: int | None = None
    priority: int = 0
    equipment: str = ""
    upto: int | None = None


def filtered(who: Principal, wanted: AlarmFilter) -> Select[Alarm]:
    """The alarms in scope that a filter lets through."""
    statement = scoped(select(Alarm), who, Alarm)
    states = _STATES.get(wanted.show)
    if states is not None:
        statement = statement.where(Alarm.state.in_([state.value for state in states]))
    for column, value in (
        (Alarm.source, wanted.source),
        (Alarm.enterprise, wanted.enterprise),
        (Alarm.point_code, wanted.point),
        (Alarm.kind, wanted.kind),
        (Alarm.priority, wanted.priority),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.level:
        statement = statement.where(Alarm.level == int(Level.parse(wanted.level)))
    if wanted.equipment:
        statement = statement.where(Alarm.point_code.startswith(wanted.equipment, autoescape=True))
    if wanted.upto is not None:
        statement = statement.where(Alarm.seq <= wanted.upto)
    if wanted.start is not None:
        statement = statement.where(Alarm.event_time >= wanted.start)
    if wanted.end is not None:
        statement = statement.where(Alarm.event_time < wanted.end)
    if wanted.q:
        names = (Alarm.point_code, Alarm.point_name, Alarm.source_name, Alarm.enterprise_name)
        statement = statement.where(contains(wanted.q, *names))
    return statement


def page(session: Session, who: Principal, request: PageRequest, wanted: AlarmFilter) -> Page[dict[str, Any]]:
    """One page of alarm records, newest first unless sorted otherwise."""
    statement = filtered(who, wanted)
    total = count(session, statement)
    if request.field:
        statement = ordered(statement, request, _SORT, Alarm.id)
    else:
        statement = statement.order_by(Alarm.event_time.desc(), Alarm.id)
    # Sorted are the ids alone: far down a long list, sorting whole rows is most of the work.
    window = statement.with_only_columns(Alarm.id).offset(request.offset).limit(request.page_size)
    place = {alarm_id: n for n, alarm_id in enumerate(session.scalars(window))}
    found = session.scalars(scoped(select(Alarm).where(Alarm.id.in_(place)), who, Alarm))
    rows = sorted(found, key=lambda row: place[row.id])
    return Page(with_bursts(session, who, rows), total, request.page, request.page_size)


def with_bursts(session: Session, who: Principal, rows: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Rows in the form of the API; what came first in a burst says how many came with it (``burst``)."""
    firsts = [row.id for row in rows if row.first_out == row.id]
    size: dict[str, int] = {}
    if firsts:
        bursts = scoped(select(Alarm.first_out, func.count()).where(Alarm.first_out.in_(firsts)), who, Alarm)
        size = dict(row.tuple() for row in session.execute(bursts.group_by(Alarm.first_out)))
    return [as_form(row) | {"burst": size.get(row.id, 0)} for row in rows]


def ids(session: Session, who: Principal, wanted: AlarmFilter) -> list[str]:
    """Ids of the whole filtered list, newest first."""
    return [row.id for row in session.scalars(filtered(who, wanted).order_by(Alarm.event_time.desc(), Alarm.id))]


def changes(session: Session, who: Principal, after: int, most: int) -> dict[str, Any]:
    """Records that changed after a number, in the order of their newest change: how a page catches up without gaps.

    Returns:
        ``{items, seq, more}``; ask again from ``seq`` while there is more.
    """
    newest = newest_seq(session)
    statement = scoped(select(Alarm).where(Alarm.seq > after), who, Alarm).order_by(Alarm.seq).limit(most + 1)
    rows = session.scalars(statement).all()
    more = len(rows) > most
    rows = rows[:most]
    return {"items": [as_form(row) for row in rows], "seq": rows[-1].seq if more else newest, "more": more}


def everything(session: Session, who: Principal, wanted: AlarmFilter) -> Iterator[dict[str, Any]]:
    """The whole filtered list, newest first, for an export."""
    statement = filtered(who, wanted).order_by(Alarm.event_time.desc(), Alarm.id)
    for row in session.scalars(statement.execution_options(yield_per=1000)):
        yield as_form(row)


def summary(session: Session, who: Principal) -> dict[str, int]:
    """Open records in scope by state."""
    statement = scoped(select(Alarm.state, func.count()).group_by(Alarm.state), who, Alarm)
    rows = session.execute(statement.where(Alarm.state.in_([s.value for s in OPEN])))
    found: dict[str, int] = dict(row.tuple() for row in rows)
    return {state.value: found.get(state.value, 0) for state in OPEN}


def ringing(session: Session, who: Principal) -> dict[str, int]:
    """Alarms that ring in the control room of the asker, by priority: unacknowledged, not found late, not silenced."""
    statement = scoped(select(Alarm.priority, func.count()).where(_rings(who)), who, Alarm)
    found: dict[int, int] = dict(row.tuple() for row in session.execute(statement.group_by(Alarm.priority)))
    return {str(priority): found.get(priority, 0) for priority in (1, 2, 3)}


def ringing_ids(session: Session, who: Principal) -> list[str]:
    """Ids of those that ring there."""
    return list(session.scalars(scoped(select(Alarm.id).where(_rings(who)), who, Alarm)))


def _rings(who: Principal) -> ColumnElement[bool]:
    silenced = (" " + Alarm.silenced_in + " ").contains(f" {who.scope_code} ", autoescape=True)
    return (Alarm.state == State.UNACKNOWLEDGED.value) & Alarm.found_late.is_(False) & ~silenced


def ids_in_scope(session: Session, who: Principal, asked: list[str]) -> set[str]:
    """Which of these records the principal may see."""
    return set(session.scalars(scoped(select(Alarm.id).where(Alarm.id.in_(asked)), who, Alarm)))


def one(session: Session, who: Principal, alarm_id: str) -> dict[str, Any] | None:
    """A record with its life; None when there is none in scope."""
    row = session.scalar(scoped(select(Alarm).where(Alarm.id == alarm_id), who, Alarm))
    if row is None:
        return None
    lines = session.scalars(
        select(AlarmEvent)
        .where(AlarmEvent.alarm_id == row.id, AlarmEvent.superseded.is_(False))
        .order_by(AlarmEvent.event_time, AlarmEvent.id)
    )
    (shown,) = with_bursts(session, who, [row])
    found = shown | {"events": [event_form(line) for line in lines], "condition": condition(record_of(row), shown)}
    found["chain"] = chain(row.path, row.point_code)
    if row.first_out and row.first_out != row.id:
        first = session.scalar(scoped(select(Alarm).where(Alarm.id == row.first_out), who, Alarm))
        found["first"] = first and as_form(first)
    return found


def as_form(row: Alarm) -> dict[str, Any]:
    """A row in the form of the API."""
    return form(record_of(row), facts_of_row(row))


def event_form(row: AlarmEvent) -> dict[str, Any]:
    """A line of a record's life in the form of the API."""
    event = event_of(row)
    return {
        "event_time": iso_or_none(event.event_time), "arrived_at": iso_or_none(event.arrived_at),
        "what": event.cause.value, "from_state": event.from_state.value, "to_state": event.to_state.value,
        "level": event.level.word, "value": row.value, "limit": row.limit, "limit_version": event.limit_version,
        "who": event.who, "note": event.note, "found_late": event.found_late,
    }  # fmt: skip
