"""KPIs of our own records: the log read back is what the desk annunciated, in scope, and the routes tell it."""

from __future__ import annotations

import io

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from tests.alarms.support import NOON, facts, moved, revised, scratch
from tests.identity.support import town

from hazwatch.alarms import kpi_store
from hazwatch.alarms.kpi import measure
from hazwatch.alarms.kpi_api import router
from hazwatch.alarms.kpi_service import Room
from hazwatch.alarms.model import KIND_QUALITY
from hazwatch.alarms.service import AlarmDesk
from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tokens import create_token
from hazwatch.records import Sessions, reading

JIA, YI = "410902001", "410902002"
HOUR, DAY = 3_600_000, 86_400_000
LEVELS = ["LL", "L", "normal", "H", "HH"]


def told(log) -> list[tuple[int, str, str, bool]]:
    return [
        ((t - NOON) // 1000, *log.names[a], on)
        for t, a, on in zip(log.ts.tolist(), log.alarm.tolist(), log.active.tolist(), strict=True)
    ]


def room(records: Sessions, enterprise: str = JIA, start: int = NOON, end: int = NOON + DAY):
    with reading(records) as session:
        return kpi_store.room_log(session, SYSTEM, enterprise, start, end)


def test_the_log_of_a_room_is_what_its_desk_annunciated(records: Sessions) -> None:
    desk = AlarmDesk(records, facts)
    desk.apply(
        [
            moved("normal", "H", 1), moved("H", "HH", 2), moved("HH", "H", 3), moved("H", "normal", 4),
            moved("normal", "LL", 5, point=1), moved("LL", "normal", 6, point=1), moved("normal", "H", 7, point=12),
        ],
        (1, 0),
    )  # fmt: skip
    desk.apply([moved("normal", "H", 8)], desk.offset, KIND_QUALITY)
    assert told(room(records)) == [
        (1, "0", "H", True), (2, "0", "HH", True), (3, "0", "HH", False), (4, "0", "H", False),
        (5, "1", "LL", True), (6, "1", "LL", False), (8, "0", "质量", True),
    ]  # fmt: skip
    with reading(records) as session:
        both = dict(kpi_store.room_logs(session, SYSTEM, NOON, NOON + DAY))
    assert {code: len(log) for code, log in both.items()} == {JIA: 7, YI: 1}


def test_what_late_data_revoked_or_redrew_counts_as_it_is_now(records: Sessions) -> None:
    desk = AlarmDesk(records, facts)
    desk.apply([moved("normal", "H", 10), moved("H", "normal", 20)], (1, 0))
    desk.apply([revised(5)], (2, 0))
    assert told(room(records)) == []
    desk.apply([revised(5, moved("normal", "H", 12), moved("H", "HH", 14), moved("HH", "normal", 16))], (3, 0))
    assert told(room(records)) == [
        (12, "0", "H", True), (14, "0", "HH", True), (16, "0", "H", False), (16, "0", "HH", False),
    ]  # fmt: skip


def test_what_stands_since_long_before_the_window_is_read(records: Sessions) -> None:
    desk = AlarmDesk(records, facts)
    desk.apply([moved("normal", "H", 0), moved("normal", "H", 0, point=1), moved("H", "normal", 3600, point=1)], (1, 0))
    log = room(records, start=NOON + 20 * DAY, end=NOON + 21 * DAY)
    found = measure(log, NOON + 20 * DAY, NOON + 21 * DAY)
    assert (found.activations, found.standing, [s.tag for s in found.stale]) == (0, 1, ["0"])


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(LEVELS)), max_size=25))
def test_counted_from_records_or_from_the_changes_themselves_is_the_same(steps) -> None:
    now, changes = {0: "normal", 1: "normal"}, []
    for k, (point, after) in enumerate(steps):
        if after != now[point]:
            changes.append(moved(now[point], after, k + 1, point=point))
            now[point] = after
    with scratch() as records:
        AlarmDesk(records, facts).apply(changes, (1, 0))
        log = room(records)
    rises = [c for c in changes if c.after != 0 and (abs(c.after) > abs(c.before) or c.after * c.before < 0)]
    assert [(t, tag, kind) for t, tag, kind, on in told(log) if on] == [
        ((c.event_ts - NOON) // 1000, str(c.point), c.after.word) for c in rises
    ]
    standing = measure(log, NOON, NOON + HOUR).standing
    assert (standing > 0) == any(level != "normal" for level in now.values())


class Desk:
    """The routes on a database."""

    def __init__(self, records: Sessions, home) -> None:
        self.town = town(records, home)
        self.alarms = AlarmDesk(records, facts)
        self.app = FastAPI()
        errors.install(self.app)
        rooms = [Room(JIA, "甲化工", "华龙区", "园区", 10), Room(YI, "乙化工", "华龙区", None, 10)]
        paths = {JIA: "/410000/410900/P4109001/410902001/", YI: "/410000/410900/410902/410902002/"}
        self.app.include_router(
            router(
                records, Gate(self.town.desk), self.town.clock,
                lambda who: [r for r in rooms if paths[r.code].startswith(who.scope)],
            )
        )  # fmt: skip

    def client(self, scope: str = "410000") -> TestClient:
        token = create_token(self.town.desk, SYSTEM, name=scope, role=Role.VIEWER, scope_code=scope)
        return TestClient(self.app, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def desk(records: Sessions, tmp_path) -> Desk:
    place = Desk(records, tmp_path)
    chatter = [moved(*pair, k * 5) for k in range(20) for pair in [("normal", "H") if k % 2 == 0 else ("H", "normal")]]
    place.alarms.apply([*chatter, moved("normal", "HH", 7, point=12)], (1, 0))
    return place


WINDOW = {"from": NOON, "to": NOON + HOUR}


def test_rooms_stand_side_by_side_worst_first_and_are_never_added_up(desk: Desk) -> None:
    found = desk.client().get("/api/v1/kpi/rooms", params=WINDOW).json()
    assert [(i["code"], i["activations"], i["class"]) for i in found["items"]] == [
        (JIA, 10, "reactive"), (YI, 1, "robust"),
    ]  # fmt: skip
    assert found["distribution"] == {"predictive": 0, "robust": 1, "stable": 0, "reactive": 1, "overloaded": 0}
    assert "activations" not in found
    assert [i["code"] for i in desk.client(YI).get("/api/v1/kpi/rooms", params=WINDOW).json()["items"]] == [YI]


def test_one_room_with_names_of_its_bad_actors(desk: Desk) -> None:
    client = desk.client()
    found = client.get(f"/api/v1/kpi/rooms/{JIA}", params=WINDOW).json()
    assert [(a["point"], a["point_name"], a["activations"]) for a in found["top"]] == [(facts(0).code, "液位0", 10)]
    assert found["series"]["rows"] == [[NOON, 10]]
    assert found["chatter_share"] == 1
    one = client.get(f"/api/v1/kpi/rooms/{JIA}", params=WINDOW | {"point": facts(1).code}).json()
    assert one["activations"] == 0
    assert desk.client(YI).get(f"/api/v1/kpi/rooms/{JIA}", params=WINDOW).status_code == 404


def test_windows_that_make_no_sense_are_refused_in_words(desk: Desk) -> None:
    for window in ({"from": NOON, "to": NOON}, {"from": "soon"}, {"from": 0, "to": NOON}):
        answer = desk.client().get("/api/v1/kpi/rooms", params=window)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["from"])


def test_exports_open_in_a_spreadsheet(desk: Desk) -> None:
    client = desk.client()
    one = openpyxl.load_workbook(io.BytesIO(client.get(f"/api/v1/kpi/rooms/{JIA}/export.xlsx", params=WINDOW).content))
    assert one.sheetnames == ["指标", "报警最多的点位", "报警泛滥", "长期报警"]
    assert one["报警最多的点位"]["D2"].value == 10
    rooms = openpyxl.load_workbook(io.BytesIO(client.get("/api/v1/kpi/rooms/export.xlsx", params=WINDOW).content))
    assert [row[0].value for row in rooms["控制室"].iter_rows(min_row=2)] == [JIA, YI]


def test_a_foreign_file_is_measured_by_the_same_figures(desk: Desk) -> None:
    rows = "\n".join(f"{k},T,H{' NR' if k % 2 else ''}" for k in range(40))
    file = {"file": ("log.csv", f"timestamp,tag,type\n{rows}\nx,T,H\n")}
    found = desk.client().post("/api/v1/kpi/file", files=file).json()
    assert (found["activations"], found["flood_count"], found["refused"]["count"]) == (20, 1, 1)
    answer = desk.client().post("/api/v1/kpi/file", files={"file": ("x", b"\x00")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_log")
