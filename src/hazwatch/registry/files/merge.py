"""Edits as small operations on values, and how they meet the edits of others. Pure.

An edit names what its author saw (``before``) and wants (``after``). Where the file still holds what was seen, the edit
applies; where it already holds what is wanted, nothing is to do; anything else is a conflict about this one field, and
the author decides with both values in sight. So two people who edit different fields both win, whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hazwatch.registry.files.model import (
    NONE,
    REASON,
    SINGLE,
    BadValueError,
    Content,
    Field,
    Group,
    Kind,
    Row,
    Schema,
    Value,
    check_row_id,
    checked,
)

#: Stands for the whole row in ``Op.field``.
WHOLE = ""
_REASON_FIELD = Field(REASON, "不涉及的原因", limit=300)


@dataclass(frozen=True, slots=True)
class Op:
    """A change of a field; with an empty ``field`` of a whole row (``before`` None: added, ``after`` None: gone)."""

    group: str
    row: str
    field: str
    before: Value
    after: Value

    @property
    def place(self) -> str:
        """The place as the API names it."""
        return ".".join(part for part in (self.group, self.row, self.field) if part)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that somebody else changed since the author looked."""

    op: Op
    now: Value


@dataclass(frozen=True, slots=True)
class Merged:
    """What becomes of a batch of edits against the present content."""

    apply: tuple[Op, ...]
    conflicts: tuple[Conflict, ...]


class Refused(BadValueError):  # noqa: N818  # carries the place
    """An edit that no content allows."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(reason)
        self.place = place


def clean(schema: Schema, op: Op) -> Op:
    """The edit with its value as it is kept.

    Raises:
        Refused: unknown place, or a value that the field cannot hold.
    """
    group = schema.group(op.group)
    if group is None:
        raise Refused(op.place, "没有这个分组")
    try:
        if op.row == NONE:
            return _clean_none(group, op)
        _check_row(group, op)
        if op.field == WHOLE:
            return replace(op, after=_whole(group, op.after))
        return replace(op, after=checked(_field(group, op.field), op.after))
    except Refused:
        raise
    except BadValueError as error:
        raise Refused(op.place, str(error)) from error


def merge(content: Content, ops: Sequence[Op]) -> Merged:
    """Meet the present content. Edits of one batch see one another's effect."""
    work: dict[str, dict[str, dict[str, Value]]] = {
        group: {key: dict(row) for key, row in rows.items()} for group, rows in content.items()
    }
    taken, conflicts = [], []
    for op in ops:
        rows = work.setdefault(op.group, {})
        row = rows.get(op.row)
        now = (dict(row) if row is not None else None) if op.field == WHOLE else (row or {}).get(op.field)
        if now == op.after:
            continue
        if now != op.before or (row is None and op.field != WHOLE and op.row not in (SINGLE, NONE)):
            conflicts.append(Conflict(op, now))
            continue
        taken.append(op)
        put(rows, op)
    return Merged(tuple(taken), tuple(conflicts))


def put(rows: dict[str, dict[str, Value]], op: Op, *, back: bool = False) -> None:
    """Carry an edit out on the rows of its group, or take it back."""
    value = op.before if back else op.after
    if op.field == WHOLE:
        if value is None:
            rows.pop(op.row, None)
        else:
            rows[op.row] = dict(value)
        return
    row = rows.setdefault(op.row, {})
    if value is None:
        row.pop(op.field, None)
    else:
        row[op.field] = value
    if not row and op.row in (SINGLE, NONE):
        del rows[op.row]


def needs_approval(schema: Schema, op: Op) -> bool:
    """Whether an edit waits for a second person: it touches a field that is declared so."""
    group = schema.group(op.group)
    if group is None or op.row == NONE:
        return False
    if op.field != WHOLE:
        field = group.field(op.field)
        return field is not None and field.approved
    row = op.after if op.after is not None else op.before
    return any(field.approved and row.get(field.key) is not None for field in group.fields)


def difference(group: Group, before: Mapping[str, Row], after: Mapping[str, Row], keys: Iterable[str]) -> list[Op]:
    """The edits that lead from some rows to others, for the fields ``keys``; rows that are not mentioned stay."""
    wanted = set(keys)
    ops = []
    for row_id, row in after.items():
        old = before.get(row_id)
        if old is None and group.many and not group.table:
            ops.append(Op(group.key, row_id, WHOLE, None, {k: v for k, v in row.items() if v is not None}))
            continue
        held = old or {}
        ops.extend(
            Op(group.key, row_id, key, held.get(key), row.get(key)) for key in wanted if held.get(key) != row.get(key)
        )
    return ops


def with_shapes(
    group: Group, before: Mapping[str, Row], edits: Sequence[Op], given: Mapping[str, Row]
) -> tuple[list[Op], list[str]]:
    """Edits of a group with the shapes of the rows ``given``; also the rows of shapes that nobody has or adds.

    A shape of a row that is added goes into that row, so that both wait for a second person together or not at all.
    """
    shapes = [field.key for field in group.fields if field.kind is Kind.GEOMETRY]
    added = {op.row: place for place, op in enumerate(edits) if op.field == WHOLE}
    ops, lost = list(edits), []
    for row_id, row in given.items():
        if row_id == NONE or not shapes:
            continue
        place = added.get(row_id)
        if place is not None:
            own = {key: row[key] for key in shapes if row.get(key) is not None}
            ops[place] = replace(ops[place], after={**ops[place].after, **own})
            continue
        held = before.get(row_id)
        if held is None and group.many:
            lost.append(row_id)
            continue
        now = held or {}
        ops.extend(
            Op(group.key, row_id, key, now.get(key), row.get(key)) for key in shapes if now.get(key) != row.get(key)
        )
    return ops, lost


def _clean_none(group: Group, op: Op) -> Op:
    if not group.may_be_none:
        raise Refused(op.place, "这一分组必须填写,不能声明“不涉及”")
    if op.field != REASON:
        raise Refused(op.place, "只能填写不涉及的原因")
    return replace(op, after=checked(_REASON_FIELD, op.after))


def _check_row(group: Group, op: Op) -> None:
    if not group.many:
        if op.row != SINGLE:
            raise Refused(op.place, "这一分组只有一行")
        if op.field == WHOLE:
            raise Refused(op.place, "请按字段修改")
        return
    check_row_id(op.row)
    if group.table and op.field == WHOLE:
        raise Refused(op.place, "登记对象不能在此增删,请用登记工作簿")


def _whole(group: Group, given: Any) -> Row | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BadValueError("一行应为对象")
    row: dict[str, Value] = {}
    for key, value in given.items():
        field = _field(group, key)
        try:
            kept = checked(field, value)
        except BadValueError as error:
            raise BadValueError(f"{field.title}:{error}") from error
        if kept is not None:
            row[key] = kept
    if not row:
        raise BadValueError("一行不能全空")
    return row


def _field(group: Group, key: str) -> Field:
    field = group.field(key)
    if field is None:
        raise BadValueError(f"没有字段 {key!r}")
    if field.kind is Kind.TEXT and field.column == "code":
        raise BadValueError("编码不能修改")
    return field
