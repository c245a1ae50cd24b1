"""The risk desk on both databases: it writes when something moved, and forgets nothing over a restart."""

from __future__ import annotations

import itertools
from dataclasses import replace

import orjson
import pytest
from sqlalchemy import select

from hazwatch.records import Sessions, reading
from hazwatch.risk.book import kept
from hazwatch.risk.configuration import DEFAULT, parse
from hazwatch.risk.declared import Declared
from hazwatch.risk.evidence import ActiveAlarm, Approach, Around, collect
from hazwatch.risk.explain import again
from hazwatch.risk.features import SERVICES
from hazwatch.risk.model import OTHER, TOXIC
from hazwatch.risk.scorer import AwayError, InProcess
from hazwatch.risk.service import RiskDesk, SourceFacts
from hazwatch.risk.shadow import Shadow
from hazwatch.risk.tables import Grade, ShadowGrade
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level

NOW = 1_795_417_200_000
MINUTE = 60_000
FARM, UNIT = SERVICES["tank-farm"], SERVICES["production-unit"]
SOURCES = (
    SourceFacts("410902001001", "甲罐区", "410902001", "/p/e1/", "/p/e1/", 2, 31.5, (0, 1), FARM),
    SourceFacts("410902001002", "甲装置", "410902001", "/p/e1/", "/p/e1/", 3, 4.0, (2,), UNIT),
    SourceFacts("410502001001", "乙罐区", "410502001", "/p/e2/", "/p/e2/", 4, 1.0, (3,), FARM),
)
ALL = [s.code for s in SOURCES]
FIRST = ALL[0]


class Service:
    """A model service that can go away, and talk nonsense."""

    def __init__(self) -> None:
        self.up = True
        self.nonsense = ""

    def score(self, service, asked, k):
        if not self.up:
            raise AwayError("connection refused")
        batch = InProcess().score(service, asked, k)
        return replace(batch, refused=dict.fromkeys(range(len(asked)), self.nonsense)) if self.nonsense else batch


