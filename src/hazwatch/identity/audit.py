"""The audit log: every change by a person, chained by hash (``records.chain``).

``audit_head`` holds the number of rows and the last digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.tables import Audit, AuditHead
from hazwatch.records.chain import ChainReport, canonical, link, walk
from hazwatch.records.paging import Page, PageRequest, count, ordered
from hazwatch.vocabulary.moments import iso


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
    text = canonical(detail or {})
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
    row.digest = link(_content(row), head.digest)
    head.length, head.digest = row.id, row.digest
    session.add(row)
    session.flush()


def verify_audit(session: Session) -> ChainReport:
    """Walk the whole chain."""
    # scope: node-internal because the chain runs through all scopes; nothing but its state is given back
    rows = session.scalars(select(Audit).order_by(Audit.id).execution_options(yield_per=1_000))
    head = session.scalars(select(AuditHead)).one()
    return walk(((row.id, _content(row), row.digest) for row in rows), (head.length, head.digest))


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


def _content(row: Audit) -> list[Any]:
    return [row.id, row.at, row.username, row.action, row.object, row.detail]
