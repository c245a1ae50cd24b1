"""Heat balances of the node: the reference from the day before the declaration, the finding in the term H."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from tests.app.riskrooms import MINUTE, NOW, Park, fresh, registered

from hazwatch.history import thinning
from hazwatch.history.store import Store
from hazwatch.risk.declared import Declared
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.quality import Quality

UNIT = "田纳西"
HOUR = 60 * MINUTE
NORMAL = {"XMV(10)": 41.0, "XMEAS(21)": 94.6, "XMEAS(9)": 120.4}


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Park:
    return fresh(registered(tmp_path_factory.mktemp("heat")))


@pytest.fixture
def store(tmp_path, park: Park) -> Iterator[Store]:
    opened = Store.open(tmp_path / "history", 3_650)
    at = np.arange(NOW - 6 * HOUR, NOW, MINUTE)
    rng = np.random.default_rng(1)
    for tag, value in NORMAL.items():
        shown = value * (1 + 0.001 * rng.standard_normal(len(at)))
        points = np.full(len(at), park.index[tag], np.uint32)
        batch = SampleBatch(points, at, shown, np.full(len(at), Quality.GOOD, np.uint8))
        opened.insert(batch, np.zeros(0, thinning.ROLLUP), tag)
    yield opened
    opened.close()


def declared(park: Park) -> Declared:
    code = {tag: park.picture.facts(park.index[tag]).code for tag in NORMAL}
    body = {
        "name": "反应器", "flow": code["XMV(10)"], "outlet": code["XMEAS(21)"], "temperature": code["XMEAS(9)"],
        "inlet_c": 35.0,
    }  # fmt: skip
    source = next(s for s in park.picture.sources if UNIT in s.name)
    return Declared(1, source.code, "heat_balance", body, NOW, NOW + 30 * 24 * HOUR, source.path)


def play(park: Park, minutes: int, **changed: float) -> None:
    park.values = NORMAL | {tag: changed.get(name, NORMAL[tag]) for name, tag in (("flow", "XMV(10)"),)}
    park.grade(UNIT)
    for k in range(minutes):
        park.room.balance(NOW + k * MINUTE)


async def test_warmer_coolant_reaches_the_term_and_normal_operation_does_not(park: Park, store: Store) -> None:
    record = declared(park)
    for flow, beyond in ((41.0, False), (44.7, True)):
        park.room.heats.know([], park.picture)
        park.room.heats.know([record], park.picture)
        await park.room.heats.refer(store, NOW)
        play(park, 60, flow=flow)
        told = park.grade(UNIT, NOW + HOUR)["H"]
        assert (told["x"] > 0) == beyond
        if beyond:
            assert told["reason"].startswith("反应器热平衡偏差为门槛的")
            assert "移热能力高于正常 9.0%" in told["reason"]


async def test_without_a_reference_nothing_is_told_and_a_foreign_point_is_none(park: Park, store: Store) -> None:
    record = declared(park)
    park.room.heats.know([record], park.picture)
    park.room.heats.know([], park.picture)
    early = Declared(2, record.object, record.kind, record.body, NOW - 30 * 24 * HOUR, record.end, record.path)
    park.room.heats.know([early], park.picture)
    await park.room.heats.refer(store, NOW)
    play(park, 30, flow=44.7)
    assert park.room.heats.live(record.object, NOW) == {}
    foreign = Declared(3, record.object, record.kind, {**record.body, "flow": "nowhere"}, NOW, record.end, record.path)
    park.room.heats.know([foreign], park.picture)
    assert park.room.heats._units == {}
