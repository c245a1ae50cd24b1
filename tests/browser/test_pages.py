"""What people see and do on the page, with a node that runs."""

from __future__ import annotations

import io
import os
import socket
import time
import uuid

import httpx
import openpyxl
import pytest
from tests.nodes import TestGateway, TestNode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TANKS, CHLORINE = "410900901001", "410900902"
DRUMS = "41090090501"


def shown(page, name: str, state: str = ""):
    """Elements by test id, and by the state they say they are in."""
    return page.locator(f'[data-testid="{name}"]' + (f'[data-state="{state}"]' if state else ""))


def play(park: TestNode, scenario: str, **params: float) -> None:
    with park.client() as client:
        answer = client.post(f"/api/v1/scenarios/{scenario}/start", json={"params": params})
        assert answer.status_code == 200, answer.text


def rest(park: TestNode, scenario: str) -> None:
    with park.client() as client:
        client.post(f"/api/v1/scenarios/{scenario}/stop")


def test_sign_in(visit, park: TestNode) -> None:
    page = visit("/alarms", {})
    page.wait_for_url("**/sign-in**")
    password = (park.settings.home / "first-password.txt").read_text().split()[1]
    for given in ("not the password", password):
        page.locator("input[name=username]").fill("admin")
        page.locator("input[name=password]").fill(given)
        shown(page, "sign-in-submit").click()
        if given != password:
            shown(page, "sign-in-error").get_by_text("密码").first.wait_for()
    page.wait_for_url("**/alarms*")
    shown(page, "simulated").first.wait_for()
    shown(page, "connection", "live").wait_for()


def test_map(visit, park: TestNode) -> None:
    page = visit("/map")
    shown(page, "map", "idle").wait_for()
    page.wait_for_selector('[data-testid="map"][data-sources="6"]')
    assert shown(page, "map-source-row").count() == 6
    assert f"审图号:{park.settings.map_approval}" in shown(page, "map").inner_text()
    page.locator(f'[data-testid="map-source-row"][data-code="{TANKS}"]').click()
    page.locator(f'[data-testid="map-popup"][data-code="{TANKS}"]').get_by_text("查看详情").click()
    page.wait_for_url(f"**/sources/{TANKS}")


def test_clusters_open_on_a_click(visit) -> None:
    """On the first view a park is one plate with counts; a click on it leads to its sources."""
    page = visit("/map")
    shown(page, "map", "idle").wait_for()
    box = shown(page, "map").bounding_box()
    scale = page.locator(".maplibregl-ctrl-scale")
    before = scale.inner_text()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "old => document.querySelector('.maplibregl-ctrl-scale').innerText !== old", arg=before, timeout=10_000
    )
    shown(page, "map", "idle").wait_for()
    assert before.endswith("km")
    assert scale.inner_text() != before


def test_an_alarm_from_the_scenario_to_the_acknowledgement(visit, park: TestNode) -> None:
    room = visit("/alarms")
    shown(room, "duty-button").click()
    shown(room, "duty-button", "on").wait_for()
    shown(room, "connection", "live").wait_for()
    room.evaluate("window.sameDocument = true")
    before = shown(room, "alarm-row", "unacknowledged").count()

    stage = visit("/scenarios", beside=room)
    row = stage.locator('[data-testid="scenario-row"][data-scenario="ammonia-leak"]')
    row.locator('[data-testid="scenario-start"]').click()
    stage.wait_for_selector('[data-testid="scenario-row"][data-scenario="ammonia-leak"][data-state="running"]')
    stage.close()

    room.bring_to_front()
    room.wait_for_function(
        "n => document.querySelectorAll('[data-testid=alarm-row][data-state=unacknowledged]').length > n",
        arg=before,
        timeout=40_000,
    )
    assert room.evaluate("window.sameDocument === true")
    assert shown(room, "sound-off").count() == 0
    assert int(shown(room, "unack-count").get_attribute("data-count")) > 0

    # From here on no mouse.
    room.keyboard.press("n")
    chosen = room.locator('[data-testid="alarm-row"][aria-selected="true"]')
    alarm = chosen.get_attribute("data-alarm-id")
    room.keyboard.press("m")
    room.keyboard.type("现场已核实")
    room.keyboard.press("Enter")
    mine = f'[data-testid="alarm-row"][data-alarm-id="{alarm}"]'
    room.wait_for_selector(f'{mine}[data-state="acknowledged"]')
    with park.client() as client:
        record = client.get(f"/api/v1/alarms/{alarm}").json()
    record = record.get("alarm", record)
    assert (record["acknowledged_by"], record["note"]) == ("admin", "现场已核实")

    with room.expect_download() as waiting:
        room.get_by_role("button", name="导出 XLSX").click()
    sheet = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes())).active
    texts = [str(cell) for line in sheet.iter_rows(values_only=True) for cell in line]
    assert sheet.max_row > 1
    assert any("现场已核实" in text for text in texts)
    rest(park, "ammonia-leak")


def test_source_with_tank_and_trend(visit) -> None:
    page = visit(f"/sources/{TANKS}")
    tank = shown(page, "tank", "good").first
    tank.wait_for()
    assert float(tank.get_attribute("data-value")) > 0
    names = page.locator("article.tank").first.locator("dt, li .clip").all_inner_texts()
    assert len(names) == len(set(names)), "two rows of one tank are called the same"
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=trend]')].some(e => Number(e.dataset.points) > 10)",
        timeout=40_000,
    )


