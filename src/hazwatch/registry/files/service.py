"""Use cases of files: viewing (also as on a past day), changing, approving. The one who proposes never approves.

Edits of one batch take effect together or not at all; fields that are declared so wait for a second person, the others
of the batch take effect at once. Fields that the registry's own tables hold go through the registry's own import, with
its checks and its version, inside the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse

from hazwatch.identity import audit
from hazwatch.identity.errors import ApiError, conflict, forbidden, invalid, not_found
from hazwatch.identity.model import Principal, Role, may
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import unit_of_work
from hazwatch.registry import write
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.files.held_back import OPEN
from hazwatch.registry.files.merge import WHOLE, Conflict, Op, Refused, clean, merge, needs_approval, put
from hazwatch.registry.files.model import NONE, Filler, Group, ends_of, row_title
from hazwatch.registry.files.store import Owner, Rows, ops_of, ops_text, owner_in_scope
from hazwatch.registry.files.tables import FileChange, FileHead, FileRow
from hazwatch.registry.parse import RawRow, parse_book
from hazwatch.registry.service import Origin, enter_rows, export_rows

IN_FORCE, REJECTED, WITHDRAWN = "in_force", "rejected", "withdrawn"
MAX_OPS = 20_000


class EditConflict(ApiError):  # noqa: N818  # an answer, not a fault
    """409: somebody else changed some of these fields; nothing was taken. ``conflicts`` says which, field by field."""

    def __init__(self, conflicts: list[dict[str, Any]]) -> None:
        super().__init__(
            409, "edit_conflict", f"{len(conflicts)} 处内容在您编辑期间被他人修改", "请逐项选择保留哪个值后再保存",
        )  # fmt: skip
        self.conflicts = conflicts

    def response(self) -> JSONResponse:
        """The answer, with the conflicts beside the error."""
        body = {"code": self.code, "message": self.message, "hint": self.hint, "fields": {}}
        return JSONResponse({"error": body, "conflicts": self.conflicts}, self.status)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file changes, and from what: a page, a workbook, a survey."""

    why: str
    source: str = "页面填写"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the file's version, fields in force, fields that wait, number of the waiting change."""

    version: int
    applied: int
    waiting: int
    proposal: int | None


def change(desk: RegistryDesk, who: Principal, code: str, ops: Sequence[Op], reason: Reason) -> Outcome:
    """Change a file.

    Raises:
        ApiError: 403 the role, or a group that a regulator fills in; 404; 422 a value; 409 ``EditConflict``.
    """
    need_engineer(who)
    if not reason.why.strip():
        raise invalid("why", "请写明变更原因")
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        owner = owner_in_scope(session, who, code)
        outcome, registry = enter(session, desk, who, owner, ops, reason)
    if registry is not None:
        desk.on_change(registry)
    return outcome


def enter(
    session: Session, desk: RegistryDesk, who: Principal, owner: Owner, ops: Sequence[Op], reason: Reason,
    *, reviewed: bool = False,
) -> tuple[Outcome, int | None]:  # fmt: skip
    """The same inside a writing unit that holds ``write.lock``; also the registry's new version, if any.

    ``reviewed``: nothing waits (data that the program itself makes).
    """
    content = store.load(session, owner.code)
    cleaned = cleaned_ops(owner, who, ops)
    merged = merge(content, cleaned)
    if merged.conflicts:
        raise EditConflict([_conflict(session, owner, content, one) for one in merged.conflicts])
    waiting = [] if reviewed else [op for op in merged.apply if needs_approval(owner.schema, op)]
    now_ops = [op for op in merged.apply if op not in waiting]
    now = desk.clock()
    common = {"owner": owner.code, "path": owner.path, "at": now, "who": who.username, "why": reason.why.strip(),
              "source": reason.source[:200]}  # fmt: skip
    registry = None
    version = _head(session, owner).version
    if now_ops:
        row = FileChange(**common, state=IN_FORCE, ops=ops_text(now_ops))
        version, registry = _apply(session, desk, who, owner, content, now_ops, row)
    proposal = None
    if waiting:
        row = FileChange(**common, state=OPEN, ops=ops_text(waiting))
        session.add(row)
        session.flush()
        proposal = row.id
    if now_ops or waiting:
        detail = {"version": version, "fields": len(now_ops), "waiting": len(waiting), "why": common["why"]}
        audit.record(session, now, who, "file.change", owner.code, owner.path, detail)
    return Outcome(version, len(now_ops), len(waiting), proposal), registry


