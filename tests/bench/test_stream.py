"""The load generator measures a small nation on a real node, and its figures can be believed."""

from __future__ import annotations

import numpy as np
import pytest

from hazwatch.bench.fleet import LARGEST, SMALLEST, fleet
from hazwatch.bench.generator import Orders, Values
from hazwatch.bench.stream import Plan, measure


@pytest.mark.parametrize("points", [60, 61, 5_000, 460_000])
def test_a_fleet_has_all_points_once_in_gateways_of_60_to_5000(points) -> None:
    members = fleet(points)
    assert sum(m.points for m in members) == points
    assert all(SMALLEST <= m.points <= LARGEST for m in members)
    assert len({m.code for m in members}) == len(members)
    assert [m.first for m in members] == np.cumsum([0, *(m.points for m in members[:-1])]).tolist()


def test_pushed_points_stand_over_the_limit_for_five_seconds_and_all_sums_are_exact() -> None:
    values = Values(1000, Orders("", "", 1000, 1, 1.0, 10, 0, 7, 0.3, 0, 0))
    above = []
    for _ in range(12):
        values.advance(push=True)
        above.append(int((values.now >= 80).sum()))
        assert ((values.now * 16) % 1 == 0).all()
    assert above[:6] == [7, 14, 21, 28, 35, 35]
    assert values.raised == 12 * 7


@pytest.mark.slow
def test_a_small_nation(tmp_path) -> None:
    """2,000 points for 9 s, the engine killed after 1 s: nothing lost or doubled, every pushed alarm recorded."""
    said: list[str] = []
    report = measure(Plan(tmp_path, 2000, seconds=9, warm_s=3, alarms=10, kill_s=1), said.append)

    assert report["ledger"]["lost_or_doubled"] == 0
    assert report["ledger"]["checksum_equal"]
    assert report["generator"]["unacknowledged"] == report["generator"]["refused"] == 0
    assert report["alarm_ms"]["count"] >= report["alarms_raised"] - 10 > 40
    assert 0 < report["killed"]["judged_again_s"] < 60
    assert set(report["cores"]) == {"supervisor", "log", "engine", "access", "web"}
