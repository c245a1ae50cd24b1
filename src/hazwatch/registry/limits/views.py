"""Lists of limits, always through the scope: points with both sets, faults, proposals, history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.paging import Page, PageRequest, contains, count, ordered
from hazwatch.registry.limits.model import SHAPE, THRESHOLDS, Subject, defaults, faults, judged
from hazwatch.registry.limits.service import OPEN
from hazwatch.registry.limits.tables import LimitProposal, LimitProposalItem, RegulatorLimit
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.tables import Enterprise, Equipment, LimitChange, Point, Source
from hazwatch.vocabulary.moments import iso

_SORT = {name: getattr(Point, name) for name in ("code", "name", "tag", "quantity", "unit", "source", "enterprise")}


def _matching(wanted: PointFilter) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [Point.code != ""]
    if wanted.q:
        parts.append(contains(wanted.q, Point.code, Point.name, Point.tag))
    for column, value in (
        (Point.source, wanted.source),
        (Point.enterprise, wanted.enterprise),
        (Point.quantity, wanted.quantity),
    ):
        if value:
            parts.append(column == value)
    return and_(*parts)


def _rows(who: Principal, condition: ColumnElement[bool]) -> Any:
    """Points with their regulator's limits, substance and owners."""
    names = (Equipment.cas, Source.name.label("source_name"), Enterprise.name.label("enterprise_name"))
    return (
        scoped(select(Point, RegulatorLimit, *names).where(condition), who, Point)
        .outerjoin(RegulatorLimit, RegulatorLimit.point == Point.index)
        .join(Equipment, Equipment.code == Point.equipment)
        .join(Source, Source.code == Point.source)
        .join(Enterprise, Enterprise.code == Point.enterprise)
    )


def points_page(
    session: Session, who: Principal, request: PageRequest, wanted: PointFilter
) -> Page[dict[str, Any]]:  # fmt: skip
    """Points with both sets of limits."""
    statement = _rows(who, _matching(wanted))
    total = count(session, statement)
    shown = ordered(statement, request, _SORT, Point.code).offset(request.offset).limit(request.page_size)
    rows = session.execute(shown).all()
    waiting = _waiting(session, [row[0].index for row in rows])
    return Page([_form(row, waiting) for row in rows], total, request.page, request.page_size)


def every_point(session: Session, who: Principal, wanted: PointFilter) -> Iterable[dict[str, Any]]:
    """The whole list, for a workbook."""
    for row in session.execute(_rows(who, _matching(wanted)).order_by(Point.code)):
        yield _form(row, {})


def fault_list(session: Session, who: Principal, wanted: PointFilter) -> list[dict[str, Any]]:
    """Points whose limits are doubtful 阈值有误, with the reasons."""
    suspect = or_(Point.limit_fault.is_not(None), Point.quantity == "QT", RegulatorLimit.point.is_not(None))
    rows = session.execute(_rows(who, and_(_matching(wanted), suspect)).order_by(Point.code)).all()
    forms = [_form(row, {}) for row in rows]
    return [form for form in forms if form["faults"]]


def one_point(session: Session, who: Principal, code: str) -> dict[str, Any] | None:
    """One point with the history of its limits, newest first; None outside the scope."""
    row = session.execute(_rows(who, Point.code == code)).first()
    if row is None:
        return None
    point = row[0]
    lines = session.scalars(
        scoped(select(LimitChange).where(LimitChange.point == point.index), who, LimitChange).order_by(
            LimitChange.version.desc()
        )
    )
    history = [
        {"version": line.version, "at": iso(line.at), "who": line.who, "set": line.which or "enterprise",
         "why": line.why, "proposal": line.proposal, "before": json.loads(line.old) if line.old else None,
         "after": json.loads(line.new)}
        for line in lines
    ]  # fmt: skip
    return _form(row, _waiting(session, [point.index])) | {
        "history": history, "defaults": defaults(point.code, point.range_low, point.range_high)
    }  # fmt: skip


def proposals_page(
    session: Session, who: Principal, request: PageRequest, state: str
) -> Page[dict[str, Any]]:  # fmt: skip
    """Proposals in scope, newest first."""
    statement = scoped(select(LimitProposal), who, LimitProposal)
    if state:
        statement = statement.where(LimitProposal.state == state)
    total = count(session, statement)
    rows = session.scalars(
        statement.order_by(LimitProposal.id.desc()).offset(request.offset).limit(request.page_size)
    )  # fmt: skip
    return Page([_proposal(row, who) for row in rows], total, request.page, request.page_size)


