"""The risk desk on both databases: it writes when something moved, and forgets nothing over a restart."""

from __future__ import annotations

import itertools

import orjson
import pytest
from sqlalchemy import select

from hazwatch.records import Sessions, reading
from hazwatch.risk.model import OTHER, TOXIC, ActiveAlarm, Approach, Weights
from hazwatch.risk.service import RiskDesk, SourceFacts
from hazwatch.risk.tables import Grade
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level

NOW = 1_795_417_200_000
MINUTE = 60_000
SOURCES = (
    SourceFacts("410902001001", "甲罐区", "410902001", "/p/e1/", "/p/e1/", 2, 31.5, (0, 1)),
    SourceFacts("410902001002", "甲装置", "410902001", "/p/e1/", "/p/e1/", 3, 4.0, (2,)),
    SourceFacts("410502001001", "乙罐区", "410502001", "/p/e2/", "/p/e2/", 4, 1.0, (3,)),
)
ALL = [s.code for s in SOURCES]
FIRST = ALL[0]


class Plant:
    """What stands where, and how much is known."""

    def __init__(self, records: Sessions) -> None:
        self.records = records
        self.alarms: dict[str, list[ActiveAlarm]] = {}
        self.confidence: dict[str, float] = {}
        self.desk = self.opened()

    def opened(self) -> RiskDesk:
        """A desk after a start."""
        return RiskDesk(self.records, lambda s: self.alarms.get(s.code, []), lambda s: self.confidence.get(s.code, 1.0))

    def standing(self, level: Level, now: int, kind: str = OTHER) -> None:
        second = now if level.severity > 1 else None
        self.alarms[FIRST] = [ActiveAlarm("P", "液位", "G0001", level, kind, now, second, acknowledged=True)]

    def written(self) -> list[tuple[str, int, Colour]]:
        with reading(self.records) as session:
            rows = session.scalars(select(Grade).order_by(Grade.id))
            return [(g.object, (g.at - NOW) // MINUTE, Colour(g.colour)) for g in rows]


@pytest.fixture
def plant(records: Sessions) -> Plant:
    plant = Plant(records)
    plant.desk.know(SOURCES, NOW)
    return plant


def at(minutes: float) -> int:
    return NOW + int(minutes * MINUTE)


def test_at_the_start_everything_is_graded_once(plant) -> None:
    assert sorted(code for code, *_ in plant.written()) == sorted([*ALL, "410902001", "410502001"])
    assert set(plant.desk.grades) == {*ALL, "410902001", "410502001"}
    assert plant.desk.restless() == set()


def test_nothing_is_written_while_nothing_moves(plant) -> None:
    before = plant.written()
    for minute in range(1, 30):
        assert plant.desk.rescore(ALL, {}, at(minute)) == []
    assert plant.written() == before


def test_an_alarm_is_told_for_its_source_and_its_enterprise(plant) -> None:
    plant.standing(Level.HH, at(1))
    told = plant.desk.rescore([FIRST], {}, at(1))
    assert [g.code for g in told] == [FIRST, "410902001"]
    assert [g.colour for g in told] == [Colour.ORANGE, Colour.ORANGE]
    assert "甲罐区" in told[1].reason
    assert plant.desk.restless() == {FIRST}
    form = told[0].form()
    assert (form["colour"], form["at"], len(form["terms"])) == ("orange", "2026-11-23T07:01:00.000Z", 3)


def test_a_written_grade_can_be_computed_again(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], {FIRST: [Approach("温度", 15.0, Level.H)]}, at(1))
    with reading(plant.records) as session:
        row = session.scalars(select(Grade).where(Grade.object == FIRST).order_by(Grade.id.desc())).first()
    product = 1.0
    for term in orjson.loads(row.terms):
        product *= 1 - term["weight"] * term["x"]
    assert row.score == pytest.approx(100 * (1 - product), abs=0.01)
    assert (row.model, row.version, row.configuration, row.path) == ("HW-1", "1.0", Weights().digest(), "/p/e1/")


def test_a_slow_creep_is_written_when_it_has_crept_a_point(plant) -> None:
    """The alarm grows by minutes; every grade that was written is a point away from the one before."""
    plant.standing(Level.H, at(0))
    plant.desk.rescore([FIRST], {}, at(0))
    told = [g for s in range(1, 3600, 5) for g in plant.desk.rescore([FIRST], {}, at(s / 60)) if g.code == FIRST]
    assert 2 <= len(told) <= 10
    scores = [g.score for g in told]
    assert all(b - a >= 1.0 for a, b in itertools.pairwise(scores))


def test_it_falls_half_an_hour_after_the_alarm_is_over(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], {}, at(1))
    plant.alarms.clear()
    plant.desk.rescore([FIRST], {}, at(2))
    assert plant.desk.grades[FIRST].colour is Colour.ORANGE
    assert "保持橙色" in plant.desk.grades[FIRST].reason
    assert plant.desk.restless() == {FIRST}, "time alone will change it"
    plant.desk.rescore([FIRST], {}, at(31.9))
    assert plant.desk.grades[FIRST].colour is Colour.ORANGE
    plant.desk.rescore([FIRST], {}, at(32))
    assert plant.desk.grades[FIRST].colour < Colour.YELLOW
    assert plant.desk.grades["410902001"].colour < Colour.YELLOW
    assert plant.desk.restless() == set()


def test_hysteresis_survives_a_restart(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], {}, at(1))
    plant.alarms.clear()
    plant.desk.rescore([FIRST], {}, at(2))
    again = plant.opened()
    again.know(SOURCES, at(10))
    assert again.grades[FIRST].colour is Colour.ORANGE
    assert again.restless() == {FIRST}
    again.rescore([FIRST], {}, at(31.9))
    assert again.grades[FIRST].colour is Colour.ORANGE
    again.rescore([FIRST], {}, at(32.1))
    assert again.grades[FIRST].colour < Colour.YELLOW, "the half hour counts from before the restart"


def test_a_restart_without_a_change_writes_nothing_new(plant) -> None:
    before = plant.written()
    plant.opened().know(SOURCES, at(5))
    assert plant.written() == before


def test_confidence_that_falls_is_written_and_does_not_lower_the_score(plant) -> None:
    score = plant.desk.grades[FIRST].score
    plant.confidence[FIRST] = 0.97
    assert plant.desk.rescore([FIRST], {}, at(1)) == []
    plant.confidence[FIRST] = 0.4
    told = plant.desk.rescore([FIRST], {}, at(2))
    assert [(g.code, g.confidence) for g in told] == [(FIRST, 0.4), ("410902001", 0.4)]
    assert told[0].score == score


def test_an_approach_makes_a_source_restless(plant) -> None:
    told = plant.desk.rescore([FIRST], {FIRST: [Approach("温度", 15.0, Level.H)]}, at(1))
    assert told[0].code == FIRST
    assert "约 15 分钟" in told[0].reason
    assert plant.desk.restless() == {FIRST}


def test_a_toxic_high_high_is_orange_at_least(plant) -> None:
    plant.standing(Level.HH, at(1), TOXIC)
    assert plant.desk.rescore([FIRST], {}, at(1))[0].colour >= Colour.ORANGE


def test_sources_that_the_registry_no_longer_knows_go(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], {}, at(1))
    plant.desk.know(SOURCES[1:], at(2))
    assert set(plant.desk.grades) == {*ALL[1:], "410902001", "410502001"}
    assert FIRST not in plant.desk.restless(), "what is gone waits for nothing"
    assert plant.desk.source_of_points() == {2: ALL[1], 3: ALL[2]}
    assert plant.desk.rescore(["no-such"], {}, at(3)) == []
