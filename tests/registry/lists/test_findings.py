"""Set points and completeness of monitoring as files: the list on screen, whole, in scope, safe to open."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.identity.support import CHEAP
from tests.registry.support import NOON, SMALL, office

from hazwatch.app.chemistry import gas_facts, nature
from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tokens import create_token
from hazwatch.records import Sessions
from hazwatch.registry.monitoring.api import router as monitoring
from hazwatch.registry.monitoring.views import Memory
from hazwatch.registry.service import seed
from hazwatch.registry.setpoints.api import router as setpoints

GAS = replace(SMALL.points[1], name="@SUM(1)", h=40.0, hh=None)


@pytest.fixture
def client(records: Sessions, tmp_path):
    room = office(records)
    seed(room.desk, SYSTEM, replace(SMALL, points=(SMALL.points[0], GAS, SMALL.points[2])), "park")
    desk = Desk(records, lambda: NOON, tmp_path, passwords=CHEAP)
    app = FastAPI()
    errors.install(app)
    app.include_router(setpoints(room.desk, Gate(desk), gas_facts))
    app.include_router(monitoring(room.desk, Gate(desk), nature, Memory()))

    def of(scope: str) -> TestClient:
        token = create_token(desk, SYSTEM, name="t", role=Role.VIEWER, scope_code=scope)
        return TestClient(app, base_url="http://node.test", headers={"authorization": f"Bearer {token}"})

    return of


def table(client, path: str) -> list[dict[str, str]]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def sheet(client, path: str):
    answer = client.get(f"/api/v1/{path}")
    assert "2026" in answer.headers["content-disposition"]
    rows = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    return [dict(zip([cell.value for cell in rows[1]], row, strict=True)) for row in rows.iter_rows(min_row=2)]


def test_set_points_hold_both_sets_the_standard_and_what_differs(client) -> None:
    viewer = client("410000")
    (told,) = table(viewer, "setpoints/export.csv?show=against")
    assert (told["编码"], told["企业"], told["重大危险源"]) == (GAS.code, "甲化工有限公司", "甲醇罐区")
    assert [float(told[f"高报 {word}"]) for word in ("企业", "标准")] == [40, 25]
    assert (told["高高报 企业"], told["高高报 监管"], float(told["高高报 标准"])) == ("", "", 50)
    assert told["差异"] == "高报 宽于标准、高高报 未设"
    assert told["名称"] == "'@SUM(1)"
    (same,) = sheet(viewer, "setpoints/export.xlsx")
    assert (same["名称"].data_type, same["名称"].value) == ("s", "@SUM(1)")
    assert (same["高报 企业"].value, same["企业编码"].value) == (40, "410902001")
    assert viewer.get("/api/v1/setpoints/export.csv?show=x").status_code == 422


def test_completeness_tells_what_is_missing_and_which_points_count(client) -> None:
    viewer = client("410000")
    (tank,) = table(viewer, "monitoring/completeness/export.csv?missing_only=true")
    assert (tank["类型"], tank["应有项"], tank["已有项"], float(tank["完整率 %"])) == ("储罐", "5", "2", 40)
    assert tank["缺少"] == "第二路独立液位、温度、进出口切断阀状态"
    assert "GB 17681-2024" in tank["缺项依据"]
    assert "液位: 410902001001G0001YW001" in tank["已有测点"]
    (same,) = sheet(viewer, "monitoring/completeness/export.xlsx")
    assert (same["缺少"].value, same["完整率 %"].value) == (tank["缺少"], 40)
    assert viewer.get("/api/v1/monitoring/completeness/export.xlsx?kind=x").status_code == 422


@pytest.mark.parametrize("path", ["setpoints/export", "monitoring/completeness/export"])
def test_who_is_outside_gets_an_empty_table_and_nobody_gets_none(client, path: str) -> None:
    stranger = client("410500")
    assert table(stranger, f"{path}.csv") == sheet(stranger, f"{path}.xlsx") == []
    stranger.headers.pop("authorization")
    assert {stranger.get(f"/api/v1/{path}.{ending}").status_code for ending in ("csv", "xlsx")} == {401}
