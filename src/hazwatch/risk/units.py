"""Use cases of the models of single units: ask for one to be learned, read, approve. One transaction each.

The engine learns (it owns the history); a person approves; the engine takes into force what is approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.errors import conflict, forbidden, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, unit_of_work
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.risk.book import APPROVED, DRAFT, REJECTED, RETIRED, Desk
from hazwatch.risk.tables import UnitModel
from hazwatch.vocabulary.codes import SOURCE_LENGTH
from hazwatch.vocabulary.moments import DAY, iso

LEARNING, FAILED = "learning", "failed"
#: Who proposes by itself.
NODE = "node"
MOST_DAYS, LEAST_MS = 92, DAY // 24


def ask(desk: Desk, who: Principal, code: str, begin: int, end: int) -> dict[str, Any]:
    """Ask for the model of a unit to be learned from a period; the engine does it and leaves a draft.

    Raises:
        ApiError: 404 the unit; 409 one is being learned; 422 it is no source, or the period is wrong.
    """
    if len(code) != SOURCE_LENGTH:
        raise invalid("object", "应为重大危险源的 12 位编码")
    if not LEAST_MS <= end - begin <= MOST_DAYS * DAY or end > desk.clock():
        raise invalid("from", f"时段应早晚有序、已经过去,为 1 小时至 {MOST_DAYS} 天")
    path = desk.path_of(who, code)
    with unit_of_work(desk.sessions) as session:
        running = scoped(select(UnitModel).where(UnitModel.object == code, UnitModel.state == LEARNING), who, UnitModel)
        if session.scalars(running).first() is not None:
            raise conflict("该装置的模型正在学习,请稍后再试")
        row = add(session, code, path, begin, end, who.username, desk.clock())
        audit.record(
            session, desk.clock(), who, "risk.unit_model.learn", code, path, {"from": iso(begin), "to": iso(end)}
        )
        made = _form(row)
    desk.changed()
    return made


def add(session: Session, code: str, path: str, begin: int, end: int, by: str, now: int) -> UnitModel:
    """A model that is to be learned."""
    # scope: node-internal because the caller found the unit in scope
    newest = session.scalar(select(func.max(UnitModel.version)).where(UnitModel.object == code)) or 0
    row = UnitModel(
        object=code, version=newest + 1, state=LEARNING, begin=begin, end=end, message="等待学习", by=by, at=now,
        path=path,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def learned(sessions: Sessions, number: int, body: Mapping[str, Any] | None, message: str) -> None:
    """The engine is done with a model: a draft, or why there is none."""
    # scope: node-internal because the engine learns what somebody asked for within the scope
    text = orjson.dumps(body).decode() if body is not None else None
    digest = hashlib.sha256(text.encode()).hexdigest()[:12] if text is not None else None
    with unit_of_work(sessions) as session:
        session.execute(
            update(UnitModel)
            .where(UnitModel.id == number, UnitModel.state == LEARNING)
            .values(state=DRAFT if body is not None else FAILED, body=text, digest=digest, message=message[:500])
        )


def decide(desk: Desk, who: Principal, number: int, *, approve: bool, why: str) -> dict[str, Any]:
    """Put a draft in force for its unit, or turn it down. Who asked for it does not approve it.

    Raises:
        ApiError: 403 the one who asked; 404; 409 it is no draft; 422 without a reason.
    """
    if not why.strip():
        raise invalid("why", "请写明意见")
    with unit_of_work(desk.sessions) as session:
        row = _one(session, who, number)
        if row.state != DRAFT:
            raise conflict("只有草案可以审批")
        if approve and row.by == who.username:
            raise forbidden("发起学习的人不能审批该模型", "请由另一人审批")
        if approve:
            # scope: node-internal because the unit was found in scope
            session.execute(
                update(UnitModel)
                .where(UnitModel.object == row.object, UnitModel.state == APPROVED)
                .values(state=RETIRED)
            )
        row.state = APPROVED if approve else REJECTED
        row.decided_by, row.decided_at, row.decided_why = who.username, desk.clock(), why.strip()
        detail = {"approve": approve, "version": row.version, "digest": row.digest, "why": row.decided_why}
        audit.record(session, desk.clock(), who, "risk.unit_model.decide", row.object, row.path, detail)
        made = _form(row)
    desk.changed()
    return made


def page(
    session: Session, who: Principal, request: PageRequest, code: str = "", state: str = ""
) -> Page[dict[str, Any]]:
    """Models of units in scope, newest first."""
    statement = scoped(select(UnitModel), who, UnitModel)
    if code:
        statement = statement.where(UnitModel.object == code)
    if state:
        statement = statement.where(UnitModel.state == state)
    rows = session.scalars(statement.order_by(UnitModel.id.desc()).offset(request.offset).limit(request.page_size))
    return Page([_form(r) for r in rows], count(session, statement), request.page, request.page_size)


def one(session: Session, who: Principal, number: int) -> dict[str, Any]:
    """One model with its variables and figures.

    Raises:
        ApiError: 404.
    """
    row = _one(session, who, number)
    return _form(row) | {"model": orjson.loads(row.body) if row.body else None}


def in_force(session: Session) -> list[tuple[str, int, str]]:
    """Models in force: unit, version, body."""
    # scope: node-internal because the engine watches every unit
    wanted = select(UnitModel.object, UnitModel.version, UnitModel.body).where(UnitModel.state == APPROVED)
    return [(code, version, body or "{}") for code, version, body in session.execute(wanted).tuples()]


def waiting(session: Session) -> list[UnitModel]:
    """Models that are to be learned, oldest first."""
    # scope: node-internal because the engine learns what somebody asked for within the scope
    return list(session.scalars(select(UnitModel).where(UnitModel.state == LEARNING).order_by(UnitModel.id)))


def newest(session: Session) -> dict[str, tuple[str, int]]:
    """State and moment of the newest model of every unit that has one."""
    # scope: node-internal because the engine proposes models for every unit
    rows = session.execute(select(UnitModel.object, UnitModel.state, UnitModel.at).order_by(UnitModel.id)).tuples()
    return {code: (state, at) for code, state, at in rows}


def _one(session: Session, who: Principal, number: int) -> UnitModel:
    row: UnitModel | None = session.scalar(scoped(select(UnitModel).where(UnitModel.id == number), who, UnitModel))
    if row is None:
        raise not_found("装置模型", str(number))
    return row


def _form(r: UnitModel) -> dict[str, Any]:
    return {
        "id": r.id, "object": r.object, "version": r.version, "state": r.state, "from": iso(r.begin), "to": iso(r.end),
        "message": r.message, "digest": r.digest, "by": r.by, "at": iso(r.at), "decided_by": r.decided_by,
        "decided_at": iso(r.decided_at) if r.decided_at else None, "decided_why": r.decided_why,
    }  # fmt: skip