def cleaned_ops(owner: Owner, who: Principal, ops: Sequence[Op]) -> list[Op]:
    """The edits with values as they are kept.

    Raises:
        ApiError: 422 with every wrong field; 403 a group that is not theirs to fill in.
    """
    if len(ops) > MAX_OPS:
        raise invalid("ops", f"一次最多 {MAX_OPS} 处改动", "请分几次保存")
    cleaned, wrong = [], {}
    for op in ops:
        try:
            cleaned.append(clean(owner.schema, op))
        except Refused as error:
            wrong[error.place] = str(error)
    if wrong:
        raise ApiError(422, "invalid", f"{len(wrong)} 处内容不合要求", "请改正后重试", wrong)
    for op in cleaned:
        group = owner.schema.group(op.group)
        if group is not None and not may_fill(who, owner, group):
            raise forbidden(f"“{group.title}”由{group.filler.value}填写", "请联系管辖您的应急管理部门")
    return cleaned


def may_fill(who: Principal, owner: Owner, group: Group) -> bool:
    """Whether somebody may fill a group in: what a regulator fills in only those who stand above the owner."""
    if not may(who.role, Role.ENGINEER):
        return False
    return group.filler is not Filler.REGULATOR or len(who.scope) < len(owner.path)


def approve(desk: RegistryDesk, who: Principal, number: int, note: str) -> int:
    """Put a waiting change in force; returns the file's new version.

    Raises:
        ApiError: 403 the proposer or a program; 404; 409 decided already, or a field has changed since.
    """
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        row, owner = _to_decide(session, who, number)
        content = store.load(session, owner.code)
        merged = merge(content, ops_of(row))
        if merged.conflicts:
            raise EditConflict([_conflict(session, owner, content, one) for one in merged.conflicts])
        now = desk.clock()
        row.state, row.decided_by, row.decided_at, row.decision = IN_FORCE, who.username, now, note.strip() or None
        version, registry = _apply(session, desk, who, owner, content, list(merged.apply), row)
        detail = {"version": version, "change": number, "proposed_by": row.who}
        audit.record(session, now, who, "file.approve", owner.code, owner.path, detail)
    if registry is not None:
        desk.on_change(registry)
    return version


def reject(desk: RegistryDesk, who: Principal, number: int, note: str) -> None:
    """Refuse a waiting change, with the reason.

    Raises:
        ApiError: as ``approve``; 422 no reason.
    """
    if not note.strip():
        raise invalid("note", "请写明驳回原因")
    with unit_of_work(desk.sessions) as session:
        row, _ = _to_decide(session, who, number)
        _close(session, desk, who, row, REJECTED, note.strip())


def withdraw(desk: RegistryDesk, who: Principal, number: int) -> None:
    """Take one's own waiting change back.

    Raises:
        ApiError: 403 somebody else's; 404; 409 decided already.
    """
    with unit_of_work(desk.sessions) as session:
        row, _ = _open(session, who, number)
        if row.who != who.username:
            raise forbidden("只有提出人可以撤回", "可由他人批准或驳回")
        _close(session, desk, who, row, WITHDRAWN, "")


def need_engineer(who: Principal) -> None:
    """Refuse who may not change files.

    Raises:
        ApiError: 403.
    """
    if not may(who.role, Role.ENGINEER):
        raise forbidden("需要工程师权限")


def _open(session: Session, who: Principal, number: int) -> tuple[FileChange, Owner]:
    statement = scoped(select(FileChange).where(FileChange.id == number), who, FileChange)
    row = session.scalar(statement.with_for_update())
    if row is None:
        raise not_found("变更", str(number))
    if row.state != OPEN:
        raise conflict("变更已经处理过", f"当前状态 {row.state},处理人 {row.decided_by}")
    return row, owner_in_scope(session, who, row.owner)


def _to_decide(session: Session, who: Principal, number: int) -> tuple[FileChange, Owner]:
    need_engineer(who)
    row, owner = _open(session, who, number)
    if row.who == who.username:
        raise forbidden("提出人不能批准或驳回自己的变更", "请由第二人审核")
    if who.username.startswith("token:") or not who.scope_code:
        raise forbidden("变更须由人审核,程序令牌不能批准", "请登录后审核")
    for op in ops_of(row):
        group = owner.schema.group(op.group)
        if group is not None and not may_fill(who, owner, group):
            raise forbidden(f"“{group.title}”由{group.filler.value}审核")
    return row, owner


def _close(session: Session, desk: RegistryDesk, who: Principal, row: FileChange, state: str, note: str) -> None:
    now = desk.clock()
    row.state, row.decided_by, row.decided_at, row.decision = state, who.username, now, note or None
    session.flush()
    audit.record(session, now, who, f"file.{state}", row.owner, row.path, {"change": row.id, "note": note})


