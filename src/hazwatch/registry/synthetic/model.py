"""What a made-up province is made of. Pure: the same seed and the same counties give the same province.

Everything carries the mark 【合成】 in its name and the flag 模拟. Chemicals and processes are real; who holds how much
of them is not. Telephone numbers begin with 000, which no number does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from hazwatch.registry.model import Description

MARK = "【合成】"


@dataclass(frozen=True, slots=True)
class County:
    """A county in which enterprises may stand."""

    code: str
    name: str
    city: str
    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; the figures are met exactly."""

    enterprises: int = 600
    sources: int = 1_500
    points: int = 20_000

    def __post_init__(self) -> None:
        if not 1 <= self.enterprises <= 20_000:
            raise ValueError("企业数应在 1–20000 之间")
        if not self.enterprises <= self.sources + self.enterprises or self.sources < 0:
            raise ValueError("重大危险源数不能为负")
        if self.points and not self.sources:
            raise ValueError("没有重大危险源就不能有指标")
        if self.points < self.sources * 4:
            raise ValueError(f"每个重大危险源至少 4 个指标,{self.sources} 个源至少 {self.sources * 4} 个")


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up province: rows of the registry, and files by owner, group, row and field."""

    description: Description
    files: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chemical:
    """A substance with the lists it stands on (lists.md §2–3; 剧毒, 易制爆, 易制毒 by the national catalogues).

    ``gas``: what its detectors measure.
    """

    name: str
    cas: str
    state: str
    key: bool = False
    special: bool = False
    toxic: bool = False
    explosive: bool = False
    drug: bool = False
    gas: str = "%LEL"


_LEL, _PPM = "%LEL", "ppm"
CHEMICALS: Mapping[str, Chemical] = {
    chemical.name: chemical
    for chemical in (
        Chemical("甲醇", "67-56-1", "液", key=True, special=True),
        Chemical("氨", "7664-41-7", "液化气", key=True, special=True, gas=_PPM),
        Chemical("氯", "7782-50-5", "液化气", key=True, special=True, toxic=True, gas=_PPM),
        Chemical("苯", "71-43-2", "液", key=True),
        Chemical("甲苯", "108-88-3", "液", key=True, drug=True),
        Chemical("苯乙烯", "100-42-5", "液", key=True),
        Chemical("苯酚", "108-95-2", "固", key=True, gas=_PPM),
        Chemical("丙烯", "115-07-1", "液化气", key=True),
        Chemical("丙烯腈", "107-13-1", "液", key=True, gas=_PPM),
        Chemical("氢", "1333-74-0", "气", key=True),
        Chemical("环氧乙烷", "75-21-8", "液化气", key=True, special=True),
        Chemical("氯乙烯", "75-01-4", "液化气", key=True, special=True),
        Chemical("硝酸铵", "6484-52-2", "固", key=True, special=True, explosive=True),
        Chemical("汽油", "86290-81-5", "液", key=True, special=True),
        Chemical("柴油", "68334-30-5", "液"),
        Chemical("乙醇", "64-17-5", "液", special=True),
        Chemical("液化石油气", "68476-85-7", "液化气", key=True, special=True),
        Chemical("天然气", "74-82-8", "气", key=True),
        Chemical("一氧化碳", "630-08-0", "气", key=True, gas=_PPM),
        Chemical("硫化氢", "7783-06-4", "气", key=True, gas=_PPM),
        Chemical("氟化氢", "7664-39-3", "液化气", key=True, gas=_PPM),
        Chemical("硫酸", "7664-93-9", "液", drug=True, gas=_PPM),
        Chemical("硝酸", "7697-37-2", "液", explosive=True, gas=_PPM),
        Chemical("过氧化氢溶液", "7722-84-1", "液", explosive=True, gas=_PPM),
    )
}


@dataclass(frozen=True, slots=True)
class Trade:
    """A kind of works: how common, what it is called, what it holds and does."""

    word: str
    weight: float
    type: str
    industry: str
    chemicals: Sequence[str]
    processes: Sequence[str]
    kinds: Sequence[str]


TRADES: Sequence[Trade] = (
    Trade("煤化工", 6, "生产", "煤制合成气生产", ("甲醇", "氨", "一氧化碳", "氢", "硫化氢"),
          ("新型煤化工工艺", "合成氨工艺"), ("生产装置", "储罐区")),
    Trade("氯碱化工", 4, "生产", "无机碱制造", ("氯", "氯乙烯", "氢", "硫酸"),
          ("电解工艺(氯碱)", "氯化工艺", "聚合工艺"), ("生产装置", "储罐区")),
    Trade("石油化工", 6, "生产", "有机化学原料制造", ("苯", "甲苯", "丙烯", "苯乙烯", "液化石油气"),
          ("裂解(裂化)工艺", "烷基化工艺", "加氢工艺"), ("生产装置", "储罐区")),
    Trade("精细化工", 16, "生产", "专用化学产品制造", ("甲苯", "甲醇", "环氧乙烷", "过氧化氢溶液", "硫酸"),
          ("氧化工艺", "磺化工艺", "加氢工艺", "胺基化工艺"), ("生产装置", "储罐区", "库区")),
    Trade("农药", 6, "生产", "化学农药制造", ("氯", "甲苯", "丙烯腈", "硝酸"),
          ("氯化工艺", "硝化工艺", "重氮化工艺"), ("生产装置", "储罐区", "库区")),
    Trade("医药化工", 14, "医药", "化学药品原料药制造", ("甲醇", "甲苯", "乙醇", "氢"),
          ("加氢工艺", "胺基化工艺"), ("生产装置", "储罐区", "库区")),
    Trade("氟化工", 3, "生产", "有机化学原料制造", ("氟化氢", "硫酸", "氯"), ("氟化工艺",), ("生产装置", "储罐区")),
    Trade("复合肥", 5, "化工", "复混肥料制造", ("氨", "硝酸铵", "硝酸"), ("合成氨工艺",),
          ("生产装置", "库区", "储罐区")),
    Trade("工业气体", 8, "生产", "其他基础化学原料制造", ("氢", "天然气", "一氧化碳"), (), ("储罐区", "库区")),
    Trade("油品储运", 14, "经营", "油气仓储", ("汽油", "柴油", "乙醇"), (), ("储罐区",)),
    Trade("燃气储配", 10, "经营", "危险化学品仓储", ("液化石油气", "天然气"), (), ("储罐区",)),
    Trade("冷链食品", 8, "使用", "食品冷藏", ("氨",), (), ("储罐区", "生产装置")),
)  # fmt: skip
