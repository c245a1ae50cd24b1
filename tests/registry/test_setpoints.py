"""Set points of GB/T 50493-2019 beside the shared table, and the way from a difference to a proposal."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.registry.support import SMALL, engineer, office

from hazwatch.app.chemistry import gas_facts, nature
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM
from hazwatch.records import Sessions, reading
from hazwatch.registry.limits import views as limit_views
from hazwatch.registry.model import EquipmentRow, PointRow
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.service import seed
from hazwatch.registry.setpoints import views
from hazwatch.registry.setpoints.model import OXYGEN, Detector, GasFacts, differences, propose
from hazwatch.vocabulary.gases import Air

SHARED = Path(__file__).parents[3] / "shared" / "domain" / "alarm_thresholds.csv"
SOURCE = "410902001001"


def test_every_gas_of_the_shared_table() -> None:
    if not SHARED.is_file():
        pytest.skip("no shared facts beside the checkout")
    checked = 0
    for row in csv.DictReader(SHARED.open(encoding="utf-8")):
        gas = gas_facts(row["cas"], None)
        assert gas is not None, row["name_zh"]
        if row["comb_alarm1_volpct"]:
            found = propose(Detector("%vol", 0, 100), gas).values
            assert found["h"] == pytest.approx(float(row["comb_alarm1_volpct"]), rel=5e-3)
            assert found["hh"] == pytest.approx(float(row["comb_alarm2_volpct"]), rel=5e-3)
        for unit, columns in (("mg/m³", ("tox_alarm1_mgm3", "tox_alarm2_mgm3")),
                              ("ppm", ("tox_alarm1_ppm_25c", "tox_alarm2_ppm_25c"))):  # fmt: skip
            if not row[columns[0]]:
                continue
            first, second = (float(row[column]) for column in columns)
            found = propose(Detector(unit, 0, 3 * first), gas)
            assert found.values["h"] == pytest.approx(first, rel=1e-2), (row["name_zh"], unit)
            assert found.values["hh"] == pytest.approx(second, rel=1e-2)
            assert row["oel_basis"] in found.basis
            checked += 1
    assert checked > 100


@given(st.floats(1e-3, 1e4), st.floats(2, 300), st.floats(-20, 50))
def test_no_set_point_is_above_what_the_standard_allows(oel, mass, celsius) -> None:
    gas, air = GasFacts("x", "某气体", mass, None, {"PC-TWA": oel, "PC-STEL": 9 * oel}), Air(celsius)
    wide = propose(Detector("ppm", 0, 1e9), gas, air)
    assert not wide.values, "without IDLH a range that cannot is a problem, not a guess"
    ppm = oel * air.molar_volume / mass
    found = propose(Detector("ppm", 0, 3 * ppm), gas, air).values
    assert 0.98 * ppm <= found["h"] <= ppm * (1 + 1e-9)
    assert found["hh"] <= 2 * ppm * (1 + 1e-9)


def test_the_order_of_limits_and_idlh_only_where_the_range_cannot() -> None:
    gas = GasFacts("x", "某气体", 50.0, None, {"PC-STEL": 9.0, "PC-TWA": 3.0, "MAC": 1.0}, idlh_mg_m3=400.0)
    assert propose(Detector("mg/m³", 0, 3), gas).values == {"h": 1, "hh": 2}
    assert propose(Detector("mg/m³", 0, 40), gas).values == {"h": 1, "hh": 2}
    coarse = propose(Detector("mg/m³", 0, 100), gas)
    assert (coarse.values, "过宽" in coarse.problems[0]) == ({"h": 20, "hh": 40}, True)
    low = replace(gas, idlh_mg_m3=10.0)
    assert propose(Detector("mg/m³", 0, 100), low).values == {}
    assert propose(Detector("mg/m³", 0, 1.5), gas).values == {"h": 1}


def test_oxygen_open_path_and_what_is_not_known() -> None:
    assert propose(Detector("%vol", 0, 25), gas_facts(OXYGEN, None)).values == {"l": 19.5, "h": 23.5}
    assert propose(Detector("LEL·m", 0, 5), None).values == {"h": 1, "hh": 2}
    assert propose(Detector("%LEL", 0, 100), None).values == {"h": 25, "hh": 50}
    for unit, gas in (("ppm", None), ("ppm", "乙醇"), ("ppm", "汽油"), ("级", "氯"), ("%vol", "氯"), ("ppm", "氧")):
        found = propose(Detector(unit, 0, 100), gas_facts(None, gas) if gas else None)
        assert (found.values, bool(found.problems)) == ({}, True), (unit, gas)


def test_facts_come_by_cas_or_by_an_exact_name() -> None:
    assert gas_facts("7782-50-5", None) == gas_facts(None, "液氯")
    assert gas_facts(None, "氯气氨气") is None
    assert nature("67-56-1", None) == (True, False)
    assert nature(None, "液氨") == (True, True)
    assert nature(None, "神秘液体") == (None, None)


def test_differences_say_who_is_laxer() -> None:
    own = {"ll": None, "l": None, "h": 30.0, "hh": None}
    found = differences({"h": 25, "hh": 50}, own, {"h": 25.0})
    assert [(d.threshold, d.kind) for d in found] == [("h", "laxer"), ("h", "sets"), ("hh", "missing")]
    assert differences({"h": 25}, {"h": 20.0}, {})[0].kind == "stricter"
    assert differences({"l": 19.5}, {"l": 19.0}, {})[0].kind == "laxer"
    assert differences({"h": 0.344}, {"h": 0.345}, {}) == []


@pytest.fixture
def room(records: Sessions):
    place = office(records)
    gas = replace(SMALL.points[1], h=40.0, hh=None)
    toxic = PointRow(f"{SOURCE}Q0002QT001", "氯气", "41090200101", unit="ppm", range_low=0, range_high=3, h=0.3, hh=0.6,
                     address="ns=2;s=G2")  # fmt: skip
    extra = EquipmentRow(f"{SOURCE}Q0002", "氯气探测器", "液氯")
    description = replace(
        SMALL, equipment=(*SMALL.equipment, extra), points=(SMALL.points[0], gas, SMALL.points[2], toxic)
    )
    seed(place.desk, SYSTEM, description, "park")
    return place


def listed(room, show: str = "all", who=SYSTEM) -> list[dict]:
    with reading(room.sessions) as session:
        return views.detectors(session, who, PointFilter(), gas_facts, show).items


def test_from_a_difference_to_a_proposal_for_a_second_person(room) -> None:
    assert [(one["code"][12:], one["gas"]) for one in listed(room)] == [("Q0001QT001", None), ("Q0002QT001", "氯")]
    (wrong,) = listed(room, "against")
    assert [(d["threshold"], d["kind"]) for d in wrong["differences"]] == [("h", "laxer"), ("hh", "missing")]
    (stricter,) = [one for one in listed(room, "differing") if one["gas"] == "氯"]
    assert {d["kind"] for d in stricter["differences"]} == {"stricter"}
    number = views.put_right(room.desk, engineer("/410000/410900/"), [wrong["code"]], gas_facts, "")
    with reading(room.sessions) as session:
        proposal = limit_views.one_proposal(session, SYSTEM, number)
    assert proposal["items"][0]["after"] == {"h": 25, "hh": 50}
    assert proposal["state"] == "open"
    assert "50493" in proposal["reason"]


def test_a_part_is_dressed_and_all_are_counted(room) -> None:
    with reading(room.sessions) as session:
        found = views.detectors(session, SYSTEM, PointFilter(), gas_facts, part=slice(1, 2))
    assert (found.total, [one["gas"] for one in found.items]) == (2, ["氯"])
    assert found.items[0]["source_name"] == "甲醇罐区"


def test_who_is_outside_sees_and_proposes_nothing(room) -> None:
    stranger = engineer("/410000/410500/")
    assert listed(room, who=stranger) == []
    with pytest.raises(ApiError) as refused:
        views.put_right(room.desk, stranger, [f"{SOURCE}Q0001QT001"], gas_facts, "")
    assert refused.value.status == 404
    with pytest.raises(ApiError):
        listed(room, "x")
