"""The list of set points as a plain table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hazwatch.registry.limits.model import THRESHOLDS, TITLES
from hazwatch.registry.lists.model import ListColumn
from hazwatch.registry.setpoints.model import WORDS

TITLE = "气体设定值"
_SETS = (("own", "企业"), ("regulator", "监管"), ("proposed", "标准"))
COLUMNS = (
    ListColumn("code", "编码"), ListColumn("name", "名称"), ListColumn("tag", "位号"),
    ListColumn("enterprise", "企业编码"), ListColumn("enterprise_name", "企业"),
    ListColumn("source", "重大危险源编码"), ListColumn("source_name", "重大危险源"),
    ListColumn("equipment_name", "设备"), ListColumn("medium", "介质"), ListColumn("cas", "CAS 号"),
    ListColumn("gas", "认定的物质"), ListColumn("range_low", "量程下限", number=True),
    ListColumn("range_high", "量程上限", number=True), ListColumn("unit", "单位"),
    *(ListColumn(f"{which}_{name}", f"{TITLES[name]} {word}", number=True)
      for name in THRESHOLDS for which, word in _SETS if (which, name) != ("proposed", "ll")),
    ListColumn("differing", "差异"), ListColumn("basis", "依据"), ListColumn("clause", "条款"),
    ListColumn("problems", "不能给出建议或须更换的原因"),
)  # fmt: skip


def row(form: Mapping[str, Any]) -> dict[str, Any]:
    """A detector in the form of the API (``views.detectors``) as a row of ``COLUMNS``; limits in its unit."""
    proposed = form["proposed"]
    limits = {"own": form["own"], "regulator": form["regulator"], "proposed": proposed["values"]}
    values = {f"{which}_{name}": held.get(name) for which, held in limits.items() for name in THRESHOLDS}
    differing = "、".join(f"{TITLES[one['threshold']]} {WORDS[one['kind']]}" for one in form["differences"])
    return {
        **form, **values, "differing": differing, "basis": proposed["basis"], "clause": proposed["clause"],
        "problems": ";".join(proposed["problems"]),
    }  # fmt: skip
