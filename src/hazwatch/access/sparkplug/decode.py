"""Sparkplug B data payloads straight into arrays, without a Python object per metric.

The parser is compiled (Numba, no GIL) and walks the protobuf wire format itself: about ten times faster than making
message objects and reading them out. It never reads outside the payload; whatever protobuf would refuse on the wire
level is flagged ``MALFORMED``. Groups (obsolete wire types 3 and 4) are refused although protobuf would skip them.

Numbers stay as they lie on the wire (``raw``) until the data type is known, because a data message may leave the type
to the birth certificate; ``numbers`` then makes float64 of them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, Protocol, TypeVar, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # comes with numba, has no types
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from hazwatch.access.sparkplug.datatypes import QUALITY_GOOD
from hazwatch.vocabulary.quality import Quality

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]

Int = np.int64 | int
_F = TypeVar("_F", bound=Callable[..., object])

OK: Final = 0
MALFORMED: Final = 1

#: kinds: which field of the ``value`` oneof came last (0 none)
KIND_INT, KIND_LONG, KIND_FLOAT, KIND_DOUBLE, KIND_BOOL = 10, 11, 12, 13, 14

#: ``Quality`` of a good value, and what any other makes of a sample; compiled code wants plain numbers.
_GOOD, _DISCONNECTED = int(QUALITY_GOOD), int(Quality.DISCONNECTED)
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MASK32 = 0xFFFFFFFF


def _compiled(function: _F) -> _F:
    """Compile, keeping the declared types."""
    return cast("_F", njit(nogil=True, cache=True)(function))


def _inlined(function: _F) -> _F:
    """Compile into the caller: a call would count references of the array, which costs more than the work."""
    return cast("_F", njit(nogil=True, cache=True, inline="always")(function))


class Metrics(NamedTuple):
    """Columns of one payload.

    Attributes:
        status: OK or MALFORMED; the columns are complete only when OK.
        timestamp: of the payload, epoch ms, −1 = none.
        seq: of the payload, −1 = none.
        alias: int64[N], −1 = none.
        ts: epoch ms int64[N], −1 = none.
        datatype: int64[N], 0 = none.
        kind: field number of the value, uint8[N], 0 = none.
        raw: integer kinds: the wire integer; float kinds: unused. int64[N].
        real: float kinds: the number; otherwise NaN. float64[N].
        historical: bool[N].
        null: bool[N].
        quality: ``Quality`` property, int64[N], −1 = none.
        name_at, name_len: where the name lies in the payload, int64[N]; −1 = none.
    """

    status: Int
    timestamp: Int
    seq: Int
    alias: I64
    ts: I64
    datatype: I64
    kind: U8
    raw: I64
    real: NDArray[np.float64]
    historical: NDArray[np.bool_]
    null: NDArray[np.bool_]
    quality: I64
    name_at: I64
    name_len: I64


@intrinsic
def _byte(_context: Any, _base: Any, _at: Any) -> Any:
    """The byte at an address. Plain array indexing inside helpers would count references at every call."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        base, at = args
        pointer = builder.inttoptr(builder.add(base, at), ir.IntType(8).as_pointer())
        return builder.load(pointer)

    return types.uint8(types.int64, types.int64), generate


@_inlined
def _varint(base: Int, at: Int, end: Int) -> tuple[np.uint64, Int]:
    """The varint at ``at`` and the position after it; position −1 when it is cut short or longer than ten bytes."""
    if at < end and _byte(base, at) < np.uint8(0x80):  # one byte: every key and most numbers
        return np.uint64(_byte(base, at)), at + 1
    result = np.uint64(0)
    shift = np.uint64(0)
    for i in range(10):
        if at + i >= end:
            return result, -1
        byte = np.uint64(_byte(base, at + i))
        result |= (byte & np.uint64(0x7F)) << shift
        if byte < np.uint64(0x80):  # top bit: another byte follows
            if i == 9 and byte > np.uint64(1):  # noqa: PLR2004  # the tenth byte holds one bit of 64
                return result, -1
            return result, at + i + 1
        shift += np.uint64(7)
    return result, -1


