"""The risk pages: distribution, declared records, drafts of the models' numbers, a source's history."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
SOURCE = "410900901001"


def test_a_province_its_park_and_its_enterprises(visit) -> None:
    page = visit("/risk/places")
    page.get_by_test_id("place-row").first.wait_for()
    assert page.get_by_test_id("place-count").count() == 5
    page.get_by_test_id("place-row").first.click()
    page.get_by_test_id("place-enterprise").first.wait_for()
    assert page.get_by_test_id("place-enterprise").count() == 5


def test_a_work_is_declared_scored_explained_and_withdrawn(park, visit) -> None:
    page = visit("/risk/declared")
    page.get_by_test_id("declare-new").click()
    page.get_by_test_id("declare-object").fill(SOURCE)
    page.get_by_test_id("declare-work").click()
    page.get_by_role("option", name="特级动火").click()
    page.get_by_test_id("declare-save").click()
    row = page.get_by_test_id("declared-row").filter(has_text="特级动火作业").first
    row.wait_for()
    page.goto(park.url + f"/sources/{SOURCE}")
    page.locator("[data-term='W']", has_text="特级动火作业").wait_for()
    told = page.get_by_test_id("explained")
    told.wait_for()
    assert told.get_attribute("data-identical") == "true"
    assert page.get_by_test_id("past-grade").count() >= 1
    page.goto(park.url + "/risk/declared")
    row.wait_for()
    row.get_by_role("button", name="撤回").click()
    page.get_by_label("撤回原因").fill("作业取消")
    page.get_by_role("dialog").get_by_role("button", name="撤回").click()
    page.get_by_test_id("declared-row").filter(has_text="特级动火作业").wait_for(state="detached")


def test_a_draft_is_tested_back_and_waits_for_a_second_person(visit) -> None:
    page = visit("/risk/configurations")
    page.get_by_test_id("draft-new").click()
    page.get_by_test_id("draft-name").fill("降低环境权重")
    page.get_by_test_id("draft-why").fill("台风季误报多")
    page.get_by_test_id("parameter-weights.E").locator("input").fill("0.2")
    page.get_by_test_id("parameter-weights.E").locator("input").blur()
    page.get_by_test_id("draft-save").click()
    page.get_by_test_id("backtest").click()
    page.get_by_test_id("backtest-result").wait_for()
    assert page.get_by_test_id("approve").is_disabled(), "not by who drafted it"


def test_a_unit_without_enough_normal_operation_is_told_why_no_model_was_learned(visit) -> None:
    page = visit("/risk/units")
    page.get_by_test_id("unit-model-new").click()
    page.get_by_test_id("unit-model-object").fill("410900903001")
    page.get_by_test_id("unit-model-learn").click()
    row = page.get_by_test_id("unit-model-row").filter(has_text="田纳西")
    row.wait_for()
    page.wait_for_timeout(1_000)
    page.reload()
    page.get_by_test_id("unit-model-row").filter(has_text="未学成").filter(has_text="正常工况的完整数据只有").wait_for()
