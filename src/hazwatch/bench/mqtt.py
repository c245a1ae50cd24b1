"""Just enough of MQTT 3.1.1 to be many Sparkplug edge nodes in one process.

Connect with a will, subscribe, publish at QoS 0. A client library would want a thread for each of two thousand nodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK, PINGREQ = 0x10, 0x20, 0x30, 0x82, 0x90, b"\xc0\x00"
KEEPALIVE_S: Final = 60


def _text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def length(n: int) -> bytes:
    """A remaining length."""
    out = bytearray()
    while True:
        n, digit = n >> 7, n & 0x7F
        out.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(out)


def packet(kind: int, body: bytes) -> bytes:
    """A control packet."""
    return bytes([kind]) + length(len(body)) + body


def connect(client: str, user: str, password: str, will_topic: str, will: bytes) -> bytes:
    """CONNECT with a clean session and a will of QoS 1."""
    flags = 0x80 | 0x40 | 0x08 | 0x04 | 0x02  # user, password, will QoS 1, will, clean session
    head = _text("MQTT") + bytes([4, flags]) + KEEPALIVE_S.to_bytes(2, "big")
    return packet(CONNECT, head + _text(client) + _text(will_topic) + _text(will) + _text(user) + _text(password))


def publish_head(topic: str, size: int) -> bytes:
    """What stands before a payload of ``size`` bytes at QoS 0."""
    name = _text(topic)
    return bytes([PUBLISH]) + length(len(name) + size) + name


class EdgeConnection(asyncio.Protocol):
    """One edge node's connection.

    Args:
        hello: the CONNECT packet.
        commands: topic to subscribe to.
        on_ready: called when the broker accepted both.
        on_command: called for every message that arrives.
    """

    def __init__(
        self, hello: bytes, commands: str, on_ready: Callable[[], None], on_command: Callable[[], None]
    ) -> None:
        self._hello = hello
        self._commands = commands
        self._on_ready = on_ready
        self._on_command = on_command
        self._buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._hello)

    def connection_lost(self, exc: Exception | None) -> None:
        """The broker went."""
        del exc
        self.transport = None

    def data_received(self, data: bytes) -> None:
        """Follow the broker's answers."""
        self._buffer += data
        while (whole := self._whole()) is not None:
            kind = self._buffer[0] & 0xF0
            if kind == CONNACK and self.transport is not None:
                self.transport.write(packet(SUBSCRIBE, b"\x00\x01" + _text(self._commands) + b"\x00"))
            elif kind == SUBACK:
                self._on_ready()
            elif kind == PUBLISH:
                self._on_command()
            del self._buffer[:whole]

    def _whole(self) -> int | None:
        """Length of the first packet when it is all there."""
        size, shift = 0, 0
        for at in range(1, min(len(self._buffer), 5)):
            size |= (self._buffer[at] & 0x7F) << shift
            if self._buffer[at] < 0x80:  # noqa: PLR2004  # the last digit of the length
                return at + 1 + size if len(self._buffer) >= at + 1 + size else None
            shift += 7
        return None

    def ping(self) -> None:
        """Say that we live."""
        if self.transport is not None:
            self.transport.write(PINGREQ)
