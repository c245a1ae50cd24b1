"""Scenarios: what an engineer can play, and how each bends the world and lets it go again.

Each has a finite course; ``progress`` runs from 0 to 1. Stopping at any time leads back to normal operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hazwatch.simulator.plant import LSHH
from hazwatch.simulator.tennessee import DEFAULT_SPEED, FEED_LOSS
from hazwatch.simulator.world import World

_DONE: Final = 1.0 - 1e-9
_LEAK_RAMP_S: Final = 15.0
_TRIP_HOURS: Final = 7.5
_COOLING_TRIP_HOURS: Final = 0.12
_NORMAL_AGAIN_M: Final = 3.9


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a scenario, as in docs/api.md."""

    name: str
    label: str
    default: float
    min: float
    max: float
    unit: str

    def as_dict(self) -> dict[str, Any]:
        """As in the API."""
        return {name: getattr(self, name) for name in self.__slots__}


class Link(Protocol):
    """A speaker whose connection can be cut."""

    def cut(self) -> None:
        """Take the line away; data are kept."""

    def restore(self) -> None:
        """Give it back."""


#: Bends the world: (world, parameters, notes of this run, seconds since the start) → progress 0–1.
Act = Callable[[World, Mapping[str, float], dict[str, float], float], float]


@dataclass(slots=True)
class Scenario:
    """A scenario and where it stands."""

    id: str
    name: str
    description: str
    unit: str
    params: tuple[Param, ...]
    act: Act
    undo: Callable[[World], None]
    values: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)
    started_at: int | None = None
    elapsed: float = 0.0
    progress: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """A row of ``GET /api/v1/scenarios``."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "unit": self.unit,
            "params": [p.as_dict() for p in self.params],
            "state": "idle" if self.started_at is None else "running",
            "started_at": self.started_at,
            "progress": round(self.progress, 3),
        }


class Theatre:
    """All scenarios of a world.

    Args:
        world: that they bend.
        links: speakers that can be cut, by scenario name: ``national`` and ``sparkplug``.
    """

    def __init__(self, world: World, links: Mapping[str, Link]) -> None:
        self._world = world
        # A recorded plant cannot be bent: what was not recorded is not offered.
        live_only: tuple[Scenario, ...] = (_cooling_scenario(),) if world.tennessee.plant.can_choke else ()
        self._items = {s.id: s for s in (*_process_scenarios(), *live_only, *_cut_scenarios(links))}

    def list(self) -> list[dict[str, Any]]:
        """Every scenario as in the API."""
        return [s.as_dict() for s in self._items.values()]

    def start(self, scenario: str, params: Mapping[str, float], now: int) -> dict[str, Any]:
        """Start (again) with parameters; what is not given takes its default.

        Raises:
            KeyError: no such scenario.
            ValueError: a parameter is unknown, no number or out of range; the text is Chinese.
        """
        item = self._items[scenario]
        values = _checked(item.params, params)
        if item.started_at is not None:
            item.undo(self._world)
        item.values, item.notes = values, {}
        item.started_at, item.elapsed, item.progress = now, 0.0, 0.0
        return item.as_dict()

    def stop(self, scenario: str) -> dict[str, Any]:
        """Back to normal operation.

        Raises:
            KeyError: no such scenario.
        """
        item = self._items[scenario]
        if item.started_at is not None:
            item.undo(self._world)
        item.started_at, item.progress = None, 0.0
        return item.as_dict()

    def step(self, dt: float) -> None:
        """Let every running scenario act for ``dt`` seconds; one that is over stops."""
        for item in self._items.values():
            if item.started_at is None:
                continue
            item.elapsed += dt
            item.progress = min(1.0, item.act(self._world, item.values, item.notes, item.elapsed))
            if item.progress >= _DONE:
                self.stop(item.id)


def _checked(params: Sequence[Param], given: Mapping[str, float]) -> dict[str, float]:
    known = {p.name: p for p in params}
    for name in given:
        if name not in known:
            raise ValueError(f"没有参数 {name!r}")
    values = {}
    for p in params:
        raw = given.get(p.name, p.default)
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise ValueError(f"{p.label}应为数值")  # noqa: TRY004  # one kind of error for the caller to show
        if not p.min <= raw <= p.max:
            raise ValueError(f"{p.label}应在 {p.min:g}–{p.max:g} {p.unit} 之间,收到 {raw:g}")
        values[p.name] = float(raw)
    return values


_LAPSE: Final = Param("lapse", "时间倍率", 15, 1, 60, "倍")


def _calm(world: World) -> None:
    disturbance = world.farm.disturbance
    disturbance.stuck_fill, disturbance.frozen_gauge = 0.0, False


def _undo_tank(world: World) -> None:
    _calm(world)
    world.farm.disturbance.time_lapse = 1.0


def _undo_leak(world: World) -> None:
    world.farm.disturbance.ammonia_leak = 0.0


def _undo_tennessee(world: World) -> None:
    world.tennessee.speed = DEFAULT_SPEED
    world.tennessee.plant.reset()


def _overfill(world: World, p: Mapping[str, float], notes: dict[str, float], _elapsed: float) -> float:
    """Fill to above 高高, close, draw down: the reset is part of the course."""
    disturbance = world.farm.disturbance
    disturbance.time_lapse = p["lapse"]
    at = world.farm.level("102")
    if "closed" not in notes and at < LSHH["102"] + 0.15:
        disturbance.stuck_fill = p["flow"]
        return 0.7 * at / (LSHH["102"] + 0.15)
    notes["closed"] = 1.0  # the independent high-high switch has closed the inlet
    disturbance.stuck_fill = 0.0
    drained = (LSHH["102"] + 0.15 - at) / (LSHH["102"] + 0.15 - _NORMAL_AGAIN_M)
    return 0.7 + 0.3 * max(0.0, drained)


def _stuck_gauge(world: World, p: Mapping[str, float], _notes: dict[str, float], _elapsed: float) -> float:
    """The gauge stands still while a transfer runs; the independent switch tells the truth in the end."""
    disturbance = world.farm.disturbance
    disturbance.time_lapse, disturbance.frozen_gauge, disturbance.stuck_fill = p["lapse"], True, p["flow"]
    return world.farm.level("102") / (LSHH["102"] + 0.3)


def _leak(world: World, p: Mapping[str, float], _notes: dict[str, float], elapsed: float) -> float:
    ramp = min(1.0, elapsed / _LEAK_RAMP_S)
    world.farm.disturbance.ammonia_leak = p["rate"] / 1000.0 * ramp
    return elapsed / (60.0 * p["minutes"])


def _feed_loss(world: World, p: Mapping[str, float], notes: dict[str, float], elapsed: float) -> float:
    te = world.tennessee
    if "begun" not in notes:
        notes["begun"] = elapsed
        te.plant.reset()
        te.plant.disturb(FEED_LOSS)
        te.speed = p["speed"]
    if not te.plant.tripped:
        return min(0.9, 0.9 * elapsed * p["speed"] / 3600.0 / _TRIP_HOURS)
    # It stands still for a while, so that the shutdown can be looked at; then it is started up again.
    since = elapsed - notes.setdefault("tripped", elapsed)
    return 0.9 + 0.1 * since / (60.0 * p["hold"])


def _cooling_loss(world: World, p: Mapping[str, float], notes: dict[str, float], elapsed: float) -> float:
    te = world.tennessee
    if "begun" not in notes:
        notes["begun"] = elapsed
        te.plant.choke(p["share"] / 100.0)
        te.speed = p["speed"]
    if not te.plant.tripped:
        return min(0.9, 0.9 * elapsed * p["speed"] / 3600.0 / _COOLING_TRIP_HOURS)
    since = elapsed - notes.setdefault("tripped", elapsed)
    return 0.9 + 0.1 * since / (60.0 * p["hold"])


def _cooling_scenario() -> Scenario:
    return Scenario(
        "cooling-loss",
        "反应器冷却水阀卡涩至联锁停车",
        "田纳西-伊斯曼装置反应器冷却水阀 XMV(10) 卡在正常开度的一部分:反应器升温升压,由装置自身保护真实停车。",
        "反应装置",
        (
            Param("share", "阀门保持正常开度的", 70, 0, 78, "%"),
            Param("speed", "装置时间倍率", 8, 1, 60, "倍"),
            Param("hold", "停车后保持", 1, 0.1, 30, "min"),
        ),
        _cooling_loss,
        _undo_tennessee,
    )


def _process_scenarios() -> tuple[Scenario, ...]:
    flow = Param("flow", "进料流量", 150, 80, 190, "m³/h")
    return (
        Scenario(
            "overfill",
            "甲醇日罐满罐",
            "V-102 进料阀卡开,液位越过高、高高限,独立高高液位开关联锁关阀后自动回落。罐区过程按时间倍率加快。",
            "储运罐区",
            (flow, _LAPSE),
            _overfill,
            _undo_tank,
        ),
        Scenario(
            "ammonia-leak",
            "液氨球罐泄漏",
            "球罐法兰泄漏,下风向相邻两台以上氨气探测器报警。扩散随实时风速风向变化。",
            "液氨球罐",
            (Param("rate", "泄漏速率", 60, 5, 500, "g/s"), Param("minutes", "持续时间", 4, 1, 60, "min")),
            _leak,
            _undo_leak,
        ),
        Scenario(
            "stuck-gauge",
            "液位计卡死",
            "V-102 进料期间液位计示值冻结不变,物料继续进入,直至独立高高液位开关动作。罐区过程按时间倍率加快。",
            "储运罐区",
            (flow, _LAPSE),
            _stuck_gauge,
            _undo_tank,
        ),
        Scenario(
            "te-feed-loss",
            "反应装置 A 进料中断至联锁停车",
            "田纳西-伊斯曼装置扰动 IDV(6):A 进料中断,控制系统补偿数小时(装置时间)后由装置自身保护真实停车。",
            "反应装置",
            (
                Param("speed", "装置时间倍率", 240, 60, 600, "倍"),
                Param("hold", "停车后保持", 1, 0.1, 30, "min"),
            ),
            _feed_loss,
            _undo_tennessee,
        ),
    )


def _cut_scenarios(links: Mapping[str, Link]) -> tuple[Scenario, ...]:
    texts = {
        "national": (
            "液氯仓库链路中断与补传",
            "网关与平台断开,数据存于网关本地;恢复后实时数据先行,历史数据按 continues 补传。",
            "液氯仓库",
        ),
        "sparkplug": (
            "反应装置链路中断与补传",
            "边缘节点断开,数据存于节点;恢复后以 is_historical 标记补传,不触发实时报警。",
            "反应装置",
        ),
    }

    def make(key: str, link: Link) -> Scenario:
        name, description, unit = texts[key]

        def act(_world: World, p: Mapping[str, float], notes: dict[str, float], elapsed: float) -> float:
            if "cut" not in notes:
                notes["cut"] = elapsed
                link.cut()
            return elapsed / (60.0 * p["minutes"])

        minutes = Param("minutes", "中断时长", 2, 0.2, 240, "min")
        return Scenario(f"link-cut-{key}", name, description, unit, (minutes,), act, lambda _w: link.restore())

    return tuple(make(key, link) for key, link in links.items())
