"""The national codes 9/12/17/22 (access.md §3): enterprise → hazard source → equipment → point.

    330100001            enterprise   6 district + 3 serial
    330100001001         source       + 3 serial
    330100001001G0001    equipment    + type (G0 Q0 S0 C0) + 3 serial
    330100001001G0001YW001  point     + quantity + 3 serial
    33010000101          gateway      enterprise + 2 serial

"G0001" reads as ``G0`` + ``001``. A code of a lower object starts with the code of the object above it, so the owner
of a point is a prefix, not a look-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hazwatch.vocabulary.quantities import QUANTITIES

ENTERPRISE_LENGTH = 9
SOURCE_LENGTH = 12
EQUIPMENT_LENGTH = 17
POINT_LENGTH = 22
GATEWAY_LENGTH = 11

EQUIPMENT_TYPES: dict[str, str] = {"G0": "储罐", "Q0": "气体检测仪", "S0": "生产装置", "C0": "仓库/库区"}

_ENTERPRISE = re.compile(r"\d{9}")
_SOURCE = re.compile(r"\d{12}")
_EQUIPMENT = re.compile(r"(\d{12})([A-Z]\d)(\d{3})")
_POINT = re.compile(r"(\d{12}[A-Z]\d\d{3})([A-Z]{2})(\d{3})")
_GATEWAY = re.compile(r"\d{11}")


@dataclass(frozen=True, slots=True)
class PointCode:
    """A point code taken apart."""

    enterprise: str
    source: str
    equipment: str
    equipment_type: str
    quantity: str
    serial: str


def parse_point(code: str) -> PointCode:
    """Take a 22-character point code apart.

    Raises:
        ValueError: wrong shape, or an equipment type or quantity that is in no table.
    """
    match = _POINT.fullmatch(code)
    if match is None:
        raise ValueError(f"指标编码应为 22 位(12 位数字+设备类型+3 位+监测量+3 位),收到 {code!r}")
    equipment, quantity, serial = match.groups()
    if equipment[12:14] not in EQUIPMENT_TYPES:
        raise ValueError(f"设备类型 {equipment[12:14]!r} 不在 {'/'.join(EQUIPMENT_TYPES)} 之内")
    if quantity not in QUANTITIES:
        raise ValueError(f"监测量 {quantity!r} 不在 {'/'.join(QUANTITIES)} 之内")
    return PointCode(equipment[:9], equipment[:12], equipment, equipment[12:14], quantity, serial)


def check_enterprise(code: str) -> str:
    """Return the code if it has the form of an enterprise code, else raise ValueError."""
    if not _ENTERPRISE.fullmatch(code):
        raise ValueError(f"企业编码应为 9 位数字,收到 {code!r}")
    return code


def check_source(code: str) -> str:
    """Return the code if it has the form of a hazard-source code, else raise ValueError."""
    if not _SOURCE.fullmatch(code):
        raise ValueError(f"重大危险源编码应为 12 位数字,收到 {code!r}")
    return code


def check_equipment(code: str) -> str:
    """Return the code if it has the form of an equipment code, else raise ValueError."""
    match = _EQUIPMENT.fullmatch(code)
    if match is None or match.group(2) not in EQUIPMENT_TYPES:
        raise ValueError(f"设备编码应为 17 位(12 位数字+{'/'.join(EQUIPMENT_TYPES)}+3 位数字),收到 {code!r}")
    return code


def check_gateway(code: str) -> str:
    """Return the code if it has the form of a gateway code, else raise ValueError."""
    if not _GATEWAY.fullmatch(code):
        raise ValueError(f"网关编码应为 11 位数字,收到 {code!r}")
    return code
