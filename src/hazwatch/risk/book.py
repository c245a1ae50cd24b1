"""Use cases of declared records and of configurations. One transaction each; every change is in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, conflict, forbidden, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.risk import backtest, configuration, declared
from hazwatch.risk.configuration import DEFAULT, Configuration, ConfigurationError
from hazwatch.risk.declared import Declared, DeclaredError
from hazwatch.risk.explain import CannotError, Kept, again
from hazwatch.risk.objects import what_if
from hazwatch.risk.tables import Grade, RiskConfiguration, RiskDeclared, ShadowGrade
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import DAY, Clock, iso

DRAFT, APPROVED, RETIRED, REJECTED = "draft", "approved", "retired", "rejected"
MAX_DECLARED_MS = 366 * DAY
MAX_PERIOD_MS = 92 * DAY
#: Grades that a back-test reads; a period with more is tried in parts.
MOST_GRADES = 200_000
_MOST_SHADOW = 200

#: Path of a source, enterprise, park or region within somebody's scope. Raises ApiError 404.
PathOf = Callable[[Principal, str], str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases need: records, clock, where things are, whether somebody answers for the whole node."""

    sessions: Sessions
    clock: Clock
    path_of: PathOf
    whole: Callable[[Principal], bool]
    changed: Callable[[], None]


# --- declared records ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What somebody declares."""

    object: str
    kind: str
    body: Mapping[str, Any]
    begin: int
    end: int


def declare(desk: Desk, who: Principal, new: NewRecord) -> dict[str, Any]:
    """Declare; returns the record.

    Raises:
        ApiError: 404 the object, 422 a field.
    """
    if not 0 < new.end - new.begin <= MAX_DECLARED_MS:
        raise invalid("to", "有效期应早晚有序,且不超过 366 天")
    if new.end <= desk.clock():
        raise invalid("to", "有效期已经过去")
    try:
        body = declared.check(new.kind, new.body)
    except DeclaredError as error:
        raise ApiError(422, "invalid", "申报内容不合要求", "请改正所列字段后重试", error.wrong) from error
    row = RiskDeclared(
        object=new.object, kind=new.kind, body=orjson.dumps(body).decode(), begin=new.begin, end=new.end,
        by=who.username, at=desk.clock(), path=desk.path_of(who, new.object),
    )  # fmt: skip
    with unit_of_work(desk.sessions) as session:
        session.add(row)
        session.flush()
        detail = {"kind": new.kind, "body": body, "from": iso(new.begin), "to": iso(new.end)}
        audit.record(session, desk.clock(), who, "risk.declare", new.object, row.path, detail)
        form = _record_form(row, desk.clock())
    desk.changed()
    return form


def withdraw(desk: Desk, who: Principal, number: int, why: str) -> dict[str, Any]:
    """Take a record back; it stays on the list.

    Raises:
        ApiError: 404; 409 it is over or was withdrawn; 422 without a reason.
    """
    if not why.strip():
        raise invalid("why", "请写明撤回原因")
    with unit_of_work(desk.sessions) as session:
        row = session.scalar(scoped(select(RiskDeclared).where(RiskDeclared.id == number), who, RiskDeclared))
        if row is None:
            raise not_found("申报记录", str(number))
        if row.withdrawn_at is not None or row.end <= desk.clock():
            raise conflict("该记录已经撤回或过期")
        row.withdrawn_by, row.withdrawn_at, row.withdrawn_why = who.username, desk.clock(), why.strip()
        audit.record(session, desk.clock(), who, "risk.withdraw", row.object, row.path, {"id": row.id, "why": why})
        form = _record_form(row, desk.clock())
    desk.changed()
    return form


def records(
    session: Session, who: Principal, request: PageRequest, now: int, *, code: str = "", kind: str = "", state: str = ""
) -> Page[dict[str, Any]]:
    """Declared records in scope, newest first; ``state``: ``now``, ``coming``, ``over`` or empty."""
    statement = scoped(select(RiskDeclared), who, RiskDeclared)
    if code:
        statement = statement.where(RiskDeclared.object == code)
    if kind:
        statement = statement.where(RiskDeclared.kind == kind)
    kept = RiskDeclared.withdrawn_at.is_(None)
    if state == "now":
        statement = statement.where(kept, RiskDeclared.begin <= now, RiskDeclared.end > now)
    elif state == "coming":
        statement = statement.where(kept, RiskDeclared.begin > now)
    elif state == "over":
        statement = statement.where(~kept | (RiskDeclared.end <= now))
    rows = session.scalars(statement.order_by(RiskDeclared.id.desc()).offset(request.offset).limit(request.page_size))
    return Page([_record_form(r, now) for r in rows], count(session, statement), request.page, request.page_size)


