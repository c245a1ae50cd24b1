"""A forecast reads the last hours from the history: a restart does not begin the curve anew."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from tests.app.riskrooms import MINUTE, NOW, Park, fresh, registered

from hazwatch.history import thinning
from hazwatch.history.store import Store
from hazwatch.judge import state as judge_state
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.quality import Quality

HOUR = 60 * MINUTE


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory):
    return registered(tmp_path_factory.mktemp("forecast"))


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "history", 3_650)
    yield opened
    opened.close()


@pytest.fixture
def park(known) -> Park:
    one = fresh(known)
    one.values = {"LT-101": 8.0}
    one.grade("甲醇苯罐组")
    judged = judge_state.fresh(len(one.picture.limits))
    judged.clock[0] = NOW
    one.watch.state = SimpleNamespace(latest=one.watch.state.latest, limits=one.picture.limits, judge=judged)
    return one


def keep(park: Park, store: Store, begin: int, end: int, *, slope_per_hour: float = 0.0) -> None:
    """One value a minute of every point of the tank farm in history: 8 and rising."""
    points = source(park).points
    at = np.arange(begin, end, MINUTE)
    value = 8.0 + slope_per_hour * (at - begin) / HOUR
    batch = SampleBatch(
        np.repeat(points, len(at)).astype(np.uint32), np.tile(at, len(points)), np.tile(value, len(points)),
        np.full(len(at) * len(points), Quality.GOOD, np.uint8),
    )  # fmt: skip
    store.insert(batch, np.zeros(0, thinning.ROLLUP), f"{begin}")


def source(park: Park):
    return next(s for s in park.picture.sources if "甲醇苯" in s.name)


async def test_right_after_a_start_there_is_a_forecast_of_the_last_four_hours(park: Park, store: Store) -> None:
    assert (await park.room.forecast(source(park).code, store))["items"] == []
    keep(park, store, NOW - 5 * HOUR, NOW)
    told = await park.room.forecast(source(park).code, store)
    assert told["minutes"] == 240
    assert [row["hours"] for row in told["items"]] == [1, 4, 24]
    assert told["calibrated"] is False, "the curves come from production units"


async def test_what_lies_before_a_gap_is_left_out(park: Park, store: Store) -> None:
    keep(park, store, NOW - 5 * HOUR, NOW - 3 * HOUR)
    keep(park, store, NOW - 2 * HOUR, NOW)
    assert (await park.room.forecast(source(park).code, store))["minutes"] == 120


async def test_the_newest_values_count(park: Park, store: Store) -> None:
    """At 8 m for hours, then rising in the last half hour, the last minutes in a step of their own that is not over."""
    park.watch.state.judge.clock[0] = NOW + 5 * MINUTE
    keep(park, store, NOW - 5 * HOUR, NOW - 25 * MINUTE)
    calm = (await park.room.forecast(source(park).code, store))["items"]
    keep(park, store, NOW - 25 * MINUTE, NOW + 5 * MINUTE, slope_per_hour=1.0)
    risen = (await park.room.forecast(source(park).code, store))["items"]
    assert risen != calm
