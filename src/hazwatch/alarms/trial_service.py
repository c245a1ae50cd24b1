"""Use cases of what-ifs and of marked true events. The engine does the work (``app/trials``); here it is asked for."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.alarms.assistant import Bounds
from hazwatch.alarms.trial_tables import TrueEvent, WhatIf
from hazwatch.identity import audit
from hazwatch.identity.errors import conflict, invalid, not_found
from hazwatch.identity.model import Principal, common_path
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.moments import DAY, Clock, iso

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
#: Points of one what-if; a scope with more is tried in parts.
MAX_POINTS = 20_000
MAX_PERIOD_MS = 92 * DAY
#: What a change may set: thresholds, shape, and the deadband as a share of the span.
FIELDS = ("ll", "l", "h", "hh", "deadband", "deadband_share", "on_delay_s", "off_delay_s")


class Place(Protocol):
    """A point as the registry knows it."""

    @property
    def index(self) -> int:
        """Dense index."""

    @property
    def code(self) -> str:
        """22-character code."""

    @property
    def name(self) -> str:
        """Name on screen."""

    @property
    def quantity(self) -> str:
        """Two letters."""

    @property
    def path(self) -> str:
        """Place on the tree."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which points are tried: those of an enterprise, a source, a quantity, or a list of codes."""

    enterprise: str = ""
    source: str = ""
    quantity: str = ""
    codes: Sequence[str] = ()


#: Points in somebody's scope; handed in by who knows the registry.
PointsOf = Callable[[Principal, Scope], Sequence[Place]]


@dataclass(frozen=True, slots=True)
class ChangeOf:
    """New values for points of a quantity, for one point, or for all (both empty); None takes a threshold away."""

    values: Mapping[str, float | None]
    quantity: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What somebody wants to try."""

    name: str
    start: int
    end: int
    scope: Scope
    changes: Sequence[ChangeOf] = field(default_factory=list)
    bounds: Bounds | None = None


def ask(sessions: Sessions, who: Principal, clock: Clock, points_of: PointsOf, asked: AskedFor) -> str:
    """Put a what-if on the list; returns its id.

    Raises:
        ApiError: 422 the period, the scope or a change makes no sense.
    """
    if not 0 < asked.end - asked.start <= MAX_PERIOD_MS:
        raise invalid("from", "时段应早晚有序,且不超过 92 天")
    if not asked.changes and asked.bounds is None:
        raise invalid("changes", "请给出至少一项改动,或请助手提出")
    points = points_of(who, asked.scope)
    if not points:
        raise invalid("scope", "范围内没有指标", "请检查企业、危险源或指标编码")
    if len(points) > MAX_POINTS:
        raise invalid("scope", f"范围内有 {len(points)} 个指标,一次最多 {MAX_POINTS} 个", "请缩小范围")
    _check(asked.changes, {point.code for point in points})
    spec = {
        "points": [point.index for point in points], "scope": asdict(asked.scope),
        "changes": [asdict(change) for change in asked.changes],
        "bounds": None if asked.bounds is None else asdict(asked.bounds),
    }  # fmt: skip
    row = WhatIf(
        id=str(uuid.uuid4()), name=asked.name or "试算", state=QUEUED, asked_by=who.username, asked_at=clock(),
        progress=0.0, message="排队中", start=asked.start, end=asked.end, points=len(points), spec=json.dumps(spec),
        path=common_path(point.path for point in points),
    )  # fmt: skip
    with unit_of_work(sessions) as session:
        session.add(row)
        session.flush()
        detail = {"name": row.name, "points": row.points, "from": iso(row.start), "to": iso(row.end)}
        audit.record(session, clock(), who, "whatif.start", row.id, row.path, detail)
    return row.id


def _check(changes: Sequence[ChangeOf], known: set[str]) -> None:
    for change in changes:
        for name, value in change.values.items():
            if name not in FIELDS:
                raise invalid(f"changes.{name}", "没有这个字段")
            if value is not None and not -1e12 < value < 1e12:  # noqa: PLR2004  # no engineering unit reaches it
                raise invalid(f"changes.{name}", "应为有限的数值")
            if name not in FIELDS[:4] and (value is None or value < 0):
                raise invalid(f"changes.{name}", "死区与延时不能为空或为负")
        if change.code and change.code not in known:
            raise not_found("指标", change.code)


def _form(row: WhatIf) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "state": row.state, "asked_by": row.asked_by, "asked_at": iso(row.asked_at),
        "started_at": iso(row.started_at) if row.started_at else None,
        "finished_at": iso(row.finished_at) if row.finished_at else None, "progress": row.progress,
        "message": row.message, "from": iso(row.start), "to": iso(row.end), "points": row.points,
    }  # fmt: skip


def listed(session: Session, who: Principal, request: PageRequest) -> Page[dict[str, Any]]:
    """What-ifs in scope, newest first."""
    statement = scoped(select(WhatIf), who, WhatIf)
    total = count(session, statement)
    rows = session.scalars(
        statement.order_by(WhatIf.asked_at.desc(), WhatIf.id).offset(request.offset).limit(request.page_size)
    )
    return Page([_form(row) for row in rows], total, request.page, request.page_size)


def shown(session: Session, who: Principal, number: str) -> dict[str, Any]:
    """One what-if with its outcome.

    Raises:
        ApiError: 404.
    """
    row = _one(session, who, number)
    spec = json.loads(row.spec)
    del spec["points"]
    return _form(row) | {"asked": spec, "result": json.loads(row.result) if row.result else None}


def evidence(session: Session, who: Principal, number: str) -> dict[str, Any] | None:
    """A finished what-if as evidence on a proposal; None when there is none."""
    row = session.scalar(scoped(select(WhatIf).where(WhatIf.id == number), who, WhatIf))
    return None if row is None or row.state != DONE else shown(session, who, number)


def to_cancel(sessions: Sessions, who: Principal, number: str) -> None:
    """Check that somebody may stop a what-if, and that it still runs.

    Raises:
        ApiError: 404; 409 it is over.
    """
    with reading(sessions) as session:
        row = _one(session, who, number)
        if row.state not in (QUEUED, RUNNING):
            raise conflict("试算已经结束")


def removed(sessions: Sessions, who: Principal, clock: Clock, number: str) -> None:
    """Take a finished what-if off the list. Evidence on proposals is a copy and stays.

    Raises:
        ApiError: 404; 409 it still runs.
    """
    with unit_of_work(sessions) as session:
        row = _one(session, who, number)
        if row.state in (QUEUED, RUNNING):
            raise conflict("试算正在进行", "请先取消")
        audit.record(session, clock(), who, "whatif.remove", row.id, row.path, {"name": row.name})
        session.delete(row)


def _one(session: Session, who: Principal, number: str) -> WhatIf:
    row = session.scalar(scoped(select(WhatIf).where(WhatIf.id == number), who, WhatIf))
    if row is None:
        raise not_found("试算", number)
    return row


# --- true events ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody says really happened."""

    code: str
    begin: int
    end: int
    note: str
    alarm: str = ""


