"""The no-op sink: speaks both protocols and throws everything away.

What the generator does against it is what the
generator can do; a node is measured only below that.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final, cast

from hazwatch.access.frames import codec
from hazwatch.bench import mqtt

_CONNACK: Final = b"\x20\x02\x00\x00"
_SUBACK: Final = b"\x90\x03\x00\x01\x00"


class _FramesSink(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = bytearray()
        self._greeted = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(codec.GREETING + bytes(codec.NONCE))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        out = b""
        if not self._greeted:
            size = 4 + int.from_bytes(self._buffer[:4], "little")
            if len(self._buffer) < size:
                return
            del self._buffer[:size]
            self._greeted = True
            answer = b'{"ok":true,"unknown":[]}'
            out = len(answer).to_bytes(4, "little") + answer
        while len(self._buffer) >= codec.HEADER.size:
            header = codec.read_header(memoryview(self._buffer)[: codec.HEADER.size])
            end = codec.HEADER.size + header.length + codec.MAC
            if len(self._buffer) < end:
                break
            del self._buffer[:end]
            out += codec.acknowledgement(codec.DURABLE, header.sequence)
        if out and self._transport is not None:
            self._transport.write(out)


class _MqttSink(asyncio.Protocol):
    """Answers CONNECT and SUBSCRIBE by their first byte; everything else is payload."""

    def __init__(self) -> None:
        self._answers = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answers == 2 or self._transport is None:  # noqa: PLR2004  # both questions have been answered
            return
        if data[0] == mqtt.CONNECT:
            self._transport.write(_CONNACK)
            self._answers = 1
        elif data[0] == mqtt.SUBSCRIBE:
            self._transport.write(_SUBACK)
            self._answers = 2


async def _main() -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(kind, "127.0.0.1", 0, backlog=1024) for kind in (_FramesSink, _MqttSink)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    sys.stdout.write(f"{ports[0]} {ports[1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