@_inlined
def _skip(base: Int, at: Int, end: Int, wire: Int) -> Int:
    """The position after a field's value; −1 when it does not fit or the wire type is unknown."""
    if wire == _VARINT:
        return _varint(base, at, end)[1]
    if wire == _FIXED64:
        return at + 8 if at + 8 <= end else -1
    if wire == _FIXED32:
        return at + 4 if at + 4 <= end else -1
    if wire == _BYTES:
        size, at = _varint(base, at, end)
        if at < 0 or size > np.uint64(end - at):
            return -1
        return at + np.int64(size)
    return -1


@_inlined
def _field(base: Int, at: Int, end: Int) -> tuple[Int, Int, Int]:
    """Field number, wire type and position after the key; number 0 when the key is wrong."""
    key, at = _varint(base, at, end)
    if at < 0 or key > np.uint64(_MASK32):
        return 0, 0, -1
    return np.int64(key >> np.uint64(3)), np.int64(key & np.uint64(7)), at


@_compiled
def _count(base: Int, end: Int) -> Int:
    """How many metrics the payload has; −1 when its outer level is malformed."""
    at: Int = 0
    n = 0
    while at < end:
        number, wire, at = _field(base, at, end)
        if number == 0:
            return -1
        at = _skip(base, at, end, wire)
        if at < 0:
            return -1
        if number == 2 and wire == _BYTES:  # noqa: PLR2004  # Payload.metrics
            n += 1
    return n


@_compiled
def _property_int(base: Int, at: Int, end: Int) -> tuple[Int, Int]:
    """``int_value`` of a PropertyValue (−1 none) and OK/MALFORMED."""
    value: Int = np.int64(-1)
    while at < end:
        number, wire, at = _field(base, at, end)
        if number == 0:
            return value, MALFORMED
        if number == 3 and wire == _VARINT:  # noqa: PLR2004  # PropertyValue.int_value
            bits, at = _varint(base, at, end)
            value = np.int64(bits & np.uint64(_MASK32))
        else:
            at = _skip(base, at, end, wire)
        if at < 0:
            return value, MALFORMED
    return value, OK


@_compiled
def _is_quality(base: Int, at: Int, end: Int) -> bool:
    """The bytes spell ``Quality``."""
    if end - at != 7:  # noqa: PLR2004  # length of the word
        return False
    word = (81, 117, 97, 108, 105, 116, 121)
    for i in range(7):  # noqa: SIM110  # compiled: a generator would not be
        if _byte(base, at + i) != word[i]:
            return False
    return True


@_compiled
def _quality(base: Int, start: Int, end: Int) -> tuple[Int, Int]:
    """The ``Quality`` property of a PropertySet (−1 none) and OK/MALFORMED."""
    wanted, seen, at = -1, 0, start
    while at < end:
        number, wire, at = _field(base, at, end)
        after = _skip(base, at, end, wire) if number else -1
        if after < 0:
            return -1, MALFORMED
        if number == 1 and wire == _BYTES:
            if _is_quality(base, _varint(base, at, end)[1], after):
                wanted = seen
            seen += 1
        at = after
    if wanted < 0:
        return -1, OK
    seen, at = 0, start
    while at < end:
        number, wire, at = _field(base, at, end)
        after = _skip(base, at, end, wire)
        if number == 2 and wire == _BYTES:  # noqa: PLR2004  # PropertySet.values
            if seen == wanted:
                return _property_int(base, _varint(base, at, end)[1], after)
            seen += 1
        at = after
    return -1, OK


