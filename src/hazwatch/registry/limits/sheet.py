"""Proposals of limits as a plain table: a row for every limit that a proposal changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hazwatch.registry.limits.model import TITLES
from hazwatch.registry.lists.model import ListColumn

TITLE = "限值提案"
SETS = {"enterprise": "企业", "regulator": "监管"}
STATES = {"open": "待审核", "approved": "已批准", "rejected": "已驳回", "withdrawn": "已撤回"}
COLUMNS = (
    ListColumn("id", "提案", number=True), ListColumn("state", "状态"), ListColumn("set", "限值"),
    ListColumn("reason", "原因"), ListColumn("proposed_by", "提出人"), ListColumn("proposed_at", "提出时间"),
    ListColumn("decided_by", "处理人"), ListColumn("decided_at", "处理时间"), ListColumn("decision", "审核意见"),
    ListColumn("version", "限值版本", number=True), ListColumn("evidence_id", "试算"),
    ListColumn("code", "指标编码"), ListColumn("name", "指标"), ListColumn("tag", "位号"), ListColumn("unit", "单位"),
    ListColumn("field", "项"), ListColumn("before", "原值", number=True), ListColumn("after", "改为", number=True),
    ListColumn("faults", "问题"),
)  # fmt: skip


def rows(proposal: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A proposal in the form of the API (``views.one_proposal``) as rows of ``COLUMNS``."""
    head = {**proposal, "state": STATES[proposal["state"]], "set": SETS[proposal["set"]]}
    for item in proposal["items"]:
        facts = {name: item[name] for name in ("code", "name", "tag", "unit")} | {"faults": ";".join(item["faults"])}
        for field, after in item["after"].items():
            yield {**head, **facts, "field": TITLES[field], "before": item["before"].get(field), "after": after}
