"""Completeness of monitoring: what tanks, warehouses and processes lack."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from tests.registry.support import SMALL, engineer, office

from hazwatch.app.chemistry import nature
from hazwatch.identity.model import SYSTEM
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.registry import write
from hazwatch.registry.files import service as files
from hazwatch.registry.files.enterprise import PROCESSES
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.store import owner_in_scope
from hazwatch.registry.monitoring import views
from hazwatch.registry.monitoring.model import Place, answer, by_quantity, for_tank, for_warehouse, percent, processes
from hazwatch.registry.monitoring.views import Wanted
from hazwatch.registry.service import seed
from hazwatch.vocabulary.quantities import QUANTITIES

SHARED = Path(__file__).parents[3] / "shared" / "domain" / "hazardous_processes.csv"


def test_all_18_processes_are_there_as_the_files_name_them() -> None:
    assert tuple(processes()) == PROCESSES
    assert all(set(one.quantities) <= set(QUANTITIES) for wanted in processes().values() for one in wanted)
    if not SHARED.is_file():
        pytest.skip("no shared facts beside the checkout")
    for row in csv.DictReader(SHARED.open(encoding="utf-8")):
        told = row["monitored_parameters_zh"].split(";")
        assert len(processes()[row["name_zh"]]) >= len(told), row["name_zh"]


def test_a_tank_with_everything_and_one_without() -> None:
    places = [Place(code, name, tag, quantity) for code, name, tag, quantity in (
        ("1", "液位A", "LT-1A", "YW"), ("2", "液位B", "LT-1B", "YW"), ("3", "温度", "TT-1", "WD"),
        ("4", "压力", "PT-1", "YL"),
        ("5", "进料切断阀阀位", "XV-1", "FW"), ("6", "水喷淋投用", "SW-1", "KG"))]  # fmt: skip
    detector = Place("7", "氨气", "AT-1", "QT", "mg/m³")
    own, of_source = by_quantity(places), by_quantity([detector])
    wanted = for_tank("球形储罐", combustible=True, toxic=True)
    assert percent(answer(wanted, own, of_source)) == 100
    assert percent(answer(wanted, {}, {})) == 0
    burning = by_quantity([detector._replace(unit="%LEL")])
    missing = [one.wanted.name for one in answer(wanted, by_quantity(places[1:]), burning) if not one.met]
    assert missing == ["第二路独立液位", "有毒气体探测"]
    assert "压力" not in [one.name for one in for_tank("内浮顶罐", combustible=True, toxic=False)]
    assert [one.name for one in for_warehouse(combustible=None, toxic=None)][-1] == "气体探测(介质未知)"
    assert percent([]) is None


def test_words_decide_where_a_quantity_is_not_enough() -> None:
    wanted = processes()["硝化工艺"]
    cooling = Place("1", "冷却水流量", "FT-1", "LL")
    acid = Place("2", "混酸进料流量", "FT-2", "LL")
    met = {one.wanted.name for one in answer(wanted, by_quantity([cooling, acid]), {}) if one.met}
    assert met == {"冷却水流量", "硝化剂流量"}


@pytest.fixture
def room(records: Sessions):
    place = office(records)
    seed(place.desk, SYSTEM, SMALL, "park")
    return place


def told(room, who=SYSTEM, **wanted) -> dict:
    with reading(room.sessions) as session:
        return views.completeness(session, who, Wanted(**wanted), nature)


def test_the_list_and_the_percentage(room) -> None:
    found = told(room)
    (tank,) = found["items"]
    assert (tank["kind"], tank["source_name"]) == ("tank", "甲醇罐区")
    assert tank["missing"] == ["第二路独立液位", "温度", "进出口切断阀状态"]
    assert tank["percent"] == found["percent"] == 40.0
    assert told(room, kind="warehouse")["items"] == []
    assert told(room, engineer("/410000/410500/"))["items"] == []


def test_a_process_that_the_file_declares_is_looked_at_by_its_unit(room) -> None:
    row = "p1"
    body = {"kind": "合成氨工艺", "unit": "合成塔", "control": "DCS", "sis": False, "assessed": True}
    ops = [Op("processes", row, "", None, body)]
    with room.sessions() as session:
        del session
    first = files.change(room.desk, engineer("/410000/410500/"), "410502001", ops, files.Reason("建档"))
    other = replace(engineer("/410000/410500/"), username="bao", scope_code="410500")
    if first.proposal:
        files.approve(room.desk, other, first.proposal, "")
    found = told(room, enterprise="410502001")
    (process,) = found["items"]
    assert (process["kind"], process["unit_found"], process["units"]) == ("process", True, ["合成塔"])
    assert "合成塔温度" not in process["missing"]
    assert {"压力", "液位"} <= set(process["missing"])
    assert found["by_kind"]["process"]["expected"] == len(processes()["合成氨工艺"])


def test_an_answer_is_remembered_until_something_changes(room) -> None:
    memory = views.Memory()

    def ask(who=SYSTEM, **wanted) -> dict:
        with reading(room.sessions) as session:
            return views.completeness(session, who, Wanted(**wanted), nature, memory=memory)

    first = ask()
    assert ask() == first
    assert ask(engineer("/410000/410500/"))["objects"] == 0, "what is remembered is told by scope"
    for narrower in ({"kind": "tank"}, {"kind": "warehouse"}, {"missing_only": True}):
        assert ask(**narrower) == told(room, **narrower)
    more = replace(SMALL.points[0], code="410902001001G0001WD001", name="温度", unit="℃", address="ns=2;s=T1.T")
    seed(room.desk, SYSTEM, replace(SMALL, points=(*SMALL.points, more)), "park")
    assert ask()["present"] == first["present"] + 1
    seed(room.desk, SYSTEM, replace(SMALL, sources=(replace(SMALL.sources[0], name="新罐区"),)), "park")
    assert ask()["items"] == told(room)["items"], "names are told as they are now"
    body = {"kind": "合成氨工艺", "unit": "合成塔", "control": "DCS", "sis": False, "assessed": True}
    with unit_of_work(room.sessions) as session:
        write.lock(session)
        owner = owner_in_scope(session, SYSTEM, "410502001")
        reason = files.Reason("建档")
        files.enter(session, room.desk, SYSTEM, owner, [Op("processes", "p1", "", None, body)], reason, reviewed=True)
    assert ask()["by_kind"]["process"]["objects"] == 1, "a file that changed is looked at anew"
    assert ask() == told(room)


def test_a_warm_memory_reads_points_of_the_page_only(room) -> None:
    memory, rests = views.Memory(), []
    memory.warm(room.sessions, nature, rests.append)
    assert rests

    def never(_cas: str | None, _name: str | None) -> tuple[bool | None, bool | None]:
        raise AssertionError("looked at an object that is held")

    with reading(room.sessions) as session:
        found = views.completeness(session, SYSTEM, Wanted(), never, slice(0, 0), memory)
    assert (found["objects"], found["percent"], found["items"]) == (1, 40.0, [])


def test_what_was_read_before_a_change_is_not_held_for_later(room) -> None:
    """A slow question that began before an import ends after a faster one has looked at the import."""
    memory = views.Memory()
    more = replace(SMALL.points[0], code="410902001001G0001WD001", name="温度", unit="℃", address="ns=2;s=T1.T")
    with reading(room.sessions) as early:
        assert views.completeness(early, SYSTEM, Wanted(), nature)["percent"] == 40.0
        seed(room.desk, SYSTEM, replace(SMALL, points=(*SMALL.points, more)), "park")
        with reading(room.sessions) as late:
            memory.briefs(late, [], nature)
        assert views.completeness(early, SYSTEM, Wanted(), nature, memory=memory)["percent"] == 40.0
    with reading(room.sessions) as late:
        assert views.completeness(late, SYSTEM, Wanted(), nature, memory=memory)["percent"] == 60.0
