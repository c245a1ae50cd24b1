"""Pure: reasons in Chinese. A text never decides anything; it says what the numbers were."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import FAR, WORK_ZH
from hazwatch.vocabulary.colours import Colour

Values = Mapping[str, float]
Notes = Mapping[str, str]
_ALARM_ZH = {
    "trip": "联锁动作", "second_toxic": "有毒气体高高报警", "second_combustible": "可燃气体高高报警",
    "second_other": "高高/低低报警", "first_toxic": "有毒气体高报警", "first_combustible": "可燃气体高报警",
    "first_other": "高/低报警",
}  # fmt: skip
_WEATHER_ZH = {1: "蓝色", 2: "黄色", 3: "橙色", 4: "红色"}


def _alarm(v: Values, notes: Notes, _k: Configuration) -> list[str]:
    said = [notes.get(name) or f"{zh},已 {v[name]:.0f} 分钟" for name, zh in _ALARM_ZH.items() if v.get(name, -1) >= 0]
    if v.get("gas_pair", 0) >= 1:
        said.insert(0, notes.get("gas_pair") or "两台相邻气体检测仪同时报警")
    return said


def _time(v: Values, notes: Notes, k: Configuration) -> list[str]:
    minutes = v.get("to_limit", FAR)
    if minutes >= k.time_horizon_min:
        return []
    return [notes.get("to_limit") or f"有指标按当前趋势约 {minutes:.0f} 分钟后到限"]


def _quality(v: Values, _notes: Notes, _k: Configuration) -> list[str]:
    if not any(v.get(name, 0) > 0 for name in ("q_disturbance", "q_repeat", "q_count", "q_clear", "q_longest")):
        return []
    share, again, mean = 100 * v.get("q_disturbance", 0), v.get("q_repeat", 0), v.get("q_count", 0)
    clear, longest = v.get("q_clear", 0), v.get("q_longest", 0)
    said = f"近 24 小时:扰动率 {share:.1f} %,重复报警 {again:.0f} 次,平均报警 {mean:.1f} 次"
    return [f"{said},平均消警 {clear:.1f} 分钟,最长 {longest:.0f} 分钟"]


def _work(v: Values, notes: Notes, _k: Configuration) -> list[str]:
    said = [
        notes.get(f"work_{key}") or f"{zh}作业({v[f'work_{key}']:g} 当量)"
        for key, zh in WORK_ZH.items()
        if v.get(f"work_{key}", 0) > 0
    ]
    if v.get("commitment", 0) > 0:
        said.append(notes.get("commitment") or ("今日承诺不安全" if v["commitment"] > 1 else "今日未作安全承诺"))
    counted = {
        "trial_production": "试生产", "start_stop": "开停车", "danger_major": "逾期重大隐患 {:g} 项",
        "danger_general": "逾期一般隐患 {:g} 项", "tasks_missed": "排查任务未完成 {:.0%}",
        "interlock_removed": "摘除联锁 {:g} 个",
    }  # fmt: skip
    said += [notes.get(name) or text.format(v[name]) for name, text in counted.items() if v.get(name, 0) > 0]
    return said


def _environment(v: Values, notes: Notes, k: Configuration) -> list[str]:
    said = []
    if v.get("weather", 0) > 0:
        said.append(notes.get("weather") or f"{_WEATHER_ZH.get(round(v['weather']), '')}气象预警")
    if v.get("wind", 0) >= k.wind_ms:
        said.append(notes.get("wind") or f"风速 {v['wind']:.1f} m/s")
    if v.get("lightning", 0) > 0:
        said.append(notes.get("lightning") or "雷电")
    if v.get("heat", -90) >= k.heat_c:
        said.append(notes.get("heat") or f"高温 {v['heat']:.1f} ℃")
    if v.get("towards_people", 0) > 0:
        said.append(notes.get("towards_people") or "泄漏且风吹向人群")
    return said


def _single(name: str, text: str, beyond: float = 0.0) -> Callable[[Values, Notes, Configuration], list[str]]:
    def told(v: Values, notes: Notes, _k: Configuration) -> list[str]:
        return [notes.get(name) or text.format(v[name])] if v.get(name, 0) > beyond else []

    return told


def _multivariate(v: Values, notes: Notes, _k: Configuration) -> list[str]:
    t2, spe = v.get("t2", 0), v.get("spe", 0)
    if max(t2, spe) <= 1:
        return []
    return [notes.get("t2") or f"多变量监测越限:T² 为控制限的 {t2:.1f} 倍,SPE 为 {spe:.1f} 倍"]


_TELLS: Mapping[str, Callable[[Values, Notes, Configuration], list[str]]] = {
    "A": _alarm, "T": _time, "Q": _quality, "W": _work, "E": _environment, "X": _multivariate,
    "I": _single("barrier_loss", "屏障失效程度 {:.2f}"),
    "M": _single("balance", "物料平衡偏差为门槛的 {:.1f} 倍", 0.999999),
    "D": lambda v, n, _k: [n.get("neighbour") or f"连锁范围内有{Colour(round(v['neighbour'])).zh}色对象"]
    if v.get("neighbour", 0) >= 3 else [],  # noqa: PLR2004  # Colour.ORANGE
    "L": _single("no_order", "无作业令收发料"), "N": _single("blanket_loss", "氮封压力失效程度 {:.2f}"),
    "R": _single("roof_seal", "罐顶密封劣化 {:.2f}"), "O": _single("boil_over", "具备沸溢条件 {:.2f}"),
    "P": _single("trip_share", "已走完到联锁值路程的 {:.0%}"),
    "H": _single("heat_balance", "热平衡偏差为门槛的 {:.1f} 倍", 0.999999),
    "K": _single("overstock", "在库量为设计量的 {:.2f} 倍", 1.0), "C": _single("incompatible", "禁忌物混放"),
    "G": _single("climate", "温湿度越限程度 {:.2f}"), "V": _single("ventilation", "通风失效程度 {:.2f}"),
}  # fmt: skip


def term_reason(term: str, values: Values, notes: Notes, k: Configuration, *, assumed: bool) -> str:
    """Why a term has its x; "" when there is nothing to say."""
    said = _TELLS[term](values, notes, k)
    if assumed:
        said.append("输入缺失,按不利情形估计")
    return ";".join(said)
