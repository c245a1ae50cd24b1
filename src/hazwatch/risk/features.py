"""Pure: the inputs of the models, one number each, and which model takes which.

An input is a number with an age: how long ago its value was last valid. ``null`` says that it is missing and was never
known; what the table calls ``needed`` is taken as missing when it is left out, everything else as calm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hazwatch.risk.configuration import WORKS

#: "No limit is approached", minutes.
FAR = 1e6
#: "None stands", minutes.
NONE = -1.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One input.

    Attributes:
        id, zh, unit: names.
        term: which term it feeds; "F" feeds floors only.
        low, high: what a value may be.
        calm: the value that says nothing is wrong.
        worse: +1 when a higher value is worse, −1 when a lower one is.
        needed: left out, it counts as missing.
        since: the desk keeps the moment it began and gives the minutes that have passed.
    """

    id: str
    zh: str
    unit: str
    term: str
    low: float
    high: float
    calm: float = 0.0
    worse: int = 1
    needed: bool = False
    since: bool = False


_YEAR = 525_600.0


def _standing(name: str, zh: str, term: str = "A", *, needed: bool = False) -> Feature:
    return Feature(name, zh, "min", term, NONE, _YEAR, NONE, needed=needed, since=True)


def _flag(name: str, zh: str, term: str) -> Feature:
    return Feature(name, zh, "", term, 0.0, 1.0)


WORK_ZH: Mapping[str, str] = {
    "hot_special": "特级动火", "hot_first": "一级动火", "hot_second": "二级动火", "confined_space": "受限空间",
    "blinding": "盲板抽堵", "height_high": "高处(Ⅲ、Ⅳ级)", "height_low": "高处(Ⅰ、Ⅱ级)", "lifting_first": "一级吊装",
    "lifting_other": "二、三级吊装", "temp_power": "临时用电", "excavation": "动土", "road_closure": "断路",
}  # fmt: skip

COMMON: tuple[Feature, ...] = (
    Feature("r", "R 值", "", "B", 0.0, 1e6, needed=True),
    Feature("r_live", "按实时储量的 R 值", "", "B", 0.0, 1e6),
    Feature("level", "危险源级别(1 最高,0 非重大危险源)", "", "F", 0.0, 4.0),
    Feature("usable", "可用测点比例", "", "?", 0.0, 1.0, 1.0, -1, needed=True),
    Feature("silent", "失联程度(逐点时长折算)", "", "?", 0.0, 1.0),
    _standing("first_other", "高/低报警持续", needed=True),
    _standing("first_combustible", "可燃气体高报持续", needed=True),
    _standing("first_toxic", "有毒气体高报持续", needed=True),
    _standing("second_other", "高高/低低报警持续", needed=True),
    _standing("second_combustible", "可燃气体高高报持续", needed=True),
    _standing("second_toxic", "有毒气体高高报持续", needed=True),
    _standing("trip", "联锁动作持续"),
    _flag("gas_pair", "两台相邻气体检测仪同时报警", "A"),
    Feature("alarming", "报警指标数", "", "A", 0.0, 1e5),
    Feature("to_limit", "最近到限时间", "min", "T", 0.0, FAR, FAR, -1),
    Feature("q_disturbance", "扰动率", "", "Q", 0.0, 1.0),
    Feature("q_repeat", "重复报警", "次", "Q", 0.0, 1e7),
    Feature("q_count", "平均报警次数", "次", "Q", 0.0, 1e7),
    Feature("q_clear", "平均消警时长", "min", "Q", 0.0, _YEAR),
    Feature("q_longest", "最长报警时间", "min", "Q", 0.0, _YEAR),
    Feature("barrier_loss", "屏障失效程度 1−Π min(1, PFD设计/PFD当前)", "", "I", 0.0, 1.0),
    Feature("balance", "物料平衡 CUSUM 与门槛之比", "", "M", 0.0, 1e6),
    *(Feature(f"work_{key}", f"{zh}作业当量", "", "W", 0.0, 1e4) for key, zh in WORK_ZH.items()),
    Feature("commitment", "安全承诺(0 已承诺,1 未承诺,2 不安全)", "", "W", 0.0, 2.0),
    _flag("trial_production", "试生产", "W"),
    _flag("start_stop", "开停车", "W"),
    Feature("danger_general", "逾期一般隐患", "项", "W", 0.0, 1e5),
    Feature("danger_major", "逾期重大隐患", "项", "W", 0.0, 1e5),
    Feature("tasks_missed", "未完成排查任务比例", "", "W", 0.0, 1.0),
    Feature("interlock_removed", "摘除联锁", "个", "W", 0.0, 1e5),
    Feature("weather", "相关气象预警(0 无,1 蓝,2 黄,3 橙,4 红)", "", "E", 0.0, 4.0),
    Feature("wind", "风速", "m/s", "E", 0.0, 120.0),
    _flag("lightning", "雷电", "E"),
    Feature("heat", "气温", "℃", "E", -90.0, 70.0, -90.0),
    _flag("towards_people", "泄漏且风吹向人群", "E"),
    Feature("neighbour", "连锁范围内最高颜色(3 橙,4 红)", "", "D", 0.0, 4.0),
    _flag("toxic_floor", "有毒气体高高报警(含检维修中的)", "F"),
    _flag("gas_pair_second", "5 分钟内两台气体检测仪高高报", "F"),
    _standing("uncut", "液位高高或超压而切断未确认", "F"),
    _flag("fire", "视频与工艺确认火灾", "F"),
    _flag("bypass_beyond", "屏障旁路且其变量越过预警限", "F"),
    Feature("lel", "最高可燃气体浓度", "%LEL", "F", 0.0, 1000.0),
    _standing("unseen", "高高/低低未确认", "F"),
)  # fmt: skip

