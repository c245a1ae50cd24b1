"""The filing sheet 危险化学品重大危险源备案表: what was identified, step by step, to sign and to file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hazwatch.documents.paper import Paper
from hazwatch.registry.gb18218.standard import NOT_APPLICABLE, UNIT_KINDS
from hazwatch.vocabulary.moments import CHINA, from_ms, parse

_COLUMNS = (
    ("物质", 0.19), ("形态/含量", 0.15), ("设计最大量 q t", 0.11), ("临界量 Q t", 0.09), ("q/Q", 0.11), ("β", 0.06),
    ("依据", 0.29),
)  # fmt: skip
_LONGEST = 12


def sheet(record: Mapping[str, Any]) -> bytes:
    """The PDF of a record as ``service.one`` gives it."""
    made = from_ms(parse(record["at"])).astimezone(CHINA)
    source, result, unit = record["source"], record["result"], record["unit"]
    foot = f"{source['code']} 第 {record['version']} 版 · GB 18218-2018 · {made:%Y-%m-%d %H:%M}"
    paper = Paper("危险化学品重大危险源备案表", foot=foot, made=made)
    if source["simulated"]:
        paper.paragraph("模拟数据:本表所列企业与重大危险源为演示而虚构,不得用于备案。")
    paper.facts(
        [
            ("企业名称", source["enterprise_name"]), ("企业编码", source["enterprise"]),
            ("重大危险源名称", source["name"]), ("重大危险源编码", source["code"]),
            ("单元类型", UNIT_KINDS[record["unit_kind"]].partition(":")[0]),
            ("单元边界", record["boundary"] or "未填写"),
            ("辨识时间", f"{made:%Y-%m-%d %H:%M}"), ("辨识人", record["who"]), ("版本", f"第 {record['version']} 版"),
        ]
    )  # fmt: skip
    paper.heading("一、结论")
    people = f"{unit['population_500m']} 人({result['alpha_label']})"
    paper.facts(
        [
            ("辨识指标 S", _text(result["S"])),
            ("是否构成", "构成重大危险源" if result["is_major_hazard"] else "不构成重大危险源"),
            ("分级指标 R", _text(result["R"]) if result["is_major_hazard"] else "不计算(S<1)"),
            ("级别", result["level"] or "无"),
            ("500 m 内常住人口", people), ("校正系数 α", f"{_text(result['alpha'])}(表5)"),
        ]
    )  # fmt: skip
    paper.heading("二、物质清单与计算")
    paper.table(
        _COLUMNS,
        [
            [
                term["name"], substance.get("form") or "—", _text(term["q_t"]), _text(term["Q_t"]),
                _text(term["ratio"]), _text(term["beta"]), term["clause"],
            ]
            for term, substance in zip(result["terms"], unit["substances"], strict=True)
        ],
    )  # fmt: skip
    _explain(paper, record)
    paper.signatures(["编制人", "单位负责人(盖章)", "备案机关受理人"])
    return paper.bytes()


def _explain(paper: Paper, record: Mapping[str, Any]) -> None:
    result = record["result"]
    paper.heading("三、说明")
    lines = [
        f"单元划分:{UNIT_KINDS[record['unit_kind']]}。",
        "存在量按设计最大量确定(4.2.2);混合物与其纯物质属同一危险类别的,整体按纯物质计,否则按新类别(4.2.3)。",
        f"S = Σ q/Q = {_text(result['S'])};S ≥ 1 即构成重大危险源(4.2.1)。",
    ]
    if result["is_major_hazard"]:
        lines.append(f"R = α·Σ β·q/Q = {_text(result['R'])};R≥100 一级,50≤R<100 二级,10≤R<50 三级,R<10 四级(表6)。")
    choice = "该类临界量所依据的类别" if record["beta_choice"] == "class_of_q" else "各类别中的最大值"
    lines.append(f"表3 之外的物质具有多种危险性时,β 取{choice};所取类别见「依据」。")
    lines += [f"{term['name']}:{term['note']}。" for term in result["terms"] if term["note"]]
    lines.append(f"本标准不适用于:{';'.join(NOT_APPLICABLE.values())}。")
    if record["note"]:
        lines.append(f"备注:{record['note']}")
    for line in lines:
        paper.paragraph(line, small=True)


def _text(number: Any) -> str:
    """A figure of the record; one that does not end is cut, and says so."""
    text = str(number)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
