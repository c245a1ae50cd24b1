"""Workbooks that mean harm, or that a tired person made."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import openpyxl
import pytest
from tests.registry.support import edited

from hazwatch.documents import archive
from hazwatch.documents.archive import HostileFileError
from hazwatch.registry import service
from hazwatch.registry.parse import Problem, parse_book
from hazwatch.registry.sheets import workbook
from hazwatch.registry.workbook import MAX_ROWS, WorkbookReader


def read(content: bytes, name: str = "book.xlsx") -> list[Problem]:
    """What the reader complains about."""
    reader = WorkbookReader()
    raw = reader.read(content, name)
    return reader.problems + parse_book(raw)[1]


def repacked(content: bytes, change: Callable[[zipfile.ZipFile], None], drop: str = "") -> bytes:
    """The same archive with parts added or replaced."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != drop:
                new.writestr(part.filename, old.read(part))
        change(new)
    return buffer.getvalue()


def sheet_with(rows: str) -> bytes:
    """The template with the raw XML of the first sheet's rows replaced."""
    part = "xl/worksheets/sheet1.xml"
    content = service.template()
    with zipfile.ZipFile(BytesIO(content)) as old:
        text = old.read(part).decode()
    head, _, tail = text.partition("</sheetData>")
    return repacked(content, lambda new: new.writestr(part, head + rows + "</sheetData>" + tail), drop=part)


@pytest.mark.parametrize("value", ["=1+1", "=HYPERLINK(1)", "=cmd|'/c calc'!A1", " =1"])
def test_formulas_are_refused_with_their_cell(value: str) -> None:
    content = edited(service.template(), "园区", {"A2": "P4109001", "B2": value, "C2": "410900"})
    (problem,) = read(content)
    assert (problem.sheet, problem.cell, problem.row, problem.column) == ("园区", "B2", 2, "名称")
    assert "公式" in problem.message


def test_formulas_in_the_header_and_beside_the_table_are_refused() -> None:
    assert read(edited(service.template(), "园区", {"A1": "=1"}))
    (problem,) = read(edited(service.template(), "园区", {"J7": "=1"}))
    assert (problem.cell, problem.message) == ("J7", "不接受公式,请填写值")


def test_a_formula_with_a_kept_value_is_refused() -> None:
    problem, *_ = read(sheet_with('<row r="2"><c r="A2" t="str"><f>1+1</f><v>P4109001</v></c></row>'))
    assert (problem.cell, problem.message) == ("A2", "不接受公式,请填写值")


