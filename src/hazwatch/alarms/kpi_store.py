"""Reading our own alarm records as a log of arrays. Numbers only: no object per event but the row of the driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select, union
from sqlalchemy.orm import Session

from hazwatch.alarms.journal import FOREVER, AlarmLog, Ints, from_levels
from hazwatch.alarms.model import HELD, JUDGED, KIND_QUALITY, Cause
from hazwatch.alarms.tables import Alarm, AlarmEvent
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.vocabulary.moments import DAY

#: Read so much before a window, so that floods that began before it are known.
LEAD_MS = DAY
#: Type of a quality alarm in the log; its priority is the lowest.
QUALITY = "质量"
#: Levels as they are numbered within the alarms of a tag.
LEVELS = (-2, -1, 1, 2)
#: What is set aside does not ring: for the log it is as if the alarm were over until it is let out again.
_HELD = [state.value for state, _, _ in HELD.values()]
_MOVES = [Cause.ESCALATE.value, Cause.EASE.value]
_CAUSES = [
    cause.value for cause in (*JUDGED, *(cause for _, enter, leave in HELD.values() for cause in (enter, leave)))
]


@dataclass(frozen=True, slots=True)
class Named:
    """What the ranking says about a point."""

    point: int
    code: str
    name: str
    source: str
    source_name: str
    unit: str


def room_log(
    session: Session, who: Principal, enterprise: str, start: int, end: int, point: str = ""
) -> AlarmLog:  # fmt: skip
    """The log of one control room, from a day before ``start`` to ``end``; tags are dense point indexes as text.

    Args:
        session: reading.
        who: whose scope counts.
        enterprise: code of the room.
        start, end: window, epoch ms.
        point: only this point (22-character code).
    """
    of_room = Alarm.enterprise == enterprise
    if point:
        of_room = and_(of_room, Alarm.point_code == point)
    return _log(*_excursions(session, who, of_room, start, end))


def room_logs(session: Session, who: Principal, start: int, end: int) -> Iterator[tuple[str, AlarmLog]]:
    """(enterprise, log) of every room in scope that has events around the window."""
    whole, lines = _excursions(session, who, Alarm.enterprise != "", start, end)
    for code in np.unique(np.concatenate([whole[:, 4], lines[:, 4]])).tolist():
        yield f"{code:09d}", _log(whole[whole[:, 4] == code], lines[lines[:, 4] == code])


def named_points(session: Session, who: Principal, points: list[int]) -> dict[int, Named]:
    """Names of points, as their newest record has them."""
    at = func.max(Alarm.event_time).label("at")
    newest = scoped(select(Alarm.point, at).where(Alarm.point.in_(points)).group_by(Alarm.point), who, Alarm).subquery()
    columns = (Alarm.point, Alarm.point_code, Alarm.point_name, Alarm.source, Alarm.source_name, Alarm.unit)
    statement = scoped(select(*columns), who, Alarm).join(
        newest, and_(newest.c.point == Alarm.point, newest.c.at == Alarm.event_time)
    )
    return {row.point: Named(*row) for row in session.execute(statement)}


def _window(which: ColumnElement[bool], start: int, end: int) -> ColumnElement[bool]:
    """Excursions that touch the window or its lead."""
    lead = start - LEAD_MS
    touching = or_(
        and_(Alarm.event_time >= lead, Alarm.event_time < end),
        and_(Alarm.event_time < lead, or_(Alarm.returned_at.is_(None), Alarm.returned_at > start)),
    )
    return and_(which, touching, Alarm.revoked.is_(False))


#: Key of an alarmed thing: point and kind. Quality alarms of a point are alarms of their own.
_KEY = Alarm.point * 2 + case((Alarm.kind == KIND_QUALITY, 1), else_=0)


def _excursions(
    session: Session, who: Principal, which: ColumnElement[bool], start: int, end: int
) -> tuple[Ints, Ints]:  # fmt: skip
    """Excursions that touch the window.

    Returns:
        Those of one level, int64[N, 5]: key, begin, end, level, enterprise. And the lines of those that went through
        several levels or were set aside, int64[M, 6]: key, event time, level, begin of the excursion, enterprise,
        number of the line.
    """
    window = _window(which, start, end)
    enterprise = cast(Alarm.enterprise, BigInteger)
    of_whole: tuple[Any, ...] = (
        _KEY, Alarm.event_time, func.coalesce(Alarm.returned_at, FOREVER), Alarm.worst_level, enterprise
    )  # fmt: skip
    of_line: tuple[Any, ...] = (
        _KEY, AlarmEvent.event_time, case((AlarmEvent.to_state.in_(_HELD), 0), else_=AlarmEvent.level),
        Alarm.event_time, enterprise, AlarmEvent.id,
    )  # fmt: skip
    valid = and_(AlarmEvent.superseded.is_(False), AlarmEvent.event_time < end)
    several = union(
        select(AlarmEvent.alarm_id).where(AlarmEvent.cause.in_(_MOVES), valid),
        select(AlarmEvent.alarm_id).where(AlarmEvent.to_state.in_(_HELD), valid),
    )
    lines = (
        select(*of_line)
        .join(AlarmEvent, AlarmEvent.alarm_id == Alarm.id)
        .where(window, Alarm.id.in_(several), AlarmEvent.superseded.is_(False), AlarmEvent.cause.in_(_CAUSES))
    )
    # scope: node-internal because the parts of both statements are made here and scoped where they are put together
    whole = scoped(select(*of_whole).where(window, Alarm.id.not_in(several)), who, Alarm)
    return _numbers(session, whole, 5), _numbers(session, scoped(lines, who, Alarm), 6)


def _numbers(session: Session, statement: Select[Any], width: int) -> Ints:
    """Rows of whole numbers, straight from the driver's tuples: a year of a busy room has hundreds of thousands."""
    cursor = session.connection().execute(statement).cursor
    rows = cursor.fetchall() if cursor is not None else []
    return np.array(rows, np.int64).reshape(-1, width)


