"""The sheets of the workbook and their columns: one description for template, import, export and seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from hazwatch.registry.model import (
    PROTOCOLS,
    EnterpriseRow,
    EquipmentRow,
    GatewayRow,
    ParkRow,
    PointRow,
    SourceRow,
)


class Kind(Enum):
    """What a cell holds."""

    TEXT = "文本"
    NUMBER = "数值"
    INTEGER = "整数"
    YES_NO = "是/否"
    OPTIONS = "JSON 选项"
    DATE = "日期"
    LONG = "长文本"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: field of the row type.
        title: header on the sheet.
        comment: what to fill in, shown on the header cell.
        kind: what the cells hold.
        required: an empty cell is an error.
        limit: longest text.
        choices: fixed values to choose from.
        from_sheet: key of the sheet whose codes are offered.
    """

    key: str
    title: str
    comment: str
    kind: Kind = Kind.TEXT
    required: bool = False
    limit: int = 200
    choices: tuple[str, ...] = ()
    from_sheet: str = ""


class Titled(Protocol):
    """A column as far as a plain table needs it."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the rows of one type. The first column is the code."""

    key: str
    title: str
    row: type[Any]
    columns: tuple[Column, ...]


_LON = Column("lon", "经度", "CGCS2000,度,例:115.03", Kind.NUMBER)
_LAT = Column("lat", "纬度", "CGCS2000,度,例:35.76", Kind.NUMBER)
_SIMULATED = Column("simulated", "模拟", "是 = 数据来自模拟器,界面会标明", Kind.YES_NO, choices=("是", "否"))


def _code(comment: str) -> Column:
    return Column("code", "编码", comment, required=True, limit=22)


def _name() -> Column:
    return Column("name", "名称", "界面上显示的名称", required=True)


SHEETS: tuple[Sheet, ...] = (
    Sheet(
        "parks",
        "园区",
        ParkRow,
        (
            _code("P 加 7–9 位数字"),
            _name(),
            Column("region", "行政区划", "所在市或县的 6 位代码", required=True, limit=6),
            _LON,
            _LAT,
            _SIMULATED,
        ),
    ),
    Sheet(
        "enterprises",
        "企业",
        EnterpriseRow,
        (
            _code("9 位数字:6 位行政区划 + 3 位序号"),
            _name(),
            Column("region", "行政区划", "所在县或市的 6 位代码;不填取编码前 6 位", limit=6),
            Column("park", "所属园区", "园区编码;不在园区则不填", limit=16, from_sheet="parks"),
            Column("credit_code", "统一社会信用代码", "18 位", limit=18),
            Column("address", "地址", "通信地址", limit=300),
            _LON,
            _LAT,
            _SIMULATED,
        ),
    ),
    Sheet(
        "sources",
        "重大危险源",
        SourceRow,
        (
            _code("12 位数字:企业编码 + 3 位序号"),
            _name(),
            Column("kind", "类型", "例:储罐区、库区、生产装置", required=True, limit=40),
            Column("level", "级别", "1–4,1 级最高", Kind.INTEGER, required=True, choices=("1", "2", "3", "4")),
            Column("r", "R 值", "GB 18218 计算值", Kind.NUMBER),
            _LON,
            _LAT,
            _SIMULATED,
        ),
    ),
    Sheet(
        "equipment",
        "设备",
        EquipmentRow,
        (
            _code("17 位:重大危险源编码 + 类型(G0 储罐、Q0 气体检测仪、S0 生产装置、C0 仓库/库区)+ 3 位序号"),
            _name(),
            Column("medium", "介质", "物料名称", limit=100),
            Column("cas", "CAS 号", "例:67-56-1", limit=20),
            Column("form", "型式", "例:内浮顶罐、球罐", limit=40),
            Column("capacity_m3", "容积 m³", "公称容积", Kind.NUMBER),
            Column("diameter_m", "直径 m", "", Kind.NUMBER),
            Column("height_m", "高度 m", "", Kind.NUMBER),
            Column("design_t", "设计储量 t", "", Kind.NUMBER),
        ),
    ),
    Sheet(
        "gateways",
        "网关",
        GatewayRow,
        (
            _code("11 位数字:企业编码 + 2 位序号"),
            _name(),
            Column("protocol", "协议", "、".join(PROTOCOLS), required=True, limit=20, choices=PROTOCOLS),
            Column("address", "地址", "要连接的地址,例:opc.tcp://主机:4840;等待对方连接的协议不填", limit=300),
            Column("options", "选项", '协议参数,JSON 对象,例:{"unit": "1"};不能写口令', Kind.OPTIONS, limit=4000),
            Column("stale_after_s", "超时秒数", "超过此时间无数据即视为陈旧;不填为 300", Kind.NUMBER),
            _SIMULATED,
        ),
    ),
    Sheet(
        "points",
        "指标",
        PointRow,
        (
            _code("22 位:设备编码 + 监测量(WD 温度、YL 压力、YW 液位、QT 气体浓度……)+ 3 位序号"),
            _name(),
            Column("tag", "位号", "DCS 位号,例:LT-101", limit=100),
            Column("unit", "单位", "不填取监测量的常用单位", limit=20),
            Column("range_low", "量程下限", "开关量可不填", Kind.NUMBER),
            Column("range_high", "量程上限", "开关量可不填", Kind.NUMBER),
            Column("ll", "低低报", "不设则不填", Kind.NUMBER),
            Column("l", "低报", "不设则不填", Kind.NUMBER),
            Column("h", "高报", "不设则不填", Kind.NUMBER),
            Column("hh", "高高报", "不设则不填", Kind.NUMBER),
            Column("deadband", "死区", "工程单位;不填按监测量取量程的默认比例", Kind.NUMBER),
            Column("on_delay_s", "报警延时 s", "不填按监测量取默认;气体默认 0", Kind.NUMBER),
            Column("off_delay_s", "恢复延时 s", "不填为 10", Kind.NUMBER),
            Column("gateway", "网关编码", "数据由哪个网关送来", required=True, limit=11, from_sheet="gateways"),
            Column(
                "address", "网关内地址", "OPC UA 节点、Modbus 寄存器等;national 与 recorded 不填即为指标编码", limit=300
            ),
            Column("scale", "系数", "工程值 = 原始值 × 系数 + 偏移;不填为 1", Kind.NUMBER),
            Column("offset", "偏移", "不填为 0", Kind.NUMBER),
            _SIMULATED,
        ),
    ),
)

BY_TITLE: dict[str, Sheet] = {sheet.title: sheet for sheet in SHEETS}
BY_KEY: dict[str, Sheet] = {sheet.key: sheet for sheet in SHEETS}

HELP_TITLE = "填写说明"
