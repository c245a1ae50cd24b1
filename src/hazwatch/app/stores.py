"""What stores tell of themselves: whether their ventilation runs when it must, and whether goods in them clash.

When a fan must run is this product's own rule [ours], as no instrument says so: while gas or temperature of its store
stands in alarm, a little from half of the first set point of gas on, and always where the fan has a limit of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hazwatch.alarms.model import Record
from hazwatch.app.sites import Room, Site
from hazwatch.vocabulary.moments import SECOND

#: How much it matters that fans stand still, by what calls for them: first and second limit of gas, of temperature.
_GAS, _WARM = (0.6, 1.0), (0.5, 0.8)
_GAS_RISES, _RISEN = 0.3, 0.5
#: A running state of so much is on. A fan has so long to start after it was called for.
_ON, _TO_START_MS = 0.5, 30 * SECOND
_SECOND = 2


@dataclass(frozen=True, slots=True)
class Senses:
    """How to ask for points: newest usable value, standing process alarm, first high limit (None = none), name."""

    value: Callable[[int], float | None]
    alarm: Callable[[int], Record | None]
    limit: Callable[[int], float | None]
    name: Callable[[int], str]


def ventilation(site: Site, ask: Senses, now: int) -> tuple[float, str] | None:
    """How far ventilation fails (x of the term V), and which fan stands still; None where all is well.

    The worst store counts. A fan whose state nobody knows counts as stopped: missing data never lowers a risk.
    """
    worst: tuple[float, str] | None = None
    for room in site.rooms.values():
        if not room.fans:
            continue
        need, why = _need(room, ask, now)
        still = [p for p in room.fans if (v := ask.value(p)) is None or v < _ON]
        x = round(need * len(still) / len(room.fans), 3)
        if x > (worst[0] if worst else 0.0):
            told = "、".join(
                ask.name(p).removesuffix("运行") + ("(状态未知)" if ask.value(p) is None else "") for p in still
            )
            worst = x, f"{told}未运行,而{why}"
    return worst


def _need(room: Room, ask: Senses, now: int) -> tuple[float, str]:
    """How much the fans of a store are called for, and by what."""
    found = [(0.0, "")]
    for points, weights in ((room.gas, _GAS), (room.warm, _WARM)):
        for p in points:
            record = ask.alarm(p)
            if record is not None and record.level > 0 and now - record.event_time >= _TO_START_MS:
                severe = record.level.severity >= _SECOND
                found.append((weights[severe], f"{ask.name(p)}{record.level.zh}报警"))
    for p in room.gas:
        v, limit = ask.value(p), ask.limit(p)
        if v is not None and limit is not None and limit > 0 and v >= _RISEN * limit:
            found.append((_GAS_RISES, f"{ask.name(p)} {v:.2g} 已过报警值之半"))
    found += [(1.0, "其运行状态报警") for p in room.fans if ask.alarm(p) is not None]
    return max(found, key=lambda one: one[0])


def incompatible(site: Site, stock: Mapping[str, float]) -> tuple[float, str] | None:
    """How badly goods clash (x of the term C), and which; None where all is well.

    Args:
        site: a warehouse.
        stock: t by store where it is measured; a store that is measured to be empty clashes with nothing.
    """
    for clash in site.clashes:
        if all(stock.get(code, 1.0) > 0 for code in clash.stores):
            return clash.x, clash.text
    return None
