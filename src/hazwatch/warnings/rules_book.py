"""Use cases of the rules: versions that never change, each with its author and reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, invalid
from hazwatch.identity.model import Principal
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.moments import iso
from hazwatch.warnings.rules import DEFAULT, Rules, RulesError, parse
from hazwatch.warnings.tables import WarningRules


def in_force(session: Session) -> Rules:
    """The newest version, or the built-in rules."""
    body = session.scalar(select(WarningRules.body).order_by(WarningRules.id.desc()).limit(1))
    return DEFAULT if body is None else parse(orjson.loads(body))


def versions(session: Session, request: PageRequest) -> Page[dict[str, Any]]:
    """All versions, newest first."""
    statement = select(WarningRules)
    rows = session.scalars(
        statement.order_by(WarningRules.id.desc()).offset(request.offset).limit(request.page_size)
    )  # fmt: skip
    items = [
        {"id": r.id, "digest": r.digest, "why": r.why, "by": r.by, "at": iso(r.at), "body": orjson.loads(r.body)}
        for r in rows
    ]
    return Page(items, count(session, statement), request.page, request.page_size)


def write(session: Session, who: Principal, body: Mapping[str, Any], why: str, now: int) -> dict[str, Any]:
    """Put other rules in force, from the next grade on.

    Raises:
        ApiError: 422 the fields with their reasons.
    """
    if not why.strip():
        raise invalid("why", "请写明修改原因")
    try:
        rules = parse(body)
    except RulesError as error:
        raise ApiError(422, "invalid", "预警规则不合要求", "请改正所列字段后重试", error.wrong) from error
    digest = rules.digest()
    row = WarningRules(
        body=orjson.dumps(rules.form()).decode(), digest=digest, why=why.strip(), by=who.username, at=now
    )
    session.add(row)
    audit.record(session, now, who, "warning.rules", digest, who.scope, {"why": row.why, "rules": rules.form()})
    return {"digest": digest, "rules": rules.form()}
