"""The audit log: every change by a person, chained by hash.

Each row's digest is SHA-256 over its content and the digest before it; ``audit_head`` holds the number of rows and
the last digest. Changing, removing or inserting a row breaks the chain, cutting its end breaks the head. Someone who
can write the database could compute the whole chain anew: copy the head elsewhere to guard against that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.tables import Audit, AuditHead
from hazwatch.records.paging import Page, PageRequest, count, ordered
from hazwatch.vocabulary.moments import iso

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the check of the chain found; ``broken_at`` is the number of the first row that does not fit."""

    length: int
    broken_at: int | None = None
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether the chain is whole."""
        return self.broken_at is None


def record(
    session: Session,
    at: int,
    who: Principal,
    action: str,
    object_: str,
    path: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one row. Call it last in the use case: until the end of the transaction other writers wait here.

    Args:
        session: the running unit of work.
        at: epoch ms.
        who: who did it.
        action: what, as a word (``account.create``).
        object_: to what, as a code or name.
        path: where on the tree; decides who may read the row.
        detail: anything else, never a secret.
    """
    head = session.scalars(select(AuditHead).with_for_update()).one()
    text = json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    row = Audit(
        id=head.length + 1,
        at=at,
        username=who.username,
        action=action,
        object=object_,
        detail=text,
        path=path,
        digest="",
    )
    row.digest = _digest(row, head.digest)
    head.length, head.digest = row.id, row.digest
    session.add(row)
    session.flush()


def verify_audit(session: Session) -> AuditReport:
    """Walk the whole chain."""
    # scope: node-internal because the chain runs through all scopes; nothing but its state is given back
    previous, expected = GENESIS, 1
    for row in session.scalars(select(Audit).order_by(Audit.id).execution_options(yield_per=1_000)):
        if row.id != expected:
            return AuditReport(expected - 1, expected, f"第 {expected} 条缺失")
        if row.digest != _digest(row, previous):
            return AuditReport(expected - 1, expected, f"第 {expected} 条内容被改动")
        previous, expected = row.digest, expected + 1
    head = session.scalars(select(AuditHead)).one()
    if (head.length, head.digest) != (expected - 1, previous):
        return AuditReport(expected - 1, expected, f"应有 {head.length} 条,实有 {expected - 1} 条或末条不符")
    return AuditReport(expected - 1)


def audit_page(session: Session, principal: Principal, request: PageRequest) -> Page[dict[str, Any]]:
    """The log in scope, newest first unless asked otherwise."""
    statement = scoped(select(Audit), principal, Audit)
    sortable = {"at": Audit.at, "username": Audit.username, "action": Audit.action, "object": Audit.object}
    rows = session.scalars(
        ordered(statement, request, sortable, Audit.id.desc()).offset(request.offset).limit(request.page_size)
    )
    items = [
        {
            "at": iso(row.at),
            "username": row.username,
            "action": row.action,
            "object": row.object,
            "detail": json.loads(row.detail),
        }
        for row in rows
    ]
    return Page(items, count(session, statement), request.page, request.page_size)


def _digest(row: Audit, previous: str) -> str:
    content = [row.id, row.at, row.username, row.action, row.object, row.detail, previous]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
