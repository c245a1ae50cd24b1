"""Limits as a workbook and back: export, edit, check with cell addresses, propose. All or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from sqlalchemy.orm import Session

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal
from hazwatch.registry.columns import Column, Kind, Sheet
from hazwatch.registry.limits.model import TITLES, LimitSet, complaints, defaults
from hazwatch.registry.limits.service import MAX_ITEMS, Checked, check, present
from hazwatch.registry.parse import CellError, Problem, RawRow, convert
from hazwatch.registry.workbook import WorkbookReader

#: Shown for orientation; what stands there on the way back is not looked at.
_SHOWN = (
    ("name", "名称"), ("tag", "位号"), ("source_name", "重大危险源"), ("unit", "单位"), ("range_low", "量程下限"),
    ("range_high", "量程上限"),
)  # fmt: skip
_SHEET_TITLES = {LimitSet.ENTERPRISE: "企业限值", LimitSet.REGULATOR: "监管限值"}
_COMMENTS = {
    "deadband": "工程单位;清空 = 按监测量取默认", "on_delay_s": "清空 = 按监测量取默认;气体默认 0",
    "off_delay_s": "清空 = 默认 10",
}  # fmt: skip


def _sheet(which: LimitSet) -> Sheet:
    columns = [Column("code", "编码", "22 位指标编码,勿改", required=True, limit=22)]
    columns += [Column(key, title, "只供对照,修改无效") for key, title in _SHOWN]
    columns += [Column(key, TITLES[key], _COMMENTS.get(key, "清空 = 不设此限值"), Kind.NUMBER) for key in which.fields]
    return Sheet(which.value, _SHEET_TITLES[which], dict, tuple(columns))


def written(which: LimitSet, points: Iterable[Mapping[str, Any]]) -> bytes:
    """The limits of some points as a workbook (forms of ``views``)."""
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    from hazwatch.registry.sheets import header_cell, value_cell

    sheet = _sheet(which)
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet.title)
    page.freeze_panes = "B2"
    for place, column in enumerate(sheet.columns, 1):
        page.column_dimensions[get_column_letter(place)].width = 26 if column.key in ("code", "name") else 13
    page.append([header_cell(page, column) for column in sheet.columns])
    held = "own" if which is LimitSet.ENTERPRISE else "regulator"
    for point in points:
        page.append([value_cell(page, c, {**point, **point[held]}.get(c.key)) for c in sheet.columns])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a workbook would change; with problems nothing is proposed."""

    changes: list[dict[str, Any]]
    problems: list[Problem]
    unchanged: int
    wanted: dict[str, dict[str, float | None]]

    def form(self) -> dict[str, Any]:
        """In the form of the API."""
        return {
            "ok": not self.problems, "changes": self.changes, "unchanged": self.unchanged,
            "problems": [asdict(problem) for problem in self.problems],
        }  # fmt: skip


def read(session: Session, who: Principal, which: LimitSet, content: bytes, file_name: str) -> Preview:
    """Read a workbook back and compare it with what is in force.

    Raises:
        archive.HostileFileError: the file is not taken at all.
    """
    sheet = _sheet(which)
    reader = WorkbookReader({sheet.title: sheet})
    rows = reader.read(content, file_name).get(sheet.key, [])
    problems = list(reader.problems)
    if not rows and not problems:
        problems.append(Problem(sheet.title, "", 0, "", "没有数据行"))
    if len(rows) > MAX_ITEMS:
        problems.append(Problem(sheet.title, "", 0, "", f"一次最多 {MAX_ITEMS} 个指标,请分几次导入"))
        return Preview([], problems, 0, {})
    placed = _placed(sheet, rows, problems)
    wanted = _values(session, who, which, sheet, placed, problems)
    if problems:
        return Preview([], problems, 0, {})
    try:
        checked = check(session, who, which, wanted)
    except ApiError as error:
        return Preview([], [Problem(sheet.title, "", 0, "", error.message)], 0, {})
    return Preview(_changes(sheet, placed, checked), problems, len(wanted) - len(checked.items), wanted)


def _placed(sheet: Sheet, rows: list[RawRow], problems: list[Problem]) -> dict[str, RawRow]:
    placed: dict[str, RawRow] = {}
    for row in rows:
        try:
            code = convert(sheet.columns[0], row.cells.get("code", ""))
        except CellError as error:
            problems.append(_problem(sheet, row, "code", str(error)))
            continue
        if not code:
            problems.append(_problem(sheet, row, "code", "必填"))
        elif code in placed:
            problems.append(_problem(sheet, row, "code", f"编码 {code} 与第 {placed[code].number} 行重复"))
        else:
            placed[code] = row
    return placed


def _values(
    session: Session, who: Principal, which: LimitSet, sheet: Sheet, placed: Mapping[str, RawRow],
    problems: list[Problem],
) -> dict[str, dict[str, float | None]]:  # fmt: skip
    known = {item.subject.code: item.subject for item, _ in present(session, who, which, list(placed))}
    wanted: dict[str, dict[str, float | None]] = {}
    for code, row in placed.items():
        subject = known.get(code)
        if subject is None:
            problems.append(_problem(sheet, row, "code", f"没有指标 {code},或不在您的管辖范围内"))
            continue
        usual = defaults(code, subject.range_low, subject.range_high)
        values = wanted[code] = {}
        for column in sheet.columns[1 + len(_SHOWN) :]:
            if column.key not in row.places:
                continue
            try:
                cell = row.cells.get(column.key)
                value = None if cell is None or cell == "" else convert(column, cell)
                values[column.key] = usual.get(column.key) if value is None else value
            except CellError as error:
                problems.append(_problem(sheet, row, column.key, str(error)))
        problems += [_problem(sheet, row, key, reason) for key, reason in complaints(which, values)]
    return wanted


def _changes(sheet: Sheet, placed: Mapping[str, RawRow], checked: Checked) -> list[dict[str, Any]]:
    return [
        {
            "code": item.subject.code, "name": item.subject.name, "unit": item.subject.unit,
            "before": item.before, "after": item.after, "faults": checked.faults.get(item.subject.code, []),
            "cells": {key: _cell(placed[item.subject.code], key) for key in item.after}, "sheet": sheet.title,
        }
        for item in checked.items
    ]  # fmt: skip


def _cell(row: RawRow, key: str) -> str:
    from openpyxl.utils import get_column_letter

    place = row.places.get(key)
    return f"{get_column_letter(place)}{row.number}" if place else ""


def _problem(sheet: Sheet, row: RawRow, key: str, message: str) -> Problem:
    title = next(column.title for column in sheet.columns if column.key == key)
    return Problem(sheet.title, _cell(row, key), row.number, title, message)
