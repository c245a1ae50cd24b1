"""A bundle comes back: here nothing changes, another home gets the same file, what was tampered with is refused."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from tests.registry.support import SMALL, Office, office

from hazwatch.documents import archive
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Principal, Role
from hazwatch.records import Sessions, make_engine, make_sessions, migrate, reading
from hazwatch.registry.files import bundle, documents, service, views
from hazwatch.registry.files.bundle_import import BundleResult, import_bundle
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.service import Reason
from hazwatch.registry.service import seed

#: As with workbooks, what a bundle holds does not depend on the database.
pytestmark = pytest.mark.parametrize("records", ["sqlite"], indirect=True)

JIA, YI, PARK = "410902001", "410502001", "P4109001"
PDF = b"%PDF-1.4 "
ENGINEER = Principal("eng", "工程师", Role.ENGINEER, "/410000/", "410000")
SECOND = Principal("two", "第二人", Role.ENGINEER, "/410000/", "410000")
SQUARE = {"type": "Polygon", "coordinates": [[[115.0, 35.7], [115.01, 35.7], [115.01, 35.71], [115.0, 35.7]]]}


@pytest.fixture
def town(records: Sessions) -> Office:
    room = office(records)
    seed(room.desk, SYSTEM, SMALL, "park")
    return room


@pytest.fixture
def filled(town: Office) -> Office:
    """A file with fields, a row with a shape, a permit that two have signed, a group that does not apply, documents."""
    ops = [
        Op("identity", "", "head", None, "王甲"),
        Op("identity", "", "type", None, "生产"),
        Op("site", "", "boundary", None, SQUARE),
        Op("chemicals", "c1", "", None, {"name": "甲醇", "cas": "67-56-1", "max_storage": 800}),
        Op("processes", "@none", "reason", None, "无重点监管工艺"),
        Op("equipment", f"{JIA}001G0001", "capacity_m3", 1000.0, 1250.0),
    ]
    done = service.change(town.desk, ENGINEER, JIA, ops, Reason("补录"))
    if done.proposal is not None:
        service.approve(town.desk, SECOND, done.proposal, "属实")
    shapes = [Op("boundary", "", field, None, SQUARE) for field in ("boundary", "control_line")]
    drawn = service.change(town.desk, ENGINEER, PARK, shapes, Reason("测绘"))
    assert drawn.proposal is not None, "the shapes of a park need a second person"
    service.approve(town.desk, SECOND, drawn.proposal, "属实")
    first = documents.upload(
        town.desk, ENGINEER, JIA, PDF + b"1", documents.Upload("pid", "P&ID", "流程图.pdf", "首次")
    )
    again = documents.Upload("pid", "P&ID", "流程图-改.pdf", "改造", "2030-01-01", series=first)
    documents.upload(town.desk, ENGINEER, JIA, PDF + b"2", again)
    documents.upload(town.desk, ENGINEER, JIA, b"%PDF-plan", documents.Upload("pid", "P&ID", "二期.pdf", "首次"))
    return town


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Office]:
    """Another home: the same registry, empty files."""
    url = f"sqlite:///{tmp_path / 'other.db'}"
    migrate(url)
    engine = make_engine(url)
    room = office(make_sessions(engine))
    seed(room.desk, SYSTEM, SMALL, "park")
    yield room
    engine.dispose()


def exported(town: Office, code: str = JIA) -> bytes:
    return bundle.make_bundle(town.desk, SYSTEM, code)[1]


def take(town: Office, given: bytes, code: str = JIA, *, dry_run: bool = False) -> BundleResult:
    return import_bundle(town.desk, ENGINEER, code, given, "迁移", dry_run=dry_run)


def state(town: Office, code: str = JIA) -> tuple:
    """Content, and documents with all versions, without the numbers and the names that belong to one home."""
    facts = ("version", "kind", "title", "file_name", "media", "size", "sha256", "valid_to")
    with reading(town.sessions) as session:
        content = views.file_view(session, SYSTEM, code, town.now, None)["content"]
        found = documents.documents(session, SYSTEM, code)
    return content, [[tuple(one[key] for key in facts) for one in (row, *row["older"])] for row in found]


def version(town: Office) -> int:
    with reading(town.sessions) as session:
        return views.file_view(session, SYSTEM, JIA, town.now, None)["version"]


def remade(given: bytes, parts: dict[str, bytes | None], *, honest: bool = True) -> bytes:
    """A bundle with other parts (None: without it); ``honest``: the manifest tells the new digests."""
    with zipfile.ZipFile(BytesIO(given)) as old:
        held = {name: old.read(name) for name in old.namelist()}
    for name, content in parts.items():
        if content is None:
            held.pop(name, None)
        else:
            held[name] = content
    if honest and bundle.MANIFEST not in parts:
        manifest = json.loads(held[bundle.MANIFEST])
        manifest["parts"] = {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in held.items() if name != bundle.MANIFEST
        }  # fmt: skip
        held[bundle.MANIFEST] = json.dumps(manifest).encode()
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in held.items():
            new.writestr(name, content)
    return buffer.getvalue()


def test_what_goes_out_comes_back_without_a_change(filled: Office) -> None:
    before, at = state(filled), version(filled)
    for code in (JIA, PARK):
        given = exported(filled, code)
        shown = take(filled, given, code, dry_run=True)
        assert (shown.book.ok, shown.book.changes, shown.book.errors) == (True, [], [])
        assert {step.state for step in shown.documents} <= {"same"}
        assert take(filled, given, code).book.ok
    assert (state(filled), version(filled)) == (before, at)


@pytest.mark.parametrize("code", [JIA, PARK])
def test_another_home_gets_the_same_file_once_the_second_person_agrees(
    filled: Office, elsewhere: Office, code: str
) -> None:
    given = exported(filled, code)
    assert state(elsewhere, code) != state(filled, code)
    shown = take(elsewhere, given, code, dry_run=True)
    assert shown.book.ok
    assert [(step.state, step.versions) for step in shown.documents] == (
        [("new", 2), ("new", 1)] if code == JIA else []
    )
    assert {change["waits"] for change in shown.book.changes} >= {True}
    done = take(elsewhere, given, code)
    assert done.book.outcome.waiting
    assert state(elsewhere, code)[0] != state(filled, code)[0], "what needs approval is not in force yet"
    with pytest.raises(ApiError, match="提出人"):
        service.approve(elsewhere.desk, ENGINEER, done.book.outcome.proposal, "")
    service.approve(elsewhere.desk, SECOND, done.book.outcome.proposal, "属实")
    assert state(elsewhere, code) == state(filled, code)
    again = take(elsewhere, exported(elsewhere, code), code, dry_run=True)
    assert (again.book.changes, {step.state for step in again.documents} - {"same"}) == ([], set())


def test_a_newer_bundle_adds_the_versions_that_are_missing(filled: Office, elsewhere: Office) -> None:
    take(elsewhere, exported(filled))
    with reading(filled.sessions) as session:
        series = documents.documents(session, SYSTEM, JIA)[0]["series"]
    newer = documents.Upload("pid", "P&ID", "流程图-三.pdf", "改造", series=series)
    documents.upload(filled.desk, ENGINEER, JIA, PDF + b"3", newer)
    done = take(elsewhere, exported(filled))
    assert [(step.state, step.versions) for step in done.documents] == [("changed", 1), ("same", 0)]
    assert state(elsewhere)[1] == state(filled)[1]


def test_older_versions_come_in_below_the_newest_that_is_here_already(filled: Office, elsewhere: Office) -> None:
    same = documents.Upload("pid", "P&ID", "流程图-改.pdf", "首次", "2030-01-01")
    number = documents.upload(elsewhere.desk, ENGINEER, JIA, PDF + b"2", same)
    shown = take(elsewhere, exported(filled), dry_run=True)
    assert [(step.state, step.versions) for step in shown.documents] == [("older", 1), ("new", 1)]
    take(elsewhere, exported(filled))
    assert state(elsewhere)[1] == state(filled)[1], "the same versions in the same order"
    sent = documents.content_of(elsewhere.desk, ENGINEER, JIA, number)
    assert sent.content == PDF + b"2", "a link to a document still leads to it"
    assert {step.state for step in take(elsewhere, exported(filled), dry_run=True).documents} == {"same"}


def test_a_new_row_comes_with_its_shape(filled: Office, elsewhere: Office) -> None:
    """A new row and its shape are one edit: neither stands without the other."""
    with reading(filled.sessions) as session:
        schema = documents.owner_in_scope(session, SYSTEM, JIA).schema
    group = next(one for one in schema.groups if one.many and not one.table
                 and any(field.kind.value == "geometry" for field in one.fields))  # fmt: skip
    text = next(field.key for field in group.fields if field.kind.value == "text")
    shape = next(field.key for field in group.fields if field.kind.value == "geometry")
    service.change(filled.desk, SYSTEM, JIA, [Op(group.key, "r1", "", None, {text: "东", shape: SQUARE})], Reason("x"))
    take(elsewhere, exported(filled))
    assert state(elsewhere)[0][group.key] == state(filled)[0][group.key]


@pytest.mark.parametrize("name", ["workbook.xlsx", "file.json", "documents/1-v1-流程图.pdf", "history.json"])
def test_a_tampered_or_missing_part_is_refused(filled: Office, name: str) -> None:
    before = state(filled)
    for content in (b"%PDF-1.4 x", None):
        with pytest.raises(archive.HostileFileError, match="与校验清单不符") as refused:
            take(filled, remade(exported(filled), {name: content}, honest=False))
        assert name in str(refused.value)
    assert state(filled) == before


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"more.txt": b"x"}, "不认识的部件"),
        ({"documents/9-v1-more.pdf": PDF}, "清单与内容不符"),
        ({"documents/../../x.pdf": PDF}, "含有路径"),
        ({"/etc/x": PDF}, "含有路径"),
        ({"documents\\1-v1-x.pdf": PDF}, "含有路径"),
        ({"documents/1-v1-a/b.pdf": PDF}, "不认识的部件"),
        ({"history.json": b"0" * (64 * 1024 * 1024 + 1)}, "解压后超过"),
        ({"documents/1-v1-流程图.pdf": b"0" * (30 * 1024 * 1024 + 1)}, "解压后超过"),
        ({"documents.json": b"[" * 100_000}, "损坏"),
        ({"documents.json": b"{}", "documents/1-v1-x.pdf": PDF}, "清单与内容不符"),
        ({"file.json": b"{}"}, "损坏"),
        ({"workbook.xlsx": b"PK"}, "xlsx"),
        ({bundle.MANIFEST: b"{}"}, "损坏"),
        ({bundle.MANIFEST: None}, "损坏"),
    ],
)
def test_hostile_bundles_are_refused_with_the_reason(filled: Office, parts: dict, reason: str) -> None:
    before = state(filled)
    with pytest.raises(archive.HostileFileError, match=reason):
        take(filled, remade(exported(filled), parts, honest=bundle.MANIFEST not in parts))
    assert state(filled) == before


def test_a_part_twice_and_macros_are_refused(filled: Office) -> None:
    twice = BytesIO(exported(filled))
    with zipfile.ZipFile(twice, "a") as parts, pytest.warns(UserWarning, match="Duplicate"):
        parts.writestr("file.json", b"{}")
    with pytest.raises(archive.HostileFileError, match="重名"):
        take(filled, twice.getvalue())
    with zipfile.ZipFile(BytesIO(exported(filled))) as parts:
        macros = BytesIO(parts.read("workbook.xlsx"))
    with zipfile.ZipFile(macros, "a") as inner:
        inner.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(archive.HostileFileError, match="宏"):
        take(filled, remade(exported(filled), {"workbook.xlsx": macros.getvalue()}))


def test_a_document_that_is_not_what_it_says_refuses_the_whole(filled: Office, elsewhere: Office) -> None:
    """A new manifest is made in a minute: what is behind it passes the checks of an upload."""
    before = state(elsewhere)
    refused = take(elsewhere, remade(exported(filled), {"documents/1-v1-流程图.pdf": b"MZ program"}))
    assert not refused.book.ok
    assert "只接受" in refused.book.errors[0].message
    other = take(elsewhere, remade(exported(filled), {"documents/1-v1-流程图.pdf": PDF + b"other"}))
    assert "SHA-256" in other.book.errors[0].message
    assert state(elsewhere) == before


def test_all_or_nothing(filled: Office, elsewhere: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before, told = state(elsewhere), list(elsewhere.versions)
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 2)
    with pytest.raises(ApiError, match="最多 2"):
        take(elsewhere, exported(filled))
    assert (state(elsewhere), list(elsewhere.versions)) == (before, told)


def test_the_file_of_another_owner_is_refused(filled: Office) -> None:
    with pytest.raises(archive.HostileFileError, match=f"{JIA} 的档案,不能导入到 乙化工有限公司"):
        take(filled, exported(filled), YI)


def test_an_import_needs_an_engineer_a_reason_and_the_scope(town: Office) -> None:
    given = exported(town)
    for who, why, status in (
        (Principal("v", "v", Role.VIEWER, "/410000/"), "x", 403), (ENGINEER, " ", 422),
        (Principal("e", "e", Role.ENGINEER, "/410000/410500/"), "x", 404),
    ):  # fmt: skip
        with pytest.raises(ApiError) as refused:
            import_bundle(town.desk, who, JIA, given, why, dry_run=False)
        assert refused.value.status == status
