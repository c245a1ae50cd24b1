"""Pure: records that somebody declared and that the terms take: works, commitment, dangers, barriers, weather.

Systems for work permits, commitment and dual prevention come later and will declare through the same records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hazwatch.risk.concerns import CONCERNS
from hazwatch.risk.configuration import WORKS
from hazwatch.risk.features import WORK_ZH
from hazwatch.vocabulary.moments import CHINA, from_ms

#: Feature → value, note.
Inputs = dict[str, tuple[float, str]]
_NIGHT_BEGINS, _NIGHT_ENDS = 22, 6
_SATURDAY = 5
_TEXT = 200
_MOST_POINTS = 500
_WEATHER_COLOURS = {"blue": 1.0, "yellow": 2.0, "orange": 3.0, "red": 4.0}
#: Conditions that a person may state where no instrument does.
CONDITIONS: Mapping[str, str] = {
    "blanket_loss": "氮封失效", "roof_seal": "罐顶密封劣化", "boil_over": "沸溢条件", "incompatible": "禁忌物混放",
    "climate": "温湿度越限", "ventilation": "通风失效", "towards_people": "泄漏且风吹向人群", "lightning": "雷电",
    "fire": "视频与工艺确认火灾", "no_order": "无令收发料",
}  # fmt: skip

KINDS: Mapping[str, str] = {
    "special_work": "特殊作业", "commitment": "安全承诺", "phase": "试生产/开停车", "danger": "逾期隐患",
    "tasks": "排查任务", "interlock": "摘除联锁", "barrier": "屏障", "weather": "气象预警", "condition": "现场情况",
    "maintenance": "检维修/测试", "cut_off": "切断确认", "transfer_order": "收发作业令", "tank_balance": "物料平衡参数",
    "heat_balance": "热平衡参数",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declared:
    """A record in force.

    Attributes:
        id: of the record.
        object: code of what it is about: a source, an enterprise, a park or a region.
        kind: of ``KINDS``.
        body: its fields, checked.
        begin, end: epoch ms.
        path: place on the tree; it holds for everything below.
    """

    id: int
    object: str
    kind: str
    body: Mapping[str, Any]
    begin: int
    end: int
    path: str


class DeclaredError(ValueError):
    """What is wrong with a record: field → reason, in Chinese."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__(";".join(f"{name}:{why}" for name, why in wrong.items()))
        self.wrong = dict(wrong)


#: Fields of every kind: name → (type, what it may be). "?" marks what may be left out.
FIELDS: Mapping[str, Mapping[str, tuple[str, Any]]] = {
    "special_work": {"work": ("choice", tuple(WORKS)), "note": ("text?", None)},
    "commitment": {"state": ("choice", ("ok", "missing", "unsafe")), "note": ("text?", None)},
    "phase": {"phase": ("choice", ("trial_production", "start_stop")), "note": ("text?", None)},
    "danger": {"grade": ("choice", ("general", "major")), "count": ("number", (1, 1000)), "note": ("text?", None)},
    "tasks": {"missed": ("number", (0, 1)), "note": ("text?", None)},
    "interlock": {"count": ("number", (1, 1000)), "note": ("text?", None)},
    "barrier": {
        "name": ("text", None), "pfd_design": ("number", (1e-6, 1)), "pfd_now": ("number?", (1e-6, 1)),
        "bypassed": ("flag?", None), "point": ("text?", None),
    },
    "weather": {
        "colour": ("choice", tuple(_WEATHER_COLOURS)), "text": ("text", None), "signal": ("choice?", tuple(CONCERNS)),
    },
    "condition": {"condition": ("choice", tuple(CONDITIONS)), "value": ("number?", (0, 1)), "note": ("text?", None)},
    "maintenance": {"points": ("texts", None), "reason": ("text", None)},
    "cut_off": {"equipment": ("text", None), "note": ("text?", None)},
    "transfer_order": {"equipment": ("text", None), "note": ("text?", None)},
    "tank_balance": {
        "equipment": ("text", None), "density": ("number", (200, 3000)), "expansion": ("number?", (0, 0.01)),
        "level_sd": ("number?", (1e-5, 1)), "flow_share": ("number?", (0, 0.1)),
    },
    "heat_balance": {
        "name": ("text", None), "flow": ("text", None), "outlet": ("text", None), "temperature": ("text", None),
        "inlet": ("text?", None), "inlet_c": ("number?", (-50, 300)),
    },
}  # fmt: skip


