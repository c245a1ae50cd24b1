"""Import, seed, export: whole or not at all, again without change, within the scope, on both databases."""

from __future__ import annotations

import threading
from dataclasses import asdict, replace

import numpy as np
import pytest
from sqlalchemy import func, select
from tests.registry.support import KEY, POINT, SMALL, Office, edited, engineer, office, points

from hazwatch.identity.audit import verify_audit
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM, Role
from hazwatch.identity.tables import Node
from hazwatch.records import Sessions, reading
from hazwatch.records.paging import PageRequest
from hazwatch.registry import queries
from hazwatch.registry.directory import directory, limits
from hazwatch.registry.files.service import approve
from hazwatch.registry.files.views import approvals
from hazwatch.registry.model import EnterpriseRow, GatewayRow, ParkRow, SourceRow
from hazwatch.registry.parse import RawRow, parse_book, raw_of
from hazwatch.registry.plan import Planner
from hazwatch.registry.service import export, gateway_secret, import_workbook, seed, template, version
from hazwatch.registry.tables import Enterprise, Gateway, LimitChange, Point, RegistryVersion, Source

CITY = "/410000/410900/"
WORKS = "/410000/410900/P4109001/410902001/"


@pytest.fixture
def room(records: Sessions) -> Office:
    return office(records)


def test_seed_then_again_changes_nothing(room: Office) -> None:
    first = seed(room.desk, SYSTEM, SMALL, "park")
    assert (first.ok, first.version) == (True, 1)
    assert first.counts["指标"] == {"new": 3, "changed": 0, "unchanged": 0}
    second = seed(room.desk, SYSTEM, SMALL, "park")
    assert second.version == 1
    assert {key: value["unchanged"] for key, value in second.counts.items()} == {
        "园区": 1, "企业": 2, "重大危险源": 2, "设备": 3, "网关": 2, "指标": 3,
    }  # fmt: skip
    assert room.versions == [1]


def test_export_is_the_template_filled_in(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    result = import_workbook(room.desk, SYSTEM, export(room.desk, SYSTEM), "export.xlsx", dry_run=True)
    assert result.ok, result.errors
    assert all(count["new"] == count["changed"] == 0 for count in result.counts.values())


def test_empty_template_is_accepted_and_does_nothing(room: Office) -> None:
    result = import_workbook(room.desk, SYSTEM, template(), "模板.xlsx", dry_run=False)
    assert (result.ok, result.version) == (True, 0)


def test_dry_run_writes_nothing(room: Office) -> None:
    rows = {key: [row.cells for row in found] for key, found in raw_of(SMALL).items()}
    result = room.take(rows, dry_run=True)
    assert (result.ok, result.version, result.counts["企业"]["new"]) == (True, 0, 2)
    with reading(room.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Point)) == 0


def test_one_wrong_cell_stops_everything(room: Office) -> None:
    seed(room.desk, SYSTEM, replace(SMALL, points=()), "park")
    good = {
        "code": POINT.code,
        "name": "液位",
        "gateway": POINT.gateway,
        "range_low": 0,
        "range_high": 1,
        "address": "a",
    }
    bad = good | {"code": "410902001001G0001YW002", "range_high": "很高", "address": "b"}
    result = room.take({"points": [good, bad]})
    assert [(e.sheet, e.cell, e.row, e.column) for e in result.errors] == [("指标", "F3", 3, "量程上限")]
    assert "很高" in result.errors[0].message
    with reading(room.sessions) as session:
        assert session.scalar(select(func.count()).select_from(Point)) == 0
        assert version(session) == 1