def mark(sessions: Sessions, who: Principal, clock: Clock, points_of: PointsOf, given: Mark) -> int:
    """Mark a true event; returns its number.

    Raises:
        ApiError: 404 the point; 422 the period or the note is missing.
    """
    if given.end <= given.begin:
        raise invalid("to", "结束时间应晚于开始时间")
    if not given.note.strip():
        raise invalid("note", "请写明发生了什么")
    points = points_of(who, Scope(codes=[given.code]))
    if not points:
        raise not_found("指标", given.code)
    point = points[0]
    row = TrueEvent(
        point=point.index, point_code=point.code, point_name=point.name, begin=given.begin, end=given.end,
        note=given.note.strip(), alarm=given.alarm or None, who=who.username, at=clock(), path=point.path,
    )  # fmt: skip
    with unit_of_work(sessions) as session:
        session.add(row)
        session.flush()
        audit.record(session, clock(), who, "true_event.mark", point.code, row.path, {"note": row.note})
        return row.id


def marked(session: Session, who: Principal, request: PageRequest, code: str = "") -> Page[dict[str, Any]]:
    """Marked events in scope, newest first."""
    statement = scoped(select(TrueEvent), who, TrueEvent)
    if code:
        statement = statement.where(TrueEvent.point_code == code)
    total = count(session, statement)
    rows = session.scalars(
        statement.order_by(TrueEvent.begin.desc(), TrueEvent.id).offset(request.offset).limit(request.page_size)
    )
    items = [
        {"id": row.id, "point": row.point_code, "point_name": row.point_name, "from": iso(row.begin),
         "to": iso(row.end), "note": row.note, "alarm": row.alarm, "who": row.who, "at": iso(row.at)}
        for row in rows
    ]  # fmt: skip
    return Page(items, total, request.page, request.page_size)


def unmark(sessions: Sessions, who: Principal, clock: Clock, number: int) -> None:
    """Take a mark back.

    Raises:
        ApiError: 404.
    """
    with unit_of_work(sessions) as session:
        row = session.scalar(scoped(select(TrueEvent).where(TrueEvent.id == number), who, TrueEvent))
        if row is None:
            raise not_found("真实事件", str(number))
        detail = {"note": row.note, "from": iso(row.begin), "to": iso(row.end)}
        audit.record(session, clock(), who, "true_event.remove", row.point_code, row.path, detail)
        session.delete(row)
