"""What the node puts into the terms by itself, on the registry of the park in the box: stock, ventilation, goods."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from sqlalchemy import delete
from tests.app.riskrooms import MINUTE, NOW, Park, fresh, registered

from hazwatch.app import sites
from hazwatch.notify.tables import NoticeDay
from hazwatch.records import unit_of_work
from hazwatch.risk.tables import RiskDeclared
from hazwatch.vocabulary.levels import Level


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory):
    return registered(tmp_path_factory.mktemp("terms"))


@pytest.fixture
def park(known) -> Park:
    return fresh(known)


FULL = {"LT-101": 12.0, "TT-101A": 20.0, "LT-102": 5.0, "TT-102A": 20.0, "LT-201": 11.0, "TT-201A": 20.0}


def test_r_follows_level_shape_and_density(park: Park) -> None:
    """The benzene tank at 11 of 12.8 m holds 1,815 m³, 1,595 t, where 1,494 t are its design quantity."""
    designed = next(s.r for s in park.picture.sources if "甲醇苯" in s.name)
    park.values = {"LT-201": 11.0, "TT-201A": 20.0}
    told = park.grade("甲醇苯罐组")["B"]
    assert told["reason"].startswith("按实时储量 R=")
    assert f"设计 {designed:g}" in told["reason"]
    assert "苯储罐T-201为设计量的 1.07 倍" in told["reason"]
    assert "2 台无实时储量" in told["reason"]
    park.values = {"LT-201": 3.0, "TT-201A": 20.0}
    assert "为设计量的" not in park.grade("甲醇苯罐组")["B"]["reason"]


def test_less_than_designed_is_told_but_lowers_nothing(park: Park) -> None:
    empty = park.grade("甲醇苯罐组")["B"]
    park.values = dict.fromkeys(FULL, 0.5) | {t: 20.0 for t in FULL if t.startswith("TT")}
    low = park.grade("甲醇苯罐组")["B"]
    assert low["x"] == empty["x"]
    assert low["reason"] != empty["reason"]


def test_a_measured_weight_counts_where_it_is_more(park: Park) -> None:
    park.values = {"WT-411": 30.0, "WT-421": 15.0, "WT-431": 15.0, "WT-441": 15.0}
    told = park.grade("液氯钢瓶")
    assert told["B"]["reason"] == "按实时储量 R=72(设计 57.6,液氯仓库1区为设计量的 2.00 倍)"
    assert told["K"]["x"] == 1


def test_a_gauge_that_falls_silent_keeps_the_larger_r(park: Park) -> None:
    park.values = {"WT-411": 30.0}
    before = park.grade("液氯钢瓶")["B"]
    park.values = {}
    assert park.grade("液氯钢瓶")["B"]["x"] == before["x"]


def test_a_fan_that_stands_still_while_gas_alarms_is_named(park: Park) -> None:
    park.values = {"FAN-411": 0.0, "FAN-421": 0.0, "AT-411": 1.5}
    park.alarms = {"AT-411": (Level.H, NOW - MINUTE)}
    told = park.grade("液氯钢瓶")["V"]
    assert told["x"] == 0.6
    assert told["reason"] == "液氯仓库1区事故风机未运行,而液氯仓库1区氯气1高报警"
    park.values["FAN-411"] = 1.0
    assert park.grade("液氯钢瓶")["V"]["x"] == 0


def test_a_fan_may_take_half_a_minute_to_start_and_need_not_run_without_cause(park: Park) -> None:
    park.values = {"FAN-411": 0.0, "AT-411": 0.1}
    assert park.grade("液氯钢瓶")["V"]["x"] == 0
    park.alarms = {"AT-411": (Level.HH, NOW - 10_000)}
    assert park.grade("液氯钢瓶")["V"]["x"] == 0
    assert park.grade("液氯钢瓶", NOW + MINUTE)["V"]["x"] == 1


def test_a_fan_nobody_knows_of_counts_as_stopped_while_it_must_run(park: Park) -> None:
    park.values = {"AT-411": 0.6}
    told = park.grade("液氯钢瓶")["V"]
    assert told["x"] == 0.3
    assert "状态未知" in told["reason"]


def test_goods_that_must_not_meet_are_found_by_what_the_stores_hold() -> None:
    stores = {"A": ("甲仓", "7697-37-2", "硝酸"), "B": ("乙仓", "67-56-1", "甲醇"), "C": ("丙仓", None, "甲醇、乙醇")}
    found = sites._clashes(stores)
    assert {c.stores for c in found if c.x == 0.5} == {("A", "B"), ("A", "C")}
    together = sites._clashes({"A": ("甲仓", None, "硝酸、甲醇")})
    assert [(c.stores, c.x) for c in together] == [(("A", "A"), 1.0)]
    assert "硝酸、甲醇 禁忌" in together[0].text


def test_an_empty_store_clashes_with_nothing_and_an_unmeasured_one_does(park: Park) -> None:
    code = next(s.code for s in park.picture.sources if "液氯" in s.name)
    site = park.room._sites[code]
    first, second = (c for c in site.holders if c.endswith(("C0001", "C0002")))
    park.room._sites[code] = replace(site, clashes=[sites.Clash((first, second), 0.5, "甲与乙:禁忌")])
    assert park.grade("液氯钢瓶")["C"]["x"] == 0.5
    park.values = {"WT-411": 0.0}
    assert park.grade("液氯钢瓶")["C"]["x"] == 0


def declared(park: Park, kind: str, body: dict, path: str, code: str = "410900") -> None:
    row = RiskDeclared(
        object=code, kind=kind, body=orjson.dumps(body).decode(), begin=NOW - MINUTE, end=NOW + 60 * MINUTE, by="t",
        at=NOW, path=path,
    )  # fmt: skip
    with unit_of_work(park.sessions) as session:
        session.execute(delete(RiskDeclared))
        session.add(row)
    park.room.reload(NOW)


def only_chlorine(park: Park) -> None:
    """Its absorption unit holds nobody knows what, so that everything would concern it."""
    park.room._sites[next(s.code for s in park.picture.sources if "液氯" in s.name)].traits = frozenset(
        {"toxic", "pressurised", "warehouse"}
    )


def test_weather_that_does_not_concern_a_source_is_named_with_the_reason(park: Park) -> None:
    declared(park, "weather", {"colour": "orange", "text": "雷电橙色预警", "signal": "lightning"}, "/410000/")
    only_chlorine(park)
    assert park.grade("液氯钢瓶")["E"]["x"] == 0
    code = next(s.code for s in park.picture.sources if "液氯" in s.name)
    assert "雷电橙色预警(不涉及本源:只涉及易燃物、不稳定或氧化性物质、储罐区)" in park.desk.grades[code].reason
    assert park.grade("甲醇苯罐组")["E"]["x"] > 0


def test_lightning_over_a_place_follows_what_it_concerns_and_at_a_source_it_counts(park: Park) -> None:
    declared(park, "condition", {"condition": "lightning"}, "/410000/")
    only_chlorine(park)
    assert park.grade("液氯钢瓶")["E"]["x"] == 0
    assert park.grade("甲醇苯罐组")["E"]["x"] > 0
    source = next(s for s in park.picture.sources if "液氯" in s.name)
    declared(park, "condition", {"condition": "lightning"}, source.path, source.code)
    assert park.grade("液氯钢瓶", NOW + MINUTE)["E"]["x"] > 0


def test_works_count_double_on_the_days_off_of_the_calendar_and_not_on_worked_weekends(park: Park) -> None:
    """2026-11-23 15:00 is a Monday, the 28th a Saturday."""
    source = next(s for s in park.picture.sources if "甲醇苯" in s.name)
    saturday = NOW + 5 * 24 * 60 * MINUTE

    def exposure(now: int) -> float:
        declared(park, "special_work", {"work": "hot_second"}, source.path, source.code)
        with unit_of_work(park.sessions) as session:
            session.query(RiskDeclared).update({"begin": now - MINUTE, "end": now + MINUTE})
        park.room.reload(now)
        park.room._calendar_due = 0
        park.grade("甲醇苯罐组", now)
        asked = park.room.look(source, now)
        return float(asked.value[source.service.at("work_hot_second")])

    assert exposure(NOW) == 2
    assert exposure(saturday) == 4
    with unit_of_work(park.sessions) as session:
        session.add(NoticeDay(day="2026-11-23", working=False, name="节假日"))
        session.add(NoticeDay(day="2026-11-28", working=True, name="调休"))
    assert exposure(NOW) == 4
    assert exposure(saturday) == 2
