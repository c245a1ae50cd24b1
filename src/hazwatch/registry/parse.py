"""From cells to rows. A workbook and a seed take the same way, so neither can bring in what the other could not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Generic, TypeVar

from hazwatch.registry.columns import BY_KEY, SHEETS, Column, Kind, Sheet
from hazwatch.registry.model import AnyRow, Description, errors_of

T = TypeVar("T", bound=AnyRow)

#: Control characters, direction marks, surrogates: they hide what a name really says.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


#: Stands for a cell that the reader has refused and complained about.
REFUSED = object()


class CellError(ValueError):
    """A cell that cannot be read, with the reason in Chinese."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint with its place, as the contract shows it."""

    sheet: str
    cell: str
    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """The filled cells of one row by column key, and in which spreadsheet column each key stands."""

    number: int
    cells: Mapping[str, Any]
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A row and where it came from."""

    value: T
    number: int
    places: Mapping[str, int]


@dataclass(slots=True)
class Book:
    """All rows by sheet key."""

    rows: dict[str, list[Placed[Any]]] = field(default_factory=dict)

    def of(self, key: str) -> list[Placed[Any]]:
        """Rows of a sheet."""
        return self.rows.get(key, [])


def parse_book(raw: Mapping[str, list[RawRow]]) -> tuple[Book, list[Problem]]:
    """Turn cells into rows and check each row by itself; whole or not at all is the caller's business."""
    book, problems = Book(), []
    for sheet in SHEETS:
        rows = book.rows[sheet.key] = []
        seen: dict[str, int] = {}
        for raw_row in raw.get(sheet.key, ()):
            placed, found = _parse_row(sheet, raw_row)
            problems.extend(found)
            if placed is None:
                continue
            first = seen.setdefault(placed.value.code, placed.number)
            if first != placed.number:
                problems.append(problem(sheet, placed, "code", f"编码 {placed.value.code} 与第 {first} 行重复"))
            rows.append(placed)
    return book, problems


def problem(sheet: Sheet, placed: Placed[Any] | RawRow, key: str, message: str) -> Problem:
    """A complaint about a cell of a row."""
    from openpyxl.utils import get_column_letter

    place = placed.places.get(key)
    cell = f"{get_column_letter(place)}{placed.number}" if place else ""
    return Problem(sheet.title, cell, placed.number, _column(sheet, key).title, message)


def raw_of(description: Description) -> dict[str, list[RawRow]]:
    """The cells that a description would have in a workbook."""
    return {
        sheet.key: [
            RawRow(number, {c.key: getattr(row, c.key) for c in sheet.columns}, {})
            for number, row in enumerate(getattr(description, sheet.key), 2)
        ]
        for sheet in SHEETS
    }


def _parse_row(sheet: Sheet, raw: RawRow) -> tuple[Placed[Any] | None, list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    refused = False
    for column in sheet.columns:
        cell = raw.cells.get(column.key)
        if cell is REFUSED:
            refused = True
            continue
        try:
            value = None if cell is None or cell == "" else convert(column, cell)
        except CellError as error:
            problems.append(problem(sheet, raw, column.key, str(error)))
            continue
        if value is not None:
            values[column.key] = value
        elif column.required:
            problems.append(problem(sheet, raw, column.key, "必填"))
        else:
            values[column.key] = _defaults(sheet.key)[column.key]
    if problems or refused:
        return None, problems
    placed = Placed(sheet.row(**values), raw.number, raw.places)
    problems = [problem(sheet, raw, key, message) for key, message in errors_of(placed.value)]
    return (None if problems else placed), problems


def convert(column: Column, cell: Any) -> Any:
    """The value of a filled cell; None when it holds only blanks.

    Raises:
        CellError: with the reason in Chinese.
    """
    match column.kind:
        case Kind.TEXT | Kind.LONG | Kind.DATE:
            return _text(column, cell)
        case Kind.NUMBER:
            return _number(cell)
        case Kind.INTEGER:
            number = _number(cell)
            if number is not None and not number.is_integer():
                raise CellError(f"应为整数,收到 {cell!r}")
            return None if number is None else int(number)
        case Kind.YES_NO:
            return _yes_no(cell)
        case Kind.OPTIONS:
            return _options(column, cell)


def _text(column: Column, cell: Any) -> str | None:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise CellError(f"应为文本,收到 {cell!r}")
    if isinstance(cell, float):
        # A spreadsheet keeps a code of digits as a number.
        cell = int(cell) if cell.is_integer() else cell
    text = str(cell).strip()
    if text.startswith("="):
        raise CellError("不接受公式,请填写值")
    if len(text) > column.limit:
        raise CellError(f"不能超过 {column.limit} 个字符")
    if _INVISIBLE.search(text.replace("\n", "") if column.kind is Kind.LONG else text):
        raise CellError("含有不可见字符(换行、制表符或控制字符)")
    if column.choices and text and text not in column.choices:
        raise CellError(f"应为 {'、'.join(column.choices)} 之一,收到 {text!r}")
    return text or None


def _number(cell: Any) -> float | None:
    if isinstance(cell, str):
        cell = cell.strip()
        if not cell:
            return None
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise CellError(f"应为数值,收到 {cell!r}")
    try:
        number = float(cell)
    except (ValueError, OverflowError) as error:
        raise CellError(f"应为数值,收到 {cell!r}") from error
    if not math.isfinite(number):
        raise CellError(f"应为有限的数值,收到 {cell!r}")
    # Spreadsheets carry 15 digits and no negative zero; either would make an exported file differ from its registry.
    return float(f"{number:.15g}") + 0.0


def _yes_no(cell: Any) -> bool | None:
    if isinstance(cell, bool):
        return cell
    word = str(cell).strip()
    if not word:
        return None
    if word in {"是", "1"}:
        return True
    if word in {"否", "0"}:
        return False
    raise CellError(f"应为 是 或 否,收到 {word!r}")


def _options(column: Column, cell: Any) -> dict[str, str] | None:
    if isinstance(cell, Mapping):
        options = dict(cell)
    else:
        text = _text(column, cell)
        if text is None:
            return None
        try:
            options = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CellError('应为 JSON 对象,例:{"unit": "1"}') from error
    if not isinstance(options, dict):
        raise CellError('应为 JSON 对象,例:{"unit": "1"}')
    plain = {}
    for key, value in options.items():
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise CellError(f"选项 {key!r} 的值应为文本或数值")
        plain[str(key)] = str(value)
    return plain


@cache
def _defaults(key: str) -> dict[str, Any]:
    """What an empty cell means, from the row type."""
    found: dict[str, Any] = {}
    for item in fields(BY_KEY[key].row):
        if item.default is not MISSING:
            found[item.name] = item.default
        elif item.default_factory is not MISSING:
            found[item.name] = item.default_factory()
    return found


def _column(sheet: Sheet, key: str) -> Column:
    return next(column for column in sheet.columns if column.key == key)
