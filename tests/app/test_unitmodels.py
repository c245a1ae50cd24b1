"""Models of units: learned from the history beside alarms, approved by somebody else, told with their causes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import delete, insert, select
from tests.app.riskrooms import MINUTE, NOW, Park, fresh, registered

from hazwatch.alarms.tables import Alarm
from hazwatch.app.unitmodels import UnitLearner, watched
from hazwatch.history import thinning
from hazwatch.history.store import Store
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import reading, unit_of_work
from hazwatch.records.paging import PageRequest
from hazwatch.risk import units
from hazwatch.risk.book import Desk, explained
from hazwatch.risk.configuration import DEFAULT
from hazwatch.risk.features import COLUMN
from hazwatch.risk.scorer import InProcess
from hazwatch.risk.tables import Grade, UnitModel
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.quality import Quality

UNIT = "田纳西"
HOURS = 8
BEGIN = NOW - HOURS * 60 * MINUTE
STEPS = HOURS * 120
SECOND_PERSON = Principal("second", "第二人", Role.ENGINEER, "/")


def values(variables: int, steps: int = STEPS, seed: int = 1) -> np.ndarray:
    """A unit that three causes move."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).standard_normal((3, variables))
    return 50 + rng.standard_normal((steps, 3)) @ mixing + 0.2 * rng.standard_normal((steps, variables))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory):
    return registered(tmp_path_factory.mktemp("units"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, known) -> Iterator[Store]:
    opened = Store.open(tmp_path_factory.mktemp("history"), 3_650)
    _, picture, _ = known
    points = watched(picture, unit_of(picture))
    table = values(len(points))
    ts = np.tile(BEGIN + 30_000 * np.arange(STEPS), len(points))
    point = np.repeat(points, STEPS)
    batch = SampleBatch(
        point.astype(np.uint32), ts.astype(np.int64), table.T.ravel(), np.full(len(ts), Quality.GOOD, np.uint8)
    )
    opened.insert(batch, np.zeros(0, thinning.ROLLUP), "normal")
    yield opened
    opened.close()


def unit_of(picture):
    return next(s for s in picture.sources if UNIT in s.name)


@pytest.fixture
def park(known) -> Park:
    with unit_of_work(known[0]) as session:
        session.execute(delete(UnitModel))
        session.execute(delete(Alarm))
    return fresh(known)


@pytest.fixture
def desk(park: Park) -> Desk:
    return Desk(
        park.sessions, lambda: NOW, lambda _who, _code: unit_of(park.picture).path, lambda _: True, lambda: None
    )


async def learn(park: Park, store: Store) -> None:
    learner = UnitLearner(park.sessions, store, lambda: park.picture, lambda: NOW, 0)
    for row in learner._waiting():
        await learner._learn(row)


async def approved(park: Park, store: Store, desk: Desk) -> None:
    asked = units.ask(desk, SYSTEM, unit_of(park.picture).code, BEGIN, NOW)
    await learn(park, store)
    assert units.decide(desk, SECOND_PERSON, asked["id"], approve=True, why="正常工况无误")["state"] == "approved"
    assert unit_of(park.picture).code in park.room.reload(NOW)


def shown(park: Park, row: np.ndarray) -> dict[str, float]:
    tags = {index: tag for tag, index in park.index.items()}
    points = watched(park.picture, unit_of(park.picture))
    return {tags[p]: float(v) for p, v in zip(points, row, strict=True)}


async def test_a_draft_counts_only_after_another_person_approved_it(park: Park, store: Store, desk: Desk) -> None:
    code = unit_of(park.picture).code
    asked = units.ask(desk, SYSTEM, code, BEGIN, NOW)
    with pytest.raises(ApiError, match="正在学习"):
        units.ask(desk, SYSTEM, code, BEGIN, NOW)
    await learn(park, store)
    with reading(park.sessions) as session:
        draft = units.one(session, SYSTEM, asked["id"])
    assert draft["state"] == "draft"
    assert draft["model"]["held_out"] < 0.02
    strange = values(len(watched(park.picture, unit_of(park.picture))), 1)[0]
    strange[3] += 5
    park.values = shown(park, strange)
    assert park.grade(UNIT)["X"]["x"] == 0
    with pytest.raises(ApiError, match="不能审批"):
        units.decide(desk, SYSTEM, asked["id"], approve=True, why="自己批")
    units.decide(desk, SECOND_PERSON, asked["id"], approve=True, why="正常工况无误")
    park.room.reload(NOW)
    assert park.grade(UNIT, NOW + MINUTE)["X"]["x"] > 0.3


async def test_the_variable_that_left_the_others_is_named_and_the_grade_computes_again(
    park: Park, store: Store, desk: Desk
) -> None:
    await approved(park, store, desk)
    points = watched(park.picture, unit_of(park.picture))
    row = values(len(points), 1, seed=2)[0]
    park.values = shown(park, row)
    assert park.grade(UNIT)["X"]["x"] == 0
    row[8] += 6
    park.values = shown(park, row)
    told = park.grade(UNIT, NOW + MINUTE)["X"]
    assert told["x"] > 0.2
    assert "主要贡献:反应器温度" in told["reason"]
    with reading(park.sessions) as session:
        newest = session.scalar(
            select(Grade.id).order_by(Grade.id.desc()).where(Grade.object == unit_of(park.picture).code)
        )
        assert explained(session, SYSTEM, newest)["identical"] is True


async def test_a_variable_that_falls_silent_lowers_nothing_and_takes_from_the_confidence(
    park: Park, store: Store, desk: Desk
) -> None:
    await approved(park, store, desk)
    points = watched(park.picture, unit_of(park.picture))
    row = values(len(points), 1, seed=2)[0]
    row[8] += 6
    park.values = shown(park, row)
    before = park.grade(UNIT)["X"]["x"]
    del park.values["XMEAS(9)"]
    assert park.grade(UNIT, NOW + MINUTE)["X"]["x"] == before
    assert park.grade(UNIT, NOW + 20 * MINUTE)["X"]["x"] >= before
    asked = park.room.look(unit_of(park.picture), NOW + 20 * MINUTE)
    assert asked.age[COLUMN["production-unit"]["t2"]] == 20 * 60
    scored = InProcess().score(unit_of(park.picture).service, [asked], DEFAULT)
    assert scored.confidence[0] < 1


async def test_nothing_is_learned_near_an_alarm(park: Park, store: Store, desk: Desk) -> None:
    source = unit_of(park.picture)
    columns = {c.name: c for c in Alarm.__table__.columns}
    row = {name: _blank(c) for name, c in columns.items() if not c.nullable}
    row |= {"id": "a1", "source": source.code, "kind": "process", "event_time": BEGIN + 10 * MINUTE, "revoked": False}
    with unit_of_work(park.sessions) as session:
        session.execute(insert(Alarm), [row | {"returned_at": NOW}])
    asked = units.ask(desk, SYSTEM, source.code, BEGIN, NOW)
    await learn(park, store)
    with reading(park.sessions) as session:
        failed = units.one(session, SYSTEM, asked["id"])
    assert failed["state"] == "failed"
    assert "正常工况的完整数据只有 0 行" in failed["message"]


async def test_the_node_proposes_where_a_unit_was_calm_as_long_as_it_has_a_history(park: Park, store: Store) -> None:
    hours = UnitLearner(park.sessions, store, lambda: park.picture, lambda: NOW, 14)
    await hours._propose()
    assert proposed(park) == []
    later = NOW + 14 * 24 * 60 * MINUTE - HOURS * 60 * MINUTE
    weeks = UnitLearner(park.sessions, store, lambda: park.picture, lambda: later, 14)
    await weeks._propose()
    await weeks._propose()
    assert proposed(park) == [(unit_of(park.picture).code, units.NODE)], "once, and only the unit with values"


def proposed(park: Park) -> list[tuple[str, str]]:
    with reading(park.sessions) as session:
        found = units.page(session, SYSTEM, PageRequest()).items
    return [(f["object"], f["by"]) for f in found]


def _blank(column) -> object:
    return "" if column.type.python_type is str else 0