def in_force(session: Session, now: int) -> list[Declared]:
    """Records that are in force, or will be without anybody doing anything."""
    # scope: node-internal because the engine grades every source with what was declared for it
    rows = session.scalars(
        select(RiskDeclared)
        .where(RiskDeclared.end > now, RiskDeclared.withdrawn_at.is_(None))
        .order_by(RiskDeclared.id)
    )
    return [Declared(r.id, r.object, r.kind, orjson.loads(r.body), r.begin, r.end, r.path) for r in rows]


def _record_form(r: RiskDeclared, now: int) -> dict[str, Any]:
    body = orjson.loads(r.body)
    state = "withdrawn" if r.withdrawn_at else "over" if r.end <= now else "coming" if r.begin > now else "now"
    return {
        "id": r.id, "object": r.object, "kind": r.kind, "kind_zh": declared.KINDS[r.kind],
        "title": declared.title(r.kind, body), "body": body, "from": iso(r.begin), "to": iso(r.end), "state": state,
        "by": r.by, "at": iso(r.at), "withdrawn_by": r.withdrawn_by,
        "withdrawn_at": iso(r.withdrawn_at) if r.withdrawn_at else None, "withdrawn_why": r.withdrawn_why,
    }  # fmt: skip


# --- grades --------------------------------------------------------------------------------------------------------


def history(
    session: Session, who: Principal, code: str, start: int, end: int, request: PageRequest
) -> Page[dict[str, Any]]:
    """Grades of an object in a period, newest first."""
    statement = scoped(select(Grade).where(Grade.object == code, Grade.at >= start, Grade.at < end), who, Grade)
    rows = session.scalars(
        statement.order_by(Grade.at.desc(), Grade.id.desc()).offset(request.offset).limit(request.page_size)
    )
    return Page([_grade_form(r) for r in rows], count(session, statement), request.page, request.page_size)


def newest_terms(session: Session, code: str) -> list[dict[str, Any]]:
    """Terms of the newest grade of an object whose reader has been let in; [] without one."""
    # scope: node-internal because the page asks for an object that its own query has found within the scope
    statement = select(Grade.terms).where(Grade.object == code).order_by(Grade.at.desc(), Grade.id.desc()).limit(1)
    terms: list[dict[str, Any]] = orjson.loads(session.scalar(statement) or "[]")
    return terms


def _grade_form(r: Grade) -> dict[str, Any]:
    inputs = orjson.loads(r.inputs)
    return {
        "id": r.id, "code": r.object, "at": iso(r.at), "colour": Colour(r.colour).word, "score": r.score,
        "confidence": r.confidence, "reason": r.reason, "terms": orjson.loads(r.terms),
        "mode": inputs.get("mode", "scored"), "model": r.model, "version": r.version, "configuration": r.configuration,
    }  # fmt: skip


def kept(r: Grade) -> Kept:
    """A grade as it was written."""
    return Kept(
        r.id, r.object, r.at, Colour(r.colour), r.score, orjson.loads(r.terms), orjson.loads(r.inputs), r.version,
        r.configuration,
    )  # fmt: skip


def explained(session: Session, who: Principal, number: int) -> dict[str, Any]:
    """A grade with its inputs, computed again, and what would make it one colour better.

    Raises:
        ApiError: 404.
    """
    row = session.scalar(scoped(select(Grade).where(Grade.id == number), who, Grade))
    if row is None:
        raise not_found("评估", str(number))
    one = kept(row)
    form = _grade_form(row) | {"inputs": one.inputs}
    k = known_configuration(session, row.configuration)
    try:
        found = again(one, k)
    except CannotError as error:
        return form | {"identical": None, "why_not": str(error), "differences": {}, "what_if": []}
    better = what_if(found["computed"] | {"colour": form["colour"]}, k) if k and "terms" in found["computed"] else []
    return form | {
        "identical": found["identical"], "why_not": "", "differences": found["differences"], "what_if": better,
        "floors": found["computed"].get("floors", []),
    }  # fmt: skip


