"""The TCP door: long connections, UTF-8 JSON frames that end with ``@@``; each frame gets one reply that ends likewise.

Every client has its own buffer, clock and task, so a slow or hostile one costs the others nothing: frames have a size
cap and a time to arrive, silence ends the connection, replies that nobody reads end it too, and all buffers together
have a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hazwatch.access.national.desk import NationalDesk, Reply, reply
from hazwatch.access.national.message import Code
from hazwatch.vocabulary.faults import Refusal

END: Final = b"@@"
_CHUNK: Final = 64 << 10
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """What a client may do.

    Attributes:
        cap: largest frame, bytes.
        skip: of an oversized frame so many bytes are skipped while looking for its end; then the connection ends.
        idle_s: silence after which the connection ends, seconds (three missed heartbeats of 30 s).
        frame_s: time from the first byte of a frame to its end, seconds.
        send_s: time a client may take to read a reply, seconds.
        clients: connections at a time.
        buffered: bytes of unfinished frames of all clients together.
    """

    cap: int = 1 << 20
    skip: int = 4 << 20
    idle_s: float = 90.0
    frame_s: float = 30.0
    send_s: float = 10.0
    clients: int = 2000
    buffered: int = 64 << 20


class NationalTcpListener:
    """An adapter that listens.

    Args:
        desk: handles the frames.
        host, port: where to listen; port 0 picks a free one, see ``port``.
        limits: of clients.
        tls: TLS context; None = plain TCP.
    """

    def __init__(
        self,
        desk: NationalDesk,
        host: str,
        port: int,
        limits: TcpLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._desk = desk
        self._host = host
        self.port = port
        self._limits = limits or TcpLimits()
        self._tls = tls
        self._buffered = 0
        self._clients: set[asyncio.Task[None]] = set()
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._accept, self._host, self.port, limit=_CHUNK, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        try:
            async with server:
                await server.serve_forever()
        finally:
            self.listening.clear()
            for task in list(self._clients):
                task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= self._limits.clients:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # start_server runs this in a task of its own
        self._clients.add(task)
        client = _Client(self._desk, self._limits, reader, writer)
        try:
            await client.serve(self._admit)
        except (OSError, asyncio.CancelledError, TimeoutError):
            pass  # the peer went, or we do; what was not acknowledged will come again
        except Exception:  # noqa: BLE001  # one client never takes the listener down
            _log.exception("national TCP client failed")
        finally:
            self._clients.discard(task)
            self._buffered -= client.counted
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    def _admit(self, change: int) -> bool:
        """Account for buffered bytes; False when all clients together hold too much."""
        self._buffered += change
        return change <= 0 or self._buffered <= self._limits.buffered


class _Client:
    def __init__(
        self, desk: NationalDesk, limits: TcpLimits, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._desk = desk
        self._limits = limits
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._skipped = 0  # bytes of an oversized frame skipped so far; 0 = not skipping
        self.counted = 0
        self._began: float | None = None

    async def serve(self, admit: Callable[[int], bool]) -> None:
        """Read frames until the client goes, falls silent or misbehaves."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            deadline = now + self._limits.idle_s
            if self._began is not None:
                deadline = min(deadline, self._began + self._limits.frame_s)
            try:
                async with asyncio.timeout_at(deadline):
                    chunk = await self._reader.read(_CHUNK)
            except TimeoutError:
                self._truncated("超时")
                return
            if not chunk:
                self._truncated("连接关闭")
                return
            self._began = self._began if self._began is not None else loop.time()
            if not await self._feed(chunk):
                return
            grown = len(self._buffer) - self.counted
            self.counted = len(self._buffer)
            if not admit(grown):
                self._desk.refuse(
                    Refusal.TOO_LARGE, "所有连接的未完成帧超过内存上限,断开连接", bytes(self._buffer[:500])
                )
                return

    async def _feed(self, chunk: bytes) -> bool:
        """Take in bytes, answer the frames they complete; False ends the connection."""
        searched = max(0, len(self._buffer) - 1)  # the terminator may straddle two chunks
        self._buffer += chunk
        while (at := self._buffer.find(END, searched)) >= 0:
            frame = bytes(self._buffer[:at])
            del self._buffer[: at + len(END)]
            searched = 0
            self._began = asyncio.get_running_loop().time() if self._buffer else None
            if self._skipped:
                self._skipped = 0  # the end of the oversized frame, which has been answered
                continue
            await self._send(await self._answer(frame))
        return await self._bounded()

    async def _answer(self, frame: bytes) -> Reply:
        if len(frame) > self._limits.cap:
            return self._oversized(frame)
        await asyncio.sleep(0)  # others first: a client that sends rubbish at full speed must not keep the loop
        return await self._desk.handle(frame.strip())

    def _oversized(self, data: bytes | bytearray) -> Reply:
        detail = f"TCP 帧超过上限 {self._limits.cap} 字节"
        self._desk.refuse(Refusal.TOO_LARGE, detail, bytes(data[:500]))
        return reply(Code.TOO_LARGE, error=detail)

    async def _bounded(self) -> bool:
        if not self._skipped and len(self._buffer) <= self._limits.cap:
            return True
        if not self._skipped:
            await self._send(self._oversized(self._buffer))
        self._skipped += len(self._buffer)
        del self._buffer[:-1]  # the last byte may be half a terminator
        return self._skipped <= self._limits.skip

    def _truncated(self, why: str) -> None:
        if self._buffer.strip() and not self._skipped:
            detail = f"TCP 帧不完整({why}),收到 {len(self._buffer)} 字节"
            self._desk.refuse(Refusal.TRUNCATED, detail, bytes(self._buffer[:500]))

    async def _send(self, answer: Reply) -> None:
        self._writer.write(answer.body + END)
        async with asyncio.timeout(self._limits.send_s):
            await self._writer.drain()
