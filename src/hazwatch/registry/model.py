"""Rows of the registry and the rules they must meet. Pure: no database, no files, no clock.

Two kinds of complaint: an *error* refuses the row (the code is malformed, a number is no number); a *fault* 阈值有误 is
kept with the point and shown, because a point with doubtful limits is still better watched than not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from hazwatch.vocabulary.codes import (
    EQUIPMENT_TYPES,
    check_enterprise,
    check_equipment,
    check_gateway,
    check_source,
    parse_point,
)
from hazwatch.vocabulary.quantities import QUANTITIES

#: (field, Chinese message)
Complaint = tuple[str, str]

PROTOCOLS = ("opcua", "modbus", "sparkplug", "sparkplug-external", "national", "frames", "recorded")

#: Protocols whose own name of a point is its code, so that the address may be left empty.
ADDRESS_IS_CODE = ("national", "frames", "recorded")

#: Gateways of these protocols sign in to us and get key material at birth.
WITH_SECRET = ("national", "frames", "sparkplug")
#: Those whose key is 64 random bytes; the others get a password of printable characters.
WITH_KEY = ("national", "frames")
#: Protocols in which we sign in at the other side, with a password that its owner gives us.
WITH_PASSWORD = ("opcua", "sparkplug-external")

#: Limits and what shapes their judgement; a change of any of them is a new limit version.
LIMIT_FIELDS = ("range_low", "range_high", "ll", "l", "h", "hh", "deadband", "on_delay_s", "off_delay_s")

#: Usual units by quantity. Another unit is a fault, not an error: the field knows units that no table has.
UNITS: Mapping[str, tuple[str, ...]] = {
    "WD": ("℃", "K"),
    "YL": ("MPa", "kPa", "Pa", "bar", "mbar"),
    "YW": ("m", "cm", "mm", "%"),
    "QT": ("%LEL", "ppm", "ppb", "mg/m³", "%vol", "LEL·m"),
    "LL": ("m³/h", "Nm³/h", "kscmh", "m³/min", "L/min", "L/h", "kg/h", "t/h", "kg/s"),
    "ZF": ("mol%", "wt%", "%vol", "%", "ppm"),
    "FW": ("%",),
    "KG": ("",),
    "DL": ("A", "mA", "kA"),
    "GL": ("kW", "MW", "W"),
    "ZS": ("%", "r/min", "rpm"),
    "SD": ("%RH",),
    "FS": ("m/s",),
    "FX": ("°",),
    "QY": ("hPa", "kPa"),
    "CL": ("t", "kg", "m³"),
}

DEFAULT_OFF_DELAY_S = 10.0
MAX_DELAY_S = 86_400.0
COMBUSTIBLE_UNIT = "%LEL"
COMBUSTIBLE_H = 25.0
COMBUSTIBLE_HH = 50.0

_NUMBER_OPTIONS = frozenset(
    {"publish_ms", "watchdog_s", "timeout_s", "unit", "poll_s", "gap", "rebirth_s", "offline_s", "speed", "step_s"}
)
_PATH_OPTIONS = frozenset({"certificate", "private_key", "server_certificate", "ca"})
_NAME_OPTIONS = frozenset({"group", "node", "host_id"})
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?")
#: One level of an MQTT topic that is also one token of a NATS permission: no separators, no wildcards.
_TOPIC_LEVEL = re.compile(r"[^\s.*>/+#$\"\\]{1,100}")
_LONGEST_OPTION = 200
_PARK = re.compile(r"P\d{7,9}")
_REGION = re.compile(r"\d{6}")
_CAS = re.compile(r"(\d{2,7})-(\d{2})-(\d)")
_CREDIT = re.compile(r"[0-9A-Z]{18}")
_CHINA_LON = (73.0, 136.0)
_CHINA_LAT = (3.0, 54.0)


@dataclass(frozen=True, slots=True)
class ParkRow:
    """A park, below a region."""

    code: str
    name: str
    region: str
    lon: float | None = None
    lat: float | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """An enterprise, below its park, or without one below its region (default: the first six digits)."""

    code: str
    name: str
    region: str | None = None
    park: str | None = None
    credit_code: str | None = None
    address: str | None = None
    lon: float | None = None
    lat: float | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A hazard source; ``level`` 1–4, 1 worst."""

    code: str
    name: str
    kind: str
    level: int
    r: float | None = None
    lon: float | None = None
    lat: float | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class EquipmentRow:
    """A tank, plant, store or detector."""

    code: str
    name: str
    medium: str | None = None
    cas: str | None = None
    form: str | None = None
    capacity_m3: float | None = None
    diameter_m: float | None = None
    height_m: float | None = None
    design_t: float | None = None


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway; ``options`` are the protocol settings of its adapter."""

    code: str
    name: str
    protocol: str
    address: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    stale_after_s: float = 300.0
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point; what is None gets the default of its quantity."""

    code: str
    name: str
    gateway: str
    tag: str | None = None
    unit: str | None = None
    range_low: float | None = None
    range_high: float | None = None
    ll: float | None = None
    l: float | None = None  # noqa: E741 -- the name of the limit in the trade
    h: float | None = None
    hh: float | None = None
    deadband: float | None = None
    on_delay_s: float | None = None
    off_delay_s: float | None = None
    address: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """A registry as plain rows: what the simulator seeds and what a workbook holds."""

    parks: tuple[ParkRow, ...] = ()
    enterprises: tuple[EnterpriseRow, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    equipment: tuple[EquipmentRow, ...] = ()
    gateways: tuple[GatewayRow, ...] = ()
    points: tuple[PointRow, ...] = ()


AnyRow = ParkRow | EnterpriseRow | SourceRow | EquipmentRow | GatewayRow | PointRow


def errors_of(row: AnyRow) -> Iterator[Complaint]:
    """What is wrong with a row by itself."""
    match row:
        case ParkRow():
            yield from _when(not _PARK.fullmatch(row.code), "code", f"园区编码应为 P 加 7–9 位数字,收到 {row.code!r}")
            yield from _when(not _REGION.fullmatch(row.region), "region", "行政区划应为 6 位代码")
            yield from _place_errors(row.lon, row.lat)
        case EnterpriseRow():
            yield from _enterprise_errors(row)
        case SourceRow():
            yield from _shape(check_source, row.code)
            yield from _when(row.level not in {1, 2, 3, 4}, "level", "级别应为 1、2、3、4(1 级最高)")
            yield from _when(row.r is not None and row.r < 0, "r", "R 值不能为负")
            yield from _place_errors(row.lon, row.lat)
        case EquipmentRow():
            yield from _equipment_errors(row)
        case GatewayRow():
            yield from _gateway_errors(row)
        case PointRow():
            yield from _point_errors(row)


def faults_of(row: PointRow) -> list[str]:
    """阈值有误: what is doubtful about a completed point's limits. They are kept and shown, never refused."""
    quantity = QUANTITIES[row.code[17:19]]
    low, high = row.range_low, row.range_high
    faults = []
    if row.unit not in UNITS[quantity.code]:
        faults.append(f"单位 {row.unit!r} 不是{quantity.name_zh}的常用单位({'、'.join(UNITS[quantity.code])})")
    if low is not None and high is not None:
        if low >= high:
            faults.append(f"量程下限 {low:g} 不小于量程上限 {high:g}")
        elif row.deadband is not None and row.deadband >= high - low:
            faults.append(f"死区 {row.deadband:g} 不小于量程跨度 {high - low:g}")
    faults.extend(_order_faults(row))
    if row.unit == COMBUSTIBLE_UNIT and quantity.code == "QT":
        if row.h is not None and row.h > COMBUSTIBLE_H:
            faults.append(f"可燃气体高报 {row.h:g} 应不大于 {COMBUSTIBLE_H:g} %LEL")
        if row.hh is not None and row.hh > COMBUSTIBLE_HH:
            faults.append(f"可燃气体高高报 {row.hh:g} 应不大于 {COMBUSTIBLE_HH:g} %LEL")
    if quantity.code == "QT" and row.on_delay_s:
        faults.append(f"气体报警延时 {row.on_delay_s:g} s,气体探测不应延时报警")
    return faults


def span_share(low: float, high: float, share: float) -> float:
    """A share of the span, in figures that survive a spreadsheet (12 digits)."""
    return float(f"{max(high - low, 0.0) * share:.12g}")


def check_cas(cas: str) -> bool:
    """Whether a CAS number has the right form and check digit."""
    match = _CAS.fullmatch(cas)
    if match is None:
        return False
    digits = match.group(1) + match.group(2)
    return sum(place * int(digit) for place, digit in enumerate(reversed(digits), 1)) % 10 == int(match.group(3))


def _order_faults(row: PointRow) -> Iterator[str]:
    """量程下限 ≤ 低低 < 低 < 高 < 高高 ≤ 量程上限, whichever of them are set."""
    steps = [
        (name, value)
        for name, value in (
            ("量程下限", row.range_low),
            ("低低报", row.ll),
            ("低报", row.l),
            ("高报", row.h),
            ("高高报", row.hh),
            ("量程上限", row.range_high),
        )
        if value is not None
    ]
    for (below, lower), (above, upper) in pairwise(steps):
        at_end = "量程" in below or "量程" in above
        if "量程" in below and "量程" in above:
            continue
        if lower > upper or (lower == upper and not at_end):
            yield f"{below} {lower:g} 应小于{above} {upper:g}"


def _enterprise_errors(row: EnterpriseRow) -> Iterator[Complaint]:
    yield from _shape(check_enterprise, row.code)
    yield from _when(row.region is not None and not _REGION.fullmatch(row.region), "region", "行政区划应为 6 位代码")
    yield from _when(row.park is not None and not _PARK.fullmatch(row.park), "park", "园区编码应为 P 加 7–9 位数字")
    bad = row.credit_code is not None and not _CREDIT.fullmatch(row.credit_code)
    yield from _when(bad, "credit_code", "统一社会信用代码应为 18 位数字或大写字母")
    yield from _place_errors(row.lon, row.lat)


def _equipment_errors(row: EquipmentRow) -> Iterator[Complaint]:
    yield from _shape(check_equipment, row.code)
    bad = row.cas is not None and not check_cas(row.cas)
    yield from _when(bad, "cas", f"CAS 号 {row.cas!r} 格式或校验位不对(例:67-56-1)")
    for key in ("capacity_m3", "diameter_m", "height_m", "design_t"):
        value = getattr(row, key)
        yield from _when(value is not None and value < 0, key, "不能为负")


def _gateway_errors(row: GatewayRow) -> Iterator[Complaint]:
    yield from _shape(check_gateway, row.code)
    yield from _when(row.protocol not in PROTOCOLS, "protocol", f"协议应为 {'、'.join(PROTOCOLS)} 之一")
    yield from _when(not 1 <= row.stale_after_s <= MAX_DELAY_S, "stale_after_s", "超时秒数应在 1–86400 之间")
    secret = [key for key in row.options if key.lower() in {"password", "secret", "key", "passwd"}]
    yield from _when(bool(secret), "options", "选项中不能写口令或密钥,密钥由系统保管")
    for name, value in row.options.items():
        yield from _when(not _option_fits(name, value), "options", f"选项 {name}={value!r} 的取值不对")
    if row.protocol == "recorded":
        yield from _when(
            not _inner_path(row.address or ""), "address", "录制文件写相对于 recordings 目录的路径,不含 .."
        )


def _option_fits(name: str, value: str) -> bool:
    """Whether a protocol setting has the form that its adapter can use and the node can allow."""
    if name in _NUMBER_OPTIONS or name.startswith("poll_s."):
        return bool(_NUMBER.fullmatch(value))
    if name in _PATH_OPTIONS:
        # Files of the node are named below its own folder: who edits the registry must not reach beyond it.
        return _inner_path(value)
    if name in _NAME_OPTIONS:
        return bool(_TOPIC_LEVEL.fullmatch(value))
    return len(value) <= _LONGEST_OPTION


def _inner_path(text: str) -> bool:
    return bool(text) and not text.startswith(("/", "~")) and "\\" not in text and ".." not in text.split("/")


def _point_errors(row: PointRow) -> Iterator[Complaint]:
    try:
        discrete = QUANTITIES[parse_point(row.code).quantity].discrete
    except ValueError as error:
        yield "code", str(error)
        return
    yield from _shape(check_gateway, row.gateway, "gateway")
    for key in ("range_low", "range_high"):
        yield from _when(getattr(row, key) is None and not discrete, key, "必填")
    yield from _when(row.deadband is not None and row.deadband < 0, "deadband", "死区不能为负")
    for key in ("on_delay_s", "off_delay_s"):
        value = getattr(row, key)
        yield from _when(value is not None and not 0 <= value <= MAX_DELAY_S, key, "延时应在 0–86400 秒之间")
    yield from _when(row.scale == 0, "scale", "系数不能为 0")


def _place_errors(lon: float | None, lat: float | None) -> Iterator[Complaint]:
    yield from _when((lon is None) != (lat is None), "lon", "经度与纬度应同时填写")
    yield from _when(lon is not None and not _CHINA_LON[0] <= lon <= _CHINA_LON[1], "lon", "经度不在中国范围内(73–136)")
    yield from _when(lat is not None and not _CHINA_LAT[0] <= lat <= _CHINA_LAT[1], "lat", "纬度不在中国范围内(3–54)")


def _shape(check: Callable[[str], str], code: str, key: str = "code") -> Iterator[Complaint]:
    try:
        check(code)
    except ValueError as error:
        yield key, str(error)


def _when(wrong: bool, key: str, message: str) -> Iterator[Complaint]:
    if wrong:
        yield key, message


def equipment_kind(code: str) -> str:
    """The Chinese kind that stands in an equipment code."""
    return EQUIPMENT_TYPES[code[12:14]]