def every_proposal(session: Session, who: Principal, state: str) -> Iterator[dict[str, Any]]:
    """All proposals in scope with their points, newest first, for a file."""
    statement = scoped(select(LimitProposal.id), who, LimitProposal).order_by(LimitProposal.id.desc())
    if state:
        statement = statement.where(LimitProposal.state == state)
    for number in session.scalars(statement).all():
        found = one_proposal(session, who, number)
        if found is not None:
            yield found


def one_proposal(session: Session, who: Principal, number: int) -> dict[str, Any] | None:
    """A proposal with its points and the faults that it would leave; None outside the scope."""
    row = session.scalar(scoped(select(LimitProposal).where(LimitProposal.id == number), who, LimitProposal))
    if row is None:
        return None
    statement = (
        scoped(select(LimitProposalItem, Point, Equipment.cas, RegulatorLimit), who, Point)
        .join(Point, Point.index == LimitProposalItem.point)
        .join(Equipment, Equipment.code == Point.equipment)
        .outerjoin(RegulatorLimit, RegulatorLimit.point == Point.index)
        .where(LimitProposalItem.proposal == number)
        .order_by(Point.code)
    )
    items = []
    for item, point, cas, regulator in session.execute(statement):
        before, after = json.loads(item.before), json.loads(item.after)
        holder = point if row.which == "enterprise" else regulator
        held = {name: getattr(holder, name, None) for name in THRESHOLDS + SHAPE}
        items.append(
            {"code": point.code, "name": point.name, "tag": point.tag, "unit": point.unit, "quantity": point.quantity,
             "before": before, "after": after, "faults": faults(_subject(point, cas), held | after)}
        )  # fmt: skip
    evidence = json.loads(row.evidence) if row.evidence else None
    return _proposal(row, who) | {"items": items, "evidence": evidence}


def _proposal(row: LimitProposal, who: Principal) -> dict[str, Any]:
    return {
        "id": row.id, "set": row.which, "state": row.state, "reason": row.reason, "points": row.points,
        "proposed_by": row.proposed_by, "proposed_at": iso(row.proposed_at), "decided_by": row.decided_by,
        "decided_at": iso(row.decided_at) if row.decided_at else None, "decision": row.decision,
        "version": row.version, "evidence_id": row.evidence_id, "mine": row.proposed_by == who.username,
    }  # fmt: skip


def _waiting(session: Session, points: list[int]) -> dict[int, int]:
    """Open proposals by point."""
    # scope: node-internal because the points were found in scope; only the number of a proposal is told
    statement = (
        select(LimitProposalItem.point, LimitProposalItem.proposal)
        .join(LimitProposal, LimitProposal.id == LimitProposalItem.proposal)
        .where(LimitProposal.state == OPEN, LimitProposalItem.point.in_(points))
    )
    return dict(row.tuple() for row in session.execute(statement))


def _subject(point: Point, cas: str | None) -> Subject:
    return Subject(point.code, point.name, point.unit, point.range_low, point.range_high, cas)


def _form(row: Any, waiting: dict[int, int]) -> dict[str, Any]:
    """A row of ``_rows`` as the API shows it."""
    point, regulator, cas, source_name, enterprise_name = row
    own = {name: getattr(point, name) for name in THRESHOLDS + SHAPE}
    theirs = {name: getattr(regulator, name, None) for name in THRESHOLDS}
    subject = _subject(point, cas)
    wrong = faults(subject, own)
    wrong += [f"监管限值:{text}" for text in faults(subject, theirs) if text not in wrong]
    return {
        "code": point.code, "name": point.name, "tag": point.tag, "quantity": point.quantity, "unit": point.unit,
        "range_low": point.range_low, "range_high": point.range_high, "source": point.source,
        "source_name": source_name, "enterprise": point.enterprise, "enterprise_name": enterprise_name,
        "own": own, "regulator": theirs, "judged": judged(own, theirs), "faults": wrong,
        "proposal": waiting.get(point.index),
    }  # fmt: skip
