"""The routes of the registry, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.identity.support import CHEAP
from tests.registry.support import NOON, SMALL, edited, office

from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tokens import create_token
from hazwatch.records import Sessions
from hazwatch.registry.api import Live, router
from hazwatch.registry.service import seed, template

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Client = Callable[[Role, str], TestClient]

GRADE = {"colour": "orange", "score": 61.5, "confidence": 0.9, "at": "2026-11-23T07:00:00.000Z", "reason": "液位高"}


@pytest.fixture
def clients(records: Sessions, tmp_path: Path) -> Client:
    room = office(records)
    seed(room.desk, SYSTEM, SMALL, "park")
    desk = Desk(records, lambda: NOON, tmp_path, passwords=CHEAP)
    grades = {"410902001001": GRADE, "410902001": GRADE}
    live = Live(
        grades.get, lambda code: [{"id": "A", "of": code}], lambda codes: dict.fromkeys(set(codes) & set(grades), 2)
    )
    app = FastAPI()
    errors.install(app)
    app.include_router(router(room.desk, Gate(desk), live, "410000"))

    def make(role: Role, scope: str) -> TestClient:
        token = create_token(desk, SYSTEM, name="t", role=role, scope_code=scope)
        return TestClient(app, headers={"authorization": f"Bearer {token}"})

    return make


def test_enterprises(clients: Client) -> None:
    viewer = clients(Role.VIEWER, "410000")
    answer = viewer.get("/api/v1/enterprises").json()
    assert (answer["total"], answer["page"], answer["page_size"]) == (2, 1, 50)
    assert answer["items"][1] == {
        "code": "410902001",
        "name": "甲化工有限公司",
        "park": "示范化工园区",
        "region": "华龙区",
        "lon": 115.01,
        "lat": 35.71,
        "simulated": False,
        "colour": "orange",
        "score": 61.5,
        "sources": 1,
        "active_alarms": 2,
    }
    assert answer["items"][0]["colour"] == "none"
    assert viewer.get("/api/v1/enterprises?q=乙化").json()["total"] == 1
    assert viewer.get("/api/v1/enterprises?q=%25").json()["total"] == 0
    assert [i["code"] for i in viewer.get("/api/v1/enterprises?sort=-score").json()["items"]] == [
        "410902001",
        "410502001",
    ]
    assert viewer.get("/api/v1/enterprises?sort=path").status_code == 422
    assert clients(Role.VIEWER, "410500").get("/api/v1/enterprises").json()["total"] == 1


def test_sources(clients: Client) -> None:
    viewer = clients(Role.VIEWER, "410000")
    items = viewer.get("/api/v1/sources").json()["items"]
    assert [item["code"] for item in items] == ["410502001001", "410902001001"]
    assert items[1]["enterprise"] == {"code": "410902001", "name": "甲化工有限公司"}
    assert items[1]["grade"] == GRADE
    assert items[0]["grade"] is None
    for query, codes in (
        ("q=罐区", ["410902001001"]),
        ("enterprise=410502001", ["410502001001"]),
        ("level=2", ["410902001001"]),
        ("colour=orange", ["410902001001"]),
        ("colour=none", ["410502001001"]),
        ("sort=-active_alarms", ["410902001001", "410502001001"]),
        ("sort=-colour", ["410902001001", "410502001001"]),
        ("sort=enterprise", ["410502001001", "410902001001"]),
        ("page=2&page_size=1", ["410902001001"]),
    ):
        found = [item["code"] for item in viewer.get(f"/api/v1/sources?{query}").json()["items"]]
        assert sorted(found) == sorted(codes), query
        if "sort" in query and "enterprise" not in query:
            assert found == codes, query


def test_one_source_with_equipment_and_points(clients: Client) -> None:
    viewer = clients(Role.VIEWER, "P4109001")
    item = viewer.get("/api/v1/sources/410902001001").json()
    assert [row["code"] for row in item["equipment"]] == ["410902001001G0001", "410902001001Q0001"]
    tank = item["equipment"][0]
    assert (tank["kind"], tank["medium"], tank["capacity_m3"]) == ("储罐", "甲醇", 1000.0)
    assert (tank["points"][0]["state"], tank["points"][0]["hh"], tank["points"][0]["l"]) == ("never", 11.3, 1.2)
    assert item["grade"]["terms"] == [{"id": "A", "of": "410902001001"}]
    assert viewer.get("/api/v1/sources/410502001001").json()["error"]["code"] == "not_found"


def test_workbook_goes_out_and_comes_back(clients: Client) -> None:
    engineer = clients(Role.ENGINEER, "410900")
    answer = engineer.get("/api/v1/registry/export.xlsx")
    assert answer.headers["content-type"] == XLSX
    files = {"file": ("a.xlsx", answer.content, XLSX)}
    result = engineer.post("/api/v1/registry/import", files=files).json()
    assert (result["ok"], result["dry_run"], result["version"], result["errors"]) == (True, True, 1, [])
    assert result["counts"]["指标"] == {"new": 0, "changed": 0, "unchanged": 2}
    assert engineer.get("/api/v1/registry/template.xlsx").status_code == 200
    empty = {"file": ("a.xlsx", template(), XLSX)}
    assert engineer.post("/api/v1/registry/import?dry_run=false", files=empty).json()["version"] == 1


def test_import_needs_an_engineer_and_a_workbook(clients: Client) -> None:
    operator = clients(Role.OPERATOR, "410000")
    files = {"file": ("a.xlsx", b"x", XLSX)}
    assert operator.post("/api/v1/registry/import", files=files).status_code == 403
    assert operator.get("/api/v1/registry/template.xlsx").status_code == 403
    refused = clients(Role.ENGINEER, "410000").post("/api/v1/registry/import", files=files)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_workbook")
    large = {"file": ("a.xlsx", bytes(11 * 1024 * 1024), XLSX)}
    assert clients(Role.ENGINEER, "410000").post("/api/v1/registry/import", files=large).status_code == 413


def test_errors_of_an_import_have_the_contract_form(clients: Client) -> None:
    content = edited(template(), "园区", {"A2": "P1", "B2": "x", "C2": "410900"})
    files = {"file": ("a.xlsx", content, XLSX)}
    result = clients(Role.ENGINEER, "410000").post("/api/v1/registry/import", files=files).json()
    assert result["ok"] is False
    assert list(result["errors"][0]) == ["sheet", "cell", "row", "column", "message"]
    assert (result["errors"][0]["cell"], result["errors"][0]["column"]) == ("A2", "编码")


@pytest.mark.parametrize(("layer", "count"), [("province", 1), ("city", 18), ("county", 157)])
def test_boundaries(clients: Client, layer: str, count: int) -> None:
    answer = clients(Role.VIEWER, "P4109001").get(f"/api/v1/map/boundaries/{layer}")
    collection = answer.json()
    assert len(collection["features"]) == count
    assert set(collection["features"][0]["properties"]) == {"adcode", "name", "lon", "lat"}
    assert answer.headers["x-map-attribution"].isascii()
    numbers = json.dumps(collection["features"][0]["geometry"]).split(",")
    assert all(len(number.split(".")[-1].strip(" ]}")) <= 4 for number in numbers if "." in number)


def test_unknown_layer(clients: Client) -> None:
    assert clients(Role.VIEWER, "410000").get("/api/v1/map/boundaries/street").status_code == 404
