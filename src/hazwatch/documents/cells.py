"""Cells of sheets that others open: nothing that a spreadsheet program takes for a formula.

What makes and reads workbooks, papers and pictures (openpyxl, fpdf2, Pillow) is imported where a file is made: every
process of a node carries these rooms, few ever make a file (tests/app/test_imports.py).
"""

from __future__ import annotations

import re
from typing import Any

#: Control characters that XML, and so a workbook, cannot hold; PostgreSQL takes no NUL either.
_UNHOLDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def holdable(text: str) -> str:
    """A text without characters that a workbook or a database cannot hold."""
    return _UNHOLDABLE.sub("", text)


def cell(value: Any) -> Any:
    """A cell that no spreadsheet program takes for a formula, without characters that a workbook cannot hold."""
    if isinstance(value, bool):
        return "是" if value else ""
    if isinstance(value, str):
        value = holdable(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
