"""Lists, records, acknowledgement and exports over HTTP: filters, pages, scope, and cells that start no formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from tests.alarms.support import at, facts, moved, revised
from tests.identity.support import town

from hazwatch.alarms.api import router
from hazwatch.alarms.commands import Commands, summary_of
from hazwatch.alarms.facts import PointFacts
from hazwatch.alarms.model import KIND_QUALITY
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.store import iso_or_none
from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tables import Audit
from hazwatch.identity.tokens import create_token
from hazwatch.records import Sessions, reading

FORMULA = '=cmd|" /C calc"!A0'


def odd_facts(index: int) -> PointFacts:
    """Point 3 has a name that a spreadsheet program would run, point 4 one that LIKE would take for a pattern."""
    known = facts(index)
    return replace(known, name={3: FORMULA, 4: "100%_满"}.get(index, known.name))


class Room:
    """The routes on a database, with an alarm desk behind them, and a client per role and scope."""

    def __init__(self, records: Sessions, home) -> None:
        self.town = town(records, home)
        self.records = records
        self.desk = AlarmDesk(records, odd_facts)
        self.away = False
        self.app = FastAPI()
        errors.install(self.app)
        self.app.include_router(router(records, Gate(self.town.desk), self.town.clock, self.ask))

    async def ask(self, do, asked):
        if self.away:
            raise ApiError(503, "engine_away", "没有应答")
        return summary_of(getattr(Commands(self.desk), do)(**asked))

    def client(self, role: Role = Role.VIEWER, scope: str = "410000") -> TestClient:
        token = create_token(self.town.desk, SYSTEM, name=f"{role.word}-{scope}", role=role, scope_code=scope)
        return TestClient(self.app, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def room(records, tmp_path) -> Room:
    room = Room(records, tmp_path)
    room.desk.apply(
        [
            moved("normal", "H", 1), moved("H", "HH", 2),  # stands at 高高
            moved("normal", "L", 3, point=1),  # will be acknowledged
            moved("normal", "H", 4, point=2), moved("H", "normal", 5, point=2),  # over, nobody saw it
            moved("normal", "H", 6, point=3),
            moved("normal", "H", 7, point=12),  # of the other enterprise
            revised(8, moved("normal", "LL", 9, point=4), moved("LL", "normal", 10, point=4), point=4),  # late, closed
        ],
        (1, 0),
    )  # fmt: skip
    room.desk.apply([moved("normal", "H", 8)], (1, 0), KIND_QUALITY)
    Commands(room.desk).acknowledge([room.desk.active(1).id], "zhang", "在看", at(20))
    return room


def listed(client: TestClient, query: str = "") -> list[tuple[str, float]]:
    """(point, seconds) of the records of a list."""
    answer = client.get(f"/api/v1/alarms{query}")
    assert answer.status_code == 200, answer.text
    names = {iso_or_none(at(s)): s for s in range(60)}
    return [(item["point"][-3:], names[item["event_time"]]) for item in answer.json()["items"]]


OPEN = [("001", 8), ("013", 7), ("004", 6), ("003", 4), ("002", 3), ("001", 1)]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", OPEN),
        ("?show=open", OPEN),
        ("?show=all", [("005", 9), *OPEN]),
        ("?show=closed", [("005", 9)]),
        ("?show=unacknowledged", [x for x in OPEN if x != ("002", 3)]),
        ("?kind=quality", [("001", 8)]),
        ("?level=HH", [("001", 1)]),
        ("?level=hh", [("001", 1)]),
        ("?level=L", [("002", 3)]),
        ("?enterprise=410902002", [("013", 7)]),
        ("?source=410902002001", [("013", 7)]),
        ("?point=410902001001G0001YW003", [("003", 4)]),
        ("?q=乙化工", [("013", 7)]),
        ("?q=YW002", [("002", 3)]),
        ("?q=yw002", [("002", 3)]),
        ("?q=%25&show=all", [("005", 9)]),  # a percent sign is a percent sign
        ("?q=_&show=all", [("005", 9)]),
        (f"?from={at(4)}&to={at(7)}", [("004", 6), ("003", 4)]),
        ("?from=2026-11-23T15:00:06%2B08:00", [("001", 8), ("013", 7), ("004", 6)]),
        ("?from=2026-11-23T15:00:07", [("001", 8), ("013", 7)]),  # no zone: China
        ("?sort=event_time", OPEN[::-1]),
        ("?sort=-point&page_size=2", [("013", 7), ("004", 6)]),
        ("?page=2&page_size=4", OPEN[4:]),
        ("?page=3&page_size=4", []),
    ],
)
def test_filters(room, query, wanted) -> None:
    assert listed(room.client(), query) == wanted


def test_a_list_counts_itself_and_sums_what_is_open(room) -> None:
    answer = room.client().get("/api/v1/alarms?page_size=2&level=H").json()
    assert (answer["total"], answer["page"], len(answer["items"])) == (3, 1, 2)
    assert {k: n for k, n in answer["summary"].items() if n} == {
        "unacknowledged": 4, "acknowledged": 1, "returned_unacknowledged": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?show=some", "show"), ("?level=X", "level"), ("?from=yesterday", "from"), ("?page_size=501", "page_size"),
        ("?page=0", "page"), ("?sort=secret_hash", "sort"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(room, query, field) -> None:
    answer = room.client().get(f"/api/v1/alarms{query}")
    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]


def test_one_record_with_its_life(room) -> None:
    client = room.client()
    alarm = room.desk.active(1).id
    item = client.get(f"/api/v1/alarms/{alarm}").json()
    assert (item["state"], item["acknowledged_by"], item["note"], item["priority"]) == (
        "acknowledged",
        "zhang",
        "在看",
        2,
    )
    assert (item["value"], item["limit"], item["level"], item["worst_level"]) == (1.8, 2.0, "L", "L")
    assert [(e["what"], e["who"], e["to_state"]) for e in item["events"]] == [
        ("raise", None, "unacknowledged"), ("acknowledge", "zhang", "acknowledged"),
    ]  # fmt: skip
    listed_form = next(i for i in client.get("/api/v1/alarms").json()["items"] if i["id"] == alarm)
    assert {k: v for k, v in item.items() if k in listed_form} == listed_form
    assert client.get("/api/v1/alarms/nothing").status_code == 404


def test_another_enterprise_does_not_exist(room) -> None:
    client = room.client(Role.OPERATOR, "410902002")
    theirs = room.desk.active(0).id
    assert listed(client, "?show=all") == [("013", 7)]
    assert client.get("/api/v1/alarms").json()["summary"]["unacknowledged"] == 1
    assert client.get(f"/api/v1/alarms/{theirs}").status_code == 404
    answer = client.post("/api/v1/alarms/acknowledge", json={"ids": [theirs]}).json()
    assert answer == {
        "acknowledged": [], "refused": [{"id": theirs, "reason": "没有这条报警", "by": None, "at": None}],
    }  # fmt: skip
    assert room.desk.active(0).acknowledged_by is None
    assert "甲化工" not in client.get("/api/v1/alarms/export.csv?show=all").text


def test_acknowledging(room) -> None:
    first, second, seen = (room.desk.active(p).id for p in (0, 3, 1))
    client = room.client(Role.OPERATOR)
    answer = client.post("/api/v1/alarms/acknowledge", json={"ids": [first, second, seen], "note": "  去现场 "}).json()
    assert sorted(answer["acknowledged"]) == sorted([first, second])
    assert [(r["id"], r["by"]) for r in answer["refused"]] == [(seen, "zhang")]
    assert room.desk.active(0).note == "去现场"
    assert room.desk.active(0).acknowledged_at == room.town.clock.now
    assert room.desk.active(0).acknowledged_by == "token:operator-410000"
    with reading(room.records) as session:
        (line,) = session.scalars(select(Audit).where(Audit.action == "alarm.acknowledge"))
    assert line.username == "token:operator-410000"
    assert first in line.detail


def test_who_may_only_look_acknowledges_nothing(room) -> None:
    alarm = room.desk.active(0).id
    answer = room.client(Role.VIEWER).post("/api/v1/alarms/acknowledge", json={"ids": [alarm]})
    assert answer.status_code == 403
    assert room.desk.active(0).acknowledged_by is None


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"] * 1001}, {"ids": ["x"], "note": "n" * 501}])
def test_an_acknowledgement_of_the_wrong_form_is_refused(room, body) -> None:
    assert room.client(Role.OPERATOR).post("/api/v1/alarms/acknowledge", json=body).status_code == 422


def test_an_engine_that_is_away_means_nothing_was_acknowledged(room) -> None:
    room.away = True
    answer = room.client(Role.OPERATOR).post("/api/v1/alarms/acknowledge", json={"ids": [room.desk.active(0).id]})
    assert answer.status_code == 503
    with reading(room.records) as session:
        assert list(session.scalars(select(Audit).where(Audit.action == "alarm.acknowledge"))) == []


TITLES = [
    "报警时间", "当前级别", "最高级别", "状态", "类别", "企业", "重大危险源", "指标编码", "指标", "报警值", "限值",
    "单位", "到达时间", "恢复时间", "确认人", "确认时间", "备注", "关闭时间", "迟到发现", "已更正撤销", "模拟", "编号",
]  # fmt: skip


def test_csv_holds_the_whole_filtered_list(room) -> None:
    answer = room.client().get("/api/v1/alarms/export.csv?show=all")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.content.decode("utf-8")
    assert text.startswith("\ufeff"), "Excel must know that it is UTF-8"
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert list(rows[0]) == TITLES
    assert [row["指标编码"][-3:] for row in rows] == [p for p, _ in [("005", 9), *OPEN]]
    assert (rows[0]["迟到发现"], rows[1]["迟到发现"]) == ("是", "")
    acknowledged = next(row for row in rows if row["指标编码"].endswith("002"))
    assert (acknowledged["确认人"], acknowledged["备注"], acknowledged["报警值"]) == ("zhang", "在看", "1.8")


def test_xlsx_holds_the_same(room) -> None:
    answer = room.client().get("/api/v1/alarms/export.xlsx?enterprise=410902002")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == TITLES
    assert len(rows) == 2
    assert dict(zip(TITLES, rows[1], strict=True))["企业"] == "乙化工"


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_starts_a_formula(room, note) -> None:
    Commands(room.desk).acknowledge([room.desk.active(3).id], "zhang", note, at(30))
    client = room.client()
    rows = list(
        csv.DictReader(io.StringIO(client.get("/api/v1/alarms/export.csv").content.decode("utf-8-sig"), newline=""))
    )
    row = next(r for r in rows if r["指标编码"].endswith("004"))
    assert (row["指标"], row["备注"]) == ("'" + FORMULA, "'" + note)
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/api/v1/alarms/export.xlsx").content)).active
    for cells in sheet.iter_rows():
        assert all(cell.data_type != "f" for cell in cells)
    assert {cell.value for cell in sheet["I"]} >= {"'" + FORMULA}


def test_a_note_with_a_control_character_does_not_break_the_export(room) -> None:
    """Neither workbooks nor PostgreSQL hold them; one in a note must not make the export fail for everybody."""
    client = room.client(Role.OPERATOR)
    answer = client.post("/api/v1/alarms/acknowledge", json={"ids": [room.desk.active(3).id], "note": "看\x0b过\x00了"})
    assert answer.status_code == 200
    assert room.desk.active(3).note == "看过了"
    Commands(room.desk).acknowledge([room.desk.active(0).id], "old", "旧\x0b记录", at(30))
    assert client.get("/api/v1/alarms/export.xlsx").status_code == 200


def test_a_long_list_is_paged_without_holes_or_doubles(room) -> None:
    """Forty alarms of one moment: the order is total, so no record is on two pages."""
    room.desk.apply([moved("normal", "H", 30, point=p) for p in range(20, 60)], (2, 0))
    client = room.client()
    seen = [
        i["id"] for page in range(1, 8) for i in client.get(f"/api/v1/alarms?page={page}&page_size=7").json()["items"]
    ]
    assert len(seen) == len(set(seen)) == 46
    by_level = [
        i["id"]
        for page in range(1, 8)
        for i in client.get(f"/api/v1/alarms?page={page}&page_size=7&sort=level").json()["items"]
    ]
    assert sorted(by_level) == sorted(seen)
