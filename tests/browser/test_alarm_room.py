"""The alarm room in a real browser: 50,000 records without a cap, flood view, shelving, replay, files."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.nodes import TestNode, node, plant

from hazwatch.alarms.model import Transition
from hazwatch.alarms.service import AlarmDesk
from hazwatch.app import facts
from hazwatch.app.node import clock
from hazwatch.app.prepare import prepare
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.secrets import master_key
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.settings import Settings
from hazwatch.vocabulary.levels import Level

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RECORDS, POINTS = 50_000, 200
OPEN_MORE_THAN = "n => Number(document.querySelector('[data-testid=replay]').dataset.open) > n"


def seed(home: Path, records: int) -> None:
    """Alarm records of the past, through the desk, so that they stand as the engine would have left them."""
    config = Settings(home=home, simulator=False)
    sessions = prepare(config, lambda _: None)
    registry.seed(RegistryDesk(sessions, clock, master_key(home)), SYSTEM, plant(POINTS), "test")
    desk = AlarmDesk(sessions, facts.load(sessions).facts)
    start, batch = clock() - records * 1000, []
    for n in range(records):
        point, at = n % POINTS, start + n * 1000
        level = Level.HH if n % 10 == 0 else Level.H
        batch.append(Transition(point, at, at, Level.NORMAL, level, 8.5, 8.0, 1))
        batch.append(Transition(point, at + 500, at + 500, level, Level.NORMAL, 5.0, 8.0, 1))
    for k in range(0, len(batch), 20_000):
        desk.apply(batch[k : k + 20_000], (0, 0))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNode]:
    """A node with 50,000 open records."""
    home = tmp_path_factory.mktemp("full")
    seed(home, RECORDS)
    with node(home, simulator=False) as running:
        yield running


@pytest.fixture
def page(browser, full: TestNode) -> Iterator:
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    full.client().close()
    context.add_cookies([{"name": k, "value": v, "url": full.url} for k, v in full.cookies.items()])
    opened = context.new_page()
    yield opened
    context.close()


def rows(page):
    return page.locator('[data-testid="alarm-row"]')


def test_fifty_thousand_records_are_all_there_and_scroll(page, full: TestNode) -> None:
    page.goto(f"{full.url}/alarms")
    rows(page).first.wait_for()
    assert page.locator('[data-testid="alarm-foot"]').get_attribute("data-total") == str(RECORDS)
    assert rows(page).count() < 100, "only what is on screen exists"
    page.keyboard.press("End")
    page.wait_for_selector(f'[data-testid="alarm-row"][data-index="{RECORDS - 1}"]')
    page.keyboard.press("ArrowUp")
    page.wait_for_selector(f'[data-testid="alarm-row"][data-index="{RECORDS - 2}"][aria-selected="true"]')
    page.keyboard.press("Home")
    page.wait_for_selector('[data-testid="alarm-row"][data-index="0"][aria-selected="true"]')


def test_shelving_by_keyboard_and_back_again(page, full: TestNode) -> None:
    page.goto(f"{full.url}/alarms?priority=2")
    rows(page).first.wait_for()
    page.keyboard.press("ArrowDown")
    name = rows(page).first.locator(".name").inner_text()
    page.keyboard.press("h")
    page.get_by_test_id("aside-reason").fill("仪表检修")
    page.get_by_test_id("aside-confirm").click()
    page.get_by_text("已搁置 1 条").wait_for()
    page.goto(f"{full.url}/alarms/aside")
    hold = page.locator('[data-testid="hold-row"][data-status="active"]')
    hold.wait_for()
    assert name in hold.inner_text()
    page.get_by_test_id("hold-end").click()
    page.get_by_text("现在没有搁置的报警").wait_for()


def test_the_group_view_by_keyboard(page, full: TestNode) -> None:
    page.goto(f"{full.url}/alarms?priority=1")
    rows(page).first.wait_for()
    page.keyboard.press("g")
    page.wait_for_selector('[data-testid="flood-view"][data-groups="1"]')
    page.keyboard.press("a")
    page.keyboard.type("同一原因:进料阀内漏")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(r"已确认 5000 条")).wait_for(timeout=60_000)
    page.reload()
    page.wait_for_selector('[data-testid="flood-view"][data-groups="0"]')


def test_an_exported_file_is_verified_and_a_changed_one_is_found_out(page, full: TestNode, tmp_path: Path) -> None:
    page.goto(f"{full.url}/alarms/exports")
    with page.expect_download() as download:
        page.get_by_test_id("export-csv").click()
    file = tmp_path / "alarms.csv"
    download.value.save_as(file)
    told = page.get_by_test_id("export-sha").inner_text()
    assert told.endswith(hashlib.sha256(file.read_bytes()).hexdigest())
    page.get_by_test_id("verify-file").set_input_files(file)
    page.wait_for_selector('[data-testid="verify-result"][data-ok="true"]')
    file.write_bytes(file.read_bytes() + b"\n")
    page.get_by_test_id("verify-file").set_input_files(file)
    page.wait_for_selector('[data-testid="verify-result"][data-ok="false"]')


def test_replay_shows_a_moment_of_the_past(page, full: TestNode) -> None:
    page.goto(f"{full.url}/alarms/replay")
    page.get_by_text("当时未结束的报警").wait_for()
    page.wait_for_function(OPEN_MORE_THAN, arg=0, timeout=60_000)
    before = int(page.get_by_test_id("replay").get_attribute("data-open"))
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(OPEN_MORE_THAN, arg=before)


def test_a_page_that_was_cut_off_says_how_old_its_list_is(page, full: TestNode) -> None:
    page.goto(f"{full.url}/alarms")
    rows(page).first.wait_for()
    deadline = time.monotonic() + 60
    while "连接中断" not in page.get_by_test_id("alarm-age").inner_text():
        assert time.monotonic() < deadline
        full.kill("web")  # the supervisor is quick: keep it down
        page.wait_for_timeout(300)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=alarm-age]').innerText.includes('中断')", timeout=60_000
    )
