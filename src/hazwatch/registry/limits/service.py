"""Use cases of limits: proposing, deciding, withdrawing. The one who proposes never decides.

An approved proposal becomes a new version of the limits and is told to the engine at once, which judges the held values
under it (``stream.control``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, conflict, forbidden, invalid, not_found
from hazwatch.identity.model import Principal, Role, common_path, covers, may
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import unit_of_work
from hazwatch.registry import write
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.limits.model import THRESHOLDS, Item, LimitSet, Subject, Values, complaints, faults
from hazwatch.registry.limits.tables import LimitProposal, LimitProposalItem, RegulatorLimit
from hazwatch.registry.model import LIMIT_FIELDS
from hazwatch.registry.tables import Equipment, LimitChange, Point

OPEN, APPROVED, REJECTED, WITHDRAWN = "open", "approved", "rejected", "withdrawn"
#: Points in one proposal; more are proposed in several.
MAX_ITEMS = 5_000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """What a change would do: items with something to change, and the faults that it would leave, by code."""

    items: tuple[Item, ...]
    faults: Mapping[str, list[str]]


def check(session: Session, who: Principal, which: LimitSet, wanted: Mapping[str, Values]) -> Checked:
    """Look at a change of limits by point code.

    Raises:
        ApiError: 403 the set is not theirs, 404 a point outside the scope, 422 a value that no limit may have.
    """
    if len(wanted) > MAX_ITEMS:
        raise invalid("items", f"一次最多 {MAX_ITEMS} 个指标", "请分几次提出")
    found = {item.subject.code: (item, path) for item, path in present(session, who, which, list(wanted))}
    items = []
    left: dict[str, list[str]] = {}
    for code, values in wanted.items():
        if code not in found:
            raise not_found("指标", code)
        item, path = found[code]
        _may_set(who, which, path)
        for field, reason in complaints(which, values):
            raise ApiError(422, "invalid", f"{code}:{reason}", "请改正后重试", {f"{code}.{field}": reason})
        changed = Item(item.point, item.subject, item.before, dict(values)).changed()
        if changed.after:
            items.append(changed)
            wrong = faults(item.subject, item.before | dict(values))
            if wrong:
                left[code] = wrong
    return Checked(tuple(items), left)


def present(
    session: Session, who: Principal, which: LimitSet, codes: Sequence[str]
) -> list[tuple[Item, str]]:  # fmt: skip
    """What a set holds now for points in scope, each with its path; ``after`` is empty."""
    out = []
    for start in range(0, len(codes), _CHUNK):
        part = codes[start : start + _CHUNK]
        statement = (
            scoped(select(Point, RegulatorLimit, Equipment.cas).where(Point.code.in_(part)), who, Point)
            .outerjoin(RegulatorLimit, RegulatorLimit.point == Point.index)
            .join(Equipment, Equipment.code == Point.equipment)
        )
        for point, regulator, cas in session.execute(statement):
            subject = Subject(point.code, point.name, point.unit, point.range_low, point.range_high, cas)
            holder = point if which is LimitSet.ENTERPRISE else regulator
            before = {name: getattr(holder, name, None) for name in which.fields}
            out.append((Item(point.index, subject, before, {}), point.path))
    return out


def propose(
    desk: RegistryDesk, who: Principal, which: LimitSet, wanted: Mapping[str, Values], reason: str
) -> int:  # fmt: skip
    """Propose a change; returns the number of the proposal.

    Raises:
        ApiError: 403, 404, 422 as ``check``; 422 nothing changes, or there is no reason.
    """
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")
    if not reason.strip():
        raise invalid("reason", "请写明变更原因")
    with unit_of_work(desk.sessions) as session:
        checked = check(session, who, which, wanted)
        if not checked.items:
            raise invalid("items", "与现行限值相同,没有要变更的内容")
        return enter(session, who, which, checked.items, reason.strip(), desk.clock())


def enter(
    session: Session, who: Principal, which: LimitSet, items: Sequence[Item], reason: str, now: int
) -> int:  # fmt: skip
    """Write a proposal that was checked."""
    # scope: node-internal because the items were checked against the scope of the proposer
    paths = session.scalars(select(Point.path).where(Point.index.in_([item.point for item in items])).distinct())
    row = LimitProposal(
        which=which.value, state=OPEN, reason=reason, points=len(items), proposed_by=who.username, proposed_at=now,
        path=common_path(paths),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.execute(
        insert(LimitProposalItem),
        [
            {"proposal": row.id, "point": i.point, "before": json.dumps(i.before), "after": json.dumps(i.after)}
            for i in items
        ],
    )
    detail = {"set": which.value, "points": len(items), "reason": reason}
    audit.record(session, now, who, "limits.propose", str(row.id), row.path, detail)
    return row.id


def approve(desk: RegistryDesk, who: Principal, number: int, note: str) -> int:
    """Put a proposal in force; returns the new version of the limits.

    Raises:
        ApiError: 403 the proposer, a program, or somebody without the right; 404; 409 decided already, or the limits
            have changed since.
    """
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        row = _to_decide(session, who, number)
        which = LimitSet(row.which)
        items = _items(session, row)
        _unchanged(session, who, which, items)
        version = write.take(session, "limit_version")[0]
        now = desk.clock()
        for item, path in items:
            _put(session, which, item, path)
        session.execute(insert(LimitChange), [_line(row, which, item, path, who, version, now) for item, path in items])
        row.state, row.decided_by, row.decided_at = APPROVED, who.username, now
        row.decision, row.version = note.strip() or None, version
        session.flush()
        detail = {"set": row.which, "points": row.points, "version": version, "proposed_by": row.proposed_by}
        audit.record(session, now, who, "limits.approve", str(number), row.path, detail)
    desk.on_change(version)
    return version


def reject(desk: RegistryDesk, who: Principal, number: int, note: str) -> None:
    """Refuse a proposal, with the reason.

    Raises:
        ApiError: as ``approve``; 422 no reason.
    """
    if not note.strip():
        raise invalid("note", "请写明驳回原因")
    with unit_of_work(desk.sessions) as session:
        row = _to_decide(session, who, number)
        _close(session, desk, who, row, REJECTED, note.strip())


def withdraw(desk: RegistryDesk, who: Principal, number: int) -> None:
    """Take one's own proposal back.

    Raises:
        ApiError: 403 somebody else's; 404; 409 decided already.
    """
    with unit_of_work(desk.sessions) as session:
        row = _open(session, who, number)
        if row.proposed_by != who.username:
            raise forbidden("只有提出人可以撤回", "可由他人批准或驳回")
        _close(session, desk, who, row, WITHDRAWN, "")


def attach(desk: RegistryDesk, who: Principal, number: int, evidence_id: str, evidence: Mapping[str, Any]) -> None:
    """Keep the outcome of a what-if with a proposal, as it was at that moment.

    Raises:
        ApiError: 403 the role does not suffice; 404; 409 decided already.
    """
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")
    with unit_of_work(desk.sessions) as session:
        row = _open(session, who, number)
        row.evidence_id, row.evidence = evidence_id, json.dumps(evidence, ensure_ascii=False)
        session.flush()
        detail = {"whatif": evidence_id}
        audit.record(session, desk.clock(), who, "limits.evidence", str(number), row.path, detail)


def _may_set(who: Principal, which: LimitSet, path: str) -> None:
    """The regulator's limits are set by who stands above the enterprise."""
    if which is LimitSet.REGULATOR and len(who.scope) >= len(path):
        raise forbidden("监管限值只能由企业的上级(园区、县、市、省)提出和批准", "企业可变更自己的限值")