def _log(whole: Ints, lines: Ints) -> AlarmLog:
    """One log of both: numbers of alarms are dense over what rang."""
    changes = _changes(lines)
    keys = np.unique(np.concatenate([whole[:, 0], lines[:, 0]]))
    tags = [str(key // 2) for key in keys.tolist()]
    place = np.searchsorted(keys, whole[:, 0])
    slot = place * len(LEVELS) + np.searchsorted(LEVELS, whole[:, 3])
    over = whole[:, 2] < FOREVER
    several = from_levels(np.searchsorted(keys, changes[0]), *changes[1:], tags)
    names = [
        (tag, QUALITY if key % 2 else kind)
        for key, four in zip(keys.tolist(), _fours(several.names), strict=True)
        for tag, kind in four
    ]
    return AlarmLog.of(
        np.concatenate([whole[over, 2], whole[:, 1], several.ts]),
        np.concatenate([slot[over], slot, several.alarm]),
        np.concatenate([np.zeros(int(over.sum()), np.bool_), np.ones(len(slot), np.bool_), several.active]),
        names,
    )


def _fours(names: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], ...]]:
    rest = iter(names)
    while four := tuple(islice(rest, len(LEVELS))):
        yield four


def _changes(lines: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Changes of level: key, event time, level before, level after, in order within each excursion."""
    key, ts, level, born, _, number = lines.T
    order = np.lexsort((number, ts, born, key))
    key, ts, level, born = key[order], ts[order], level[order], born[order]
    # An excursion begins from normal; within it, the level before is that of the line before.
    before = np.zeros(len(level), np.int64)
    same = (key[1:] == key[:-1]) & (born[1:] == born[:-1])
    before[1:][same] = level[:-1][same]
    moved = before != level
    return key[moved], ts[moved], before[moved], level[moved]