@_compiled
def decode(data: U8) -> Metrics:  # noqa: C901, PLR0912, PLR0915  # one flat loop over the wire: the jump table of a parser
    """Read a payload (contiguous bytes). A malformed one yields status MALFORMED and no columns worth reading."""
    base = data.ctypes.data
    n = _count(base, len(data))
    malformed = n < 0
    n = max(n, 0)
    alias = np.full(n, -1, np.int64)
    ts = np.full(n, -1, np.int64)
    datatype = np.zeros(n, np.int64)
    kind = np.zeros(n, np.uint8)
    raw = np.zeros(n, np.int64)
    real = np.zeros(n, np.float64)
    octets = real.view(np.uint8)  # doubles land bytewise: the wire and the machines we run on are little-endian
    single = np.zeros(n, np.float32)
    octets4 = single.view(np.uint8)
    historical = np.zeros(n, np.bool_)
    null = np.zeros(n, np.bool_)
    quality = np.full(n, -1, np.int64)
    name_at = np.full(n, -1, np.int64)
    name_len = np.full(n, -1, np.int64)
    timestamp, seq = np.int64(-1), np.int64(-1)
    at: Int = 0
    end, m = len(data), 0
    while at < end and not malformed:
        number, wire, at = _field(base, at, end)
        if wire == _VARINT:
            bits, at = _varint(base, at, end)
            if number == 1:
                timestamp = np.int64(bits)
            elif number == 3:  # noqa: PLR2004  # Payload.seq
                seq = np.int64(bits)
            continue
        after = _skip(base, at, end, wire)
        if number != 2 or wire != _BYTES:  # noqa: PLR2004  # Payload.metrics
            at = after
            continue
        at = _varint(base, at, end)[1]
        while at < after:
            number, wire, at = _field(base, at, after)
            if number == 0:
                malformed = True
                break
            if wire == _VARINT:
                bits, at = _varint(base, at, after)
                if at < 0:
                    malformed = True
                    break
                if number == 2:  # noqa: PLR2004  # alias
                    alias[m] = np.int64(bits)
                elif number == 3:  # noqa: PLR2004  # timestamp
                    ts[m] = np.int64(bits)
                elif number == 4:  # noqa: PLR2004  # datatype
                    datatype[m] = np.int64(bits & np.uint64(_MASK32))
                elif number == 5:  # noqa: PLR2004  # is_historical
                    historical[m] = bits != np.uint64(0)
                elif number == 7:  # noqa: PLR2004  # is_null
                    null[m] = bits != np.uint64(0)
                elif number == KIND_INT:
                    kind[m] = number
                    raw[m] = np.int64(bits & np.uint64(_MASK32))
                elif number == KIND_LONG:
                    kind[m] = number
                    raw[m] = np.int64(bits)
                elif number == KIND_BOOL:
                    kind[m] = number
                    raw[m] = 1 if bits != np.uint64(0) else 0
                continue
            if wire == _FIXED64 and number == KIND_DOUBLE and at + 8 <= after:
                kind[m] = number
                for i in range(8):
                    octets[m * 8 + i] = _byte(base, at + i)
                at += 8
                continue
            if wire == _FIXED32 and number == KIND_FLOAT and at + 4 <= after:
                kind[m] = number
                for i in range(4):
                    octets4[m * 4 + i] = _byte(base, at + i)
                at += 4
                continue
            stop = _skip(base, at, after, wire)
            if stop < 0:
                malformed = True
                break
            if wire == _BYTES:
                inside = _varint(base, at, after)[1]
                if number == 1:
                    name_at[m] = inside
                    name_len[m] = stop - inside
                elif number == 9:  # noqa: PLR2004  # properties
                    found, status = _quality(base, inside, stop)
                    if status != OK:
                        malformed = True
                        break
                    if found >= 0:
                        quality[m] = found
                elif 15 <= number <= 19:  # noqa: PLR2004  # string, bytes, data set, template, extension
                    kind[m] = number
            at = stop
        m += 1
        at = after
    for i in range(n):
        if kind[i] == KIND_FLOAT:
            real[i] = single[i]
        elif kind[i] != KIND_DOUBLE:
            real[i] = np.nan
    status = MALFORMED if malformed else OK
    return Metrics(
        status, timestamp, seq, alias, ts, datatype, kind, raw, real, historical, null, quality, name_at, name_len
    )


@_compiled
def numbers(kind: U8, raw: I64, real: NDArray[np.float64], datatype: I64) -> NDArray[np.float64]:
    """float64 of every metric once its data type is known; NaN where there is no number.

    Signed types come as two's complement of 8, 16 or 32 bits in an unsigned field; encoders differ in whether they
    extend the sign, so only the type's own bits are looked at.
    """
    out = real.copy()
    for i in range(len(kind)):
        k = kind[i]
        if k in (KIND_FLOAT, KIND_DOUBLE):
            continue
        if k not in (KIND_INT, KIND_LONG, KIND_BOOL):
            out[i] = np.nan
            continue
        t, bits = datatype[i], raw[i]
        if t == 1:
            out[i] = np.float64(np.int8(bits))
        elif t == 2:  # noqa: PLR2004  # Int16
            out[i] = np.float64(np.int16(bits))
        elif t == 3:  # noqa: PLR2004  # Int32
            out[i] = np.float64(np.int32(bits))
        elif t == 8 or (k == KIND_LONG and t != 4):  # noqa: PLR2004  # UInt64, or unsigned for want of a type
            out[i] = np.float64(np.uint64(bits))
        else:
            out[i] = np.float64(bits)
    return out


