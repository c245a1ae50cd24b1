"""Cells of sheets that others open: nothing that a spreadsheet program takes for a formula."""

from __future__ import annotations

from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE


def cell(value: Any) -> Any:
    """A cell that no spreadsheet program takes for a formula, without characters that a workbook cannot hold."""
    if isinstance(value, bool):
        return "是" if value else ""
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
