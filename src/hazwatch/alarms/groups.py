"""The flood view: what is open, grouped by source and equipment, the first of each first; and whether it is a flood."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.alarms import floods
from hazwatch.alarms.listing import AlarmFilter, as_form, filtered
from hazwatch.alarms.model import KIND_PROCESS, WAITING
from hazwatch.alarms.tables import Alarm
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.vocabulary.codes import EQUIPMENT_LENGTH
from hazwatch.vocabulary.moments import HOUR, iso

_WAITING = {state.value for state in WAITING}
#: How far back a flood may have begun and still be found.
_LOOK_BACK_MS = 12 * HOUR


def groups(session: Session, who: Principal, wanted: AlarmFilter) -> list[dict[str, Any]]:
    """Sources with open alarms, the most urgent first: counts, their equipment, and which alarm came first."""
    equipment = func.substr(Alarm.point_code, 1, EQUIPMENT_LENGTH)
    chosen = filtered(who, wanted).with_only_columns(
        Alarm.source, Alarm.source_name, Alarm.enterprise, Alarm.enterprise_name, equipment, Alarm.priority,
        Alarm.state, func.count(), func.min(Alarm.event_time), func.max(Alarm.event_time),
    )  # fmt: skip
    grouping = (
        Alarm.source, Alarm.source_name, Alarm.enterprise, Alarm.enterprise_name, equipment, Alarm.priority,
        Alarm.state,
    )  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(chosen.group_by(*grouping)):
        source, source_name, enterprise, enterprise_name, part, priority, state, n, first, last = row
        group = found.setdefault(
            source,
            {"source": source, "source_name": source_name, "enterprise": enterprise,
             "enterprise_name": enterprise_name, **_nothing(), "equipment": {}},
        )  # fmt: skip
        _add(group, priority, state, n, first, last)
        _add(group["equipment"].setdefault(part, {"code": part, **_nothing()}), priority, state, n, first, last)
    firsts = _firsts(session, who, wanted, list(found))
    out = [_shown(group, firsts.get(code)) for code, group in found.items()]
    out.sort(key=lambda g: (g["worst"], -g["waiting"], -g["count"], g["source"]))
    return out


def _nothing() -> dict[str, Any]:
    return {"count": 0, "waiting": 0, "priorities": {1: 0, 2: 0, 3: 0}, "from": None, "to": None}


def _add(group: dict[str, Any], priority: int, state: str, n: int, first: int, last: int) -> None:
    group["count"] += n
    group["waiting"] += n if state in _WAITING else 0
    group["priorities"][priority] += n
    group["from"] = first if group["from"] is None else min(group["from"], first)
    group["to"] = last if group["to"] is None else max(group["to"], last)


def _shown(group: dict[str, Any], first: dict[str, Any] | None) -> dict[str, Any]:
    def form(one: dict[str, Any]) -> dict[str, Any]:
        worst = min(p for p, n in one["priorities"].items() if n)
        times = {"from": iso(one["from"]), "to": iso(one["to"])}
        return {**one, **times, "worst": worst, "priorities": {str(p): n for p, n in one["priorities"].items()}}

    parts = sorted((form(part) for part in group["equipment"].values()), key=lambda p: (p["worst"], -p["count"]))
    return form({k: v for k, v in group.items() if k != "equipment"}) | {"equipment": parts, "first": first}


def _firsts(session: Session, who: Principal, wanted: AlarmFilter, sources: list[str]) -> dict[str, dict[str, Any]]:
    """By source the open alarm that came first, process alarms before those of data quality."""
    order = func.row_number().over(
        partition_by=Alarm.source, order_by=((Alarm.kind != KIND_PROCESS), Alarm.event_time, Alarm.id)
    )
    ranked = filtered(who, wanted).with_only_columns(Alarm.id.label("id"), order.label("place")).subquery()
    ids = list(session.scalars(select(ranked.c.id).where(ranked.c.place == 1)))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), 500):
        part = scoped(select(Alarm).where(Alarm.id.in_(ids[start : start + 500])), who, Alarm)
        found |= {row.source: as_form(row) for row in session.scalars(part)}
    return {code: form for code, form in found.items() if code in set(sources)}


def flood(session: Session, who: Principal, now: int) -> dict[str, Any]:
    """Whether the scope is in a flood now (more than 10 in 10 min until fewer than 5), since when, and the rate."""
    rung = scoped(select(Alarm.event_time).where(Alarm.event_time > now - _LOOK_BACK_MS), who, Alarm)
    rung = rung.where(Alarm.event_time <= now, Alarm.kind == KIND_PROCESS, Alarm.found_late.is_(False))
    times = np.array(session.scalars(rung.order_by(Alarm.event_time)).all(), np.int64)
    window = floods.STANDARD.window_ms
    last = int((times > now - window).sum())
    found = floods.floods(times)
    active = bool(len(found)) and int(found.start[-1]) <= now < int(found.end[-1])
    return {
        "active": active,
        "since": iso(int(found.start[-1])) if active else None,
        "last_10min": last,
        "last_hour": int((times > now - HOUR).sum()),
    }