class Plant:
    """What stands where, and how much is known."""

    def __init__(self, records: Sessions) -> None:
        self.records = records
        self.alarms: dict[str, list[ActiveAlarm]] = {}
        self.near: dict[str, list[Approach]] = {}
        self.confidence: dict[str, float] = {}
        self.declared: list[Declared] = []
        self.service = Service()
        self.desk = self.opened()

    def opened(self) -> RiskDesk:
        """A desk after a start."""
        return RiskDesk(self.records, self.look, self.service)

    def look(self, s, now):
        around = Around(
            self.alarms.get(s.code, []), self.near.get(s.code, []), self.declared if s.code == FIRST else [],
            self.confidence.get(s.code, 1.0),
        )  # fmt: skip
        return collect(s.service, s.code, s.r, s.level, around, now)

    def standing(self, level: Level, now: int, kind: str = OTHER) -> None:
        second = now if level.severity > 1 else None
        self.alarms[FIRST] = [ActiveAlarm("P", "液位", "G0001", level, kind, now, second, acknowledged=True)]

    def grade(self) -> Grade:
        """The newest written grade of the first source."""
        with reading(self.records) as session:
            return session.scalars(select(Grade).where(Grade.object == FIRST).order_by(Grade.id.desc())).first()

    def written(self) -> list[tuple[str, int, Colour]]:
        with reading(self.records) as session:
            rows = session.scalars(select(Grade).order_by(Grade.id))
            return [(g.object, (g.at - NOW) // MINUTE, Colour(g.colour)) for g in rows]


@pytest.fixture
def plant(records: Sessions) -> Plant:
    plant = Plant(records)
    plant.desk.know(SOURCES)
    plant.desk.rescore(ALL, NOW)
    return plant


def at(minutes: float) -> int:
    return NOW + int(minutes * MINUTE)


def test_at_the_start_everything_is_graded_once(plant) -> None:
    assert sorted(code for code, *_ in plant.written()) == sorted([*ALL, "410902001", "410502001", "p"])
    assert set(plant.desk.grades) == {*ALL, "410902001", "410502001", "p"}
    assert plant.desk.restless() == set()


def test_nothing_is_written_while_nothing_moves(plant) -> None:
    before = plant.written()
    for minute in range(1, 30):
        assert plant.desk.rescore(ALL, at(minute)) == []
    assert plant.written() == before


def test_an_alarm_is_told_for_its_source_and_its_enterprise(plant) -> None:
    plant.standing(Level.HH, at(1))
    told = plant.desk.rescore([FIRST], at(1))
    assert [g.code for g in told] == [FIRST, "410902001", "p"], "source, enterprise, park"
    assert [g.colour for g in told] == [Colour.ORANGE, Colour.ORANGE, Colour.ORANGE]
    assert "甲罐区" in told[1].reason
    assert plant.desk.restless() == {FIRST}
    form = orjson.loads(orjson.dumps(told[0].form()))
    assert (form["colour"], form["at"], len(form["terms"])) == ("orange", "2026-11-23T07:01:00.000Z", 13)


def test_a_written_grade_can_be_computed_again(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.near[FIRST] = [Approach("温度", 15.0, Level.H)]
    plant.desk.rescore([FIRST], at(1))
    row = plant.grade()
    product = 1.0
    for term in orjson.loads(row.terms):
        product *= 1 - term["weight"] * term["x"]
    assert row.score == pytest.approx(100 * (1 - product), abs=0.01)
    assert (row.model, row.version, row.configuration, row.path) == ("HW-1", "2.0", DEFAULT.digest(), "/p/e1/")


def test_every_grade_computes_to_the_same_bits(plant) -> None:
    """Alarms that grow, a record, silence, falling, a model service away: all that was written, again."""
    plant.declared = [Declared(1, FIRST, "special_work", {"work": "hot_first"}, 0, 10**15, "/p/e1/")]
    for minute in range(90):
        if minute == 2:
            plant.standing(Level.HH, at(2), TOXIC)
        if minute == 40:
            plant.alarms.clear()
        plant.confidence[FIRST] = 0.3 if 20 <= minute < 30 else 1.0
        plant.service.up = not 50 <= minute < 60
        plant.desk.rescore(ALL, at(minute))
    with reading(plant.records) as session:
        rows = session.scalars(select(Grade).order_by(Grade.id)).all()
    assert {orjson.loads(r.inputs)["mode"] for r in rows} == {"scored", "unknown", "fallback", "enterprise", "place"}
    assert [(r.id, again(kept(r), DEFAULT)["differences"]) for r in rows] == [(r.id, {}) for r in rows]
    assert len(rows) > 20
    changed = rows[-1]
    changed.score += 0.1
    assert not again(kept(changed), DEFAULT)["identical"], "a score that was tampered with is found"


def test_a_service_that_is_away_leaves_alarms_and_what_is_inherent(plant) -> None:
    plant.declared = [Declared(1, FIRST, "commitment", {"state": "unsafe"}, 0, 10**15, "/p/e1/")]
    plant.desk.rescore([FIRST], at(1))
    full = plant.desk.grades[FIRST].score
    plant.service.up = False
    plant.desk.rescore([FIRST], at(2))
    alone = plant.desk.grades[FIRST]
    assert alone.mode == "fallback"
    assert alone.score < full
    assert "模型服务不可用" in alone.reason
    assert plant.desk.away
    plant.standing(Level.HH, at(3), TOXIC)
    plant.desk.rescore([FIRST], at(3))
    assert plant.desk.grades[FIRST].colour is Colour.ORANGE, "alarms and floors still count"
    plant.service.up = True
    assert FIRST in plant.desk.restless(), "it will be looked at again without any event"
    plant.desk.rescore([FIRST], at(4))
    assert plant.desk.grades[FIRST].mode == "scored"
    assert not plant.desk.away


def test_nonsense_keeps_the_last_grade_with_its_age(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], at(1))
    plant.service.nonsense = "应答的 score 不是 0–100 的数值"
    plant.alarms.clear()
    told = plant.desk.rescore([FIRST], at(40))
    assert told[0].code == FIRST
    kept_one = plant.desk.grades[FIRST]
    assert (kept_one.colour, kept_one.at, kept_one.mode) == (Colour.ORANGE, at(1), "refused")
    assert "score" in kept_one.reason
    assert "11-23 15:01" in kept_one.reason
    assert plant.desk.rescore([FIRST], at(41)) == [], "told once"
    plant.service.nonsense = ""
    plant.desk.rescore([FIRST], at(42))
    assert plant.desk.grades[FIRST].mode == "scored"


def test_above_half_missing_the_grade_is_held_and_says_so(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], at(1))
    plant.alarms.clear()
    plant.confidence[FIRST] = 0.4
    plant.desk.rescore([FIRST], at(2))
    for minute in range(3, 600, 30):
        plant.desk.rescore([FIRST], at(minute))
    held = plant.desk.grades[FIRST]
    assert (held.colour, held.mode) == (Colour.ORANGE, "unknown")
    assert held.reason.startswith("状态未知,最近为 橙(11-23 15:01)")
    calm = plant.desk.grades[ALL[2]].colour
    plant.confidence[ALL[2]] = 0.0
    plant.desk.rescore([ALL[2]], at(700))
    assert plant.desk.grades[ALL[2]].colour is calm, "silence alone raises no colour"
    plant.standing(Level.HH, at(701), TOXIC)
    plant.alarms[ALL[2]] = plant.alarms[FIRST]
    plant.desk.rescore([ALL[2]], at(701))
    assert plant.desk.grades[ALL[2]].colour is Colour.ORANGE, "what is really seen does"


def test_what_is_declared_to_be_tested_is_not_scored_but_shown_and_its_floor_holds(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.declared = [
        Declared(1, FIRST, "maintenance", {"points": ["P"], "reason": "液位计校验"}, at(0), at(60), "/p/e1/")
    ]
    plant.desk.rescore([FIRST], at(1))
    tested = plant.desk.grades[FIRST]
    assert tested.colour < Colour.YELLOW
    assert "液位计校验" in tested.reason
    plant.standing(Level.HH, at(2), TOXIC)
    plant.desk.rescore([FIRST], at(2))
    assert plant.desk.grades[FIRST].colour is Colour.ORANGE, "a toxic 高高 is 橙 whatever was declared"


def test_a_shadow_changes_nothing_and_remembers_where_it_differs(plant) -> None:
    strict = parse({"weights": {"A": 0.95}, "first_set_point": 0.7})
    plant.desk.configure(DEFAULT, Shadow(7, strict))
    plant.desk.rescore(ALL, at(0))
    plant.standing(Level.H, at(1))
    plant.desk.rescore([FIRST], at(1))
    live = plant.desk.grades[FIRST].colour
    with reading(plant.records) as session:
        seen = session.scalars(select(ShadowGrade)).all()
    assert [(s.configuration, s.object, Colour(s.live_colour)) for s in seen] == [(7, FIRST, live)]
    assert Colour(seen[0].colour) > live


def test_another_configuration_regrades_everything(plant) -> None:
    strict = parse({"base": 0.3})
    plant.desk.configure(strict, None)
    told = plant.desk.rescore(ALL, at(1))
    assert {g.configuration for g in told} == {strict.digest()}
    assert {g.code for g in told} >= set(ALL)
    assert again(kept(plant.grade()), strict)["identical"]


def test_a_slow_creep_is_written_when_it_has_crept_a_point(plant) -> None:
    """The alarm grows by minutes; every grade that was written is a point away from the one before."""
    plant.standing(Level.H, at(0))
    plant.desk.rescore([FIRST], at(0))
    told = [g for s in range(1, 3600, 5) for g in plant.desk.rescore([FIRST], at(s / 60)) if g.code == FIRST]
    assert 2 <= len(told) <= 10
    scores = [g.score for g in told]
    assert all(b - a >= 1.0 for a, b in itertools.pairwise(scores))


def test_it_falls_half_an_hour_after_the_alarm_is_over(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], at(1))
    plant.alarms.clear()
    plant.desk.rescore([FIRST], at(2))
    assert plant.desk.grades[FIRST].colour is Colour.ORANGE
    assert "保持橙色" in plant.desk.grades[FIRST].reason
    assert plant.desk.restless() == {FIRST}, "time alone will change it"
    plant.desk.rescore([FIRST], at(31.9))
    assert plant.desk.grades[FIRST].colour is Colour.ORANGE
    plant.desk.rescore([FIRST], at(32))
    assert plant.desk.grades[FIRST].colour < Colour.YELLOW
    assert plant.desk.grades["410902001"].colour < Colour.YELLOW
    assert plant.desk.restless() == set()


def test_hysteresis_survives_a_restart(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], at(1))
    plant.alarms.clear()
    plant.desk.rescore([FIRST], at(2))
    again = plant.opened()
    again.know(SOURCES)
    again.rescore(ALL, at(10))
    assert again.grades[FIRST].colour is Colour.ORANGE
    assert again.restless() == {FIRST}
    again.rescore([FIRST], at(31.9))
    assert again.grades[FIRST].colour is Colour.ORANGE
    again.rescore([FIRST], at(32.1))
    assert again.grades[FIRST].colour < Colour.YELLOW, "the half hour counts from before the restart"


