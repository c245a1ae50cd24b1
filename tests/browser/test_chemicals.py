"""Knowledge base, set points, completeness and the wizard of identification, as a person uses them."""

from __future__ import annotations

import pytest
from tests.nodes import TestNode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SOURCE = "410900901001"


def test_a_slip_finds_the_substance_and_a_bad_pair_names_its_gas(visit) -> None:
    page = visit("/chemicals")
    page.get_by_test_id("chemical-search").fill("二氧化流")
    page.locator('[data-testid="chemical-card"][data-cas="7446-09-5"]').wait_for()
    page.get_by_role("tab", name="相容性").click()
    for name in ("硫酸", "硫化钠"):
        page.get_by_test_id("substance-input").fill(name)
        page.get_by_test_id("substance-option").filter(has_text=name).first.click()
    page.locator('[data-testid="meet-result"][data-verdict="incompatible"]').wait_for()
    assert "H₂S 硫化氢" in page.get_by_test_id("meet-result").inner_text()
    page.get_by_role("tab", name="事故案例").click()
    page.get_by_test_id("accident-row").first.wait_for()


def test_set_points_and_what_is_missing(visit) -> None:
    page = visit("/govern/setpoints?show=all")
    page.get_by_test_id("setpoint-row").first.wait_for()
    with page.expect_download() as download:
        page.get_by_test_id("setpoints-export").click()
    assert download.value.suggested_filename.startswith("气体设定值-")
    page.goto(page.url.partition("/govern")[0] + "/govern/monitoring")
    page.get_by_test_id("monitoring-row").first.click()
    page.get_by_text("没有测点").first.wait_for()
    with page.expect_download() as download:
        page.get_by_test_id("monitoring-export").click()
    assert download.value.suggested_filename.startswith("监测完整性-")


SLOW_VERSIONS = """
const real = window.fetch;
window.fetch = async (...asked) => {
  const method = asked[1]?.method ?? asked[0]?.method ?? "GET";
  const url = String(asked[0]?.url ?? asked[0]);
  if (method === "GET" && /identifications(\\?|$)/.test(url)) await new Promise((go) => setTimeout(go, 3000));
  return real(...asked);
};
"""


def test_the_wizard_leads_from_the_file_to_the_filing_sheet(visit, park: TestNode) -> None:
    page = visit(f"/sources/{SOURCE}")
    page.get_by_test_id("source-identify").click()
    for _ in range(2):
        page.get_by_test_id("identify-next").click()
    page.get_by_test_id("identify-from-file").click()
    page.get_by_test_id("identify-next").click()
    page.get_by_test_id("identify-people").fill("六十")
    page.get_by_test_id("identify-next").click()
    page.get_by_text("应为整数").wait_for()
    page.get_by_test_id("identify-people").fill("60")
    page.get_by_test_id("identify-next").click()
    page.locator('[data-testid="identify-result"][data-level="二级"]').wait_for()
    # The list of versions comes late: what is printed in the meantime is printed all the same.
    page.evaluate(SLOW_VERSIONS)
    page.get_by_test_id("identify-keep").click()
    page.get_by_test_id("identify-kept").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="备案表 PDF").first.click()
    assert download.value.suggested_filename.startswith("重大危险源备案表")
    with park.client() as client:
        assert client.get(f"/api/v1/sources/{SOURCE}/identifications").json()["items"][0]["level"] == "二级"
