"""Pages of files: lists, filling in, meeting another editor, a past day, an approval, a boundary on the map."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def first_code(park) -> str:
    with park.client() as client:
        return client.get("/api/v1/lists/enterprises").json()["items"][0]["code"]


def test_a_file_is_found_filled_in_and_two_editors_meet(visit, park) -> None:
    code = first_code(park)
    page = visit("/files")
    page.get_by_test_id("list").get_by_test_id("list-row").first.wait_for()
    assert page.get_by_test_id("list").get_attribute("data-name") == "enterprises"
    page.locator(f"[data-testid=list-row][data-code='{code}']").click()
    ring = page.get_by_test_id("file-ring")
    ring.wait_for()
    before = float(ring.get_attribute("data-percent"))
    assert page.get_by_test_id("file-gap").count() > 10

    page.get_by_test_id("group-edit").click()
    page.locator("[name=shifts]").fill("四班三运转")
    page.locator("[name=head]").fill("王甲")
    with park.client() as client:
        op = {"group": "identity", "row": "", "field": "shifts", "before": None, "after": "三班两运转"}
        body = {"ops": [op], "why": "现场核实"}
        answer = client.post(f"/api/v1/files/{code}/changes", json=body, headers={"origin": park.url})
        assert answer.status_code == 200, answer.text
    page.get_by_test_id("group-save").click()
    page.locator("[name=change-why]").fill("补录")
    page.get_by_test_id("change-save").click()
    conflicts = page.get_by_test_id("conflicts")
    conflicts.get_by_text("三班两运转").wait_for()
    assert conflicts.get_attribute("data-count") == "1"
    page.get_by_test_id("conflict-mine").check()
    page.get_by_test_id("change-save").click()
    page.get_by_text("2 处已生效").wait_for()
    assert float(ring.get_attribute("data-percent")) > before

    page.get_by_test_id("file-history").click()
    page.get_by_test_id("file-change").get_by_text("王甲").wait_for()
    page.get_by_test_id("file-change").filter(has_text="现场核实").get_by_role("button", name="查看当时").click()
    page.get_by_text("只读").wait_for()
    page.locator("dd", has_text="三班两运转").wait_for()
    assert page.get_by_test_id("group-edit").count() == 0
    page.get_by_test_id("file-now").click()
    page.get_by_test_id("group-edit").wait_for()


def test_what_must_be_approved_waits(visit, park) -> None:
    page = visit(f"/files/{first_code(park)}")
    page.locator("[data-testid=file-group][data-group=permits]").click()
    page.get_by_test_id("row-new").click()
    page.locator("[name=number]").fill("豫A-1")
    page.get_by_test_id("row-save").click()
    page.get_by_text("须由第二人批准后生效").wait_for()
    page.locator("[name=change-why]").fill("换证")
    page.get_by_test_id("change-save").click()
    page.get_by_text("1 处待第二人批准").wait_for()
    page.get_by_test_id("file-waiting-tab").click()
    page.get_by_text("提出人不能批准自己的变更").wait_for()
    page.get_by_role("button", name="撤回").click()
    page.get_by_text("没有待批准的变更").wait_for()


def test_a_place_outside_its_county_is_warned_of(visit, park) -> None:
    page = visit(f"/map?edit={first_code(park)}")
    page.get_by_test_id("map-ring").wait_for()
    page.locator("[name=map-typed]").fill("113.66, 34.75")
    page.get_by_role("button", name="输入坐标").click()
    located = page.get_by_test_id("map-located")
    located.get_by_text("请核对坐标或坐标系").wait_for()
    assert located.get_attribute("data-verdict") == "outside"


def test_a_zip_comes_back_with_a_preview(visit, park) -> None:
    code = first_code(park)
    with park.client() as client:
        origin = {"origin": park.url}
        document = {"file": ("厂区图.pdf", b"%PDF-1.4 plan")}
        data = {"kind": "plot_plan", "title": "厂区平面图", "why": "首次"}
        sent = client.post(f"/api/v1/files/{code}/documents", files=document, data=data, headers=origin)
        assert sent.status_code == 200, sent.text
        given = client.get(f"/api/v1/files/{code}/bundle.zip").content
        number = sent.json()["id"]
        client.post(f"/api/v1/files/{code}/documents/{number}/withdraw", json={"note": "误撤"}, headers=origin)
        damaged = client.post(f"/api/v1/files/{code}/bundle", files={"file": ("a.zip", given[:-9])}, headers=origin)
        assert (damaged.status_code, damaged.json()["error"]["code"]) == (422, "bad_bundle")
    page = visit(f"/files/{code}")
    page.get_by_test_id("file-bundle").click()
    page.locator("[name=book-file]").set_input_files({"name": "a.zip", "mimeType": "application/zip", "buffer": given})
    page.get_by_test_id("book-ok").get_by_text("文件 1 份变更").wait_for()
    page.get_by_test_id("bundle-documents").get_by_text("厂区平面图").first.wait_for()
    page.locator("[name=book-why]").fill("恢复")
    page.get_by_test_id("book-confirm").click()
    page.get_by_test_id("book-done").get_by_text("文件 1 份导入").wait_for()
    with park.client() as client:
        found = client.get(f"/api/v1/files/{code}/documents").json()
    assert [(one["title"], one["version"]) for one in found if one["title"] == "厂区平面图"] == [("厂区平面图", 1)]
