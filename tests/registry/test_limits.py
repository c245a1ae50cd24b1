"""Limits: two sets, the second person, versions, faults, and the workbook there and back."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.registry.support import POINT, SMALL, Office, edited, engineer, office, points

from hazwatch.app.facts import load
from hazwatch.identity.audit import verify_audit
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import Sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.registry.limits import book, service, sheet, views
from hazwatch.registry.limits.model import LimitSet, Subject, defaults, effective, faults, judged, origin
from hazwatch.registry.queries import PointFilter, point_by_code
from hazwatch.registry.service import seed
from hazwatch.registry.sheets import table_book

LEVEL, GAS, HEAT = POINT.code, "410902001001Q0001QT001", "410502001001S0001WD001"
JIA, CITY = "/410000/410900/P4109001/410902001/", "/410000/410900/"


def person(name: str, path: str = CITY, role: Role = Role.ENGINEER) -> Principal:
    return Principal(name, name, role, path, scope_code=path.rstrip("/").rpartition("/")[2])


ANNA, BAO = person("anna"), person("bao")


@pytest.fixture
def room(records: Sessions) -> Office:
    place = office(records)
    seed(place.desk, SYSTEM, SMALL, "park")
    place.versions.clear()
    return place


def shown(room: Office, code: str = LEVEL) -> dict:
    with reading(room.sessions) as session:
        found = views.one_point(session, SYSTEM, code)
    assert found is not None
    return found


def change(room: Office, values, who=ANNA, which=LimitSet.ENTERPRISE, code: str = LEVEL, why: str = "抖动") -> int:
    return service.propose(room.desk, who, which, {code: values}, why)


def refusal(act, *given) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        act(*given)
    return refused.value.status, refused.value.code


# --- two sets --------------------------------------------------------------------------------------------------------

VALUES = st.one_of(st.just(np.nan), st.floats(-10, 10))
ROWS = st.lists(VALUES, min_size=4, max_size=4)


@given(ROWS, ROWS, st.floats(-12, 12))
def test_what_is_judged_rings_whenever_one_of_the_sets_would(own, theirs, value) -> None:
    both = effective(np.array([own]), np.array([theirs]))[0]

    def beyond(limits) -> list[bool]:
        return [bool(value <= x) if k < 2 else bool(value >= x) for k, x in enumerate(limits)]

    assert beyond(both) == [a or b for a, b in zip(beyond(own), beyond(theirs), strict=True)]
    whose = origin(np.array([own]), np.array([theirs]))[0]
    assert [int(bit) for bit in whose] == [
        (0 if np.isnan(b) else (a == b) + 2 * (t == b)) for a, t, b in zip(own, theirs, both, strict=True)
    ]


def test_one_point_says_whose_threshold_is_judged() -> None:
    found = judged({"h": 10.0, "hh": 11.0, "l": 1.0}, {"h": 9.0, "hh": 11.0, "ll": 0.5})
    assert found == {
        "ll": {"value": 0.5, "set": "regulator"}, "l": {"value": 1.0, "set": "enterprise"},
        "h": {"value": 9.0, "set": "regulator"}, "hh": {"value": 11.0, "set": "both"},
    }  # fmt: skip


def test_the_engine_judges_by_the_more_conservative_and_knows_whose_it_is(room: Office) -> None:
    service.approve(room.desk, BAO, change(room, {"h": 9.5, "hh": 12.0}, which=LimitSet.REGULATOR), "")
    picture = load(room.sessions)
    index = next(i for i in range(3) if picture.facts(i).code == LEVEL)
    assert picture.limits.threshold[index].tolist() == [0.5, 1.2, 9.5, 11.3]
    assert picture.facts(index).limit_sets == ("enterprise", "enterprise", "regulator", "enterprise")
    assert room.versions == [picture.limits.version]
    with reading(room.sessions) as session:
        view = point_by_code(session, SYSTEM, LEVEL)
    assert view is not None
    assert (view.ll, view.l, view.h, view.hh) == (0.5, 1.2, 9.5, 11.3)


# --- the second person -----------------------------------------------------------------------------------------------


def test_from_proposal_to_a_new_version_with_history(room: Office) -> None:
    number = change(room, {"h": 9.9, "deadband": 0.2, "l": 1.2})
    assert shown(room)["own"]["h"] == 10.1
    assert shown(room)["proposal"] == number
    assert room.versions == []
    version = service.approve(room.desk, BAO, number, "同意")
    found = shown(room)
    assert (found["own"]["h"], found["own"]["deadband"], found["proposal"]) == (9.9, 0.2, None)
    assert room.versions == [version]
    line = found["history"][0]
    assert (line["version"], line["who"], line["why"], line["proposal"], line["set"]) == (
        version, "bao", "抖动", number, "enterprise",
    )  # fmt: skip
    assert (line["before"], line["after"]) == ({"h": 10.1, "deadband": 0.125}, {"h": 9.9, "deadband": 0.2})
    with reading(room.sessions) as session:
        proposal = views.one_proposal(session, ANNA, number)
        assert verify_audit(session).ok
    assert proposal is not None
    assert (proposal["state"], proposal["decided_by"], proposal["decision"]) == ("approved", "bao", "同意")


def test_the_proposer_never_decides_nor_does_a_program_nor_who_lacks_the_role(room: Office) -> None:
    number = change(room, {"h": 9.9})
    for who in (ANNA, replace(BAO, username="token:ci"), person("cui", role=Role.OPERATOR), SYSTEM):
        assert refusal(service.approve, room.desk, who, number, "") == (403, "forbidden")
        assert refusal(service.reject, room.desk, who, number, "不行") == (403, "forbidden")
    assert refusal(service.withdraw, room.desk, BAO, number) == (403, "forbidden")
    assert refusal(service.approve, room.desk, person("dai", "/410000/410500/"), number, "")[0] == 404
    assert shown(room)["own"]["h"] == 10.1


def test_decided_once_only(room: Office) -> None:
    for act in (
        lambda n: service.approve(room.desk, BAO, n, ""),
        lambda n: service.reject(room.desk, BAO, n, "不妥"),
        lambda n: service.withdraw(room.desk, ANNA, n),
    ):
        number = change(room, {"h": shown(room)["own"]["h"] - 0.1})
        act(number)
        assert refusal(service.approve, room.desk, BAO, number, "") == (409, "conflict")
        assert refusal(service.withdraw, room.desk, ANNA, number) == (409, "conflict")


def test_limits_that_moved_since_are_not_overwritten(room: Office) -> None:
    first, second = change(room, {"h": 9.9}), change(room, {"h": 9.5, "hh": 11.0})
    service.approve(room.desk, BAO, first, "")
    assert refusal(service.approve, room.desk, BAO, second, "") == (409, "conflict")
    assert (shown(room)["own"]["h"], shown(room)["own"]["hh"]) == (9.9, 11.3)


def test_the_regulators_set_belongs_to_who_stands_above_the_enterprise(room: Office) -> None:
    inside = person("gao", JIA)
    assert refusal(change, room, {"h": 9.0}, inside, LimitSet.REGULATOR) == (403, "forbidden")
    number = change(room, {"h": 9.0}, which=LimitSet.REGULATOR)
    assert refusal(service.approve, room.desk, inside, number, "") == (403, "forbidden")
    service.approve(room.desk, BAO, number, "")
    assert shown(room)["judged"]["h"] == {"value": 9.0, "set": "regulator"}
    service.approve(room.desk, BAO, change(room, {"h": None}, which=LimitSet.REGULATOR), "")
    assert shown(room)["judged"]["h"] == {"value": 10.1, "set": "enterprise"}


@pytest.mark.parametrize(
    ("values", "which", "code"),
    [
        ({"h": float("nan")}, "enterprise", 422), ({"deadband": -1.0}, "enterprise", 422),
        ({"on_delay_s": 1e9}, "enterprise", 422), ({"deadband": None}, "enterprise", 422),
        ({"price": 1.0}, "enterprise", 422), ({"deadband": 1.0}, "regulator", 422), ({"h": 10.1}, "enterprise", 422),
    ],
)  # fmt: skip
def test_values_that_no_limits_may_have_are_refused(room: Office, values, which, code) -> None:
    assert refusal(change, room, values, ANNA, LimitSet(which))[0] == code
    assert refusal(service.propose, room.desk, ANNA, LimitSet.ENTERPRISE, {LEVEL: {"h": 1.0}}, " ")[0] == 422
    assert refusal(service.propose, room.desk, ANNA, LimitSet.ENTERPRISE, {HEAT: {"h": 1.0}}, "x")[0] == 404


def test_an_outcome_of_a_whatif_stays_with_the_proposal(room: Office) -> None:
    number = change(room, {"h": 9.9})
    service.attach(room.desk, ANNA, number, "w1", {"saved": 12})
    with reading(room.sessions) as session:
        assert (views.one_proposal(session, BAO, number) or {})["evidence"] == {"saved": 12}


# --- imports ---------------------------------------------------------------------------------------------------------


def test_an_import_does_not_change_limits_in_force_but_proposes_it(room: Office) -> None:
    row = {k: v for k, v in vars_of(POINT).items() if v is not None} | {"h": 9.0, "name": "新名"}
    dry = room.take({"points": [row]}, engineer(), dry_run=True)
    assert (dry.ok, dry.held_back, dry.proposal) == (True, 1, None)
    done = room.take({"points": [row]}, engineer())
    assert (done.held_back, done.counts["指标"]) == (1, {"new": 0, "changed": 1, "unchanged": 0})
    assert "须由第二人批准" in done.warnings[-1].message
    found = shown(room)
    assert (found["name"], found["own"]["h"], found["proposal"]) == ("新名", 10.1, done.proposal)
    service.approve(room.desk, BAO, done.proposal, "")
    assert shown(room)["own"]["h"] == 9.0


def test_the_seed_of_the_park_never_undoes_an_approval(room: Office) -> None:
    service.approve(room.desk, BAO, change(room, {"h": 9.0}), "")
    seed(room.desk, SYSTEM, points({"name": "改名"}), "park")
    assert (shown(room)["name"], shown(room)["own"]["h"], shown(room)["proposal"]) == ("改名", 9.0, None)


def vars_of(row) -> dict:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


# --- faults ----------------------------------------------------------------------------------------------------------


def test_faults_of_order_range_ceilings_and_delays_are_all_told() -> None:
    tank = Subject(LEVEL, "液位", "m", 0.0, 12.5)
    assert faults(tank, {"ll": 0.5, "l": 1.2, "h": 10.1, "hh": 11.3}) == []
    assert faults(tank, {"h": 11.0, "hh": 10.0}) == ["高报 11 应小于高高报 10"]
    assert "应小于量程上限" in faults(tank, {"hh": 13.0})[0]
    fire = Subject(GAS, "可燃气体", "%LEL", 0.0, 100.0)
    assert [text[:6] for text in faults(fire, {"h": 30.0, "hh": 60.0, "on_delay_s": 5.0})] == [
        "可燃气体高报", "可燃气体高高", "气体报警延时",
    ]  # fmt: skip
    poison = Subject(GAS, "氯气", "ppm", 0.0, 3.0, cas="7782-50-5")
    assert "100 %OEL" in faults(poison, {"h": 0.5, "hh": 0.6})[0]
    assert faults(poison, {"h": 0.3, "hh": 0.6}) == []


def test_the_list_of_faults_names_every_doubtful_point(room: Office) -> None:
    service.approve(room.desk, BAO, change(room, {"h": 30.0}, code=GAS), "")
    service.approve(room.desk, BAO, change(room, {"h": 12.0, "hh": 11.0}, which=LimitSet.REGULATOR), "")
    with reading(room.sessions) as session:
        found = views.fault_list(session, SYSTEM, PointFilter())
        assert views.fault_list(session, person("dai", "/410000/410500/"), PointFilter()) == []
    assert {f["code"]: f["faults"][0][:6] for f in found} == {LEVEL: "监管限值:高", GAS: "可燃气体高报"}


def test_defaults_by_quantity_never_delay_gas() -> None:
    assert defaults(GAS, 0, 100) == {"deadband": 2.0, "on_delay_s": 0.0, "off_delay_s": 10.0}
    assert defaults(LEVEL, 0, 10) == {"deadband": 0.1, "on_delay_s": 60.0, "off_delay_s": 10.0}


# --- workbook --------------------------------------------------------------------------------------------------------


def exported(room: Office, which=LimitSet.ENTERPRISE, who=ANNA) -> bytes:
    with reading(room.sessions) as session:
        return book.written(which, views.every_point(session, who, PointFilter()))


def looked_at(room: Office, content: bytes, which=LimitSet.ENTERPRISE, who=ANNA) -> book.Preview:
    with reading(room.sessions) as session:
        return book.read(session, who, which, content, "limits.xlsx")


def test_an_unchanged_workbook_changes_nothing(room: Office) -> None:
    for which in LimitSet:
        found = looked_at(room, exported(room, which), which)
        assert (found.changes, found.problems, found.unchanged) == ([], [], 2)


def test_edited_cells_come_back_with_their_addresses(room: Office) -> None:
    content = edited(exported(room), "企业限值", {"J2": 9.5, "L2": None, "I3": None})
    sheet = openpyxl.load_workbook(BytesIO(content))["企业限值"]
    assert [sheet["A2"].value, sheet["J1"].value, sheet["L1"].value] == [LEVEL, "高报", "死区"]
    found = looked_at(room, content)
    (change_,) = found.changes
    assert (change_["code"], change_["after"], change_["cells"]) == (LEVEL, {"h": 9.5}, {"h": "J2"})
    number = service.propose(room.desk, ANNA, LimitSet.ENTERPRISE, found.wanted, "整定")
    service.approve(room.desk, BAO, number, "")
    assert shown(room)["own"]["h"] == 9.5


def test_all_or_nothing_with_the_cell_of_every_problem(room: Office) -> None:
    content = edited(exported(room), "企业限值", {"J3": "高", "L2": -1, "A4": HEAT, "J4": "=1+1"})
    found = looked_at(room, content)
    assert found.changes == []
    assert sorted((p.cell, p.column) for p in found.problems) == [
        ("A4", "编码"), ("J3", "高报"), ("J4", "高报"), ("L2", "死区"),
    ]  # fmt: skip


def test_lists_are_paged_and_proposals_are_seen_in_scope_only(room: Office) -> None:
    change(room, {"h": 9.9})
    with reading(room.sessions) as session:
        page = views.points_page(session, SYSTEM, PageRequest(1, 2), PointFilter())
        assert (page.total, len(page.items)) == (3, 2)
        assert views.proposals_page(session, ANNA, PageRequest(), "open").total == 1
        assert views.proposals_page(session, person("dai", "/410000/410500/"), PageRequest(), "").total == 0


def test_proposals_go_out_as_a_sheet_with_a_row_for_every_limit(room: Office) -> None:
    change(room, {"h": 9.9, "hh": None})
    with reading(room.sessions) as session:
        found = list(views.every_proposal(session, ANNA, ""))
        rows = [row for one in found for row in sheet.rows(one)]
        assert list(views.every_proposal(session, ANNA, "approved")) == []
        assert list(views.every_proposal(session, person("dai", "/410000/410500/"), "")) == []
    told = openpyxl.load_workbook(BytesIO(table_book(sheet.TITLE, sheet.COLUMNS, rows))).worksheets[0]
    titles = [cell.value for cell in told[1]]
    cells = [dict(zip(titles, (cell.value for cell in line), strict=True)) for line in told.iter_rows(min_row=2)]
    assert [(line["项"], line["原值"], line["改为"]) for line in cells] == [("高报", 10.1, 9.9), ("高高报", 11.3, None)]
    assert {(line["状态"], line["限值"], line["指标编码"]) for line in cells} == {("待审核", "企业", LEVEL)}
