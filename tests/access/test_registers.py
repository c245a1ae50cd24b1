from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.access.directory import PointAddress
from hazwatch.access.registers import parse, plan


def address(spec: str, index: int = 0, **changes: Any) -> dict[str, PointAddress]:
    return {spec: PointAddress(index, "x", spec, **changes)}


@pytest.mark.parametrize(
    ("spec", "octets", "value"),
    [
        ("hr:0:u16", "1234", 0x1234),
        ("hr:0:u16:le", "3412", 0x1234),
        ("hr:0:i16:be", "FFFE", -2),
        ("hr:0:u32:be", "0A0B0C0D", 0x0A0B0C0D),
        ("hr:0:u32:le", "0D0C0B0A", 0x0A0B0C0D),
        ("hr:0:u32:badc", "0B0A0D0C", 0x0A0B0C0D),
        ("hr:0:u32:cdab", "0C0D0A0B", 0x0A0B0C0D),
        ("hr:0:i32:be", "FFFFFFFF", -1),
        ("hr:0:f32:be", "3FC00000", 1.5),
        ("hr:0:f32:cdab", "00003FC0", 1.5),
        ("hr:0:f64:be", "3FF8000000000000", 1.5),
        ("hr:0:f64:cdab", "0000000000003FF8", 1.5),
        ("hr:0:u64:le", "0807060504030200", 0x0002030405060708),  # up to 2^53 a float64 is exact
        ("hr:0:u64:badc", "0200040306050807", 0x0002030405060708),
        ("hr:0:bit:3", "0008", 1),
        ("hr:0:bit:15", "7FFF", 0),
    ],
)
def test_types_and_orders(spec: str, octets: str, value: float) -> None:
    (read,), faults = plan(address(spec))
    raw = bytes.fromhex(octets)
    assert read.values(list(struct.unpack(f">{len(raw) // 2}H", raw))).tolist() == [value]
    assert not faults


def test_neighbours_share_a_read_and_others_do_not() -> None:
    specs = ["hr:0:f32", "hr:2:u16", "hr:3:u16", "hr:10:u16", "ir:0:u16", "co:0", "co:1", "hr:4:u16@7"]
    points = {s: PointAddress(i, "x", s) for i, s in enumerate(specs)}
    reads, _ = plan(points)
    assert sorted((r.unit, r.table, r.address, r.count) for r in reads) == [
        (1, "co", 0, 2),
        (1, "hr", 0, 4),
        (1, "hr", 10, 1),
        (1, "ir", 0, 1),
        (7, "hr", 4, 1),
    ]
    reads, _ = plan(points, gap=6)
    assert (1, "hr", 0, 11) in {(r.unit, r.table, r.address, r.count) for r in reads}


@given(st.lists(st.integers(0, 2000), unique=True, min_size=1, max_size=200))
def test_every_point_is_read_once_and_no_read_is_too_long(addresses: list[int]) -> None:
    points = {f"hr:{a}:f32": PointAddress(a, "x", "") for a in addresses}
    reads, _ = plan(points)
    assert sorted(p for r in reads for p in r.points.tolist()) == sorted(addresses)
    assert all(r.count <= 120 for r in reads)


def test_scale_and_offset() -> None:
    (read,), _ = plan(address("ir:5:i16", scale=0.1, offset=-40.0))
    assert read.values([215]).tolist() == pytest.approx([-18.5])


@pytest.mark.parametrize("spec", ["", "hr", "xx:1", "hr:1:f99", "hr:1:u16:zz", "hr:1:bit:16", "hr:-1", "hr:999999:u16"])
def test_bad_specs_are_named(spec: str) -> None:
    with pytest.raises(ValueError, match="Modbus"):
        parse(spec)
    reads, faults = plan(address(spec))
    assert not reads
    assert len(faults) == 1


def test_a_short_answer_is_an_error() -> None:
    (read,), _ = plan(address("hr:0:f32"))
    with pytest.raises(ValueError, match="应答"):
        read.values([1])
