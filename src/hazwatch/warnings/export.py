"""The list as a file: CSV, XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from hazwatch.documents.cells import cell

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_COLUMNS = (
    ("id", "编号"), ("colour", "颜色"), ("worst", "最高颜色"), ("state", "状态"), ("kind_zh", "对象类别"),
    ("object", "对象编码"), ("name", "对象"), ("cause", "主因"), ("reason", "原因"), ("raised_at", "发出时间"),
    ("changed_at", "最近变化"), ("cleared_at", "解除时间"), ("grade", "评估编号"), ("simulated", "模拟"),
)  # fmt: skip


def make(items: Iterable[Mapping[str, Any]], form: str) -> bytes:
    """A file of a form in ``KINDS``."""
    rows = [[cell(item[name]) for name, _ in _COLUMNS] for item in items]
    head = [zh for _, zh in _COLUMNS]
    if form == "xlsx":
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("预警")
        for row in [head, *rows]:
            sheet.append(row)
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])
    return ("\ufeff" + text.getvalue()).encode()
