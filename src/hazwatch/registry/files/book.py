"""One workbook for one file: the registry's sheets of the owner, and a sheet for every group of its file.

Sheets follow from the declarations, so that what can be filled in on the page can be filled in here and nothing else.
Shapes are drawn on the map or brought as GeoJSON; they have no column. Rows that are not in the workbook stay as they
are; an empty cell of a row that is there empties the field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.registry import write
from hazwatch.registry.columns import SHEETS, Column, Sheet
from hazwatch.registry.columns import Kind as CellKind
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.files.merge import (
    Op,
    Refused,
    clean,
    difference,
    merge,
    needs_approval,
    with_shapes,
)
from hazwatch.registry.files.model import NONE, REASON, SINGLE, BadValueError, Field, Group, Kind, OwnerKind, checked
from hazwatch.registry.files.schemas import SCHEMAS
from hazwatch.registry.files.service import Outcome, Reason, enter, may_fill, need_engineer
from hazwatch.registry.files.store import Owner, Rows, owner_in_scope
from hazwatch.registry.files.views import op_form
from hazwatch.registry.parse import Book, CellError, Problem, RawRow, convert, parse_book, problem
from hazwatch.registry.service import Origin, enter_rows, owned_rows, try_rows
from hazwatch.registry.workbook import WorkbookReader

_ROW = "row"
_CELL_KINDS: Mapping[Kind, CellKind] = {
    Kind.NUMBER: CellKind.NUMBER, Kind.INTEGER: CellKind.INTEGER, Kind.YES_NO: CellKind.YES_NO,
    Kind.DATE: CellKind.DATE, Kind.LONG: CellKind.LONG,
}  # fmt: skip
_REGISTRY_SHEETS: Mapping[OwnerKind, tuple[str, ...]] = {
    OwnerKind.ENTERPRISE: ("enterprises", "sources", "equipment", "gateways", "points"),
    OwnerKind.PARK: ("parks",),
}
MAX_SHOWN = 2_000


@dataclass(slots=True)
class BookResult:
    """What an import of a workbook did or would do.

    Attributes:
        ok: nothing is wrong.
        counts: rows of the registry's sheets, as its own import tells them.
        changes: fields of the file that change, in words, with ``waits`` where a second person must approve.
        errors: with sheet and cell.
        held_back: limits that become a proposal.
        outcome: what was taken in, None for a check.
    """

    ok: bool
    dry_run: bool
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    more_changes: int = 0
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    held_back: int = 0
    outcome: Outcome | None = None


def sheets_of(kind: OwnerKind) -> tuple[Sheet, ...]:
    """All sheets of a file's workbook: the registry's first."""
    own = tuple(sheet for sheet in SHEETS if sheet.key in _REGISTRY_SHEETS[kind])
    return own + tuple(sheet for group in SCHEMAS[kind].groups if (sheet := _sheet(group)) is not None)


def _sheet(group: Group) -> Sheet | None:
    """The sheet of a group; fields that the registry's own sheets hold, and shapes, are left out."""
    columns = tuple(_column(item) for item in group.fields if not item.column and item.kind is not Kind.GEOMETRY)
    if not columns:
        return None
    head: tuple[Column, ...] = ()
    if group.many:
        what = "登记编码" if group.table else "不改;新增的行留空,系统编号"
        head = (Column(_ROW, "登记编码" if group.table else "行编号", what, required=bool(group.table), limit=36),)
    if group.may_be_none:
        head += (Column(REASON, "不涉及的原因", "确实没有时只填这一格,其余留空", limit=300),)
    return Sheet(f"file:{group.key}", f"档案-{group.title}"[:31], object, head + columns)


def _column(item: Field) -> Column:
    comment = "".join(
        [
            item.hint, f";单位 {item.unit}" if item.unit else "", ";计入完整度" if item.must else "",
            ";变更须第二人批准" if item.approved else "", ";到期后视为缺失" if item.ends else "",
        ]
    ).lstrip(";")  # fmt: skip
    choices = ("是", "否") if item.kind is Kind.YES_NO else item.choices
    kind = _CELL_KINDS.get(item.kind, CellKind.TEXT)
    return Column(item.key, item.title, comment, kind, limit=item.limit, choices=choices)


def file_workbook(session: Session, who: Principal, code: str) -> bytes:
    """The workbook of a file as it is.

    Raises:
        ApiError: 404 there is none in scope.
    """
    owner = owner_in_scope(session, who, code)
    content = store.load(session, code)
    sheets = sheets_of(owner.kind)
    rows: dict[str, list[Mapping[str, Any]]] = {
        key: owned_rows(session, who, key, code) for key in _REGISTRY_SHEETS[owner.kind]
    }
    for group in owner.schema.groups:
        rows[f"file:{group.key}"] = [
            {**row, _ROW: key} if group.many else dict(row) for key, row in content.get(group.key, {}).items()
        ]
    from hazwatch.registry.sheets import book_of

    return book_of(sheets, rows, help_lines(owner.kind))


