"""Lists of a small made-up province: paged, sorted, filtered, exported, in scope."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.identity.support import CHEAP
from tests.postgres import fresh_database
from tests.registry.support import NOON, Office

from hazwatch.identity import errors
from hazwatch.identity.deps import Gate
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.regions import seed_regions
from hazwatch.identity.tokens import create_token
from hazwatch.records import make_engine, make_sessions, migrate, unit_of_work
from hazwatch.registry.lists.api import router
from hazwatch.registry.lists.queries import LISTS
from hazwatch.registry.synthetic.model import Size
from hazwatch.registry.synthetic.service import bring_in


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("lists")
    url = f"sqlite:///{home / 'records.sqlite'}" if request.param == "sqlite" else fresh_database()
    migrate(url)
    sessions = make_sessions(make_engine(url))
    with unit_of_work(sessions) as session:
        seed_regions(session, "410000")
    room = Office(sessions)
    bring_in(room.desk, "410000", 5, Size(30, 70, 480))
    desk = Desk(sessions, lambda: NOON, home, passwords=CHEAP)
    app = FastAPI()
    errors.install(app)
    app.include_router(router(room.desk, Gate(desk)))

    def of(scope: str) -> TestClient:
        token = create_token(desk, SYSTEM, name="t", role=Role.VIEWER, scope_code=scope)
        return TestClient(app, base_url="http://node.test", headers={"authorization": f"Bearer {token}"})

    return of


def get(client, path: str, **query) -> dict:
    answer = client.get(f"/api/v1/lists/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_list_pages_and_sorts_by_every_column_it_names(client) -> None:
    viewer = client("410000")
    declared = viewer.get("/api/v1/lists").json()
    assert set(declared) == set(LISTS)
    for name, shape in declared.items():
        whole = get(viewer, name, page_size=500)
        assert whole["total"] == len(whole["items"]) > 0, name
        for number, column in enumerate(shape["columns"]):
            for sign in ("-",) if number % 2 else ("",):
                if not column["sort"]:
                    assert viewer.get(f"/api/v1/lists/{name}?sort={column['key']}").status_code == 422
                    continue
                items = get(viewer, name, sort=sign + column["key"], page_size=500)["items"]
                values = [item[column["key"]] for item in items if item[column["key"]] is not None]
                assert len(items) == whole["total"]
                if values and isinstance(values[0], int | float):
                    assert values == sorted(values, reverse=bool(sign)), (name, column["key"])
                missing = [item[column["key"]] is None for item in items]
                assert missing == sorted(missing), "what has no value stands last"
        parts = [item for page in (1, 2, 3) for item in get(viewer, name, page=page, page_size=7)["items"]]
        assert parts == whole["items"][:21], name


def test_filters(client) -> None:
    viewer = client("410000")
    assert {item["level"] for item in get(viewer, "sources", level=1)["items"]} <= {1}
    flagged = get(viewer, "chemicals", flag="highly_toxic", page_size=500)["items"]
    assert {item["name"] for item in flagged} <= {"氯"}
    cas = get(viewer, "chemicals", cas="67-56-1", page_size=500)["items"]
    assert {item["name"] for item in cas} <= {"甲醇"}
    total = next(item for item in get(viewer, "substances")["items"] if item["cas"] == "67-56-1")
    assert total["max_storage"] == pytest.approx(sum(item["max_storage"] or 0 for item in cas))
    assert all(item["expired"] for item in get(viewer, "enterprises", state="expired")["items"])
    assert all(item["ends"] < "2026-11-23" for item in get(viewer, "validities", within=0, page_size=500)["items"])
    assert get(viewer, "points", q="100%_")["total"] == 0
    assert get(viewer, "points", region="nowhere")["total"] == 0
    assert viewer.get("/api/v1/lists/sources?level=9").status_code == 422


def test_scope_and_region(client) -> None:
    viewer = client("410000")
    first = get(viewer, "enterprises", sort="-points")["items"][0]
    city = first["code"][:4] + "00"
    inside = client(city)
    for name in ("enterprises", "sources", "points", "chemicals"):
        mine = get(inside, name, page_size=500)
        assert mine["total"] == get(viewer, name, region=city)["total"]
        codes = {(item.get("enterprise") or item["code"])[:4] for item in mine["items"]}
        assert codes == {city[:4]}, name
    assert get(client(first["code"]), "sources", page_size=500)["total"] == first["sources"]


def test_exports_hold_the_whole_filtered_list(client) -> None:
    viewer = client("410000")
    total = get(viewer, "points", quantity="QT")["total"]
    text = viewer.get("/api/v1/lists/points/export.csv?quantity=QT").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert (rows[0][0], len(rows)) == ("编码", total + 1)
    book = viewer.get("/api/v1/lists/enterprises/export.xlsx?sort=-score").content
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    assert sheet.max_row == get(viewer, "enterprises")["total"] + 1
    assert sheet["A2"].data_type == "s"
    assert viewer.get("/api/v1/lists/enterprises/export.csv?sort=path").status_code == 422
