"""The warnings page: weather in force, what stands, one warning with its receipts, signed for by its tier."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.nodes import TestNode, node

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNode]:
    """A node where nothing stands yet: beside a standing alarm the weather is no leading cause."""
    with node(tmp_path_factory.mktemp("weather"), simulator=True) as running:
        yield running


def test_a_weather_warning_raises_what_it_concerns_and_the_tier_signs(park: TestNode, visit) -> None:
    page = visit("/warnings")
    signals = [
        {"id": "B1", "kind": "大风", "colour": "红", "area": "410900"},
        {"id": "B2", "kind": "雷电", "colour": "红", "area": "410900"},
    ]  # fmt: skip
    took = page.request.post(park.url + "/api/v1/warnings/weather", data=signals, headers={"Origin": park.url})
    assert took.json()["new"] == 2
    page.reload()
    page.get_by_test_id("weather-strip").get_by_text("大风").wait_for()
    row = page.get_by_test_id("warning-row").filter(has_text="环境").first
    row.wait_for()
    row.click()
    drawer = page.get_by_test_id("warning-drawer")
    drawer.get_by_test_id("warning-event").first.wait_for()
    assert drawer.get_by_test_id("warning-receipt").count() >= 3
    page.keyboard.press("Escape")
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


def test_the_rules_in_force_are_shown_with_who_changed_them_and_why(park: TestNode, visit) -> None:
    page = visit("/warnings")
    page.get_by_role("link", name="接收规则").click()
    page.get_by_test_id("rules-row").nth(3).wait_for()
    page.get_by_text("没有改过").wait_for()
    rules = {"regions": {"410900": {"blue": {"act": ["enterprise", "park"], "inform": ["county"]}}}}
    made = page.request.post(
        park.url + "/api/v1/warnings/rules", data={"rules": rules, "why": "园区试点"}, headers={"Origin": park.url}
    )
    page.reload()
    row = page.get_by_test_id("rules-row").filter(has_text="410900")
    row.get_by_text("企业、园区").wait_for()
    assert made.json()["digest"] in page.get_by_test_id("rules-digest").inner_text()
    page.get_by_text("园区试点").wait_for()