def test_macros_are_refused_by_name_and_by_content() -> None:
    plain = service.template()
    with pytest.raises(HostileFileError, match="只接受"):
        read(plain, "book.xlsm")
    with pytest.raises(HostileFileError, match="宏"):
        read(repacked(plain, lambda new: new.writestr("xl/vbaProject.bin", b"x")))
    with zipfile.ZipFile(BytesIO(plain)) as old:
        types = old.read("[Content_Types].xml").replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")
    disguised = repacked(plain, lambda new: new.writestr("[Content_Types].xml", types), drop="[Content_Types].xml")
    with pytest.raises(HostileFileError, match="宏"):
        read(disguised)


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("xl/externalLinks/externalLink1.xml", "外部链接"),
        ("xl/embeddings/oleObject1.bin", "嵌入对象"),
        ("xl/activeX/activeX1.xml", "控件"),
        ("xl/connections.xml", "数据连接"),
    ],
)
def test_links_and_objects_are_refused(part: str, word: str) -> None:
    with pytest.raises(HostileFileError, match=word):
        read(repacked(service.template(), lambda new: new.writestr(part, b"<x/>")))


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    bomb = repacked(service.template(), lambda new: new.writestr("xl/media/a.xml", b"0" * 20_000_000))
    with pytest.raises(HostileFileError, match="压缩比"):
        read(bomb)
    begin = time.perf_counter()
    huge = BytesIO()
    with (
        zipfile.ZipFile(huge, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
        new.open("a.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(21):
            part.write(bytes(10_000_000))
    with pytest.raises(HostileFileError, match="200 MiB"):
        archive.check(huge.getvalue(), "a.xlsx")
    assert time.perf_counter() - begin < 20


def test_an_archive_that_lies_about_sizes_does_not_unpack_more() -> None:
    """The sheet declares ten bytes: the reader stops there and finds a damaged part."""
    content = bytearray(sheet_with("".join(f'<row r="{n}"/>' for n in range(2, 20_000))))
    at = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(HostileFileError, match="损坏"):
        read(bytes(content))


def test_too_large_is_refused() -> None:
    with pytest.raises(HostileFileError, match="10 MiB"):
        archive.check(bytes(archive.MAX_FILE + 1), "a.xlsx")


def test_entities_are_refused() -> None:
    part = "xl/worksheets/sheet1.xml"
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
    content = repacked(service.template(), lambda new: new.writestr(part, bomb), drop=part)
    with pytest.raises(HostileFileError, match="损坏"):
        read(content)


@pytest.mark.parametrize("content", [b"", b"PK", b"hello", b"\xd0\xcf\x11\xe0" + bytes(100)])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(HostileFileError, match=r"不是有效的"):
        read(content)


@pytest.mark.slow
def test_a_million_empty_rows_are_refused_in_time() -> None:
    rows = "".join(f'<row r="{n}" ht="15"/>' for n in range(2, 1_000_001))
    begin = time.perf_counter()
    (problem,) = read(sheet_with(rows))
    assert str(MAX_ROWS) in problem.message
    assert time.perf_counter() - begin < 30


def test_one_row_at_the_very_end_is_refused_in_time() -> None:
    (problem,) = read(sheet_with('<row r="1048576"><c r="A1048576"><v>1</v></c></row>'))
    assert str(MAX_ROWS) in problem.message


def test_some_empty_rows_do_no_harm() -> None:
    content = edited(service.template(), "园区", {"A900": "P4109001", "B900": "园区", "C900": "410900", "A950": "  "})
    assert read(content) == []


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"D2": "东经一百一十五"}, "数值"),
        ({"D2": True, "E2": 36}, "数值"),
        ({"D2": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)}, "日期"),
        ({"D2": "nan", "E2": 36}, "有限"),
        ({"D2": "1e999", "E2": 36}, "有限"),
        ({"F2": "也许"}, "是 或 否"),
        ({"B2": "长" * 201}, "200"),
        ({"B2": "a\nb"}, "不可见"),
        ({"B2": "a\u202eb"}, "不可见"),
        ({"B2": None}, "必填"),
        ({"C2": 410900.5}, "6"),
        ({"J2": "多余"}, "没有标题"),
        ({"J1": "多余"}, "不认识的列"),
        ({"B1": None}, "缺少列"),
        ({"D1": "纬度"}, "重复"),
    ],
)
def test_wrong_types_are_named(cells: dict[str, object], word: str) -> None:
    row = {"A2": "P4109001", "B2": "园区", "C2": "410900"}
    problems = read(edited(service.template(), "园区", row | cells))
    assert problems
    assert word in problems[0].message


def test_unknown_sheets_are_named() -> None:
    book = openpyxl.load_workbook(BytesIO(service.template()))
    book.create_sheet("指标2")
    buffer = BytesIO()
    book.save(buffer)
    (problem,) = read(buffer.getvalue())
    assert (problem.sheet, "不认识" in problem.message) == ("指标2", True)


def test_exported_names_are_never_formulas() -> None:
    names = ["=1+1", "+1", "-1", "@a", "\tx"]
    content = workbook({"parks": [{"code": "P1", "name": name, "region": "410900"} for name in names]})
    sheet = openpyxl.load_workbook(BytesIO(content))["园区"]
    for number, name in enumerate(names, 2):
        cell = sheet.cell(number, 2)
        assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", name, True)


def test_the_template_offers_lists_and_comments() -> None:
    book = openpyxl.load_workbook(BytesIO(service.template()))
    assert book.sheetnames == ["园区", "企业", "重大危险源", "设备", "网关", "指标", "填写说明"]
    lists = {str(v.sqref): v.formula1 for v in book["网关"].data_validations.dataValidation}
    assert lists[f"C2:C{MAX_ROWS}"].startswith('"opcua,modbus')
    assert "11 位数字" in book["网关"]["A1"].comment.text
    assert book["指标"].max_row == 1
