"""What a list is: columns with titles, filters, and which row of it leads where. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column: ``key`` in the answer, ``title`` on screen and in exports; ``sort``: the list can be sorted by it."""

    key: str
    title: str
    number: bool = False
    sort: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; empty = all.

    Attributes:
        q: text in code, name or what else the list says.
        region: code of a node; rows at or below it.
        values: further filters by name.
    """

    q: str = ""
    region: str = ""
    values: Mapping[str, Any] | None = None

    def get(self, name: str) -> Any:
        """A further filter; None when it is not set."""
        value = (self.values or {}).get(name)
        return None if value == "" else value


#: Ways to narrow a list down, by name: the title and the fixed choices (value, word); no choices = free text.
FILTERS: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "park": ("园区编码", ()),
    "enterprise": ("企业编码", ()),
    "source": ("重大危险源编码", ()),
    "cas": ("CAS 号", ()),
    "level": ("级别", (("1", "一级"), ("2", "二级"), ("3", "三级"), ("4", "四级"))),
    "quantity": ("监测量", ()),
    "state": ("档案", (("gaps", "不完整"), ("expired", "有过期"), ("ending", "90 天内到期"))),
    "fault": ("阈值", (("yes", "有误"),)),
    "flag": (
        "清单",
        (
            ("key_regulated", "重点监管"), ("special_control", "特别管控"), ("highly_toxic", "剧毒"),
            ("explosive_precursor", "易制爆"), ("drug_precursor", "易制毒"),
        ),
    ),
    "within": ("期限", (("0", "已过期"), ("30", "30 天内"), ("90", "90 天内"), ("365", "一年内"))),
}  # fmt: skip