@_compiled
def places(known: I64, alias: I64) -> I64:
    """Row of each alias among the known ones (sorted, N ≥ 1), −1 = unknown. They mostly come in the same order."""
    out = np.empty(len(alias), np.int64)
    last = len(known) - 1
    at = -1
    for i in range(len(alias)):
        at = at + 1 if at < last and known[at + 1] == alias[i] else min(np.searchsorted(known, alias[i]), last)
        out[i] = at if known[at] == alias[i] else -1
    return out


#: point uint32[N], ts int64[N], value float64[N], quality uint8[N]
Batch = tuple[NDArray[np.uint32], I64, NDArray[np.float64], U8]


class Assembled(NamedTuple):
    """What a data message brings: what is live, what is historical, and how many values are no numbers by type."""

    live: Batch
    historical: Batch
    texts: int


class Table(Protocol):
    """What the birth certificate says of each alias."""

    datatype: I64
    point: I64
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]


def assembled(metrics: Metrics, rows: I64, table: Table, sent: Int) -> Assembled:
    """Samples from the columns of a payload.

    Args:
        metrics: N of them, well-formed.
        rows: where each stands in the table, −1 = nowhere.
        table: of the certificate, M ≥ 1 rows.
        sent: time of a metric that has none of its own, epoch ms.

    Returns:
        Metrics without a point, and values that are strings, bytes or composite, are left out.
    """
    datatype = _datatypes(metrics.datatype, rows, table.datatype)
    value = numbers(metrics.kind, metrics.raw, metrics.real, datatype)
    point, ts, value, quality, late, texts = _assemble(
        rows, metrics.kind, metrics.ts, metrics.historical, metrics.null, metrics.quality, value,
        table.point, table.scale, table.offset, sent,
    )  # fmt: skip
    columns = (point, ts, value, quality)
    if not late.any():
        return Assembled(columns, _part(columns, slice(0)), texts)
    return Assembled(_part(columns, ~late), _part(columns, late), texts)


def _part(columns: Batch, which: slice | NDArray[np.bool_]) -> Batch:
    point, ts, value, quality = columns
    return point[which], ts[which], value[which], quality[which]


@_compiled
def _datatypes(own: I64, rows: I64, born: I64) -> I64:
    """The data type of each metric: its own, else that of its certificate."""
    out = own.copy()
    for i in range(len(out)):
        if out[i] <= 0 and rows[i] >= 0:
            out[i] = born[rows[i]]
    return out


@_compiled
def _assemble(
    rows: I64, kind: U8, ts: I64, historical: NDArray[np.bool_], null: NDArray[np.bool_], quality: I64,
    number: NDArray[np.float64], point: I64, scale: NDArray[np.float64], offset: NDArray[np.float64], sent: Int,
) -> tuple[NDArray[np.uint32], I64, NDArray[np.float64], U8, NDArray[np.bool_], int]:  # fmt: skip
    """Columns of the samples, whether each is historical, and how many metrics are no numbers by type."""
    size = len(rows)
    points, times = np.empty(size, np.uint32), np.empty(size, np.int64)
    values, codes, late = np.empty(size), np.zeros(size, np.uint8), np.zeros(size, np.bool_)
    n = texts = 0
    for i in range(size):
        row = rows[i]
        if row < 0 or point[row] < 0:
            continue
        if kind[i] >= 15:  # noqa: PLR2004  # string, bytes and composite values
            texts += 1
            continue
        points[n] = point[row]
        times[n] = ts[i] if ts[i] >= 0 else sent
        values[n] = np.nan if null[i] else number[i] * scale[row] + offset[row]
        if quality[i] >= 0 and quality[i] != _GOOD:
            codes[n] = _DISCONNECTED
        late[n] = historical[i]
        n += 1
    return points[:n], times[:n], values[:n], codes[:n], late[:n], texts


def warm_up() -> None:
    """Compile now (some seconds the first time, then from the cache) instead of at the first message."""
    # Bytes give a read-only array, which is a type of its own to the compiler.
    metrics = decode(np.frombuffer(b"\x18\x00", np.uint8))
    one = np.ones(1)
    table = SimpleNamespace(datatype=one.astype(np.int64), point=one.astype(np.int64), scale=one, offset=one)
    assembled(metrics, places(table.datatype, metrics.alias), table, 0)
