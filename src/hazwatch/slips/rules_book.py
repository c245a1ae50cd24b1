"""Use cases of the clocks of regions: versions drafted by one person and put in force by another.

Clocks that run keep their deadlines when rules change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity import audit, drafts
from hazwatch.identity.drafts import APPROVED, DRAFT, RETIRED
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal, Role, may
from hazwatch.identity.scope import scoped
from hazwatch.identity.tables import Node
from hazwatch.identity.tree import node_in_scope
from hazwatch.records.chain import canonical
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.slips.clocks import STANDARD, Rules, form_of
from hazwatch.slips.rules import RulesError, checked, differences
from hazwatch.slips.service import SlipDesk
from hazwatch.slips.tables import SlipRules


def overview(session: Session, desk: SlipDesk, who: Principal, code: str, request: PageRequest) -> dict[str, Any]:
    """What is in force at a node and where it comes from, and all versions in scope, newest first.

    Raises:
        ApiError: 404 no such node in scope.
    """
    node = _node(session, who, code or who.scope_code)
    rules, origin = desk.books.found(session, node.path)
    own = _live(session, node.code)
    statement = scoped(select(SlipRules), who, SlipRules)
    rows = session.scalars(statement.order_by(SlipRules.id.desc()).offset(request.offset).limit(request.page_size))
    items = [_form(row) for row in rows]
    names = _names(session, {origin, *(item["node"] for item in items)})
    page = Page([i | {"name": names.get(i["node"], i["node"])} for i in items], count(session, statement),
                request.page, request.page_size)  # fmt: skip
    theirs = scoped(
        select(SlipRules.node).where(SlipRules.state == APPROVED, SlipRules.body.is_not(None)), who, SlipRules
    )
    nodes = sorted(session.scalars(theirs))
    named = _names(session, set(nodes))
    return page.form() | {
        "standard": form_of(Rules(STANDARD)), "node": node.code, "name": node.name, "in_force": form_of(rules),
        "from": {"code": origin, "name": names.get(origin, "")} if origin else None,
        "own": json.loads(own.body) if own and own.body else None, "digest": _digest(rules),
        "with_own": [{"code": c, "name": named.get(c, c)} for c in nodes],
        "waiting": count(session, statement.with_only_columns(SlipRules.id).where(SlipRules.state == DRAFT)),
        "may_edit": may(who.role, Role.ENGINEER),
    }  # fmt: skip


def check(
    session: Session, desk: SlipDesk, who: Principal, code: str, body: Mapping[str, Any] | None
) -> tuple[Node, Rules, Rules, dict[str, list[Any]]]:
    """The node, the rules there now and as they would be, and what changes: name → old, new.

    Raises:
        ApiError: 404 no such node in scope; 422 the fields with their reasons, or nothing changed.
    """
    node = _node(session, who, code)
    was, origin = desk.books.found(session, node.path)
    try:
        if body is None:
            rules = desk.books.found(session, node.path, without=node.code)[0]
        else:
            rules = checked(body, desk.special(session), desk.zone)
    except RulesError as error:
        fields = {f"body.{name}": why for name, why in error.wrong.items()}
        raise ApiError(422, "bad_rules", "时限规则不合要求", "请改正所列字段后重试", fields) from error
    changes = differences(form_of(was), form_of(rules))
    if not changes and (body is None) == (origin != node.code):
        raise invalid("body", "与现行规则相同,没有修改", "请先修改,再提交")
    return node, was, rules, {name: list(pair) for name, pair in changes.items()}


def draft(
    session: Session, desk: SlipDesk, who: Principal, code: str, body: Mapping[str, Any] | None, why: str
) -> dict[str, Any]:
    """A new draft for a node; ``body`` None: no own rules any more, those above hold.

    Raises:
        ApiError: 404, 422.
    """
    why = drafts.reason(why)
    node, was, rules, changes = check(session, desk, who, code, body)
    row = SlipRules(
        node=code, path=node.path, body=None if body is None else canonical(body), before=canonical(form_of(was)),
        after=canonical(form_of(rules)), state=DRAFT, base=_digest(was), digest=_digest(rules), why=why,
        by=who.username, at=desk.clock(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(
        session, row.at, who, "slip.rules.draft", code, node.path, {"id": row.id, "why": why, "changes": changes}
    )
    return _form(row)


def decide(session: Session, desk: SlipDesk, who: Principal, number: int, *, approve: bool, why: str) -> dict[str, Any]:
    """A second person puts a draft in force for slips' clocks that start from now on, or turns it down.

    Raises:
        ApiError: as ``identity.drafts.decide``; 404.
    """
    row, now = _held(session, who, number), desk.clock()
    live = _live(session, row.node)
    drafts.decide(row, who, now, approve=approve, why=why, in_force=_digest(desk.books.found(session, row.path)[0]))
    if approve and live is not None:
        live.state = RETIRED
    session.info.pop("slip_rules", None)
    detail = {"id": row.id, "approve": approve, "why": row.decided_why}
    audit.record(session, now, who, "slip.rules.decide", row.node, row.path, detail)
    return _form(row)


def withdraw(session: Session, desk: SlipDesk, who: Principal, number: int, why: str) -> dict[str, Any]:
    """The author takes a draft back.

    Raises:
        ApiError: as ``identity.drafts.withdraw``; 404.
    """
    row, now = _held(session, who, number), desk.clock()
    drafts.withdraw(row, who, now, why)
    audit.record(session, now, who, "slip.rules.withdraw", row.node, row.path, {"id": row.id, "why": row.decided_why})
    return _form(row)


def _held(session: Session, who: Principal, number: int) -> SlipRules:
    """A version; who decides another one of its node at the same moment waits."""
    node = session.scalar(scoped(select(SlipRules.node).where(SlipRules.id == number), who, SlipRules))
    if node is None:
        raise not_found("规则版本", str(number))
    # scope: node-internal because the version was found in scope, and the others of its node lie with it
    fluid = select(SlipRules).where(SlipRules.node == node).order_by(SlipRules.id).with_for_update()
    return next(row for row in session.scalars(fluid).all() if row.id == number)


def _live(session: Session, code: str) -> SlipRules | None:
    # scope: node-internal because the node was found in scope
    return session.scalars(select(SlipRules).where(SlipRules.node == code, SlipRules.state == APPROVED)).first()


def _node(session: Session, who: Principal, code: str) -> Node:
    node = node_in_scope(session, who, code)
    if node is None:
        raise not_found("节点", code)
    return node


def _names(session: Session, codes: set[str]) -> dict[str, str]:
    # scope: node-internal because the names of the regions above are no secret to those below
    return dict(session.execute(select(Node.code, Node.name).where(Node.code.in_(codes))).tuples().all())


def _digest(rules: Rules) -> str:
    return hashlib.sha256(canonical(form_of(rules)).encode()).hexdigest()[:12]


def _form(row: SlipRules) -> dict[str, Any]:
    changes = differences(json.loads(row.before), json.loads(row.after))
    return drafts.form(row) | {
        "id": row.id, "node": row.node, "body": json.loads(row.body) if row.body else None,
        "differences": {name: list(pair) for name, pair in changes.items()},
    }  # fmt: skip