def _head(session: Session, owner: Owner) -> FileHead:
    # scope: node-internal because the owner was found in scope
    head = session.get(FileHead, owner.code)
    if head is None:
        head = FileHead(
            owner=owner.code, kind=owner.kind.value, version=0, score=0.0, gaps=0, expired=0, ending=0, due=0,
            path=owner.path,
        )  # fmt: skip
        session.add(head)
        session.flush()
    return head


def _apply(
    session: Session, desk: RegistryDesk, who: Principal, owner: Owner, content: dict[str, Rows], ops: list[Op],
    row: FileChange,
) -> tuple[int, int | None]:  # fmt: skip
    """Carry edits out and note the change; the file's version and the registry's, where it made one."""
    registry = _apply_registry(session, desk, who, owner, [op for op in ops if _column(owner, op)])
    _apply_rows(session, owner, content, [op for op in ops if not _column(owner, op)])
    head = _head(session, owner)
    head.version += 1
    head.changed_at = desk.clock()
    row.version, row.registry_version = head.version, registry
    session.add(row)
    session.flush()
    store.refresh(session, [owner.code], desk.clock())
    return head.version, registry


def _column(owner: Owner, op: Op) -> str:
    """The registry's column that an edit touches, empty for the file's own fields."""
    group = owner.schema.group(op.group)
    field = group.field(op.field) if group else None
    return field.column if field else ""


def _apply_rows(session: Session, owner: Owner, content: dict[str, Rows], ops: list[Op]) -> None:
    # scope: node-internal because the owner was found in scope
    touched: set[tuple[str, str]] = set()
    for op in ops:
        put(content[op.group], op)
        touched.add((op.group, op.row))
    for key, row_id in touched:
        group = owner.schema.group(key)
        own = {field.key for field in group.fields if not field.column} if group else set()
        body = {k: v for k, v in content[key].get(row_id, {}).items() if row_id == NONE or k in own}
        held = session.get(FileRow, (owner.code, key, row_id))
        if not body:
            if held is not None:
                session.delete(held)
            continue
        ends = min(ends_of(group, body), default=None) if group and row_id != NONE else None
        if held is None:
            held = FileRow(owner=owner.code, group=key, row=row_id, path=owner.path)
            session.add(held)
        held.body, held.ends = body, ends.isoformat() if ends else None
    session.flush()


def _apply_registry(session: Session, desk: RegistryDesk, who: Principal, owner: Owner, ops: list[Op]) -> int | None:
    """Fields of the registry's own tables, through its import."""
    if not ops:
        return None
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for op in ops:
        group = owner.schema.group(op.group)
        if group is None:
            continue
        code = op.row if group.many else owner.code
        cells = rows.setdefault(group.table, {}).get(code)
        if cells is None:
            cells = rows[group.table][code] = export_rows(session, who, group.table, code)
        cells[_column(owner, op)] = op.after
    raw = {key: [RawRow(n, cells, {}) for n, cells in enumerate(found.values(), 2)] for key, found in rows.items()}
    book, problems = parse_book(raw)
    if not problems:
        result, changed = enter_rows(session, desk, who, book, Origin(f"档案 {owner.code}", "0" * 64, reviewed=True))
        problems = result.errors
        if not problems:
            return result.version if changed else None
    fields = {f"{problem.sheet}.{problem.column}": problem.message for problem in problems}
    raise ApiError(422, "invalid", "登记内容不合要求", "请改正后重试", fields)


def _conflict(session: Session, owner: Owner, content: dict[str, Rows], one: Conflict) -> dict[str, Any]:
    """A conflict with the words that a person needs to decide: theirs, mine, who and when."""
    # scope: node-internal because the owner was found in scope
    group = owner.schema.group(one.op.group)
    row = content.get(one.op.group, {}).get(one.op.row, {})
    by = at = None
    recent = select(FileChange).where(FileChange.owner == owner.code, FileChange.version.is_not(None))
    for change_row in session.scalars(recent.order_by(FileChange.version.desc()).limit(200)):
        same = (op.group == one.op.group and op.row == one.op.row for op in ops_of(change_row)
                if op.field in (one.op.field, WHOLE) or one.op.field == WHOLE)  # fmt: skip
        if any(same):
            by, at = change_row.who, change_row.decided_at or change_row.at
            break
    field = group.field(one.op.field) if group else None
    return {
        "group": one.op.group, "row": one.op.row, "field": one.op.field,
        "group_title": group.title if group else one.op.group, "field_title": field.title if field else "整行",
        "row_title": row_title(group, row) if group and group.many else "",
        "before": one.op.before, "mine": one.op.after, "theirs": one.now, "by": by, "at": at,
    }  # fmt: skip
