"""Reading an uploaded workbook into raw rows. Nothing is evaluated: a formula anywhere refuses the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from io import BytesIO
from typing import Any

from hazwatch.documents import archive
from hazwatch.registry.columns import BY_TITLE, HELP_TITLE, Kind, Sheet
from hazwatch.registry.parse import REFUSED, Problem, RawRow

#: Rows of a sheet that are looked at. The format knows 1,048,576; a file that uses them is a mistake or an attack.
MAX_ROWS = 200_000
MAX_COLUMNS = 64
MAX_SHEETS = 40


class WorkbookReader:
    """Reads one workbook with sheets that are known by title; ``problems`` gathers what is wrong with it."""

    def __init__(self, sheets: Mapping[str, Sheet] = BY_TITLE) -> None:
        self._sheets_known = sheets
        self.problems: list[Problem] = []

    def read(self, content: bytes, file_name: str) -> dict[str, list[RawRow]]:
        """Raw rows by sheet key.

        Raises:
            archive.HostileFileError: the file is not taken at all.
        """
        import openpyxl

        if not openpyxl.DEFUSEDXML:
            raise RuntimeError("openpyxl reads XML without defusedxml: a hostile file could exhaust the memory")
        archive.check(content, file_name)
        try:
            book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=False, keep_links=False)
            try:
                return self._sheets(book)
            finally:
                book.close()
        except Exception as error:  # a damaged file makes the library fail in any way it likes
            if isinstance(error, MemoryError):
                raise
            raise archive.HostileFileError(f"文件已损坏,无法读取({type(error).__name__})") from error

    def _sheets(self, book: Any) -> dict[str, list[RawRow]]:
        found: dict[str, list[RawRow]] = {}
        if len(book.sheetnames) > MAX_SHEETS:
            self._complain(book.sheetnames[0], f"工作表超过 {MAX_SHEETS} 个")
            return found
        for worksheet in book.worksheets:
            sheet = self._sheets_known.get(worksheet.title)
            if sheet is not None:
                worksheet.reset_dimensions()  # what the file says about its size is not to be believed
                found[sheet.key] = self._rows(sheet, worksheet)
            elif worksheet.title != HELP_TITLE:
                self._complain(worksheet.title, f"不认识的工作表,应为 {'、'.join(self._sheets_known)} 之一")
        return found

    def _rows(self, sheet: Sheet, worksheet: Any) -> list[RawRow]:
        rows: Iterator[Sequence[Any]] = worksheet.iter_rows(max_col=MAX_COLUMNS)
        header = next(rows, None)
        places = self._header(sheet, header or ())
        if places is None:
            return []
        by_place = {place: key for key, place in places.items()}
        found = []
        for number, row in enumerate(rows, 2):
            if number > MAX_ROWS:
                self._complain(sheet.title, f"超过 {MAX_ROWS} 行;请删除数据下方的空行,或分多次导入", number)
                break
            cells = self._cells(sheet, row, number, by_place)
            if cells:
                found.append(RawRow(number, cells, places))
        return found

    def _header(self, sheet: Sheet, header: Sequence[Any]) -> dict[str, int] | None:
        """Which key stands in which column; None when the header is wrong."""
        wanted = {column.title: column for column in sheet.columns}
        places: dict[str, int] = {}
        before = len(self.problems)
        for place, cell in enumerate(header, 1):
            title = str(cell.value).strip().removesuffix("*").strip() if cell.value is not None else ""
            if title not in wanted:
                if title:
                    self._complain(sheet.title, f"不认识的列 {title[:40]!r}", 1, cell.coordinate)
            elif wanted[title].key in places:
                self._complain(sheet.title, f"列 {title!r} 重复", 1, cell.coordinate)
            else:
                places[wanted[title].key] = place
        for column in sheet.columns:
            if column.required and column.key not in places:
                self._complain(sheet.title, f"缺少列 {column.title!r}", 1)
        return places if len(self.problems) == before else None

    def _cells(self, sheet: Sheet, row: Sequence[Any], number: int, by_place: dict[int, str]) -> dict[str, Any]:
        cells: dict[str, Any] = {}
        for place, cell in enumerate(row, 1):
            value = cell.value
            if value is None or value == "":
                continue
            key = by_place.get(place)
            if isinstance(value, date) and key in self._dates(sheet):
                value = (value.date() if isinstance(value, datetime) else value).isoformat()
            reason = _refusal(cell.data_type, value)
            if reason is None and key is None:
                reason = "此列没有标题,内容无法归属"
            if reason is not None:
                self._complain(sheet.title, reason, number, cell.coordinate, _title(sheet, key))
            if key is not None:
                cells[key] = value if reason is None else REFUSED
        if all(isinstance(value, str) and not value.strip() for value in cells.values()):
            return {}
        return cells

    @staticmethod
    @cache
    def _dates(sheet: Sheet) -> frozenset[str]:
        """Columns in which a spreadsheet's own date is welcome."""
        return frozenset(column.key for column in sheet.columns if column.kind is Kind.DATE)

    def _complain(self, sheet: str, message: str, row: int = 0, cell: str = "", column: str = "") -> None:
        self.problems.append(Problem(sheet[:40], cell, row, column, message))


def _refusal(data_type: str, value: Any) -> str | None:
    """Why a filled cell is not taken; None when it is."""
    if data_type == "f" or (isinstance(value, str) and value.lstrip().startswith("=")):
        return "不接受公式,请填写值"
    if data_type == "e":
        return f"单元格是错误值 {value}"
    if isinstance(value, date | time | timedelta):
        return "应为文本或数值,收到日期"
    return None


def _title(sheet: Sheet, key: str | None) -> str:
    return next((column.title for column in sheet.columns if column.key == key), "")
