"""Filling many files at once: for data that the program itself makes. Values pass the same checks as edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select

from hazwatch.identity import audit
from hazwatch.identity.model import Principal, common_path
from hazwatch.records.engine import unit_of_work
from hazwatch.registry import write
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.files.merge import WHOLE, Op, clean
from hazwatch.registry.files.model import NONE, Group, ends_of
from hazwatch.registry.files.schemas import SCHEMAS, kind_of
from hazwatch.registry.files.service import IN_FORCE, Reason
from hazwatch.registry.files.store import ops_text
from hazwatch.registry.files.tables import FileChange, FileHead, FileRow
from hazwatch.registry.tables import Enterprise, Park

Files = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]


def fill(desk: RegistryDesk, who: Principal, files: Files, reason: Reason) -> int:
    """Fill files that have no content of their own yet; returns how many.

    Raises:
        merge.Refused: a value that its field cannot hold.
    """
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        # scope: node-internal because only the program itself fills files in bulk
        held = set(session.scalars(select(FileRow.owner).distinct()))
        paths = {
            code: path
            for table in (Enterprise, Park)
            for code, path in session.execute(select(table.code, table.path))
            if code in files and code not in held
        }
        now = desk.clock()
        rows, changes = [], []
        for owner, path in sorted(paths.items()):
            ops = _ops(owner, files[owner])
            for key, row_id, body, ends in _rows(owner, ops):
                rows.append({"owner": owner, "group": key, "row": row_id, "body": body, "ends": ends, "path": path})
            changes.append(
                {
                    "owner": owner, "path": path, "state": IN_FORCE, "version": 1, "at": now, "who": who.username,
                    "why": reason.why, "source": reason.source, "ops": ops_text(ops),
                }
            )  # fmt: skip
        if not rows:
            return 0
        session.execute(insert(FileRow), rows)
        session.execute(insert(FileChange), changes)
        store.refresh(session, list(paths), now)
        for head in session.scalars(select(FileHead).where(FileHead.owner.in_(paths))):
            head.version, head.changed_at = 1, now
        session.flush()
        audit.record(session, now, who, "file.fill", reason.source, common_path(paths.values()), {"files": len(paths)})
    return len(paths)


def _ops(owner: str, content: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Op]:
    """The edits that fill a file; every value is checked."""
    schema = SCHEMAS[kind_of(owner)]
    ops = []
    for key, rows in content.items():
        group = schema.group(key)
        for row_id, row in rows.items():
            if group is not None and group.many and not group.table and row_id != NONE:
                ops.append(clean(schema, Op(key, row_id, WHOLE, None, dict(row))))
            else:
                ops.extend(clean(schema, Op(key, row_id, field, None, value)) for field, value in row.items())
    return ops


def _rows(owner: str, ops: list[Op]) -> list[tuple[str, str, dict[str, Any], str | None]]:
    bodies: dict[tuple[str, str], dict[str, Any]] = {}
    for op in ops:
        body = bodies.setdefault((op.group, op.row), {})
        if op.field == WHOLE:
            body.update(op.after)
        else:
            body[op.field] = op.after
    schema = SCHEMAS[kind_of(owner)]
    return [(key, row, body, _ends(schema.group(key), row, body)) for (key, row), body in bodies.items()]


def _ends(group: Group | None, row: str, body: dict[str, Any]) -> str | None:
    if group is None or row == NONE:
        return None
    first = min(ends_of(group, body), default=None)
    return first.isoformat() if first else None
