"""Use cases of the rules: versions that never change, drafted by one person and put in force by another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity import audit, drafts
from hazwatch.identity.drafts import APPROVED, DRAFT, RETIRED
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import NodeKind, Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.tables import Node
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.warnings.rules import DEFAULT, Rules, RulesError, differences, parse
from hazwatch.warnings.tables import WarningRules

_KEY_KINDS = (NodeKind.PROVINCE.value, NodeKind.CITY.value, NodeKind.COUNTY.value)
_PART = 500


def in_force(session: Session) -> Rules:
    """The approved version, or the built-in rules."""
    row = _live(session)
    return DEFAULT if row is None else _rules(row)


def _live(session: Session) -> WarningRules | None:
    return session.scalars(select(WarningRules).where(WarningRules.state == APPROVED)).first()


def _rules(row: WarningRules) -> Rules:
    return parse(orjson.loads(row.body))


def versions(session: Session, request: PageRequest) -> Page[dict[str, Any]]:
    """All versions, newest first, each with what it changes."""
    statement = select(WarningRules)
    rows = session.scalars(
        statement.order_by(WarningRules.id.desc()).offset(request.offset).limit(request.page_size)
    )  # fmt: skip
    return Page([_form(session, r) for r in rows], count(session, statement), request.page, request.page_size)


def overview(session: Session, who: Principal, request: PageRequest) -> dict[str, Any]:
    """What is in force, all versions, and the names of the regions that they speak of."""
    live, page = in_force(session), versions(session, request)
    bodies = [live.form(), *(item["body"] for item in page.items)]
    codes = {code for body in bodies for code in (*body["regions"], *body["key_regions"])}
    return page.form() | {
        "in_force": {"digest": live.digest(), "rules": live.form()}, "default": DEFAULT.form(),
        "names": {node.code: node.name for node in _nodes(session, who, codes)},
        "waiting": count(session, select(WarningRules.id).where(WarningRules.state == DRAFT)),
    }  # fmt: skip


def _form(session: Session, row: WarningRules) -> dict[str, Any]:
    grew_from = select(WarningRules).where(WarningRules.digest == row.base).limit(1)
    base = session.scalars(grew_from).first() if row.base else None
    changes = differences(_rules(base) if base else DEFAULT, _rules(row))
    return drafts.form(row) | {
        "id": row.id, "body": orjson.loads(row.body), "differences": {n: list(pair) for n, pair in changes.items()},
    }  # fmt: skip


def check(session: Session, who: Principal, body: Mapping[str, Any]) -> tuple[Rules, dict[str, list[Any]]]:
    """Rules from a body, and what they change: name → old, new.

    Raises:
        ApiError: 422 the fields with their reasons, or nothing changed.
    """
    live = in_force(session)
    try:
        rules = parse(body)
    except RulesError as error:
        raise _refused(error.wrong) from error
    if wrong := _unknown(session, who, rules):
        raise _refused(wrong)
    changes = differences(live, rules)
    if not changes:
        raise invalid("rules", "与现行规则相同,没有修改", "请先修改,再提交")
    return rules, {name: list(pair) for name, pair in changes.items()}


def draft(session: Session, who: Principal, body: Mapping[str, Any], why: str, now: int) -> dict[str, Any]:
    """A new draft; nothing changes until another person approves it.

    Raises:
        ApiError: 422.
    """
    why = drafts.reason(why)
    rules, changes = check(session, who, body)
    row = WarningRules(
        body=orjson.dumps(rules.form()).decode(), digest=rules.digest(), base=in_force(session).digest(), state=DRAFT,
        why=why, by=who.username, at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, now, who, "warning.rules.draft", str(row.id), who.scope, {"why": why, "changes": changes})
    return _form(session, row)


def decide(session: Session, who: Principal, number: int, now: int, *, approve: bool, why: str) -> dict[str, Any]:
    """A second person puts a draft in force, from the next grade on, or turns it down.

    Raises:
        ApiError: as ``identity.drafts.decide``; 404.
    """
    row, live = _held(session, number), _live(session)
    drafts.decide(row, who, now, approve=approve, why=why, in_force=in_force(session).digest())
    if approve and live is not None:
        live.state = RETIRED
    detail = {"approve": approve, "digest": row.digest, "why": row.decided_why}
    audit.record(session, now, who, "warning.rules.decide", str(number), who.scope, detail)
    return _form(session, row)


def withdraw(session: Session, who: Principal, number: int, now: int, why: str) -> dict[str, Any]:
    """The author takes a draft back.

    Raises:
        ApiError: as ``identity.drafts.withdraw``; 404.
    """
    row = _held(session, number)
    drafts.withdraw(row, who, now, why)
    audit.record(session, now, who, "warning.rules.withdraw", str(number), who.scope, {"why": row.decided_why})
    return _form(session, row)


def _held(session: Session, number: int) -> WarningRules:
    """A version. Who decides waits here for who decides at the same moment: one is in force, never two."""
    fluid = select(WarningRules).where(WarningRules.state.in_((APPROVED, DRAFT))).order_by(WarningRules.id)
    session.scalars(fluid.with_for_update()).all()
    row = session.get(WarningRules, number)
    if row is None:
        raise not_found("规则版本", str(number))
    return row


def _refused(wrong: Mapping[str, str]) -> ApiError:
    fields = {f"rules.{name}": why for name, why in wrong.items()}
    return ApiError(422, "invalid", "预警规则不合要求", "请改正所列字段后重试", fields)


def _unknown(session: Session, who: Principal, rules: Rules) -> dict[str, str]:
    """Codes that are no region or park of the node."""
    kinds = {n.code: n.kind for n in _nodes(session, who, {*rules.regions, *rules.key_regions})}
    wrong = {
        f"regions.{code}": f"没有区域或园区 {code},请从列表中选择"
        for code in rules.regions
        if kinds.get(code) in (None, NodeKind.ENTERPRISE.value)
    }
    keys = [code for code in rules.key_regions if kinds.get(code) not in _KEY_KINDS]
    if keys:
        wrong["key_regions"] = f"{'、'.join(keys)} 不是本节点的省、市或县,请从列表中选择"
    return wrong


def _nodes(session: Session, who: Principal, codes: Iterable[str]) -> list[Node]:
    wanted, found = sorted(codes), list[Node]()
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        found += session.scalars(scoped(select(Node).where(Node.code.in_(part)), who, Node))
    return found