# --- configurations ------------------------------------------------------------------------------------------------


def known_configuration(session: Session, digest: str) -> Configuration | None:
    """A configuration that was ever written, or the built-in one."""
    if digest == DEFAULT.digest():
        return DEFAULT
    row = session.scalars(select(RiskConfiguration).where(RiskConfiguration.digest == digest).limit(1)).first()
    return configuration.parse(orjson.loads(row.body)) if row else None


def effective(session: Session) -> tuple[Configuration, tuple[int, Configuration] | None]:
    """The configuration in force, and the shadow beside it with its number."""
    live = session.scalars(select(RiskConfiguration).where(RiskConfiguration.state == APPROVED)).first()
    shadow = session.scalars(select(RiskConfiguration).where(RiskConfiguration.shadow)).first()
    own = configuration.parse(orjson.loads(live.body)) if live else DEFAULT
    return own, (shadow.id, configuration.parse(orjson.loads(shadow.body))) if shadow else None


def configurations(session: Session, request: PageRequest) -> Page[dict[str, Any]]:
    """All versions, newest first."""
    statement = select(RiskConfiguration)
    rows = session.scalars(
        statement.order_by(RiskConfiguration.id.desc()).offset(request.offset).limit(request.page_size)
    )
    return Page([_configuration_form(r) for r in rows], count(session, statement), request.page, request.page_size)


def configuration_page(session: Session, number: int) -> dict[str, Any]:
    """One version: its numbers, what differs from the one it grew from, its back-test and shadow.

    Raises:
        ApiError: 404.
    """
    row = _configuration(session, number)
    own, base = configuration.parse(orjson.loads(row.body)), known_configuration(session, row.base) or DEFAULT
    # scope: node-internal because who answers for the whole node compares drafts over all of it
    parted = session.scalars(
        select(ShadowGrade)
        .where(ShadowGrade.configuration == row.id)
        .order_by(ShadowGrade.id.desc())
        .limit(_MOST_SHADOW)
    )
    return _configuration_form(row) | {
        "parameters": own.form(), "differences": {n: list(v) for n, v in configuration.differences(base, own).items()},
        "backtest": orjson.loads(row.backtest) if row.backtest else None,
        "shadow_grades": [
            {"object": s.object, "at": iso(s.at), "colour": Colour(s.colour).word, "score": s.score,
             "live_colour": Colour(s.live_colour).word, "live_score": s.live_score}
            for s in parted
        ],
    }  # fmt: skip


def _configuration(session: Session, number: int) -> RiskConfiguration:
    row = session.get(RiskConfiguration, number)
    if row is None:
        raise not_found("模型参数版本", str(number))
    return row


def _configuration_form(r: RiskConfiguration) -> dict[str, Any]:
    return {
        "id": r.id, "name": r.name, "why": r.why, "digest": r.digest, "base": r.base, "state": r.state,
        "shadow": r.shadow, "shadow_since": iso(r.shadow_since) if r.shadow_since else None,
        "tested": r.backtest is not None, "by": r.by, "at": iso(r.at), "decided_by": r.decided_by,
        "decided_at": iso(r.decided_at) if r.decided_at else None, "decided_why": r.decided_why,
    }  # fmt: skip


def _answers_for_all(desk: Desk, who: Principal) -> None:
    if not desk.whole(who):
        raise forbidden("模型参数对整个节点生效,只有管辖全节点的人员可以修改", "请联系节点管理员")


