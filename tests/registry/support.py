"""A province with regions, a registry desk, and descriptions to fill it with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import openpyxl

from hazwatch.identity.model import ROOT, SYSTEM, NodeKind, Principal, Role
from hazwatch.identity.tree import NodeRow, place
from hazwatch.records import Sessions, unit_of_work
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.model import (
    Description,
    EnterpriseRow,
    EquipmentRow,
    GatewayRow,
    ParkRow,
    PointRow,
    SourceRow,
)
from hazwatch.registry.service import ImportResult, import_workbook
from hazwatch.registry.sheets import workbook

NOON = 1_795_417_200_000
KEY = bytes(range(32))

REGIONS = [
    NodeRow("410000", "河南省", NodeKind.PROVINCE, None),
    NodeRow("410900", "濮阳市", NodeKind.CITY, "410000"),
    NodeRow("410902", "华龙区", NodeKind.COUNTY, "410900"),
    NodeRow("410500", "安阳市", NodeKind.CITY, "410000"),
    NodeRow("410502", "文峰区", NodeKind.COUNTY, "410500"),
]

POINT = PointRow(
    "410902001001G0001YW001",
    "甲醇罐液位",
    "41090200101",
    tag="LT-101",
    range_low=0.0,
    range_high=12.5,
    ll=0.5,
    l=1.2,
    h=10.1,
    hh=11.3,
    address="ns=2;s=T1.LVL",
)

SMALL = Description(
    parks=(ParkRow("P4109001", "示范化工园区", "410900", 115.0, 35.7),),
    enterprises=(
        EnterpriseRow("410902001", "甲化工有限公司", park="P4109001", lon=115.01, lat=35.71),
        EnterpriseRow("410502001", "乙化工有限公司"),
    ),
    sources=(
        SourceRow("410902001001", "甲醇罐区", "储罐区", 2, 31.5),
        SourceRow("410502001001", "合成装置", "生产装置", 1),
    ),
    equipment=(
        EquipmentRow("410902001001G0001", "甲醇储罐 T-101", "甲醇", "67-56-1", "内浮顶罐", 1000.0, 11.5, 12.5, 790.0),
        EquipmentRow("410902001001Q0001", "可燃气体探测器"),
        EquipmentRow("410502001001S0001", "合成塔"),
    ),
    gateways=(
        GatewayRow("41090200101", "罐区网关", "opcua", "opc.tcp://127.0.0.1:8610", {"publish_ms": "500"}),
        GatewayRow("41050200101", "国标网关", "national"),
    ),
    points=(
        POINT,
        PointRow(
            "410902001001Q0001QT001",
            "可燃气体",
            "41090200101",
            range_low=0.0,
            range_high=100.0,
            h=25.0,
            hh=50.0,
            address="ns=2;s=G1",
        ),
        PointRow("410502001001S0001WD001", "塔顶温度", "41050200101", range_low=0.0, range_high=300.0, h=250.0),
    ),
)


@dataclass
class Office:
    """A registry desk that notes the versions it is told of."""

    sessions: Sessions
    versions: list[int] = field(default_factory=list)
    now: int = NOON

    @property
    def desk(self) -> RegistryDesk:
        return RegistryDesk(self.sessions, lambda: self.now, KEY, self.versions.append)

    def take(
        self, rows: dict[str, list[dict[str, Any]]], who: Principal = SYSTEM, *, dry_run: bool = False
    ) -> ImportResult:
        return import_workbook(self.desk, who, workbook(rows), "book.xlsx", dry_run=dry_run)


def office(records: Sessions) -> Office:
    with unit_of_work(records) as session:
        place(session, REGIONS)
    return Office(records)


def engineer(path: str = ROOT, role: Role = Role.ENGINEER) -> Principal:
    return Principal("eng", "工程师", role, path)


def points(*changes: dict[str, Any]) -> Description:
    """The small description with its first point changed, once per change."""
    return replace(SMALL, points=tuple(replace(POINT, **change) for change in changes))


def edited(content: bytes, sheet: str, cells: dict[str, Any]) -> bytes:
    """A workbook with some cells set."""
    book = openpyxl.load_workbook(BytesIO(content))
    for address, value in cells.items():
        book[sheet][address] = value
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()