def test_a_restart_without_a_change_writes_nothing_new(plant) -> None:
    before = plant.written()
    again = plant.opened()
    again.know(SOURCES)
    assert again.rescore(again.codes, at(5)) == []
    assert plant.written() == before


def test_confidence_that_falls_is_written_and_does_not_lower_the_score(plant) -> None:
    score = plant.desk.grades[FIRST].score
    plant.confidence[FIRST] = 0.97
    assert plant.desk.rescore([FIRST], at(1)) == []
    plant.confidence[FIRST] = 0.4
    told = plant.desk.rescore([FIRST], at(2))
    assert [(g.code, g.confidence) for g in told] == [(FIRST, 0.4), ("410902001", 0.4), ("p", 0.4)]
    assert told[0].score == score


def test_an_approach_makes_a_source_restless(plant) -> None:
    plant.near[FIRST] = [Approach("温度", 15.0, Level.H)]
    told = plant.desk.rescore([FIRST], at(1))
    assert told[0].code == FIRST
    assert "约 15 分钟" in told[0].reason
    assert plant.desk.restless() == {FIRST}


def test_a_toxic_high_high_is_orange_at_least(plant) -> None:
    plant.standing(Level.HH, at(1), TOXIC)
    assert plant.desk.rescore([FIRST], at(1))[0].colour >= Colour.ORANGE


def test_sources_that_the_registry_no_longer_knows_go(plant) -> None:
    plant.standing(Level.HH, at(1))
    plant.desk.rescore([FIRST], at(1))
    plant.desk.know(SOURCES[1:])
    plant.desk.rescore(plant.desk.codes, at(2))
    assert set(plant.desk.grades) == {*ALL[1:], "410902001", "410502001", "p"}
    assert FIRST not in plant.desk.restless(), "what is gone waits for nothing"
    assert plant.desk.rescore(["no-such"], at(3)) == []