def draft(desk: Desk, who: Principal, name: str, why: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A new draft: the configuration in force with changes.

    Raises:
        ApiError: 403; 422 a parameter, no reason, or nothing changed.
    """
    _answers_for_all(desk, who)
    if not name.strip() or not why.strip():
        raise invalid("why" if name.strip() else "name", "请写明名称和修改原因")
    with unit_of_work(desk.sessions) as session:
        base, _ = effective(session)
        try:
            made = configuration.parse(changes, base)
        except ConfigurationError as error:
            fields = {f"parameters.{field}": text for field, text in error.wrong.items()}
            raise ApiError(422, "invalid", "参数不合要求", "请改正所列字段后重试", fields) from error
        if made == base:
            raise invalid("parameters", "与现行参数相同,没有修改")
        row = RiskConfiguration(
            name=name.strip(), why=why.strip(), body=orjson.dumps(made.form()).decode(), digest=made.digest(),
            base=base.digest(), state=DRAFT, shadow=False, by=who.username, at=desk.clock(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        changed = {n: list(v) for n, v in configuration.differences(base, made).items()}
        detail = {"name": row.name, "changes": changed}
        audit.record(session, desk.clock(), who, "risk.draft", str(row.id), who.scope, detail)
        return _configuration_form(row)


def test_back(desk: Desk, who: Principal, number: int, start: int, end: int) -> dict[str, Any]:
    """Score the grades of a period again with a draft and with what is in force; keeps the outcome with the draft.

    Raises:
        ApiError: 403, 404; 422 the period is wrong or holds too much.
    """
    _answers_for_all(desk, who)
    if not 0 < end - start <= MAX_PERIOD_MS:
        raise invalid("from", "时段应早晚有序,且不超过 92 天")
    with reading(desk.sessions) as session:
        row = _configuration(session, number)
        own = configuration.parse(orjson.loads(row.body))
        live, _ = effective(session)
        statement = scoped(select(Grade).where(Grade.at >= start, Grade.at < end), who, Grade)
        if count(session, statement) > MOST_GRADES:
            raise invalid("from", f"该时段有超过 {MOST_GRADES} 条评估", "请缩短时段")
        found = [kept(g) for g in session.scalars(statement.order_by(Grade.id))]
    result = backtest.compare(found, live, own) | {"from": iso(start), "to": iso(end), "at": iso(desk.clock())}
    with unit_of_work(desk.sessions) as session:
        row = _configuration(session, number)
        row.backtest = orjson.dumps(result).decode()
        detail = {"from": iso(start), "to": iso(end), "come": result["come"], "gone": result["gone"]}
        audit.record(session, desk.clock(), who, "risk.backtest", str(number), who.scope, detail)
    return result


def run_shadow(desk: Desk, who: Principal, number: int, *, on: bool) -> dict[str, Any]:
    """Run a draft beside what is in force, or stop it. One shadow at a time.

    Raises:
        ApiError: 403, 404; 409 it is no draft.
    """
    _answers_for_all(desk, who)
    with unit_of_work(desk.sessions) as session:
        row = _configuration(session, number)
        if row.state != DRAFT:
            raise conflict("只有草案可以并行试跑")
        session.execute(update(RiskConfiguration).values(shadow=False))
        session.refresh(row)
        row.shadow, row.shadow_since = on, desk.clock() if on else None
        audit.record(session, desk.clock(), who, "risk.shadow", str(number), who.scope, {"on": on})
        form = _configuration_form(row)
    desk.changed()
    return form


def decide(desk: Desk, who: Principal, number: int, *, approve: bool, why: str) -> dict[str, Any]:
    """A second person puts a draft in force, or turns it down.

    Raises:
        ApiError: 403 not for all, or the author; 404; 409 it is no draft, grew from what is no longer in force, or was
            never tested; 422 without a reason.
    """
    _answers_for_all(desk, who)
    if not why.strip():
        raise invalid("why", "请写明意见")
    with unit_of_work(desk.sessions) as session:
        row = _configuration(session, number)
        if row.state != DRAFT:
            raise conflict("该版本已经审批过")
        if approve:
            _may_approve(session, row, who)
            session.execute(update(RiskConfiguration).where(RiskConfiguration.state == APPROVED).values(state=RETIRED))
        row.state, row.shadow = (APPROVED if approve else REJECTED), False
        row.decided_by, row.decided_at, row.decided_why = who.username, desk.clock(), why.strip()
        detail = {"approve": approve, "digest": row.digest, "why": row.decided_why}
        audit.record(session, desk.clock(), who, "risk.decide", str(number), who.scope, detail)
        form = _configuration_form(row)
    desk.changed()
    return form


def _may_approve(session: Session, row: RiskConfiguration, who: Principal) -> None:
    if row.by == who.username:
        raise forbidden("起草人不能审批自己的草案", "请由另一人审批")
    if row.backtest is None:
        raise conflict("尚未回测", "请先在一段历史上回测")
    if row.base != effective(session)[0].digest():
        raise conflict("草案起草后现行参数已经变化", "请在现行参数上重新起草")
