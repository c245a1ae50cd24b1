"""The list of completeness of monitoring as a plain table: a row an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hazwatch.registry.lists.model import ListColumn
from hazwatch.registry.monitoring.model import KINDS

TITLE = "监测完整性"
COLUMNS = (
    ListColumn("code", "编码"), ListColumn("name", "对象"), ListColumn("kind", "类型"), ListColumn("medium", "介质"),
    ListColumn("enterprise", "企业编码"), ListColumn("enterprise_name", "企业"),
    ListColumn("source", "重大危险源编码"), ListColumn("source_name", "重大危险源"),
    ListColumn("percent", "完整率 %", number=True), ListColumn("expected", "应有项", number=True),
    ListColumn("present", "已有项", number=True), ListColumn("missing", "缺少"), ListColumn("clauses", "缺项依据"),
    ListColumn("found", "已有测点"),
)  # fmt: skip


def row(form: Mapping[str, Any]) -> dict[str, Any]:
    """An object in the form of the API (``views.completeness``) as a row of ``COLUMNS``."""
    expected = form["expected"]
    lacking = [one for one in expected if not one["met"]]
    # A point of a process or of the hazard source has another object's code: codes are written whole.
    found = (f"{one['name']}: {'、'.join(one['points'])}" for one in expected if one["points"])
    return {
        **form, "kind": KINDS[form["kind"]], "expected": len(expected), "present": len(expected) - len(lacking),
        "missing": "、".join(one["name"] for one in lacking),
        "clauses": ";".join(dict.fromkeys(one["clause"] for one in lacking)), "found": ";".join(found),
    }  # fmt: skip