def _open(session: Session, who: Principal, number: int) -> LimitProposal:
    statement = scoped(select(LimitProposal).where(LimitProposal.id == number), who, LimitProposal)
    row = session.scalar(statement.with_for_update())
    if row is None:
        raise not_found("提案", str(number))
    if row.state != OPEN:
        raise conflict("提案已经处理过", f"当前状态 {row.state},处理人 {row.decided_by}")
    return row


def _to_decide(session: Session, who: Principal, number: int) -> LimitProposal:
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")
    row = _open(session, who, number)
    if row.proposed_by == who.username:
        raise forbidden("提出人不能批准或驳回自己的提案", "请由第二人审核")
    if who.username.startswith("token:") or not who.scope_code:
        raise forbidden("提案须由人审核,程序令牌不能批准", "请登录后审核")
    for _, path in _items(session, row):
        _may_set(who, LimitSet(row.which), path)
    return row


def _items(session: Session, row: LimitProposal) -> list[tuple[Item, str]]:
    # scope: node-internal because the proposal was found in scope, and its path holds all its points
    statement = (
        select(LimitProposalItem, Point, Equipment.cas)
        .join(Point, Point.index == LimitProposalItem.point)
        .join(Equipment, Equipment.code == Point.equipment)
        .where(LimitProposalItem.proposal == row.id)
        .order_by(Point.index)
    )
    return [
        (
            Item(
                point.index,
                Subject(point.code, point.name, point.unit, point.range_low, point.range_high, cas),
                json.loads(item.before),
                json.loads(item.after),
            ),
            point.path,
        )
        for item, point, cas in session.execute(statement)
    ]