def empty_workbook(kind: OwnerKind) -> bytes:
    """The workbook to fill in."""
    from hazwatch.registry.sheets import book_of

    return book_of(sheets_of(kind), {}, help_lines(kind))


def help_lines(kind: OwnerKind) -> tuple[str, ...]:
    """What the workbook's page of help says first."""
    return (
        f"本工作簿是一家{kind.zh}的全部档案:前面是登记表,“档案-”开头的是各分组。",
        "带 * 的列必填;把鼠标放在列标题上可看到填写要求;“计入完整度”的不填会列为缺项。",
        "文件里没有的行保持不变;有的行,空单元格会清空该字段。导入不会删除任何行,删除请在页面上进行。",
        "全部正确才会导入;先检查,列出每一处变更,再确认。须第二人批准的字段导入后待批准。",
        "确实没有的分组(如无重点监管工艺),在该表第一行只填“不涉及的原因”。",
        "日期写 2026-11-25。边界在一张图上绘制或导入 GeoJSON,图纸在页面上传。不接受公式、宏和外部链接。",
    )


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody wants a file to become.

    Attributes:
        book: rows of the registry's sheets.
        raw: rows of all sheets as they were read.
        problems: what is wrong with them already.
        source: what it came from, in words.
        origin: the same as the registry notes it.
        shapes: content with the shapes, which a workbook cannot hold; None for a workbook alone, which leaves them.
    """

    book: Book
    raw: Mapping[str, list[RawRow]]
    problems: list[Problem]
    source: str
    origin: Origin
    shapes: Mapping[str, Rows] | None = None


def import_book(
    desk: RegistryDesk, who: Principal, code: str, content: bytes, file_name: str, why: str, *, dry_run: bool
) -> BookResult:  # fmt: skip
    """Take the workbook of one file in, whole or not at all.

    Raises:
        archive.HostileFileError: the workbook is not taken at all.
        ApiError: 403, 404; 409 somebody changed the file between reading and writing; 422 no reason.
    """
    need_engineer(who)
    need_reason(why, dry_run=dry_run)
    with reading(desk.sessions) as session:
        owner = owner_in_scope(session, who, code)
    given = read_book(owner, content, file_name)
    if dry_run or given.problems:
        with reading(desk.sessions) as session:
            return try_book(session, who, owner, given, dry_run=dry_run)
    with unit_of_work(desk.sessions) as session:
        write.lock(session)
        result, version = enter_book(session, desk, who, owner, given, why)
        if not result.ok:
            session.rollback()
    if result.ok and version is not None:
        desk.on_change(version)
    return result


def need_reason(why: str, *, dry_run: bool) -> None:
    """Refuse an import without a reason.

    Raises:
        ApiError: 422.
    """
    if not dry_run and not why.strip():
        raise ApiError(422, "invalid", "请写明变更原因", "", {"why": "必填"})


def read_book(owner: Owner, content: bytes, file_name: str) -> Given:
    """Read the workbook of one file.

    Raises:
        archive.HostileFileError: the workbook is not taken at all.
    """
    reader = WorkbookReader({sheet.title: sheet for sheet in sheets_of(owner.kind)})
    raw = reader.read(content, file_name)
    book, problems = parse_book({sheet.key: raw.get(sheet.key, []) for sheet in SHEETS})
    origin = Origin(file_name[-200:], hashlib.sha256(content).hexdigest())
    problems = [*reader.problems, *problems, *_foreign(owner, book)]
    return Given(book, raw, problems, f"工作簿 {file_name[-150:]}", origin)


def enter_book(
    session: Session, desk: RegistryDesk, who: Principal, owner: Owner, given: Given, why: str
) -> tuple[BookResult, int | None]:
    """Take it in, inside a writing unit that holds ``write.lock``; also the registry's new version, if any.

    Where the result is not ``ok``, the caller rolls the unit back.
    """
    rows, changed = enter_rows(session, desk, who, given.book, given.origin)
    ops, wrong = _edits(owner, who, store.load(session, owner.code), given)
    problems = [*rows.errors, *wrong]
    if problems:
        return BookResult(ok=False, dry_run=False, counts=rows.counts, errors=problems), None
    outcome, again = enter(session, desk, who, owner, ops, Reason(why, given.source))
    result = BookResult(
        ok=True, dry_run=False, counts=rows.counts, warnings=rows.warnings, held_back=rows.held_back, outcome=outcome
    )
    return result, again if again is not None else rows.version if changed else None


def try_book(session: Session, who: Principal, owner: Owner, given: Given, *, dry_run: bool) -> BookResult:
    """What taking it in would do."""
    rows = try_rows(session, who, given.book, given.problems)
    content = store.load(session, owner.code)
    # Rows of the book that the registry does not have yet are new rows of the file as well.
    for group in owner.schema.groups:
        if group.table and group.many:
            for placed in given.book.of(group.table):
                content[group.key].setdefault(placed.value.code, {})
    ops, wrong = _edits(owner, who, content, given)
    errors = [*rows.errors, *wrong]
    merged = merge(content, ops)
    changes = [op_form(owner.schema, op, content) | {"waits": needs_approval(owner.schema, op)} for op in merged.apply]
    return BookResult(
        ok=not errors, dry_run=dry_run, counts=rows.counts, changes=changes[:MAX_SHOWN],
        more_changes=max(0, len(changes) - MAX_SHOWN), errors=errors, warnings=rows.warnings, held_back=rows.held_back,
    )  # fmt: skip


def _foreign(owner: Owner, book: Book) -> list[Problem]:
    """Rows of other owners do not belong into this workbook."""
    return [
        problem(sheet, placed, "code", f"{placed.value.code} 不属于 {owner.name}({owner.code})")
        for sheet in SHEETS
        for placed in book.of(sheet.key)
        if not placed.value.code.startswith(owner.code)
    ]


def _edits(
    owner: Owner, who: Principal, content: Mapping[str, Rows], given: Given
) -> tuple[list[Op], list[Problem]]:  # fmt: skip
    ops: list[Op] = []
    problems: list[Problem] = []
    for group in owner.schema.groups:
        sheet = _sheet(group)
        title = sheet.title if sheet else group.title
        before = content.get(group.key, {})
        found = given.raw.get(f"file:{group.key}", []) if sheet else []
        edits, wrong = _group_edits(group, sheet, before, found) if sheet and found else ([], [])
        if given.shapes is not None:
            edits, lost = with_shapes(group, before, edits, given.shapes.get(group.key, {}))
            wrong.extend(Problem(title, "", 0, "", f"工作簿中没有图形所属的行 {row}") for row in lost)
        if edits and not may_fill(who, owner, group):
            problems.append(Problem(title, "", 0, "", f"本表由{group.filler.value}填写,不能在此变更"))
            continue
        for op in edits:
            try:
                ops.append(clean(owner.schema, op))
            except Refused as error:
                wrong.append(Problem(title, "", 0, "", f"{op.place}:{error}"))
        problems.extend(wrong)
    return ops, problems


def _group_edits(
    group: Group, sheet: Sheet, before: Rows, found: list[RawRow]
) -> tuple[list[Op], list[Problem]]:  # fmt: skip
    """The edits of one sheet: what its rows say against what is in force."""
    rows: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for raw in found:
        values, wrong = _values(group, sheet, raw)
        problems.extend(wrong)
        if not group.many:
            if rows:
                problems.append(problem(sheet, raw, sheet.columns[0].key, "这张表只有一行"))
            rows[SINGLE] = values
            continue
        reason = values.pop(REASON, None)
        row_id = values.pop(_ROW, None)
        if reason and not any(values.values()):
            rows[NONE] = {REASON: reason}
            continue
        row_id = row_id or _new_id(group, values)
        if row_id in rows:
            problems.append(problem(sheet, raw, _ROW, "与前面的行重复"))
        if group.table and row_id not in before:
            problems.append(problem(sheet, raw, _ROW, f"没有登记 {row_id},请先在登记表中填写"))
        rows[row_id] = values
    keys = [column.key for column in sheet.columns if column.key not in (_ROW, REASON)]
    none = rows.pop(NONE, None)
    ops = difference(group, before, rows, keys)
    if none and none[REASON] != before.get(NONE, {}).get(REASON):
        ops.append(Op(group.key, NONE, REASON, before.get(NONE, {}).get(REASON), none[REASON]))
    return ops, problems


def _new_id(group: Group, values: Mapping[str, Any]) -> str:
    """A number for a row that has none: the same row gets the same one, so that importing twice adds nothing twice."""
    text = repr([group.key, sorted((key, value) for key, value in values.items() if value is not None)])
    return f"x{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _values(group: Group, sheet: Sheet, raw: RawRow) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for column in sheet.columns:
        cell = raw.cells.get(column.key)
        item = group.field(column.key)
        try:
            given = None if cell is None or cell == "" else convert(column, cell)
            values[column.key] = checked(item, given) if item else given
        except (CellError, BadValueError) as error:
            problems.append(problem(sheet, raw, column.key, str(error)))
    if group.table and group.many and not values.get(_ROW):
        problems.append(problem(sheet, raw, _ROW, "必填"))
    return values, problems


def result_form(result: BookResult) -> dict[str, Any]:
    """As the API shows it."""
    return asdict(result)
