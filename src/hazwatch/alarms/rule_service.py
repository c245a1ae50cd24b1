"""Rules of suppression by design: versions, and what each suppresses right now."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from hazwatch.alarms import rules, settings
from hazwatch.alarms.holds import ACTIVE
from hazwatch.alarms.tables import AlarmHold, SuppressionRule
from hazwatch.identity.errors import ApiError, not_found
from hazwatch.identity.model import Principal, common_path
from hazwatch.identity.scope import scoped
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.moments import iso


def page(session: Session, who: Principal, request: PageRequest) -> Page[dict[str, Any]]:
    """The newest version of every rule in scope, with how many alarms it suppresses now."""
    statement = scoped(select(SuppressionRule).where(SuppressionRule.newest), who, SuppressionRule)
    rows = session.scalars(
        statement.order_by(SuppressionRule.name, SuppressionRule.id).offset(request.offset).limit(request.page_size)
    ).all()
    held = scoped(select(AlarmHold.rule, func.count()).where(AlarmHold.status == ACTIVE), who, AlarmHold)
    held = held.where(AlarmHold.rule.in_([row.id for row in rows])).group_by(AlarmHold.rule)
    now = dict(row.tuple() for row in session.execute(held))
    items = [_form(row) | {"suppressing": now.get(row.id, 0)} for row in rows]
    return Page(items, count(session, statement), request.page, request.page_size)


def versions(session: Session, who: Principal, rule: str) -> list[dict[str, Any]]:
    """All versions of a rule, newest first.

    Raises:
        ApiError: 404.
    """
    statement = scoped(select(SuppressionRule).where(SuppressionRule.id == rule), who, SuppressionRule)
    rows = session.scalars(statement.order_by(SuppressionRule.version.desc())).all()
    if not rows:
        raise not_found("规则", rule)
    return [_form(row) for row in rows]


def write(session: Session, who: Principal, rule: str | None, body: dict[str, Any], at: int) -> dict[str, Any]:
    """A new rule, or a new version of one; the whole of it stands in ``body``.

    Raises:
        ApiError: 404 no such rule or point in scope, 422 a rule that says nothing.
    """
    name, note, enabled = body.pop("name").strip(), body.pop("note").strip(), body.pop("enabled")
    version, id_ = 1, rule or str(uuid.uuid4())
    if rule is not None:
        version = versions(session, who, rule)[0]["version"] + 1
    try:
        parsed = rules.parse(id_, version, {**body, "name": name})
    except ValueError as error:
        raise ApiError(422, "bad_rule", str(error), "请检查条件和被抑制的报警") from error
    path = common_path(settings.place(session, who, point)[0] for point in sorted(parsed.points))
    # scope: node-internal because the rule and all its points were looked up within the scope above
    session.execute(update(SuppressionRule).where(SuppressionRule.id == id_).values(newest=False))
    row = {
        "id": id_, "version": version, "name": name, "body": orjson.dumps(body).decode(), "enabled": enabled,
        "newest": True, "note": note, "by": who.username, "at": at, "path": path,
    }  # fmt: skip
    session.execute(insert(SuppressionRule), [row])
    return {"id": id_, "version": version, "path": path}


def _form(row: SuppressionRule) -> dict[str, Any]:
    return {
        "id": row.id, "version": row.version, "name": row.name, "enabled": row.enabled, "note": row.note, "by": row.by,
        "at": iso(row.at), **orjson.loads(row.body),
    }  # fmt: skip
