"""Files as the API shows them: content with its score, history in words, what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.registry.files import store
from hazwatch.registry.files.held_back import OPEN
from hazwatch.registry.files.merge import WHOLE, Op
from hazwatch.registry.files.model import NONE, Schema, row_title
from hazwatch.registry.files.score import Score, score
from hazwatch.registry.files.service import IN_FORCE, may_fill
from hazwatch.registry.files.store import Owner, Rows, ops_of, owner_in_scope
from hazwatch.registry.files.tables import FileChange, FileDocument, FileHead, RowChange
from hazwatch.registry.tables import Enterprise, Equipment, Point, RegistryVersion, Source
from hazwatch.vocabulary.moments import iso


def declaration(schema: Schema) -> dict[str, Any]:
    """A declaration as forms need it."""
    groups = [
        {**asdict(group), "filler": group.filler.value, "fields": [asdict(field) for field in group.fields]}
        for group in schema.groups
    ]
    return {
        "owner": schema.owner.value, "title": schema.title, "groups": groups,
        "documents": [asdict(kind) for kind in schema.documents],
    }  # fmt: skip


def file_view(session: Session, who: Principal, code: str, now: int, at: int | None) -> dict[str, Any]:
    """A file as it is, or as it was at a moment.

    Raises:
        ApiError: 404 there is none in scope.
    """
    owner = owner_in_scope(session, who, code)
    content = store.load(session, code) if at is None else store.load_at(session, owner, at)
    found = (
        store.score_of(session, owner, content, now) if at is None
        else score(owner.schema, content, documents_at(session, owner, at), store.today(at))
    )  # fmt: skip
    # scope: node-internal because the owner was found in scope
    head = session.get(FileHead, code)
    return {
        "owner": {"code": code, "kind": owner.kind.value, "name": owner.name, "simulated": owner.simulated},
        "version": head.version if head else 0,
        "changed_at": iso(head.changed_at) if head and head.changed_at else None,
        "at": iso(at) if at is not None else None,
        "content": content,
        "score": score_form(found),
        "waiting": waiting(session, owner) if at is None else [],
        "may_fill": {g.key: at is None and may_fill(who, owner, g) for g in owner.schema.groups},
        "counts": counts(session, owner) if at is None else {},
    }  # fmt: skip


def documents_at(session: Session, owner: Owner, at: int) -> set[str]:
    """Kinds of which a document was there at a moment."""
    # scope: node-internal because the owner was found in scope
    there = FileDocument.withdrawn_at.is_(None) | (FileDocument.withdrawn_at > at)
    statement = select(FileDocument.kind).where(FileDocument.owner == owner.code, FileDocument.at <= at, there)
    return set(session.scalars(statement))


def score_form(found: Score) -> dict[str, Any]:
    """A score as the API shows it."""
    return {
        "percent": found.percent, "groups": found.groups, "gaps": [asdict(gap) for gap in found.gaps],
        "endings": [asdict(one) | {"ends": one.ends.isoformat()} for one in found.endings],
    }  # fmt: skip


def counts(session: Session, owner: Owner) -> dict[str, int]:
    """How much of the registry hangs on the owner."""
    # scope: node-internal because the owner was found in scope
    if owner.code.startswith("P"):
        inside = select(Enterprise.code).where(Enterprise.park == owner.code)
        sources = select(Source.code).where(Source.enterprise.in_(inside))
        return {"enterprises": count(session, inside), "sources": count(session, sources)}
    return {
        "sources": count(session, select(Source.code).where(Source.enterprise == owner.code)),
        "equipment": count(session, select(Equipment.code).where(Equipment.code.between(owner.code, owner.code + "~"))),
        "points": count(session, select(Point.index).where(Point.enterprise == owner.code)),
    }


def waiting(session: Session, owner: Owner) -> list[dict[str, Any]]:
    """Changes of a file that wait for a second person, oldest first."""
    # scope: node-internal because the owner was found in scope
    rows = select(FileChange).where(FileChange.owner == owner.code, FileChange.state == OPEN).order_by(FileChange.id)
    content = store.load(session, owner.code)
    return [change_form(owner.schema, row, content) for row in session.scalars(rows)]


def history(session: Session, who: Principal, code: str, request: PageRequest) -> Page[dict[str, Any]]:
    """Changes of a file, newest first: edits of the file and imports of the registry that touched it.

    Raises:
        ApiError: 404 there is none in scope.
    """
    # scope: node-internal because the owner was found in scope
    owner = owner_in_scope(session, who, code)
    content = store.load(session, code)
    changes = select(FileChange).where(FileChange.owner == code)
    items = [change_form(owner.schema, row, content) for row in session.scalars(changes)]
    linked = {row["registry_version"] for row in items}
    items.extend(item for item in _imports(session, owner) if item["registry_version"] not in linked)
    items.sort(key=lambda item: item["in_force_at"] or item["at"], reverse=True)
    return Page(items[request.offset : request.offset + request.page_size], len(items), request.page, request.page_size)


def _imports(session: Session, owner: Owner) -> list[dict[str, Any]]:
    # scope: node-internal because the owner was found in scope
    touched = select(RowChange.version).where(RowChange.code.between(owner.code, owner.code + "~")).distinct()
    rows = session.scalars(select(RegistryVersion).where(RegistryVersion.version.in_(touched)))
    return [
        {
            "id": None, "state": IN_FORCE, "version": None, "registry_version": row.version, "at": iso(row.at),
            "in_force_at": iso(row.at), "who": row.who, "why": "登记导入", "source": row.file_name,
            "decided_by": None, "decided_at": None, "decision": None, "ops": [],
        }
        for row in rows
    ]  # fmt: skip


def approvals(session: Session, who: Principal, request: PageRequest) -> Page[dict[str, Any]]:
    """Everything in scope that waits for a second person, oldest first."""
    statement = scoped(select(FileChange).where(FileChange.state == OPEN), who, FileChange)
    rows = session.scalars(statement.order_by(FileChange.id).offset(request.offset).limit(request.page_size))
    items = []
    for row in rows:
        owner = owner_in_scope(session, who, row.owner)
        form = change_form(owner.schema, row, store.load(session, row.owner))
        items.append({**form, "owner": {"code": owner.code, "name": owner.name}})
    return Page(items, count(session, statement), request.page, request.page_size)


def change_form(schema: Schema, row: FileChange, content: Mapping[str, Rows]) -> dict[str, Any]:
    """A change in words."""
    in_force = row.decided_at or row.at
    return {
        "id": row.id, "state": row.state, "version": row.version, "registry_version": row.registry_version,
        "at": iso(row.at), "in_force_at": iso(in_force) if row.version is not None else None, "who": row.who,
        "why": row.why, "source": row.source, "decided_by": row.decided_by,
        "decided_at": iso(row.decided_at) if row.decided_at else None, "decision": row.decision,
        "ops": [op_form(schema, op, content) for op in ops_of(row)],
    }  # fmt: skip


def op_form(schema: Schema, op: Op, content: Mapping[str, Rows]) -> dict[str, Any]:
    """An edit with the titles of its place."""
    group = schema.group(op.group)
    field = group.field(op.field) if group else None
    row = content.get(op.group, {}).get(op.row) or (op.after if op.field == WHOLE else None) or op.before
    named = row_title(group, row) if group and group.many and isinstance(row, dict) and op.row != NONE else ""
    return {
        "group": op.group, "row": op.row, "field": op.field, "before": op.before, "after": op.after,
        "group_title": group.title if group else op.group, "row_title": named,
        "field_title": field.title if field else ("不涉及" if op.row == NONE else "整行"),
    }  # fmt: skip
