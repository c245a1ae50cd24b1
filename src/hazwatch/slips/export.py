"""Lists of slips as workbooks: the slips with their answers, and what the check said of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from hazwatch.documents.cells import cell

_COLUMNS = (
    ("id", "报告单编号"), ("warning", "预警编号"), ("name", "对象"), ("object", "对象编码"), ("kind_zh", "类别"),
    ("worst", "级别"), ("state_zh", "状态"), ("opened_at", "生成时间"), ("due_at", "时限"), ("due_zh", "待办"),
    ("overdue", "已超时"), ("cleared_at", "预警解除"), ("closed_at", "关闭时间"), ("escalations", "升级次数"),
    ("returns", "退回次数"), ("supervised", "督办次数"),
)  # fmt: skip
_FORM = (
    ("cause_class", "原因类别"), ("measures", "处置措施"), ("result", "处置结果"), ("prevention", "防范措施"),
    ("signer", "签字人"), ("opinion", "审核意见"),
)  # fmt: skip
_CHECKED = (
    ("id", "报告单编号"), ("name", "对象"), ("object", "对象编码"), ("state_zh", "状态"), ("opened_at", "生成时间"),
    ("steps", "步数"), ("result", "核验结果"), ("findings", "不符之处"), ("digest", "末步摘要"),
)  # fmt: skip
RESULTS = {"whole": "完整", "wrong": "不符", "unchecked": "核验后生成"}


def slips_book(items: Iterable[Mapping[str, Any]]) -> bytes:
    """The list of slips, with the answers of their forms."""
    rows = (
        [*(item[name] for name, _ in _COLUMNS), *(item["form"].get(name, "") for name, _ in _FORM)] for item in items
    )
    return _book("处置报告单", [zh for _, zh in (*_COLUMNS, *_FORM)], rows)


def checked_book(items: Iterable[Mapping[str, Any]]) -> bytes:
    """What the check said of each slip."""
    rows = (
        [
            *(item[name] for name, _ in _CHECKED[:-3]), RESULTS[item["result"]],
            ";".join(f["text"] for f in item["findings"]), item["digest"],
        ]
        for item in items
    )  # fmt: skip
    return _book("核验", [zh for _, zh in _CHECKED], rows)


def _book(title: str, head: list[str], rows: Iterable[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(head)
    for row in rows:
        sheet.append([cell(value) for value in row])
    out = BytesIO()
    book.save(out)
    return out.getvalue()
