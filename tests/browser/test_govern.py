"""Alarm governance on the page: figures of a room, a what-if to its end, a limit from proposal to the second person."""

from __future__ import annotations

import pytest
from tests.nodes import TestNode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOM, LEVEL = "410900901", "410900901001G0001YW001"


def test_figures_of_a_room(visit) -> None:
    page = visit("/govern")
    page.wait_for_url("**/govern/kpi*")
    page.locator(f'[data-testid="kpi-room"][data-code="{ROOM}"]').click()
    page.wait_for_url(f"**/govern/kpi/{ROOM}*")
    page.get_by_text("国家五项指标").wait_for()
    page.get_by_role("button", name="1 年").click()
    page.get_by_text("报警次数 / 天").wait_for()


def test_a_whatif_runs_to_its_end_while_the_page_is_elsewhere(visit) -> None:
    page = visit(f"/govern/whatif?window=8h&point={LEVEL}")
    page.get_by_test_id("whatif-start").click()
    page.wait_for_url("**/govern/whatif/*-*")
    address = page.url
    page.goto(address.rpartition("/govern")[0] + "/govern/limits")
    page.goto(address)
    page.get_by_test_id("whatif-result").wait_for()
    assert "判定样本" in page.get_by_test_id("whatif-result").inner_text()


def test_the_proposer_cannot_approve_and_says_why(visit, park: TestNode) -> None:
    page = visit(f"/govern/limits?q={LEVEL}")
    page.locator(f'[data-testid="limit-row"][data-code="{LEVEL}"]').click()
    page.get_by_role("button", name="修改限值").click()
    page.get_by_test_id("limit-h").fill("12.2")
    page.get_by_test_id("limit-reason").fill("试验")
    page.get_by_role("button", name="检查").click()
    page.get_by_text("高报 12.3 → 12.2").wait_for()
    page.get_by_test_id("limit-propose").click()
    page.get_by_text("提出人不能批准自己的提案").wait_for()
    assert page.get_by_test_id("proposal-approve").count() == 0
    with park.client() as client:
        assert client.get(f"/api/v1/limits/points/{LEVEL}").json()["own"]["h"] == 12.3