TANK_FARM: tuple[Feature, ...] = (
    _flag("no_order", "无作业令收发料", "L"),
    Feature("blanket_loss", "氮封失效程度", "", "N", 0.0, 1.0),
    Feature("roof_seal", "罐顶/浮盘密封劣化程度", "", "R", 0.0, 1.0),
    Feature("boil_over", "沸溢条件", "", "O", 0.0, 1.0),
)
PRODUCTION_UNIT: tuple[Feature, ...] = (
    Feature("trip_share", "向联锁值走过的比例", "", "P", 0.0, 1.0),
    Feature("t2", "T² 与控制限之比", "", "X", 0.0, 1e12),
    Feature("spe", "SPE 与控制限之比", "", "X", 0.0, 1e12),
    Feature("heat_balance", "热平衡偏差与门槛之比", "", "H", 0.0, 1e6),
)
WAREHOUSE: tuple[Feature, ...] = (
    Feature("overstock", "在库量与设计量之比", "", "K", 0.0, 1e3),
    _flag("incompatible", "禁忌物混放", "C"),
    Feature("climate", "温湿度越限程度", "", "G", 0.0, 1.0),
    Feature("ventilation", "通风失效程度", "", "V", 0.0, 1.0),
)

TERM_ZH: Mapping[str, str] = {
    "B": "固有危险性", "A": "报警状态", "T": "到限时间", "Q": "报警质量", "I": "屏障", "M": "物料平衡",
    "W": "作业与管理", "E": "环境", "D": "连锁影响", "L": "无令收发", "N": "氮封", "R": "罐顶密封",
    "O": "沸溢条件", "P": "距联锁",
    "X": "多变量监测", "H": "热平衡", "K": "超储", "C": "禁忌混放", "G": "温湿度", "V": "通风",
}  # fmt: skip

assert {f"work_{key}" for key in WORKS} <= {f.id for f in COMMON}  # noqa: S101  # two tables of one list


@dataclass(frozen=True, slots=True)
class Service:
    """A model of a kind of object: the common form and its own terms.

    Attributes:
        id, zh: names.
        terms: k of the product, in the order of the product.
        features: its inputs.
    """

    id: str
    zh: str
    terms: tuple[str, ...]
    features: tuple[Feature, ...]

    def at(self, feature: str) -> int:
        """Column of an input."""
        return COLUMN[self.id][feature]


_SHARED = ("A", "T", "Q", "I", "M", "W", "E", "D")
SERVICES: Mapping[str, Service] = {
    s.id: s
    for s in (
        Service("tank-farm", "储罐区", (*_SHARED, "L", "N", "R", "O"), COMMON + TANK_FARM),
        Service("production-unit", "生产装置", (*_SHARED, "P", "X", "H"), COMMON + PRODUCTION_UNIT),
        Service("warehouse", "仓库", (*_SHARED, "K", "C", "G", "V"), COMMON + WAREHOUSE),
    )
}

#: Column of every input, by service.
COLUMN: Mapping[str, Mapping[str, int]] = {s.id: {f.id: n for n, f in enumerate(s.features)} for s in SERVICES.values()}

#: Columns of a term's inputs, by service; columns of moments; whether a service has nothing to say by each.
TERM_COLUMNS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    s.id: {t: tuple(n for n, f in enumerate(s.features) if f.term == t) for t in s.terms} for s in SERVICES.values()
}
SINCE_COLUMNS: Mapping[str, tuple[int, ...]] = {
    s.id: tuple(n for n, f in enumerate(s.features) if f.since) for s in SERVICES.values()
}


def service_of(kind: str) -> Service:
    """The model for a kind of hazard source (储罐区, 生产装置, 库区, 仓库 …); a unit when the kind says nothing."""
    if "罐" in kind:
        return SERVICES["tank-farm"]
    if "库" in kind:
        return SERVICES["warehouse"]
    return SERVICES["production-unit"]
