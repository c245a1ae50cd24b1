"""The compiled parser against the protobuf library: on payloads of every kind and on garbage."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hazwatch.access.sparkplug import decode as wire
from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.access.sparkplug.datatypes import DataType

U64 = st.integers(0, 2**64 - 1)
U32 = st.integers(0, 2**32 - 1)


def _value(metric: pb.Payload.Metric, kind: str, value: object) -> None:
    setattr(metric, kind, value)


VALUES = st.one_of(
    st.tuples(st.just("int_value"), U32),
    st.tuples(st.just("long_value"), U64),
    st.tuples(st.just("float_value"), st.floats(width=32)),
    st.tuples(st.just("double_value"), st.floats()),
    st.tuples(st.just("boolean_value"), st.booleans()),
    st.tuples(st.just("string_value"), st.text(max_size=8)),
    st.tuples(st.just("bytes_value"), st.binary(max_size=8)),
    st.none(),
)


@st.composite
def metrics(draw: st.DrawFn) -> pb.Payload.Metric:
    metric = pb.Payload.Metric()
    for name, strategy in (
        ("name", st.text(max_size=12)),
        ("alias", U64),
        ("timestamp", U64),
        ("datatype", U32),
        ("is_historical", st.booleans()),
        ("is_transient", st.booleans()),
        ("is_null", st.booleans()),
    ):
        if draw(st.booleans()):
            setattr(metric, name, draw(strategy))
    if draw(st.booleans()):
        metric.metadata.description = draw(st.text(max_size=8))
    keys = draw(st.lists(st.sampled_from(["Quality", "engUnit", "Qualitx"]), max_size=3, unique=True))
    for key in keys:
        metric.properties.keys.append(key)
        entry = metric.properties.values.add(type=3)
        if draw(st.booleans()):
            entry.int_value = draw(U32)
        else:
            entry.string_value = draw(st.text(max_size=5))
    value = draw(VALUES)
    if value is not None:
        _value(metric, *value)
    return metric


@st.composite
def payloads(draw: st.DrawFn) -> pb.Payload:
    payload = pb.Payload()
    if draw(st.booleans()):
        payload.timestamp = draw(U64)
    if draw(st.booleans()):
        payload.seq = draw(st.integers(0, 255))
    if draw(st.booleans()):
        payload.uuid = draw(st.text(max_size=5))
        payload.body = draw(st.binary(max_size=5))
    payload.metrics.extend(draw(st.lists(metrics(), max_size=6)))
    return payload


def same(got: wire.Metrics, expected: pb.Payload, data: bytes) -> None:
    assert got.status == wire.OK
    assert len(got.alias) == len(expected.metrics)
    assert got.timestamp == (signed(expected.timestamp) if expected.HasField("timestamp") else -1)
    assert got.seq == (signed(expected.seq) if expected.HasField("seq") else -1)
    for i, metric in enumerate(expected.metrics):
        assert got.alias[i] == (signed(metric.alias) if metric.HasField("alias") else -1)
        assert got.ts[i] == (signed(metric.timestamp) if metric.HasField("timestamp") else -1)
        assert got.datatype[i] == metric.datatype
        assert got.historical[i] == metric.is_historical
        assert got.null[i] == metric.is_null
        if metric.HasField("name"):
            at, size = got.name_at[i], got.name_len[i]
            assert data[at : at + size] == metric.name.encode()
        else:
            assert got.name_len[i] == -1
        which = metric.WhichOneof("value")
        assert got.kind[i] == (metric.DESCRIPTOR.fields_by_name[which].number if which else 0)
        if which in ("float_value", "double_value"):
            value = getattr(metric, which)
            assert got.real[i] == value or (math.isnan(value) and math.isnan(got.real[i]))
        elif which in ("int_value", "long_value", "boolean_value"):
            assert got.raw[i] == signed(int(getattr(metric, which)))
        assert got.quality[i] == quality(metric)


def signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def quality(metric: pb.Payload.Metric) -> int:
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key == "Quality":
            return value.int_value if value.HasField("int_value") else -1
    return -1


def decode(data: bytes) -> wire.Metrics:
    return wire.decode(np.frombuffer(data, np.uint8))


@settings(max_examples=400, deadline=None)
@given(payloads())
def test_reads_what_protobuf_wrote(payload: pb.Payload) -> None:
    data = payload.SerializeToString()
    same(decode(data), payload, data)


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=60))
@example(b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
@example(b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80")
@example(b"\x12\x02\x4a\x7f")
def test_garbage_never_leaves_the_payload(data: bytes) -> None:
    guard = np.full(len(data) + 64, 0xFF, np.uint8)
    guard[: len(data)] = np.frombuffer(data, np.uint8)
    got = wire.decode(guard[: len(data)])
    assert got.status in (wire.OK, wire.MALFORMED)
    if got.status == wire.OK:
        assert ((got.name_at < 0) | (got.name_at + got.name_len <= len(data))).all()
    again = decode(data)  # what lies behind the payload changes nothing
    assert again.status == got.status
    assert again.alias.tolist() == got.alias.tolist()


@settings(max_examples=600, deadline=None)
@given(payloads(), st.data())
def test_a_damaged_payload_is_read_as_protobuf_reads_it_or_flagged(payload: pb.Payload, draw: st.DataObject) -> None:
    data = bytearray(payload.SerializeToString())
    if not data:
        return
    kind = draw.draw(st.sampled_from(["cut", "flip", "insert"]))
    at = draw.draw(st.integers(0, len(data) - 1))
    if kind == "cut":
        del data[at:]
    elif kind == "flip":
        data[at] ^= draw.draw(st.integers(1, 255))
    else:
        data.insert(at, draw.draw(st.integers(0, 255)))
    got = decode(bytes(data))
    try:
        expected = pb.Payload.FromString(bytes(data))
    except Exception:  # noqa: BLE001  # the library refuses: we may have seen less of it, but never more metrics
        return
    if got.status == wire.OK:
        assert len(got.alias) == len(expected.metrics)


@pytest.mark.parametrize(
    ("datatype", "bits", "value"),
    [
        (DataType.INT8, 0xFF, -1.0),
        (DataType.INT8, 0xFFFFFFFF, -1.0),
        (DataType.INT16, 0x8000, -32768.0),
        (DataType.INT32, 0xFFFFFFFE, -2.0),
        (DataType.UINT32, 0xFFFFFFFF, 4294967295.0),
        (DataType.UINT8, 200, 200.0),
    ],
)
def test_small_integers_get_their_sign_from_the_type(datatype: int, bits: int, value: float) -> None:
    metrics_ = decode(_one(datatype, int_value=bits))
    assert wire.numbers(metrics_.kind, metrics_.raw, metrics_.real, metrics_.datatype).tolist() == [value]


@pytest.mark.parametrize(
    ("datatype", "bits", "value"),
    [(DataType.INT64, 2**64 - 5, -5.0), (DataType.UINT64, 2**64 - 1, float(2**64 - 1)), (DataType.DATETIME, 17, 17.0)],
)
def test_long_integers(datatype: int, bits: int, value: float) -> None:
    metrics_ = decode(_one(datatype, long_value=bits))
    assert wire.numbers(metrics_.kind, metrics_.raw, metrics_.real, metrics_.datatype).tolist() == [value]


def _one(datatype: int, **value: object) -> bytes:
    return pb.Payload(metrics=[pb.Payload.Metric(alias=1, datatype=datatype, **value)]).SerializeToString()


def test_the_compiled_schema_matches_the_proto(tmp_path: Path) -> None:
    folder = Path(pb.__file__).parent
    command = ["-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={tmp_path}", "sparkplug_b.proto"]
    subprocess.run([sys.executable, *command], check=True, cwd=folder)
    fresh, committed = (
        next(line for line in (f / "sparkplug_b_pb2.py").read_text().splitlines() if "AddSerializedFile" in line)
        for f in (tmp_path, folder)
    )
    assert fresh == committed