def check(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record, tidied.

    Raises:
        DeclaredError: every wrong field with its reason.
    """
    if kind not in FIELDS:
        raise DeclaredError({"kind": f"应为 {'、'.join(FIELDS)} 之一"})
    fields = FIELDS[kind]
    wrong = {f"body.{name}": "不认识的字段" for name in body if name not in fields}
    out: dict[str, Any] = {}
    for name, (shape, allowed) in fields.items():
        given = body.get(name)
        if given is None or given == "":
            if not shape.endswith("?"):
                wrong[f"body.{name}"] = "必填"
            continue
        problem = _problem(shape.removesuffix("?"), allowed, given)
        if problem:
            wrong[f"body.{name}"] = problem
        out[name] = given
    if kind == "heat_balance" and "inlet" not in out and "inlet_c" not in out:
        wrong["body.inlet"] = "冷却介质入口温度的指标与固定值至少填一个"
    if wrong:
        raise DeclaredError(wrong)
    return out


def _problem(shape: str, allowed: Any, given: object) -> str:
    match shape:
        case "choice":
            return "" if given in allowed else f"应为 {'、'.join(allowed)} 之一"
        case "number":
            low, high = allowed
            good = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
            return "" if good and low <= given <= high else f"应为 {low:g}–{high:g} 的数值"
        case "flag":
            return "" if isinstance(given, bool) else "应为 true 或 false"
        case "texts":
            texts = given if isinstance(given, list) and 0 < len(given) <= _MOST_POINTS else []
            good = bool(texts) and all(isinstance(t, str) and 0 < len(t) <= _TEXT for t in texts)
            return "" if good else f"应为 1–{_MOST_POINTS} 个指标或设备编码"
        case _:
            return "" if isinstance(given, str) and len(given) <= _TEXT else f"应为不超过 {_TEXT} 字的文本"


_COMMITMENT_ZH = {"ok": "已承诺", "missing": "今日未作安全承诺", "unsafe": "今日承诺不安全"}
_PHASE_ZH = {"trial_production": "试生产", "start_stop": "开停车"}
_TITLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "special_work": lambda b: f"{WORK_ZH[b['work']]}作业",
    "commitment": lambda b: _COMMITMENT_ZH[b["state"]],
    "phase": lambda b: _PHASE_ZH[b["phase"]],
    "danger": lambda b: f"逾期{'重大' if b['grade'] == 'major' else '一般'}隐患 {b['count']:g} 项",
    "tasks": lambda b: f"排查任务未完成 {b['missed']:.0%}",
    "interlock": lambda b: f"摘除联锁 {b['count']:g} 个",
    "barrier": lambda b: f"{b['name']}{'已旁路' if b.get('bypassed') else ''}",
    "weather": lambda b: str(b["text"]),
    "condition": lambda b: CONDITIONS[b["condition"]],
    "maintenance": lambda b: f"检维修/测试:{b['reason']}",
    "cut_off": lambda b: f"切断已确认 {b['equipment']}",
    "transfer_order": lambda b: f"收发作业令 {b['equipment']}",
    "tank_balance": lambda b: f"物料平衡 {b['equipment']},{b['density']:g} kg/m³",
    "heat_balance": lambda b: f"热平衡 {b['name']}",
}


def title(kind: str, body: Mapping[str, Any]) -> str:
    """A record in a few words."""
    text = _TITLES[kind](body)
    note = body.get("note")
    return f"{text}({note})" if note else text


def in_maintenance(records: Iterable[Declared], point: str) -> bool:
    """Whether a point, or what it belongs to, is declared to be tested or maintained."""
    return any(r.kind == "maintenance" and any(point.startswith(code) for code in r.body["points"]) for r in records)


def works_at_night(now: int) -> bool:
    """22:00–06:00 in China."""
    hour = from_ms(now).astimezone(CHINA).hour
    return hour >= _NIGHT_BEGINS or hour < _NIGHT_ENDS


def is_day_off(now: int, special: Mapping[str, bool]) -> bool:
    """Whether nobody works in China: Saturdays and Sundays, unless the calendar says otherwise.

    Args:
        now: epoch ms.
        special: ISO date → whether it is a working day after all (调休, 节假日).
    """
    day = from_ms(now).astimezone(CHINA).date()
    return not special.get(day.isoformat(), day.weekday() < _SATURDAY)


def signal_of(record: Declared) -> str | None:
    """The weather signal that a record says is in force for a place; None for all other records."""
    if record.kind == "weather":
        return record.body.get("signal")
    return "lightning" if record.kind == "condition" and record.body["condition"] == "lightning" else None


def features(records: Sequence[Declared], source: str, beyond: frozenset[str], now: int, *, holiday: bool) -> Inputs:
    """What the records in force add to the inputs of a source: feature → value, note.

    Args:
        records: in force for the source.
        source: its code; a work that is declared for it lies inside it.
        beyond: codes of its points beyond their warning limit.
        now: epoch ms.
        holiday: whether today is a holiday.
    """
    out: Inputs = {}
    # In one order whatever order they came in, so that the same records give the same bits.
    for r in sorted(records, key=lambda one: one.id):
        take = _TAKES.get(r.kind)
        if take is not None:
            take(out, r)
    _works(out, records, source, (2.0 if works_at_night(now) else 1.0) * (2.0 if holiday else 1.0))
    _barriers(out, [r for r in records if r.kind == "barrier"], beyond)
    return out


def _works(out: Inputs, records: Sequence[Declared], source: str, doubled: float) -> None:
    works: dict[str, list[Declared]] = {}
    for r in sorted(records, key=lambda one: one.id):
        if r.kind == "special_work":
            works.setdefault(r.body["work"], []).append(r)
    for work, some in works.items():
        exposure = sum(doubled * (2.0 if r.object == source else 1.0) for r in some)
        more = f"等 {len(some)} 处" if len(some) > 1 else ""
        said = "夜间或节假日" if doubled > 1 else ""
        out[f"work_{work}"] = (exposure, said + title("special_work", some[0].body) + more)


def _barriers(out: Inputs, records: Sequence[Declared], beyond: frozenset[str]) -> None:
    """1 − Π min(1, PFD_design / PFD_now), and whether one is bypassed while its variable is beyond its limit."""
    intact, lost = 1.0, []
    for r in sorted(records, key=lambda one: one.id):
        bypassed = bool(r.body.get("bypassed"))
        design = float(r.body["pfd_design"])
        kept = min(1.0, design / (1.0 if bypassed else float(r.body.get("pfd_now", design))))
        intact *= kept
        if kept < 1:
            lost.append(title(r.kind, r.body))
        if bypassed and r.body.get("point") in beyond:
            _raise(out, "bypass_beyond", 1.0, title(r.kind, r.body))
    if lost:
        out["barrier_loss"] = (1 - intact, "屏障失效:" + "、".join(lost))


_COMMITMENT = {"ok": 0.0, "missing": 1.0, "unsafe": 2.0}
_TAKES: Mapping[str, Callable[[Inputs, Declared], None]] = {
    "commitment": lambda out, r: _raise(out, "commitment", _COMMITMENT[r.body["state"]], title(r.kind, r.body)),
    "phase": lambda out, r: _raise(out, r.body["phase"], 1.0, title(r.kind, r.body)),
    "danger": lambda out, r: _add(out, f"danger_{r.body['grade']}", float(r.body["count"])),
    "tasks": lambda out, r: _raise(out, "tasks_missed", float(r.body["missed"]), ""),
    "interlock": lambda out, r: _add(out, "interlock_removed", float(r.body["count"])),
    "weather": lambda out, r: _raise(out, "weather", _WEATHER_COLOURS[r.body["colour"]], r.body["text"]),
    "condition": lambda out, r: _raise(
        out, r.body["condition"], float(r.body.get("value", 1.0)), title(r.kind, r.body)
    ),
}


def _raise(out: Inputs, name: str, value: float, note: str) -> None:
    if value > out.get(name, (0.0, ""))[0]:
        out[name] = (value, note)


def _add(out: Inputs, name: str, value: float) -> None:
    out[name] = (out.get(name, (0.0, ""))[0] + value, "")