def test_links(visit) -> None:
    page = visit("/links")
    page.wait_for_function(
        "() => document.querySelectorAll('[data-testid=link-row][data-state=online]').length === 5", timeout=40_000
    )
    assert shown(page, "link-row").count() == 5
    table = page.locator("section.links .scroll")
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth"), "the table is cut at the right edge"


def test_refused_frame_is_a_dead_letter(visit, park: TestNode) -> None:
    gateway = TestGateway(park.settings.national_tcp_port, os.urandom(64), DRUMS)  # a key that is not its own
    moment = int(time.time()) * 1000
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as line:
        line.sendall(gateway.frame(str(uuid.uuid4()), moment, {"41090090500101": 1.0}, "report"))
        assert b"false" in line.recv(4096)
    page = visit("/links")
    page.wait_for_selector(f'[data-testid="dead-letter-row"][data-link="{DRUMS}"]', timeout=30_000)


def cells_of(workbook: bytes) -> dict[str, list]:
    """What stands in a workbook, sheet by sheet."""
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_workbook(visit, park: TestNode) -> None:
    with park.client() as client:
        good = client.get("/api/v1/registry/export.xlsx").content
    book = openpyxl.load_workbook(io.BytesIO(good))
    sheet = next(book[name] for name in book.sheetnames if "指标" in name)
    header = next(n for n in range(1, 6) if any("量程" in str(cell.value) for cell in sheet[n]))
    column = next(cell.column_letter for cell in sheet[header] if "量程" in str(cell.value))
    last = sheet.max_row
    sheet[f"{column}{last}"] = "很高"
    out = io.BytesIO()
    book.save(out)

    page = visit("/import")
    chooser = shown(page, "import-file")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    chooser.set_input_files({"name": "bad.xlsx", "mimeType": kind, "buffer": out.getvalue()})
    page.wait_for_selector('[data-testid="import-result"][data-ok="false"][data-dry-run="true"]')
    shown(page, "import-result").get_by_text(f"{column}{last}", exact=True).wait_for()
    assert shown(page, "import-confirm").is_disabled()
    with park.client() as client:
        assert cells_of(client.get("/api/v1/registry/export.xlsx").content) == cells_of(good)

    chooser.set_input_files({"name": "good.xlsx", "mimeType": kind, "buffer": good})
    page.wait_for_selector('[data-testid="import-result"][data-ok="true"][data-dry-run="true"]')
    rows = shown(page, "import-result").locator("section.counts tbody tr").all_inner_texts()
    cells = [line.split() for line in rows]
    assert sum(int(c[3].replace(",", "")) for c in cells) > 200
    assert all(c[1:3] == ["0", "0"] for c in cells), rows


def newcomer(park: TestNode, role: str, scope: str) -> dict[str, str]:
    """Cookies of an account made for this test, its first password changed."""
    name = f"{role}-{uuid.uuid4().hex[:6]}"
    with park.client() as client:
        answer = client.post(
            "/api/v1/accounts", json={"username": name, "name": "测试", "role": role, "scope_code": scope}
        )
    assert answer.status_code in (200, 201), answer.text
    first = answer.json()["password"]
    with httpx.Client(base_url=park.url) as client:
        assert client.post("/api/v1/session", json={"username": name, "password": first}).status_code == 200
        changed = client.post("/api/v1/session/password", json={"old": first, "new": "a new long word"})
        assert changed.status_code in (200, 204), changed.text
        assert client.post("/api/v1/session", json={"username": name, "password": "a new long word"}).status_code == 200
        return dict(client.cookies)


def test_viewer_sees_its_scope_and_acknowledges_nothing(visit, park: TestNode) -> None:
    cookies = newcomer(park, "viewer", CHLORINE)
    page = visit("/sources", cookies)
    shown(page, "source-row").first.wait_for()
    assert [row.get_attribute("data-code") for row in shown(page, "source-row").all()] == [f"{CHLORINE}001"]
    assert shown(page, "nav-import").count() == shown(page, "nav-scenarios").count() == 0
    page.goto(f"{park.url}/alarms?show=all")
    shown(page, "connection", "live").wait_for()
    button = shown(page, "ack-button")
    assert button.count() == 0 or button.is_disabled()
    answer = page.request.post(f"{park.url}/api/v1/alarms/acknowledge", data={"ids": ["x"], "note": ""})
    assert answer.status == 403
    page.goto(f"{park.url}/sources/{TANKS}")
    page.get_by_text("没有").first.wait_for()
    assert shown(page, "tank").count() == 0


def test_a_lost_connection_is_said_and_caught_up(visit, park: TestNode) -> None:
    page = visit("/alarms")
    shown(page, "connection", "live").wait_for()
    page.evaluate("window.sameDocument = true")
    play(park, "overfill", flow=190, lapse=60)
    deadline = time.monotonic() + 40
    while shown(page, "connection-lost").count() == 0:  # the supervisor is quick: keep the web process down
        assert time.monotonic() < deadline, "the page never said that the connection is lost"
        park.kill("web")
        page.wait_for_timeout(300)
    shown(page, "connection-lost").wait_for(state="detached", timeout=60_000)
    shown(page, "connection", "live").wait_for()
    shown(page, "alarm-row").filter(has_text="V-102").first.wait_for(timeout=40_000)
    assert page.evaluate("window.sameDocument === true")
    rest(park, "overfill")
