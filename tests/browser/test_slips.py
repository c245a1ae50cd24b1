"""A slip through the pages: the enterprise answers on a telephone, the park closes at a desk."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from tests.slips.support import photo, warning

from hazwatch.app.node import clock
from hazwatch.records import make_engine, make_sessions, reading, unit_of_work
from hazwatch.slips.service import SlipDesk
from hazwatch.vocabulary.colours import Colour

pytestmark = pytest.mark.browser
WORKS = "410900901"
PHONE = {"width": 390, "height": 844}
#: Where pictures for people go; unset in ordinary runs.
SHOTS = os.environ.get("HAZWATCH_SHOTS")


def shot(page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(400)
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def officer(park, name: str, scope: str) -> dict[str, str]:
    """Cookies of a duty officer of a node."""
    with park.client() as admin:
        body = {"username": name, "name": f"{name}值守", "role": "operator", "scope_code": scope}
        first = admin.post("/api/v1/accounts", json=body).json()["password"]
    with httpx.Client(base_url=park.url) as client:
        client.post("/api/v1/session", json={"username": name, "password": first})
        client.post("/api/v1/session/password", json={"old": first, "new": "vessel-kettle-91"})
        client.post("/api/v1/session", json={"username": name, "password": "vessel-kettle-91"})
        return dict(client.cookies)


@pytest.fixture(scope="module")
def slip(park) -> tuple[str, list[str]]:
    """A slip of an enterprise of the park, and the codes of the tree above it."""
    with park.client() as admin:
        parents = {n["code"]: n["parent"] for n in admin.get("/api/v1/nodes").json()}
    codes = [WORKS]
    while parents.get(codes[-1]):
        codes.append(parents[codes[-1]])
    path = "/" + "/".join(reversed(codes)) + "/"
    engine = make_engine(park.settings.records)
    with unit_of_work(make_sessions(engine)) as session:
        now = clock()
        desk = SlipDesk(make_sessions(engine), lambda: now - 20 * 60_000)
        desk.opened(session, warning(900_001, Colour.ORANGE, path, now - 20 * 60_000))
        desk.opened(session, warning(900_002, Colour.YELLOW, path, now - 20 * 60_000))
    engine.dispose()
    return "BG20261123900001", codes


def test_answered_on_a_telephone_and_closed_at_a_desk(park, visit, slip) -> None:
    number, codes = slip
    page = visit("/duty", officer(park, "works1", WORKS))
    page.set_viewport_size(PHONE)
    need = page.get_by_test_id("need").filter(has_text=number)
    need.wait_for()
    shot(page, "phone-duty")
    need.click()
    for action in ("deliver", "confirm", "start"):
        page.get_by_test_id(f"act-{action}").click()
        shot(page, f"phone-{action}")
        page.get_by_test_id("deed-submit").click()
        page.get_by_test_id(f"deed-{action}").wait_for(state="detached")
    page.get_by_test_id("act-feedback").click()
    page.get_by_test_id("cause-process").click()
    for name, words in (
        ("measures", "降低进料,开启喷淋"),
        ("result", "液位回到 72 %"),
        ("prevention", "复核联锁"),
        ("signer", "张三"),
    ):
        page.locator(f"[name='{name}']").fill(words)
    refused = {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": b"<html><script>"}
    page.get_by_test_id("deed-camera").set_input_files(refused)
    page.get_by_role("alert").filter(has_text="只接受").wait_for()
    page.get_by_test_id("deed-camera").set_input_files(refused | {"buffer": photo(size=(800, 600))})
    page.get_by_test_id("deed-file").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "nothing sticks out sideways"
    shot(page, "phone-feedback")
    page.get_by_test_id("deed-submit").click()
    page.locator("[data-testid=slip][data-state=answered]").wait_for()
    shot(page, "phone-answered")

    page = visit(f"/slips/{number}", officer(park, "keeper1", codes[1]))
    page.get_by_test_id("act-review").click()
    page.get_by_test_id("deed-submit").click()
    page.get_by_test_id("act-close").click()
    page.locator("[name='opinion']").fill("处置有效,同意关闭")
    shot(page, "desk-review")
    page.get_by_test_id("deed-submit").click()
    page.get_by_test_id("deed-submit").click()
    page.locator("[data-testid=slip][data-state=closed]").wait_for()
    assert page.get_by_test_id("slip-step").first.get_attribute("data-action") == "close"
    shot(page, "desk-closed")
    if SHOTS:
        for name, where in (
            ("desk-list", "/slips?show=all"),
            ("desk-duty", "/duty"),
            ("desk-slip", f"/slips/{number}"),
        ):
            page.goto(park.url + where)
            for width, height in ((1440, 900), (1920, 1080)):
                page.set_viewport_size({"width": width, "height": height})
                shot(page, f"{name}-{width}")
    with page.expect_download() as download:
        page.goto(park.url + f"/slips/{number}")
        page.get_by_test_id("slip-print").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    if SHOTS:
        download.value.save_as(Path(SHOTS) / "slip.pdf")


def test_a_page_hears_of_what_others_do_without_asking(park, visit, slip) -> None:
    number = "BG20261123900002"
    page = visit(f"/slips/{number}", officer(park, "keeper2", slip[1][1]))
    page.locator("[data-testid=slip][data-state=made]").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if number in request.url else None)
    page.wait_for_timeout(6_000)
    assert asked == [], "nothing happened, nothing is asked"
    works = httpx.Client(base_url=park.url, cookies=officer(park, "works2", WORKS))
    version = works.get(f"/api/v1/slips/{number}").json()["version"]
    done = works.post(f"/api/v1/slips/{number}/steps", json={"action": "deliver", "version": version})
    works.close()
    assert done.json()["state"] == "delivered"
    page.locator("[data-testid=slip][data-state=delivered]").wait_for(timeout=4_000)


def test_the_check_names_what_was_edited(park, visit, slip) -> None:
    page = visit("/slips/verify")
    shot(page, "verify-never")
    page.get_by_test_id("verify-run").click()
    page.locator("[data-testid=verify-summary][data-state=done]").wait_for()
    row = page.locator(f"[data-testid=verify-row][data-slip={slip[0]}]")
    row.get_by_text("完整").wait_for()
    engine = make_engine(park.settings.records)
    sessions = make_sessions(engine)

    def edit(by: str) -> None:
        with unit_of_work(sessions) as session:
            session.execute(
                text("UPDATE slip_step SET name = :by WHERE slip = :slip AND number = 2"), {"by": by, "slip": slip[0]}
            )

    with reading(sessions) as session:
        before = session.scalar(text("SELECT name FROM slip_step WHERE slip = :slip AND number = 2"), {"slip": slip[0]})
    edit("李四")
    page.get_by_test_id("verify-run").click()
    row.get_by_text("第 2 步").wait_for()
    if SHOTS:
        for width, height in ((1440, 900), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            shot(page, f"verify-{width}")
    edit(before)
    engine.dispose()
