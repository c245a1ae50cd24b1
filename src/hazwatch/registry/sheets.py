"""Writing workbooks: the template to fill in, and the export in the same form.

What a person typed is written as text and marked as such (``quotePrefix``): a name that begins with ``=``, ``+``, ``-``
or ``@`` stays a name wherever the file is opened.

Imported where a workbook is made, not before: it brings openpyxl with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from hazwatch.registry.columns import BY_KEY, HELP_TITLE, SHEETS, Column, Kind, Sheet, Titled
from hazwatch.registry.workbook import MAX_ROWS

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_LAST_LISTED = 5_000

_HELP = (
    "本工作簿用于导入与导出园区、企业、重大危险源、设备、网关和指标。",
    "带 * 的列必填;把鼠标放在列标题上可看到填写要求。",
    "编码逐级包含:企业 9 位 → 重大危险源 12 位 → 设备 17 位 → 指标 22 位;网关 11 位以企业编码开头。",
    "只需填写要新增或修改的行:文件里没有的对象保持不变,导入不会删除任何对象。",
    "全部正确才会导入;有一处错误则整个文件都不导入,错误会列出工作表、单元格和原因。",
    "不接受公式、宏和外部链接;不要增加列或工作表。",
    "限值顺序:量程下限 ≤ 低低报 < 低报 < 高报 < 高高报 ≤ 量程上限;不合规则的照常导入,并标为“阈值有误”。",
    "可燃气体(%LEL)高报不大于 25、高高报不大于 50。",
)


def workbook(rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> bytes:
    """A workbook in the form of the template, with these rows by sheet key; without rows it is the template."""
    return book_of(SHEETS, rows, _HELP)


def book_of(
    sheets: Sequence[Sheet], rows: Mapping[str, Iterable[Mapping[str, Any]]], advice: Sequence[str]
) -> bytes:  # fmt: skip
    """A workbook of these sheets with drop-down lists, and a page of help that begins with ``advice``."""
    book = Workbook(write_only=True)
    here = {sheet.key for sheet in sheets}
    for sheet in sheets:
        worksheet = book.create_sheet(sheet.title)
        worksheet.freeze_panes = "C2"
        for place, column in enumerate(sheet.columns, 1):
            letter = get_column_letter(place)
            worksheet.column_dimensions[letter].width = max(10, min(28, 2 * len(column.title) + 4))
            validation = _validation(column, letter) if column.from_sheet in here | {""} else None
            if validation is not None:
                worksheet.data_validations.append(validation)
        worksheet.append([header_cell(worksheet, column) for column in sheet.columns])
        for row in rows.get(sheet.key, ()):
            worksheet.append([value_cell(worksheet, column, row.get(column.key)) for column in sheet.columns])
    _help(book, sheets, advice)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def header_cell(worksheet: Any, column: Column) -> Any:
    """The title of a column, with what to fill in as a comment."""
    cell = WriteOnlyCell(worksheet, column.title + (" *" if column.required else ""))
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="DDE7F0")
    cell.comment = Comment(f"{column.kind.value}{',必填' if column.required else ''}\n{column.comment}", "Hazwatch")
    return cell


def value_cell(worksheet: Any, column: Column, value: Any) -> Any:
    """A value as the column writes it; never a formula."""
    if column.kind is Kind.YES_NO:
        return None if value is None else ("是" if value else "否")
    if column.kind is Kind.OPTIONS:
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None
    return _text_cell(worksheet, value) if isinstance(value, str) else value


def _validation(column: Column, letter: str) -> DataValidation | None:
    """The drop-down list of a column."""
    if column.choices:
        formula = f'"{",".join(column.choices)}"'
    elif column.from_sheet:
        formula = f"={BY_KEY[column.from_sheet].title}!$A$2:$A${_LAST_LISTED}"
    else:
        return None
    # A reference beyond the list is not forbidden here: the code may be in the registry already.
    validation = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=bool(column.choices))
    validation.error = f"请从列表中选择:{'、'.join(column.choices)}"
    validation.add(f"{letter}2:{letter}{MAX_ROWS}")
    return validation


def _help(book: Any, sheets: Sequence[Sheet], advice: Sequence[str]) -> None:
    worksheet = book.create_sheet(HELP_TITLE)
    worksheet.column_dimensions["A"].width = 14
    worksheet.column_dimensions["B"].width = 20
    worksheet.column_dimensions["D"].width = 90
    for words in advice:
        worksheet.append((words,))
    worksheet.append(())
    worksheet.append(("工作表", "列", "填写", "说明"))
    for line in _explanations(sheets):
        worksheet.append(line)


def _explanations(sheets: Sequence[Sheet]) -> Iterable[tuple[str, str, str, str]]:
    for sheet in sheets:
        for column in sheet.columns:
            yield sheet.title, column.title, f"{column.kind.value}{',必填' if column.required else ''}", column.comment


def table_book(title: str, columns: Sequence[Titled], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A workbook of one plain sheet; no text in it is a formula."""
    book = Workbook(write_only=True)
    worksheet = book.create_sheet(title[:31])
    worksheet.freeze_panes = "A2"
    head = []
    for place, column in enumerate(columns, 1):
        worksheet.column_dimensions[get_column_letter(place)].width = max(10, min(28, 2 * len(column.title) + 6))
        cell = WriteOnlyCell(worksheet, column.title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F0")
        head.append(cell)
    worksheet.append(head)
    for row in rows:
        worksheet.append([_plain(worksheet, row.get(column.key)) for column in columns])
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _plain(worksheet: Any, value: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    return _text_cell(worksheet, value) if isinstance(value, str) else value


def _text_cell(worksheet: Any, value: str) -> Any:
    """A text that stays one: never a formula, never a number."""
    if not (value.startswith(_FORMULA_STARTS) or value.isdigit()):
        return value
    cell = WriteOnlyCell(worksheet, value)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell
