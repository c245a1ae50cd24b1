"""Synthetic gateways: each sends all its points at its moment of every period, over its own connection.

A gateway is a few arrays and a connection; the payload of Sparkplug is a template whose time, number and values are
overwritten in place, so that the generator costs a fraction of what it measures.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.access.frames import codec
from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.access.sparkplug.datatypes import DataType
from hazwatch.bench import mqtt
from hazwatch.bench.fleet import GROUP, Member, point_code

Floats = NDArray[np.float64]
#: One metric of the data template: field 2 of 14 bytes = alias (a padded varint of 3 bytes) and double_value.
_METRIC = np.dtype(
    [("tag", "u1"), ("size", "u1"), ("alias_tag", "u1"), ("alias", "u1", 3), ("value_tag", "u1"), ("value", "<f8")]
)
#: Payload.timestamp as a varint of 6 bytes (enough until the year 2109), Payload.seq as one of 2.
_HEAD: Final = 1 + 6
_TAIL: Final = struct.Struct("<BBB")


class Gateway(Protocol):
    """What the generator needs of a gateway."""

    member: Member
    ready: bool

    @property
    def waiting(self) -> int:
        """Frames not yet acknowledged."""

    def send(self, now: int, values: Floats) -> None:
        """Send all points as measured at ``now``, epoch ms."""

    def idle(self) -> None:
        """Called now and then."""


def _varint(value: int, size: int) -> bytes:
    """A varint padded to ``size`` bytes."""
    return bytes([(value >> 7 * i & 0x7F) | (0x80 if i < size - 1 else 0) for i in range(size)])


class FramesGateway(asyncio.Protocol):
    """Speaks raw frames; counts acknowledgements and how long they take."""

    def __init__(self, member: Member, secret: bytes, clock: Callable[[], float], took: list[float]) -> None:
        self.member = member
        self.ready = False
        self.refused = 0
        self._secret = secret
        self._clock = clock
        self._took = took
        self._key = b""
        self._buffer = bytearray()
        # A number is never used twice in the life of a gateway, whatever happens to its process.
        self._sequence = time.time_ns() // 1_000_000
        self._sent: deque[tuple[int, float]] = deque()
        self._transport: asyncio.Transport | None = None

    @property
    def waiting(self) -> int:
        """Frames not yet acknowledged."""
        return len(self._sent)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the greeting."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Greeting, answer, acknowledgements."""
        self._buffer += data
        if not self._key:
            if len(self._buffer) < len(codec.GREETING) + codec.NONCE:
                return
            self._greet(bytes(self._buffer[len(codec.GREETING) : len(codec.GREETING) + codec.NONCE]))
            del self._buffer[: len(codec.GREETING) + codec.NONCE]
        if not self.ready:
            size = int.from_bytes(self._buffer[:4], "little")
            if len(self._buffer) < max(4, 4 + size):  # the length itself
                return
            said = orjson.loads(self._buffer[4 : 4 + size])
            if not said["ok"] or said["unknown"]:
                raise RuntimeError(f"gateway {self.member.code}: {said}")
            del self._buffer[: 4 + size]
            self.ready = True
        self._acknowledged()

    def _greet(self, nonce: bytes) -> None:
        code = self.member.code
        self._key = codec.session_key(self._secret, nonce, code)
        names = [point_code(self.member, n) for n in range(self.member.points)]
        form = {"gateway": code, "mac": codec.proof(self._secret, nonce, code), "points": names}
        data = orjson.dumps(form)
        self._write(len(data).to_bytes(4, "little") + data)

    def _acknowledged(self) -> None:
        size = codec.ACK.size
        now = self._clock()
        at = 0
        while len(self._buffer) - at >= size:
            code, sequence, _ = codec.read_acknowledgement(memoryview(self._buffer)[at : at + size])
            at += size
            first, sent = self._sent.popleft()
            if first != sequence or code != codec.DURABLE:
                self.refused += 1
            self._took.append(now - sent)
        del self._buffer[:at]

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def send(self, now: int, values: Floats) -> None:
        """Send all points as measured at ``now``."""
        self._sequence += 1
        self._sent.append((self._sequence, self._clock()))
        self._write(codec.frame(self._key, self._sequence, now, values))

    def send_columns(self, ts: int, values: Floats, *, slot: NDArray[np.int64], delta: NDArray[np.int64]) -> None:
        """Send what was measured in the past."""
        self._sequence += 1
        self._sent.append((self._sequence, self._clock()))
        self._write(codec.frame(self._key, self._sequence, ts, values, slot=slot, delta=delta, historical=True))

    def idle(self) -> None:
        """Nothing to do: data are a sign of life."""


class SparkplugGateway:
    """Speaks Sparkplug B over its own MQTT connection; is born again when the host asks."""

    def __init__(self, member: Member, secret: str) -> None:
        self.member = member
        self.ready = False
        node = member.code
        self._topic = f"spBv1.0/{GROUP}/NDATA/{node}"
        self._birth_topic = f"spBv1.0/{GROUP}/NBIRTH/{node}"
        self._seq = 0
        self._reborn = True
        will = pb.Payload(timestamp=0)
        will.metrics.add(name="bdSeq", long_value=0, datatype=DataType.INT64)
        hello = mqtt.connect(
            node, node, secret, f"spBv1.0/{GROUP}/NDEATH/{node}", will.SerializeToString()
        )  # fmt: skip
        self.connection = mqtt.EdgeConnection(hello, f"spBv1.0/{GROUP}/NCMD/{node}", self._accepted, self._asked)
        n = member.points
        self._payload = bytearray(_HEAD + n * _METRIC.itemsize + _TAIL.size)
        self._payload[0] = 1 << 3
        metrics = np.frombuffer(self._payload, _METRIC, n, _HEAD)
        metrics["tag"], metrics["size"] = 2 << 3 | 2, _METRIC.itemsize - 2
        metrics["alias_tag"], metrics["value_tag"] = 2 << 3, 13 << 3 | 1
        metrics["alias"] = np.array([list(_varint(i + 1, 3)) for i in range(n)], np.uint8).reshape(n, 3)
        self._values = metrics["value"]
        self._head = mqtt.publish_head(self._topic, len(self._payload))

    @property
    def waiting(self) -> int:
        """QoS 0 is never acknowledged."""
        return 0

    def _accepted(self) -> None:
        self.ready = True

    def _asked(self) -> None:
        self._reborn = True

    def _write(self, *parts: bytes | bytearray) -> None:
        if self.connection.transport is not None:
            self.connection.transport.write(b"".join(parts))

    def _birth(self, now: int, values: Floats) -> bytes:
        birth = pb.Payload(timestamp=now, seq=0)
        birth.metrics.add(name="bdSeq", long_value=0, datatype=DataType.INT64)
        for n, value in enumerate(values.tolist()):
            name = point_code(self.member, n)
            birth.metrics.add(name=name, alias=n + 1, datatype=DataType.DOUBLE, double_value=value)
        return bytes(birth.SerializeToString())

    def send(self, now: int, values: Floats) -> None:
        """Send all points as measured at ``now``; as a birth certificate when one was asked for."""
        if self._reborn:
            self._reborn, self._seq = False, 0
            payload = self._birth(now, values)
            self._write(mqtt.publish_head(self._birth_topic, len(payload)), payload)
            return
        self._seq = (self._seq + 1) % 256
        self._payload[1:_HEAD] = _varint(now, 6)
        self._values[:] = values
        _TAIL.pack_into(self._payload, len(self._payload) - _TAIL.size, 3 << 3, self._seq & 0x7F | 0x80, self._seq >> 7)
        self._write(self._head, self._payload)

    def idle(self) -> None:
        """Keep the connection alive."""
        self.connection.ping()


def make(member: Member, secret: bytes, clock: Callable[[], float], took: list[float]) -> Any:
    """The gateway of a member, by its protocol."""
    if member.protocol == "frames":
        return FramesGateway(member, secret, clock, took)
    return SparkplugGateway(member, secret.decode())
