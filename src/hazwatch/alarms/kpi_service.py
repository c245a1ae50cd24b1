"""Use cases of the KPIs: one control room, all rooms of a scope, a foreign file. Reading only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hazwatch.alarms import kpi_store
from hazwatch.alarms.journal import AlarmLog
from hazwatch.alarms.kpi import GRADES, WORST, Rules, measure
from hazwatch.alarms.kpi_form import brief_form, kpi_form
from hazwatch.alarms.kpi_log import read_bytes
from hazwatch.identity.model import Principal
from hazwatch.records.engine import Sessions, reading
from hazwatch.vocabulary.moments import DAY, HOUR, iso

#: Best class first.
CLASSES = (*(name for name, *_ in GRADES), WORST)
#: A longer window is counted by day, a shorter one by hour.
_BY_HOUR_MS = 14 * DAY
#: Zone of days on a chart; the same as that of the pages' default (design/house §6).
_ZONE_MS = 8 * HOUR
#: Rows of a foreign file that are named as refused in an answer.
_NAMED = 100


@dataclass(frozen=True, slots=True)
class Room:
    """A control room: an enterprise with the number of points that it watches."""

    code: str
    name: str
    region: str
    park: str | None
    points: int


#: The rooms in somebody's scope; handed in by who knows the registry.
RoomsOf = Callable[[Principal], Sequence[Room]]


def _iso(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


def room_kpis(
    sessions: Sessions, who: Principal, room: Room, start: int, end: int, *, operators: int = 1, top: int = 10,
    point: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Everything about one room in a window, or about one of its points.

    Raises:
        ValueError: the window is empty.
    """
    with reading(sessions) as session:
        log = kpi_store.room_log(session, who, room.code, start, end, point)
        kpis = measure(
            log, start, end, points=1 if point else room.points, operators=operators, rules=Rules(top=top)
        )  # fmt: skip
        wanted = {int(actor.tag) for actor in kpis.top} | {int(item.tag) for item in kpis.stale}
        names = kpi_store.named_points(session, who, sorted(wanted))
    form = kpi_form(kpis, _iso)
    for row in (*form["top"], *form["stale_alarms"]):
        named = names[int(row.pop("tag"))]
        row |= {
            "point": named.code, "point_name": named.name, "source": named.source, "source_name": named.source_name
        }  # fmt: skip
    return form | {"room": _room(room), "series": _series(log, start, end)}


def _room(room: Room) -> dict[str, Any]:
    return {
        "code": room.code, "name": room.name, "region": room.region, "park": room.park, "points": room.points
    }  # fmt: skip


def _series(log: AlarmLog, start: int, end: int) -> dict[str, Any]:
    """Activations by hour, or by day where the window is long: ``{step_s, rows: [[epoch ms, count]]}``."""
    step = HOUR if end - start <= _BY_HOUR_MS else DAY
    first = (start + _ZONE_MS) // step
    times = log.ts[log.active & (log.ts >= start) & (log.ts < end)]
    counts = np.bincount((times + _ZONE_MS) // step - first, minlength=(end - 1 + _ZONE_MS) // step - first + 1)
    begins = ((first + np.arange(len(counts))) * step - _ZONE_MS).tolist()
    return {"step_s": step // 1000, "rows": [list(pair) for pair in zip(begins, counts.tolist(), strict=True)]}


def all_rooms(
    sessions: Sessions, who: Principal, rooms: Sequence[Room], start: int, end: int, operators: int = 1
) -> dict[str, Any]:
    """Every room in scope by itself, and how the rooms are spread over the classes. There is no sum over rooms."""
    by_code = {room.code: room for room in rooms}
    silent = AlarmLog(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_), [])
    with reading(sessions) as session:
        logs = {code: log for code, log in kpi_store.room_logs(session, who, start, end) if code in by_code}
    items = []
    for room in rooms:
        kpis = measure(logs.get(room.code, silent), start, end, points=room.points, operators=operators)
        items.append(_room(room) | brief_form(kpis))
    return {
        "from": iso(start), "to": iso(end), "items": items,
        "distribution": {name: sum(item["class"] == name for item in items) for name in CLASSES},
    }  # fmt: skip


def foreign_kpis(content: bytes, name: str, *, operators: int = 1, top: int = 10) -> dict[str, Any]:
    """The same measures of an uploaded log.

    Raises:
        ValueError: no alarm log, with the reason in Chinese.
    """
    foreign = read_bytes(content, name)
    if not len(foreign.log):
        raise ValueError(f"{name} 中没有可用的报警行")
    first, last = int(foreign.log.ts[0]), int(foreign.log.ts[-1])
    kpis = measure(foreign.log, first, last + 1, operators=operators, rules=Rules(top=top))
    refused = [{"line": row.line, "reason": row.reason} for row in foreign.refused[:_NAMED]]
    return kpi_form(kpis, foreign.moment) | {
        "file": name, "rows": foreign.rows, "refused": {"count": len(foreign.refused), "rows": refused},
        "series": _series(foreign.log, first, last + 1),
    }  # fmt: skip
