"""The page of messages: nothing leaves by default; a channel, its test message, a route."""

from __future__ import annotations

import pytest
from tests.notify.test_notices import Webhook

pytestmark = pytest.mark.browser


def test_a_channel_is_made_tested_and_routed(visit) -> None:
    hook = Webhook()
    try:
        page = visit("/notices")
        page.get_by_text("没有发送过消息").wait_for()
        page.get_by_text("本机不向外发送任何消息").wait_for()
        page.get_by_test_id("notices-channels").click()
        page.get_by_test_id("channel-new").click()
        page.locator("[name=channel-name]").fill("试验群")
        page.locator("[name=channel-url]").fill(hook.url)
        page.get_by_role("button", name="保存").click()
        row = page.get_by_test_id("channel-row")
        row.get_by_text("未启用,不发送").wait_for()
        row.get_by_test_id("channel-test").click()
        page.get_by_text("测试消息已交给「试验群」的服务").wait_for()
        assert hook.heard[0]["title"] == "Hazwatch 测试消息"
        assert "secret-path" not in page.content()

        page.get_by_test_id("notices-routes").click()
        page.get_by_test_id("route-new").click()
        page.locator("[name=route-name]").fill("试验路由")
        page.get_by_role("dialog").locator(".el-select").nth(3).click()
        page.locator(".el-select-dropdown__item:visible").get_by_text("试验群").click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="保存").click()
        page.get_by_test_id("route-row").get_by_text("试验路由").wait_for()
        page.get_by_role("button", name="删除").click()
        page.get_by_role("button", name="确认删除").click()
        page.get_by_text("没有路由").wait_for()
    finally:
        hook.stop()