def _unchanged(session: Session, who: Principal, which: LimitSet, items: Sequence[tuple[Item, str]]) -> None:
    """What the proposal says is in force must still be."""
    now = {item.point: item.before for item, _ in present(session, who, which, [i.subject.code for i, _ in items])}
    moved = [
        item.subject.code
        for item, path in items
        if not covers(who.scope, path)
        or any(now.get(item.point, {}).get(key) != value for key, value in item.before.items())
    ]
    if moved:
        raise conflict(f"{len(moved)} 个指标的限值在提案之后已改动,例如 {moved[0]}", "请撤回后按现行限值重新提出")


def _put(session: Session, which: LimitSet, item: Item, path: str) -> None:
    # scope: node-internal because the approver's scope was checked for every item
    if which is LimitSet.ENTERPRISE:
        point = session.get_one(Point, item.point)
        for name, value in item.after.items():
            setattr(point, name, value)
        held = {name: getattr(point, name) for name in which.fields}
        point.limit_fault = ";".join(faults(item.subject, held))[:500] or None
        return
    row = session.get(RegulatorLimit, item.point) or RegulatorLimit(point=item.point, path=path)
    session.add(row)
    for name, value in item.after.items():
        setattr(row, name, value)
    session.flush()
    if all(getattr(row, name) is None for name in THRESHOLDS):
        session.execute(delete(RegulatorLimit).where(RegulatorLimit.point == item.point))
        session.expunge(row)


def _line(
    row: LimitProposal, which: LimitSet, item: Item, path: str, who: Principal, version: int, now: int
) -> dict[str, Any]:
    old, new = (json.dumps({k: v for k, v in part.items() if k in LIMIT_FIELDS}) for part in (item.before, item.after))
    return {
        "version": version, "point": item.point, "at": now, "who": who.username, "old": old, "new": new, "path": path,
        "which": which.value, "why": row.reason, "proposal": row.id,
    }  # fmt: skip


def _close(
    session: Session, desk: RegistryDesk, who: Principal, row: LimitProposal, state: str, note: str
) -> None:  # fmt: skip
    row.state, row.decided_by, row.decided_at, row.decision = state, who.username, desk.clock(), note or None
    session.flush()
    word = {REJECTED: "limits.reject", WITHDRAWN: "limits.withdraw"}[state]
    audit.record(session, desk.clock(), who, word, str(row.id), row.path, {"note": note})
