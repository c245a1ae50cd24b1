"""One workbook and one bundle for one file: there and back, errors with cells, nothing hostile."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from io import BytesIO

import openpyxl
import pytest
from tests.registry.support import SMALL, Office, edited, office

from hazwatch.documents import archive
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import Sessions, reading
from hazwatch.registry.files import book, bundle, documents, service, views
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.model import OwnerKind
from hazwatch.registry.files.service import Reason
from hazwatch.registry.service import seed

#: What a workbook holds does not depend on the database; the store itself is tested on both.
pytestmark = pytest.mark.parametrize("records", ["sqlite"], indirect=True)

JIA, PARK = "410902001", "P4109001"
ENGINEER = Principal("eng", "工程师", Role.ENGINEER, "/410000/", "410000")


@pytest.fixture
def town(records: Sessions) -> Office:
    room = office(records)
    seed(room.desk, SYSTEM, SMALL, "park")
    return room


def exported(town: Office, code: str = JIA) -> bytes:
    with reading(town.sessions) as session:
        return book.file_workbook(session, SYSTEM, code)


def content(town: Office, code: str = JIA) -> dict:
    with reading(town.sessions) as session:
        return views.file_view(session, SYSTEM, code, town.now, None)["content"]


def take(town: Office, given: bytes, *, dry_run: bool = False, code: str = JIA) -> book.BookResult:
    return book.import_book(town.desk, ENGINEER, code, given, "file.xlsx", "补录", dry_run=dry_run)


def column(sheet, title: str) -> str:
    for cell in sheet[1]:
        if cell.value and str(cell.value).removesuffix(" *") == title:
            return cell.column_letter
    raise LookupError(title)


def filled(given: bytes, *rows: tuple[str, int, dict]) -> bytes:
    """A workbook with cells set by sheet, row and column title."""
    read = openpyxl.load_workbook(BytesIO(given))
    for title, number, values in rows:
        sheet = read[title]
        for name, value in values.items():
            sheet[f"{column(sheet, name)}{number}"] = value
    buffer = BytesIO()
    read.save(buffer)
    return buffer.getvalue()


def test_what_goes_out_comes_back_without_a_change(town: Office) -> None:
    for code in (JIA, PARK):
        again = take(town, exported(town, code), dry_run=True, code=code)
        assert (again.ok, again.changes, again.errors) == (True, [], [])


def test_a_filled_workbook_is_shown_first_and_then_taken(town: Office) -> None:
    given = filled(
        exported(town),
        ("档案-基本信息", 2, {"主要负责人": "王甲", "从业人数": 120, "企业类型": "生产"}),
        ("档案-危险化学品", 2, {"名称": "甲醇", "CAS 号": "67-56-1", "最大储量": 800, "重点监管": "是"}),
        ("档案-危险化工工艺", 2, {"不涉及的原因": "无重点监管工艺"}),
        ("档案-重大危险源", 2, {"投用日期": date(2020, 5, 1), "包保主要负责人": "王甲"}),
        ("设备", 2, {"容积 m³": 1200}),
    )
    shown = take(town, given, dry_run=True)
    assert (shown.ok, shown.counts["设备"]["changed"]) == (True, 1)
    words = {(one["group_title"], one["field_title"], one["waits"]) for one in shown.changes}
    assert ("基本信息", "企业类型", True) in words
    assert ("重大危险源", "投用日期", False) in words
    assert content(town).get("chemicals", {}) == {}
    done = take(town, given)
    assert (done.ok, done.outcome.waiting) == (True, 1)
    now = content(town)
    assert next(iter(now["chemicals"].values()))["max_storage"] == 800
    assert now["sources"][f"{JIA}001"]["commissioned"] == "2020-05-01"
    assert now["equipment"][f"{JIA}001G0001"]["capacity_m3"] == 1200
    assert now["processes"]["@none"]["reason"] == "无重点监管工艺"
    again = take(town, given, dry_run=True)
    assert [one["field_title"] for one in again.changes] == ["企业类型"], "only what waits is not in force yet"


def test_errors_name_sheet_and_cell_and_nothing_is_taken(town: Office) -> None:
    given = filled(
        exported(town),
        ("档案-基本信息", 2, {"主要负责人": "王甲", "从业人数": "很多"}),
        ("档案-危险化学品", 3, {"名称": "甲醇", "CAS 号": "67-56-2"}),
        ("档案-重大危险源", 5, {"登记编码": "410902001099", "包保主要负责人": "王"}),
        ("企业", 3, {"编码": "410502001", "名称": "别家"}),
    )
    refused = take(town, given)
    assert not refused.ok
    where = {(p.sheet, p.cell[-1]) for p in refused.errors}
    assert ("企业", "3") in where
    assert take(town, given, dry_run=True).errors
    given = filled(exported(town), ("档案-危险化学品", 3, {"名称": "甲醇", "CAS 号": "67-56-2"}))
    wrong = take(town, given).errors[0]
    assert (wrong.sheet, wrong.cell, wrong.column) == ("档案-危险化学品", "C3", "CAS 号")
    assert "head" not in content(town)["identity"][""]


def test_hostile_workbooks_are_refused_with_a_reason(town: Office) -> None:
    formula = edited(exported(town), "档案-危险化学品", {"B2": "=1+1"})
    assert any("公式" in p.message for p in take(town, formula, dry_run=True).errors)
    buffer = BytesIO(exported(town))
    with zipfile.ZipFile(buffer, "a") as parts:
        parts.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(archive.HostileFileError, match="宏"):
        take(town, buffer.getvalue(), dry_run=True)
    with pytest.raises(archive.HostileFileError):
        book.import_book(town.desk, ENGINEER, JIA, exported(town), "a.xlsm", "x", dry_run=True)


def test_templates_have_drop_downs_for_choices(records: Sessions) -> None:
    del records
    for kind in OwnerKind:
        read = openpyxl.load_workbook(BytesIO(book.empty_workbook(kind)))
        for sheet in book.sheets_of(kind):
            titles = [one.title for one in sheet.columns]
            assert len(titles) == len(set(titles)), sheet.title
        lists = [v.formula1 for sheet in read for v in sheet.data_validations.dataValidation]
        assert len(lists) > 3
        assert all(len(one) <= 257 for one in lists), "a spreadsheet takes 255 characters"
        assert all(one.startswith('"') or one[1:].partition("!")[0] in read.sheetnames for one in lists)


def test_an_import_needs_an_engineer_a_reason_and_the_scope(town: Office) -> None:
    given = exported(town)
    for who, why, status in (
        (Principal("v", "v", Role.VIEWER, "/410000/"), "x", 403), (ENGINEER, " ", 422),
        (Principal("e", "e", Role.ENGINEER, "/410000/410500/"), "x", 404),
    ):  # fmt: skip
        with pytest.raises(ApiError) as refused:
            book.import_book(town.desk, who, JIA, given, "a.xlsx", why, dry_run=False)
        assert refused.value.status == status


def test_a_bundle_can_be_checked_by_anybody(town: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    service.change(town.desk, ENGINEER, JIA, [Op("identity", "", "head", None, "王甲")], Reason("补录"))
    documents.upload(town.desk, ENGINEER, JIA, b"%PDF-1", documents.Upload("pid", "P&ID", "流程图.pdf", "首次"))
    name, content_ = bundle.make_bundle(town.desk, SYSTEM, JIA)
    assert name == "甲化工有限公司"
    found = bundle.check_bundle(content_)
    assert (found.ok, found.owner, found.problems) == (True, JIA, [])
    with zipfile.ZipFile(BytesIO(content_)) as parts:
        assert json.loads(parts.read("file.json"))["content"]["identity"][""]["head"] == "王甲"
        assert parts.read("documents/1-v1-流程图.pdf") == b"%PDF-1"
        changed = BytesIO()
        with zipfile.ZipFile(changed, "w") as other:
            for info in parts.infolist():
                if info.filename != "history.json":
                    text = parts.read(info)
                    other.writestr(info.filename, text.replace("王甲".encode(), "李乙".encode()))
            other.writestr("more.txt", b"x")
    monkeypatch.setattr(bundle, "MAX_DOCUMENTS", 5)
    with pytest.raises(ApiError) as large:
        bundle.make_bundle(town.desk, SYSTEM, JIA)
    assert large.value.status == 409
    problems = " ".join(bundle.check_bundle(changed.getvalue()).problems)
    assert "file.json" in problems
    assert "more.txt" in problems
    assert "缺少部件 history.json" in problems
    for hostile in (b"", b"PK\x03\x04", exported(town)):
        with pytest.raises(archive.HostileFileError):
            bundle.check_bundle(hostile)
