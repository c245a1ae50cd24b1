"""The warnings page: weather in force, what stands, one warning with its receipts, signed for by its tier."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.nodes import TestNode, node

pytestmark = pytest.mark.browser
#: Where pictures for people go; unset in ordinary runs.
SHOTS = os.environ.get("HAZWATCH_SHOTS")


def shot(page, name: str) -> None:
    if SHOTS:
        for width, height in ((1440, 900), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png")
        page.set_viewport_size({"width": 1440, "height": 900})


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNode]:
    """A node where nothing stands yet: beside a standing alarm the weather is no leading cause."""
    with node(tmp_path_factory.mktemp("weather"), simulator=True) as running:
        yield running


#: A stream that opens late, as on a slow line: what happens after the page asked and before is in neither.
LATE = """
const Real = EventSource;
window.EventSource = class {
  constructor(url) {
    this.heard = [];
    this.timer = setTimeout(() => {
      this.real = new Real(url);
      for (const [name, act] of this.heard) this.real.addEventListener(name, act);
    }, 4000);
  }
  addEventListener(name, act) { this.heard.push([name, act]); this.real?.addEventListener(name, act); }
  close() { clearTimeout(this.timer); this.real?.close(); }
};
"""


def test_a_weather_warning_raises_what_it_concerns_and_the_tier_signs(park: TestNode, visit) -> None:
    page = visit("/warnings")
    page.add_init_script(LATE)
    page.reload()
    page.get_by_text("当前没有生效的预警").wait_for()
    signals = [
        {"id": "B1", "kind": "大风", "colour": "红", "area": "410900"},
        {"id": "B2", "kind": "雷电", "colour": "红", "area": "410900"},
    ]  # fmt: skip
    took = page.request.post(park.url + "/api/v1/warnings/weather", data=signals, headers={"Origin": park.url})
    assert took.json()["new"] == 2
    page.get_by_test_id("weather-strip").get_by_text("大风").wait_for()
    row = page.get_by_test_id("warning-row").filter(has_text="环境").first
    row.wait_for()
    row.click()
    drawer = page.get_by_test_id("warning-drawer")
    drawer.get_by_test_id("warning-event").first.wait_for()
    shot(page, "warning-drawer")
    assert drawer.get_by_test_id("warning-receipt").count() >= 3
    page.keyboard.press("Escape")
    shot(page, "warnings")
    page.get_by_test_id("warning-due").click()
    page.get_by_role("option", name="1 小时内到期").click()
    page.get_by_test_id("warning-row").filter(has_text="环境").first.wait_for()
    later = page.get_by_test_id("warning-row").filter(has_text=re.compile("剩 [0-9]+ (小时|天)"))
    later.first.wait_for(state="detached")
    assert later.count() == 0, "what has hours left is not shown"
    page.get_by_test_id("warning-due").click()
    page.get_by_role("option", name="已超时").click()
    page.get_by_text("没有符合条件的预警").wait_for()
    lifted = page.request.post(
        park.url + "/api/v1/warnings/weather", data=[s | {"over": True} for s in signals],
        headers={"Origin": park.url},
    )  # fmt: skip
    assert lifted.json()["over"] == 2


def second(park: TestNode, name: str, role: str = "admin") -> dict[str, str]:
    """Cookies of another person who answers for the whole node."""
    with park.client() as admin:
        whole = admin.get("/api/v1/session").json()["account"]["scope"]["code"]
        body = {"username": name, "name": "审批人", "role": role, "scope_code": whole}
        first = admin.post("/api/v1/accounts", json=body).json()["password"]
    with httpx.Client(base_url=park.url) as client:
        client.post("/api/v1/session", json={"username": name, "password": first})
        client.post("/api/v1/session/password", json={"old": first, "new": "vessel-kettle-91"})
        client.post("/api/v1/session", json={"username": name, "password": "vessel-kettle-91"})
        return dict(client.cookies)


def test_rules_are_edited_in_place_and_put_in_force_by_a_second_person(park: TestNode, visit) -> None:
    page = visit("/warnings")
    page.get_by_role("link", name="接收规则").click()
    page.get_by_test_id("rules-row").nth(3).wait_for()
    page.get_by_text("没有改过").wait_for()
    assert "router-link-active" in page.get_by_test_id("nav-warnings").get_attribute("class")
    shot(page, "rules")
    page.get_by_test_id("rules-edit").click()
    page.get_by_text("尚未修改").wait_for()
    cell = page.get_by_test_id("cell-all-blue-park")
    assert cell.inner_text() == "知悉"
    for _ in range(2):
        cell.press("Enter")
    assert cell.inner_text() == "处置"
    page.get_by_role("combobox", name="增加区域或园区").click()
    page.keyboard.type("410900")
    page.get_by_role("option").filter(has_text="410900").first.click()
    page.get_by_test_id("cell-410900-red-ministry").click()
    row = page.get_by_test_id("difference").filter(has_text="全部 · ● 蓝")
    row.get_by_text("处置 企业、园区;知悉 县").wait_for()
    page.get_by_test_id("draft-why").fill("园区试点")
    shot(page, "rules-draft")
    page.get_by_test_id("draft-save").click()
    version = page.locator("[data-testid=version][data-state=draft]")
    version.get_by_text("起草人不能审批自己的草案").wait_for()
    assert page.locator("[data-scope='410900']").count() == 0, "nothing is in force yet"
    shot(page, "rules-own-draft")

    page = visit("/warnings/rules", second(park, "wang"))
    page.get_by_test_id("version").click()
    page.get_by_test_id("version-why").fill("同意")
    shot(page, "rules-decide")
    page.get_by_test_id("version-approve").click()
    page.locator("[data-testid=version][data-state=approved]").wait_for()
    page.locator("[data-testid=rules-row][data-scope='410900']").first.wait_for()
    shot(page, "rules-approved")


def test_deadlines_are_edited_in_place_and_put_in_force_by_a_second_person(park: TestNode, visit) -> None:
    page = visit("/warnings/clocks")
    page.locator("[data-testid=clock-row][data-colour=red]").get_by_text("15 分钟").wait_for()
    shot(page, "clocks")
    page.get_by_test_id("clocks-edit").click()
    field = page.get_by_test_id("span-red-confirm").locator("input")
    field.fill("45")
    field.press("Tab")
    page.get_by_role("alert").filter(has_text="◆ 红 · 开始处置:开始处置的时限不应短于确认的时限").wait_for()
    shot(page, "clocks-wrong")
    field.fill("10")
    field.press("Tab")
    page.get_by_test_id("clock-hours").fill("09:00-12:00, 13:00-17:00")
    page.get_by_test_id("difference").filter(has_text="工作时间").wait_for()
    page.get_by_test_id("draft-why").fill("缩短确认")
    shot(page, "clocks-draft")
    page.get_by_test_id("draft-save").click()
    page.locator("[data-testid=version][data-state=draft]").wait_for()

    page = visit("/warnings/clocks", second(park, "zhao", "engineer"))
    page.get_by_test_id("version").click()
    page.get_by_test_id("version-why").fill("同意")
    page.get_by_test_id("version-approve").click()
    page.locator("[data-testid=clock-row][data-colour=red]").get_by_text("10 分钟").wait_for()
    page.get_by_text("本级自有规则").wait_for()
    shot(page, "clocks-approved")