@pytest.mark.parametrize(
    ("sheet", "row", "word"),
    [
        ("enterprises", {"code": "41090200", "name": "x"}, "9 位"),
        ("enterprises", {"code": "419999001", "name": "x"}, "行政区划 419999 不存在"),
        ("enterprises", {"code": "410902009", "name": "x", "park": "P4109009"}, "园区 P4109009 不存在"),
        ("sources", {"code": "410902009001", "name": "x", "kind": "x", "level": 1}, "企业 410902009 不存在"),
        ("sources", {"code": "410902001009", "name": "x", "kind": "x", "level": 5}, "级别"),
        ("sources", {"code": "410902001009", "name": "x", "kind": "x", "level": 1.5}, "整数"),
        ("sources", {"code": "410902001009", "name": "x", "kind": "x", "level": 1, "lon": 115}, "同时"),
        ("equipment", {"code": "410902001001X0001", "name": "x"}, "17 位"),
        ("equipment", {"code": "410902001001G0009", "name": "x", "cas": "67-56-2"}, "CAS"),
        ("gateways", {"code": "41090200109", "name": "x", "protocol": "telnet"}, "之一"),
        ("gateways", {"code": "41090200109", "name": "x", "protocol": "opcua", "options": {"password": "x"}}, "密钥"),
        ("points", {"code": "410902001001G0001XX001", "name": "x", "gateway": "41090200101"}, "监测量"),
        ("points", {"code": "410902001001G0009YW001", "name": "x", "gateway": "41090200101", "address": "z"}, "设备"),
        ("points", {"code": "410902001001G0001YW009", "name": "x", "gateway": "41050200101"}, "属于企业 410502001"),
        ("points", {"code": "410902001001G0001YW009", "name": "x", "gateway": "41090200101"}, "网关内地址"),
        ("points", {"code": "410902001001G0001YW009", "gateway": "41090200101", "address": "ns=2;s=G1"}, "使用"),
        ("points", {"code": "410902001001G0001YW009", "name": "x", "gateway": "41090200101", "scale": 0}, "系数"),
        ("points", {"code": "410902001001G0001YW009", "name": "x\x07", "gateway": "41090200101"}, "不可见"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(room: Office, sheet: str, row: dict[str, object], word: str) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    full = {"name": "x", "range_low": 0.0, "range_high": 1.0} | row if sheet == "points" else row
    book, problems = parse_book({sheet: [RawRow(2, full, {"code": 1})]})
    if not problems:
        with reading(room.sessions) as session:
            problems = Planner(session, SYSTEM, book).make().problems
    assert len(problems) == 1, problems
    assert word in problems[0].message


def test_duplicate_codes_are_named(room: Office) -> None:
    row = {"code": "P4109001", "name": "园区", "region": "410900"}
    result = room.take({"parks": [row, row]})
    assert [(e.cell, e.message) for e in result.errors] == [("A3", "编码 P4109001 与第 2 行重复")]


def test_codes_typed_as_numbers_are_codes(room: Office) -> None:
    content = edited(template(), "企业", {"A2": 410902001, "B2": "甲"})
    assert import_workbook(room.desk, SYSTEM, content, "a.xlsx", dry_run=False).ok
    with reading(room.sessions) as session:
        assert session.get_one(Enterprise, "410902001").path == "/410000/410900/410902/410902001/"


def test_defaults_come_from_the_quantity(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    with reading(room.sessions) as session:
        by_code = {point.code: point for point in session.scalars(select(Point))}
    level, gas = by_code["410902001001G0001YW001"], by_code["410902001001Q0001QT001"]
    assert (level.unit, level.deadband, level.on_delay_s, level.off_delay_s) == ("m", 0.125, 60.0, 10.0)
    assert (gas.unit, gas.deadband, gas.on_delay_s) == ("%LEL", 2.0, 0.0)
    assert by_code["410502001001S0001WD001"].address == "410502001001S0001WD001"


def test_limit_faults_are_kept_and_shown(room: Office) -> None:
    result = seed(room.desk, SYSTEM, points({"l": 11.0}), "park")
    assert result.ok
    assert [warning.message for warning in result.warnings] == ["阈值有误:低报 11 应小于高报 10.1"]
    with reading(room.sessions) as session:
        assert session.scalars(select(Point.limit_fault)).one() == "低报 11 应小于高报 10.1"


def test_indexes_are_dense_and_stay(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    with reading(room.sessions) as session:
        before = dict(session.execute(select(Point.code, Point.index)).all())
    assert sorted(before.values()) == [0, 1, 2]
    added = points({"name": "改名"}, {"code": "410902001001G0001YW002", "address": "b"})
    seed(room.desk, SYSTEM, added, "more")
    with reading(room.sessions) as session:
        after = dict(session.execute(select(Point.code, Point.index)).all())
        assert session.scalars(select(Gateway.number).order_by(Gateway.number)).all() == [1, 2]
    assert after == before | {"410902001001G0001YW002": 3}


def test_limit_versions_count_changes_of_limits_only(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "one")
    seed(room.desk, SYSTEM, points({"name": "改名"}), "two")
    with reading(room.sessions) as session:
        assert (version(session), limits(session).version) == (2, 1)
    seed(room.desk, SYSTEM, points({"name": "改名", "range_high": 13.0, "deadband": 0.125}), "three")
    with reading(room.sessions) as session:
        assert (version(session), limits(session).version) == (3, 2)
        change = session.scalars(select(LimitChange).where(LimitChange.version == 2)).one()
        assert ('"range_high":12.5' in change.old, '"range_high":13.0' in change.new) == (True, True)
        assert session.scalars(select(RegistryVersion.version).order_by(RegistryVersion.version)).all() == [1, 2, 3]
        assert verify_audit(session).length == 3


def test_limits_are_arrays_by_index(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    with reading(room.sessions) as session:
        arrays = limits(session)
        index = session.scalars(select(Point.index).where(Point.code == POINT.code)).one()
    assert (arrays.ll[index], arrays.l[index], arrays.h[index], arrays.hh[index]) == (0.5, 1.2, 10.1, 11.3)
    assert arrays.on_delay_ms[index] == 60_000
    gas = int(np.flatnonzero(arrays.h == 25.0)[0])
    assert np.isnan(arrays.ll[gas])
    assert arrays.gateway.tolist() == [1, 1, 2]


def test_limits_before_the_first_import(room: Office) -> None:
    with reading(room.sessions) as session:
        arrays = limits(session)
    assert (arrays.version, len(arrays.h)) == (0, 0)


def test_directory_holds_every_gateway_with_its_points_and_secret(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    with reading(room.sessions) as session:
        found = directory(session, KEY)
        stored = session.scalars(select(Gateway.secret).where(Gateway.code == "41050200101")).one()
    assert found.version == 1
    link = found.links["41090200101"]
    assert (link.gateway, link.protocol, link.options, link.secret) == (1, "opcua", {"publish_ms": "500"}, b"")
    assert dict(zip(link.points.address, link.points.code, strict=True))["ns=2;s=T1.LVL"] == POINT.code
    national = found.links["41050200101"]
    assert len(national.secret) == 64
    assert national.secret not in stored
    assert repr(national.secret) not in repr(national)


def test_gateway_secret_is_shown_once(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    shown = gateway_secret(room.desk, engineer(), "41050200101")
    assert len(shown) == 88
    with pytest.raises(ApiError, match="已经显示过"):
        gateway_secret(room.desk, engineer(), "41050200101")
    assert gateway_secret(room.desk, engineer(), "41050200101", renew=True) != shown
    assert room.versions == [1, 1]
    for who, code, status in (
        (engineer(role=Role.OPERATOR), "41050200101", 403),
        (engineer(CITY), "41050200101", 404),
        (engineer(), "41090200101", 409),
    ):
        with pytest.raises(ApiError) as caught:
            gateway_secret(room.desk, who, code)
        assert caught.value.status == status


def test_secret_follows_the_protocol(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    gateway = GatewayRow("41090200101", "罐区网关", "sparkplug")
    seed(room.desk, SYSTEM, replace(SMALL, gateways=(gateway,)), "more")
    assert len(gateway_secret(room.desk, SYSTEM, "41090200101")) == 32


def test_an_engineer_imports_only_inside_the_own_scope(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    inside = {"code": "410902001001", "name": "新名", "kind": "储罐区", "level": 2}
    outside = {"code": "410502001001", "name": "新名", "kind": "生产装置", "level": 1}
    refused = room.take({"sources": [inside, outside]}, engineer(CITY))
    assert [(e.cell, e.message) for e in refused.errors] == [("A3", "410502001001 不在您的管辖范围内")]
    assert room.take({"sources": [inside]}, engineer(CITY)).ok
    park = {"code": "P4109001", "name": "改名", "region": "410900"}
    assert not room.take({"parks": [park]}, engineer(WORKS)).ok
    assert room.take({"sources": [inside]}, engineer(WORKS)).counts["重大危险源"]["unchanged"] == 1
    with pytest.raises(ApiError, match="工程师"):
        room.take({"sources": [inside]}, engineer(CITY, Role.OPERATOR))


def test_nobody_moves_an_enterprise_out_of_the_own_scope_or_into_it(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    away = {"code": "410902001", "name": "甲", "region": "410502"}
    stolen = {"code": "410502001", "name": "乙", "park": "P4109001"}
    for row in (away, stolen):
        assert not room.take({"enterprises": [row]}, engineer(CITY)).ok


def test_export_shows_the_scope_only_and_comes_back_unchanged(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    content = export(room.desk, engineer(WORKS))
    result = import_workbook(room.desk, engineer(WORKS), content, "a.xlsx", dry_run=True)
    assert result.ok, result.errors
    assert {key: count["unchanged"] for key, count in result.counts.items()} == {
        "园区": 0, "企业": 1, "重大危险源": 1, "设备": 2, "网关": 1, "指标": 2,
    }  # fmt: skip


def test_an_enterprise_that_joins_a_park_takes_everything_along(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    parks = (ParkRow("P4105001", "新园区", "410500"),)
    moved = (EnterpriseRow("410502001", "乙化工有限公司", park="P4105001"),)
    seed(room.desk, SYSTEM, replace(SMALL, parks=parks, enterprises=moved), "move")
    path = "/410000/410500/P4105001/410502001/"
    with reading(room.sessions) as session:
        for table in (Node, Enterprise):
            assert session.get_one(table, "410502001").path == path
        assert session.get_one(Source, "410502001001").path == path
        assert session.scalars(select(Point.path).where(Point.enterprise == "410502001")).all() == [path]
        assert session.scalars(select(Gateway.path).where(Gateway.enterprise == "410502001")).all() == [path]
        assert len(queries.indexes_in_scope(session, engineer("/410000/410500/P4105001/"))) == 1


def test_two_imports_at_once_lose_nothing(room: Office) -> None:
    seed(room.desk, SYSTEM, replace(SMALL, points=()), "park")

    def work(first: int) -> None:
        for number in range(first, first + 5):
            code = f"410902001001G0001YW{number:03d}"
            seed(room.desk, SYSTEM, points({"code": code, "address": f"a{number}"}), "more")

    threads = [threading.Thread(target=work, args=(first,)) for first in (1, 101, 201)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(room.sessions) as session:
        assert sorted(session.scalars(select(Point.index))) == list(range(15))
        assert version(session) == 16
        assert verify_audit(session).ok
    assert sorted(room.versions) == list(range(1, 17))


def test_points_page_filters_sorts_and_keeps(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    with reading(room.sessions) as session:
        page = queries.points_page(session, engineer(), PageRequest(1, 2, "-quantity"))
        assert ([view.quantity for view in page.items], page.total) == (["YW", "WD"], 3)
        gas = queries.points_page(session, engineer(), PageRequest(), queries.PointFilter(q="可燃"))
        assert [view.code[-5:] for view in gas.items] == ["QT001"]
        none = queries.points_page(session, engineer(), PageRequest(), keep=lambda indexes: indexes < 0)
        assert (none.items, none.total) == ([], 0)
        city = queries.points_page(session, engineer(CITY), PageRequest())
        assert {view.enterprise for view in city.items} == {"410902001"}
        assert queries.point_by_code(session, engineer(CITY), "410502001001S0001WD001") is None


def test_fields_that_wait_for_a_second_person_wait_in_a_workbook_too(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    (plant, _), (tanks, unit) = SMALL.enterprises, SMALL.sources
    new = SourceRow("410502001002", "罐区", "储罐区", 3, 12.0)
    rows = {
        "enterprises": [asdict(replace(plant, name="新名化工有限公司", address="化工大道 1 号"))],
        "sources": [asdict(row) for row in (replace(tanks, level=4, r=3.0), replace(unit, name="新合成装置"), new)],
    }
    tried = room.take(rows, dry_run=True)
    assert (tried.waiting, tried.changes) == (3, [])
    assert tried.counts["重大危险源"] == {"new": 1, "changed": 1, "unchanged": 1}
    assert any("3 处变更不随导入生效" in line.message for line in tried.warnings)
    result = room.take(rows)
    assert (result.version, result.waiting, len(result.changes)) == (2, 3, 1)
    with reading(room.sessions) as session:
        found = session.get_one(Enterprise, "410902001")
        assert (found.name, found.address) == ("甲化工有限公司", "化工大道 1 号"), "the rest of the row has come in"
        assert (session.get_one(Source, "410902001001").level, session.get_one(Source, "410502001002").level) == (2, 3)
        (waiting,) = approvals(session, engineer(), PageRequest()).items
    assert [(op["field"], op["before"], op["after"]) for op in waiting["ops"]] == [
        ("name", "甲化工有限公司", "新名化工有限公司"), ("level", 2, 4), ("r", 31.5, 3.0),
    ]  # fmt: skip
    assert room.take(rows).changes == result.changes, "what waits already is not proposed twice"
    second = replace(engineer(), username="bao", scope_code="410000")
    approve(room.desk, second, result.changes[0], "")
    with reading(room.sessions) as session:
        source = session.get_one(Source, "410902001001")
        assert (session.get_one(Enterprise, "410902001").name, source.level, source.r) == ("新名化工有限公司", 4, 3.0)
    assert (room.take(rows).waiting, room.take(rows).counts["企业"]["unchanged"]) == (0, 1)
    with reading(room.sessions) as session:
        assert verify_audit(session).broken_at is None


def test_a_row_that_changes_only_in_fields_that_wait_makes_no_version(room: Office) -> None:
    seed(room.desk, SYSTEM, SMALL, "park")
    result = room.take({"sources": [asdict(replace(SMALL.sources[0], level=1))]})
    assert (result.version, result.waiting, result.counts["重大危险源"]["unchanged"]) == (1, 1, 1)
    assert room.versions == [1]
    with pytest.raises(ApiError) as refused:
        approve(room.desk, replace(engineer(), username=SYSTEM.username, scope_code="410000"), result.changes[0], "")
    assert refused.value.status == 403, "who has imported does not approve"
