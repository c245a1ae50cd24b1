"""A period as it was: the records that were open when it began, and every line of their life in it.

From these a page can show any moment of the period without asking again. What stands now plays no part: states come
from the lines of the records, in event time; what late data replaced is left out, what it showed is marked.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from hazwatch.alarms.listing import as_form, event_form
from hazwatch.alarms.model import State
from hazwatch.alarms.tables import Alarm, AlarmEvent
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import iso

#: Lines in one answer; what is left is said and can be asked for next.
MOST_LINES = 20_000


def period(session: Session, who: Principal, start: int, end: int, source: str) -> dict[str, Any]:
    """Alarms from ``start`` (epoch ms) to ``end``.

    Returns:
        ``{from, to, alarms, at_start, lines, next_from}``: the records concerned by id; state and level of those that
        were open at the start; lines in order of event time; where to go on when there are too many.
    """
    at_start = _standing_at(session, who, start, source)
    statement = (
        scoped(select(AlarmEvent), who, Alarm)
        .join(Alarm, Alarm.id == AlarmEvent.alarm_id)
        .where(AlarmEvent.event_time > start, AlarmEvent.event_time <= end, AlarmEvent.superseded.is_(False))
        .order_by(AlarmEvent.event_time, AlarmEvent.id)
        .limit(MOST_LINES + 1)
    )
    if source:
        statement = statement.where(Alarm.source == source)
    rows = list(session.scalars(statement))
    next_from = None
    if len(rows) > MOST_LINES:
        last = rows[MOST_LINES].event_time
        # Lines of one moment stay together; a moment with more lines than an answer holds is given whole.
        rows = [r for r in rows if r.event_time < last] or rows[:MOST_LINES]
        next_from = iso(rows[-1].event_time)
    ids = [*at_start, *dict.fromkeys(row.alarm_id for row in rows)]
    return {
        "from": iso(start),
        "to": iso(end),
        "alarms": _records(session, who, list(dict.fromkeys(ids))),
        "at_start": at_start,
        "lines": [{"id": row.alarm_id, **event_form(row)} for row in rows],
        "next_from": next_from,
    }


def _standing_at(session: Session, who: Principal, moment: int, source: str) -> dict[str, dict[str, Any]]:
    """State and level of every record that was open at a moment."""
    order = func.row_number().over(
        partition_by=AlarmEvent.alarm_id, order_by=(AlarmEvent.event_time.desc(), AlarmEvent.id.desc())
    )
    statement = (
        scoped(
            select(AlarmEvent.alarm_id, AlarmEvent.to_state, AlarmEvent.level, AlarmEvent.value, order.label("place")),
            who,
            Alarm,
        )
        .join(Alarm, Alarm.id == AlarmEvent.alarm_id)
        .where(Alarm.event_time <= moment, or_(Alarm.closed_at.is_(None), Alarm.closed_at > moment))
        .where(AlarmEvent.event_time <= moment, AlarmEvent.superseded.is_(False))
    )
    if source:
        statement = statement.where(Alarm.source == source)
    last = statement.subquery()
    rows = session.execute(select(last).where(last.c.place == 1, last.c.to_state != State.NORMAL.value))
    return {r.alarm_id: {"state": r.to_state, "level": Level(r.level).word, "value": r.value} for r in rows}


def _records(session: Session, who: Principal, ids: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), 500):
        part = scoped(select(Alarm).where(Alarm.id.in_(ids[start : start + 500])), who, Alarm)
        found |= {row.id: as_form(row) for row in session.scalars(part)}
    return found
