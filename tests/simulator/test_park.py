"""The described park, and that nothing alarms in it while nothing is wrong."""

from __future__ import annotations

import pytest

from hazwatch.simulator.registry import GATEWAYS, park
from hazwatch.simulator.rows import PointRow, level_of
from hazwatch.simulator.world import World
from hazwatch.vocabulary.codes import check_equipment, check_gateway, parse_point

POINTS = park().points
T0 = 1_795_449_600_000


def beyond(point: PointRow, value: float) -> bool:
    return (
        (point.h is not None and value >= point.h)
        or (point.hh is not None and value >= point.hh)
        or (point.l is not None and value <= point.l)
        or (point.ll is not None and value <= point.ll)
    )


def test_codes_and_names() -> None:
    description = park()
    assert 150 <= len(description.points) <= 250
    assert len({p.code for p in description.points}) == len(description.points)
    assert len({p.tag for p in description.points}) == len(description.points)
    equipment = {e.code for e in description.equipment}
    sources = {s.code for s in description.sources}
    for point in description.points:
        code = parse_point(point.code)
        assert code.equipment in equipment
        assert code.source in sources
        assert point.gateway[:9] == code.enterprise
    assert {e.code[:12] for e in description.equipment} == sources
    for e in description.equipment:
        check_equipment(e.code)
    for gateway in description.gateways:
        check_gateway(gateway.code)
    assert {g.protocol for g in description.gateways} == {"opcua", "national", "sparkplug", "modbus"}
    assert all("模拟" in row.name for row in (*description.parks, *description.enterprises, *description.sources))
    assert {g.code for g in description.gateways} == {getattr(GATEWAYS, f) for f in GATEWAYS.__slots__}


def test_limits_are_in_order_within_the_range() -> None:
    for p in POINTS:
        row = [p.range_low, *(x for x in (p.ll, p.l, p.h, p.hh) if x is not None), p.range_high]
        assert row == sorted(row), p
        if p.unit == "%LEL":
            assert (p.h, p.hh) == (25, 50)


def test_hazard_sources_are_graded_by_gb_18218() -> None:
    grades = {s.code: (s.level, s.r) for s in park().sources}
    assert grades["410900901002"] == (1, 124.32)  # 1.2 · 2 · 518/10
    assert grades["410900902001"] == (2, 57.6)  # 1.2 · 4 · 60/5
    assert {level for level, _ in grades.values()} == {1, 2, 3, 4}
    assert [level_of(r) for r in (100, 99.9, 50, 49.9, 10, 9.9)] == [1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize("month", [0, 3, 8])
def test_normal_operation_raises_no_alarm_and_every_value_lives_within_its_range(month: int) -> None:
    world = World(T0 + month * 30 * 86_400_000, seed=month, live_te=False)
    alarms: dict[str, float] = {}
    seen: dict[str, set[float]] = {}
    for turn in range(2 * 900):
        world.step(world.now + 4000, 4.0)
        if turn % 6:
            continue
        values = world.values()
        for p in POINTS:
            value = values[p.tag]
            seen.setdefault(p.tag, set()).add(value)
            assert p.range_low <= value <= p.range_high, (p.tag, value)
            if beyond(p, value):
                alarms[p.tag] = value
    assert not alarms
    still = {tag for tag, v in seen.items() if len(v) == 1}
    assert all(tag.startswith(("XV", "LSHH", "FAN", "P-", "SW", "WT", "IT-603", "TRIP", "XMV", "FT")) for tag in still)


def test_the_same_seed_gives_the_same_park() -> None:
    def play() -> dict[str, float]:
        world = World(T0, seed=5, live_te=False)
        for i in range(20):
            world.step(T0 + i * 1000, 1.0)
        return world.values()

    assert play() == play()
