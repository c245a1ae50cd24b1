"""Modbus register map: address specs, the reads that cover them, and decoding whole reads with NumPy. Pure.

An address spec is ``table:address:type:order`` with optional parts at the end:

    hr:100:f32:be      holding registers 100–101, float32, most significant byte first
    ir:12:u16          input register 12
    hr:7:bit:3         bit 3 of holding register 7 (0 = least significant)
    co:3   di:4        coil 3, discrete input 4
    hr:100:f32:cdab@5  the same of unit 5 behind a serial gateway (default: option ``unit`` of the link)

Types: u16 i16 u32 i32 u64 i64 f32 f64 bit. Orders name how the bytes ABCD of a number lie in its registers: be = ABCD,
le = DCBA, badc = bytes of each register swapped, cdab = registers in reverse order. Addresses count from 0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hazwatch.access.directory import PointAddress

TABLES: Final = ("co", "di", "hr", "ir")
_BITS: Final = ("co", "di")
_TYPES: Final = {
    "u16": ">u2",
    "i16": ">i2",
    "u32": ">u4",
    "i32": ">i4",
    "u64": ">u8",
    "i64": ">i8",
    "f32": ">f4",
    "f64": ">f8",
}
_ORDERS: Final = ("be", "le", "badc", "cdab")
_SPEC: Final = re.compile(
    r"(?P<table>co|di|hr|ir):(?P<at>\d{1,5})(?::(?P<type>\w+))?(?::(?P<order>\w+))?(?:@(?P<unit>\d{1,3}))?"
)
MAX_REGISTERS: Final = 120
MAX_BITS: Final = 1920


@dataclass(frozen=True, slots=True)
class Register:
    """A parsed address spec."""

    unit: int
    table: str
    address: int
    dtype: str
    order: str
    bit: int

    @property
    def width(self) -> int:
        """Registers (or bits) it takes."""
        return 1 if self.dtype == "bit" else int(self.dtype[1:]) // 16


def parse(spec: str, unit: int = 1) -> Register:
    """Read an address spec.

    Raises:
        ValueError: it is none; the text names what is wrong.
    """
    match = _SPEC.fullmatch(spec.strip())
    if match is None:
        raise ValueError(f"Modbus 地址 {spec!r} 应形如 hr:100:f32:be、ir:12:u16、co:3")
    table, address = match["table"], int(match["at"])
    unit = int(match["unit"] or unit)
    if table in _BITS:
        return Register(unit, table, address, "bit", "be", 0)
    dtype, order = match["type"] or "u16", match["order"] or "be"
    if dtype == "bit":
        bit = int(order) if order.isdigit() else 0
        if not 0 <= bit <= 15:  # noqa: PLR2004  # bits of a register
            raise ValueError(f"Modbus 地址 {spec!r} 的位号应在 0–15 之间")
        return Register(unit, table, address, "bit", "be", bit)
    if dtype not in _TYPES or order not in _ORDERS:
        raise ValueError(f"Modbus 地址 {spec!r} 的类型应为 {'/'.join(_TYPES)}/bit,字序应为 {'/'.join(_ORDERS)}")
    return Register(unit, table, address, dtype, order, 0)


def _permutation(order: str, size: int) -> list[int]:
    """Where the bytes of a big-endian number lie in the registers as read."""
    places = list(range(size))
    if order in ("le", "cdab"):
        places = [i for start in range(size - 2, -2, -2) for i in (start, start + 1)]
    if order in ("le", "badc"):
        places = [i ^ 1 for i in places]
    return places


@dataclass(frozen=True, slots=True)
class Read:
    """One request and how its answer becomes values.

    Attributes:
        unit, table, address, count: of the request.
        points: dense indices, in the order of the values.
        scale, offset: per value.
        gathers: per type: the dtype, the byte places int64[n, size], and which values they are.
        bits: register (or bit) place and bit number of the bit values, and which values they are.
    """

    unit: int
    table: str
    address: int
    count: int
    points: NDArray[np.uint32]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    gathers: tuple[tuple[str, NDArray[np.int64], NDArray[np.int64]], ...]
    bits: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

    def values(self, answer: list[int] | list[bool]) -> NDArray[np.float64]:
        """Engineering values of an answer, in the order of ``points``.

        Raises:
            ValueError: the answer is shorter than what was asked for.
        """
        if len(answer) < self.count:
            raise ValueError(f"应答只有 {len(answer)} 项,应为 {self.count} 项")
        registers = np.array(answer[: self.count], ">u2")
        octets = registers.view(np.uint8)
        out = np.empty(len(self.points))
        for dtype, places, which in self.gathers:
            out[which] = octets[places].view(dtype)[:, 0]
        at, bit, which = self.bits
        out[which] = (registers[at].astype(np.int64) >> bit) & 1
        return out * self.scale + self.offset


def plan(points: Mapping[str, PointAddress], unit: int = 1, gap: int = 0) -> tuple[list[Read], list[str]]:
    """Cover all points with as few requests as possible.

    Args:
        points: by address spec.
        unit: default unit.
        gap: unused registers that a request may span to save another request.

    Returns:
        The reads, and what is wrong with the specs that could not be read (Chinese).
    """
    tables: dict[tuple[int, str], list[tuple[Register, PointAddress]]] = defaultdict(list)
    faults = []
    for spec, point in points.items():
        try:
            register = parse(spec, unit)
        except ValueError as error:
            faults.append(str(error))
            continue
        tables[register.unit, register.table].append((register, point))
    reads: list[Read] = []
    for rows in tables.values():
        rows.sort(key=lambda row: row[0].address)
        reads.extend(_read(group) for group in _merge(rows, gap))
    return reads, faults


def _merge(rows: list[tuple[Register, PointAddress]], gap: int) -> Iterable[list[tuple[Register, PointAddress]]]:
    group: list[tuple[Register, PointAddress]] = []
    first = end = 0
    for register, point in rows:
        most = MAX_BITS if register.table in _BITS else MAX_REGISTERS
        stop = register.address + register.width
        if group and (register.address > end + gap or max(stop, end) - first > most):
            yield group
            group = []
        if not group:
            first, end = register.address, stop
        group.append((register, point))
        end = max(end, stop)
    if group:
        yield group


def _read(group: list[tuple[Register, PointAddress]]) -> Read:
    first = group[0][0]
    end = max(r.address + r.width for r, _ in group)
    wanted: dict[str, list[tuple[list[int], int]]] = defaultdict(list)
    bits: list[tuple[int, int, int]] = []
    for which, (register, _) in enumerate(group):
        place = register.address - first.address
        if register.dtype == "bit":
            bits.append((place, register.bit, which))
        else:
            size = 2 * register.width
            octets = [2 * place + i for i in _permutation(register.order, size)]
            wanted[_TYPES[register.dtype]].append((octets, which))
    gathers = tuple(
        (dtype, np.array([o for o, _ in items], np.int64), np.array([w for _, w in items], np.int64))
        for dtype, items in wanted.items()
    )
    bit_columns = np.array(bits, np.int64).reshape(-1, 3).T
    return Read(
        first.unit,
        first.table,
        first.address,
        end - first.address,
        np.array([p.index for _, p in group], np.uint32),
        np.array([p.scale for _, p in group]),
        np.array([p.offset for _, p in group]),
        gathers,
        (bit_columns[0], bit_columns[1], bit_columns[2]),
    )
