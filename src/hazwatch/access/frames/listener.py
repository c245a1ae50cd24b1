"""The door for raw frames: many connections, each a protocol object without a task of its own.

A gateway may send ahead of its answers; what is not yet durable is bounded per connection, and beyond the bound the
connection is not read, so TCP holds the gateway back and nobody else. A connection that says no hello, sends no data
or never finishes a frame ends.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import ssl
from dataclasses import dataclass
from typing import Final, cast

import orjson

from hazwatch.access.accept import accepted
from hazwatch.access.directory import DirectoryHolder, LinkConfig, resolve
from hazwatch.access.frames import codec
from hazwatch.access.letters import excerpt
from hazwatch.access.port import GroupIntake, StatusBoard
from hazwatch.access.times import FUTURE_MS
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.moments import Clock

_LENGTH: Final = 4
_SWEEP_S: Final = 5.0
_AGAIN_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """What a gateway may do.

    Attributes:
        samples: most samples in one frame.
        hello: largest greeting, bytes.
        hello_s: time until the greeting is whole, seconds.
        frame_s: time from the first byte of a frame to its last, seconds.
        idle_s: silence after which the connection ends, seconds.
        ahead: bytes of frames of one connection that wait to be durable before it is no longer read.
        clients: connections at a time.
    """

    samples: int = 200_000
    hello: int = 1 << 20
    hello_s: float = 15.0
    frame_s: float = 30.0
    idle_s: float = 90.0
    ahead: int = 4 << 20
    clients: int = 10_000


class FramesListener:
    """An adapter that listens.

    Args:
        holder: the registry in force.
        intake: where samples go.
        board: link statuses.
        clock: epoch ms.
        host, port: where to listen; port 0 picks a free one, see ``port``.
        limits: of gateways.
        tls: TLS context; None = plain TCP (frames are sealed, not secret).
        future_ms: how far ahead of our clock a sample may be.
    """

    def __init__(
        self, holder: DirectoryHolder, intake: GroupIntake, board: StatusBoard, clock: Clock, host: str, port: int,
        *, limits: FrameLimits | None = None, tls: ssl.SSLContext | None = None, future_ms: int = FUTURE_MS,
    ) -> None:  # fmt: skip
        self.holder = holder
        self.intake = intake
        self.board = board
        self.clock = clock
        self.limits = limits or FrameLimits()
        self.future_ms = future_ms
        self.port = port
        self.listening = asyncio.Event()
        self._host = host
        self._tls = tls
        self.sessions: set[Session] = set()
        self.by_gateway: dict[str, Session] = {}

    async def run(self) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Session(self, loop), self._host, self.port, ssl=self._tls, backlog=1024
        )
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        try:
            async with server:
                while True:
                    await asyncio.sleep(_SWEEP_S)
                    for session in list(self.sessions):
                        session.look(loop.time())
        finally:
            self.listening.clear()
            for session in list(self.sessions):
                session.close()

    def refuse(self, link: str, reason: Refusal, detail: str, data: bytes = b"") -> None:
        """Keep what could not be accepted."""
        self.intake.refuse(DeadLetter(link, reason, detail, self.clock(), 1, excerpt(data)))


class Session(asyncio.Protocol):
    """One connection. First the greeting, then frames."""

    def __init__(self, door: FramesListener, loop: asyncio.AbstractEventLoop) -> None:
        self._door = door
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._nonce = os.urandom(codec.NONCE)
        self._key = b""
        self._link: LinkConfig | None = None
        self._names = b""
        self._version = -1
        self._waiting = 0
        self._heard = self._began = loop.time()

    # --- the connection --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, unless the house is full."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._door.sessions) >= self._door.limits.clients:
            transport.close()
            return
        self._door.sessions.add(self)
        self._transport.write(codec.GREETING + self._nonce)

    def connection_lost(self, exc: Exception | None) -> None:
        """The gateway went; what it had sent and we had not acknowledged will come again."""
        del exc
        self._door.sessions.discard(self)
        link = self._link
        if link is not None and self._door.by_gateway.get(link.code) is self:
            del self._door.by_gateway[link.code]
            status = self._door.board.of(link)
            status.connected = False
            status.gaps += 1
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take bytes in and handle what they complete."""
        self._heard = self._loop.time()
        self._buffer += data
        try:
            if not self._key and not self._greeted():
                return
            self._take_frames()
            if not self._buffer:
                self._began = self._heard
        except ValueError as error:
            code = self._link.code if self._link else ""
            self._door.refuse(code, Refusal.MALFORMED, str(error), bytes(self._buffer[:500]))
            self.close()

    def look(self, now: float) -> None:
        """End a connection that is silent, or that drips a greeting or a frame without ever ending it."""
        limits = self._door.limits
        if self._waiting:
            self._began = now  # we hold it back, so its time stands still
        dripping = limits.hello_s if not self._key else limits.frame_s if self._buffer else limits.idle_s
        if now - self._began > dripping or now - self._heard > limits.idle_s:
            self.close()

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()

    # --- the greeting ----------------------------------------------------------------------------------------------

    def _greeted(self) -> bool:
        """Whether the greeting is whole and was accepted."""
        if len(self._buffer) < _LENGTH:
            return False
        length = int.from_bytes(self._buffer[:_LENGTH], "little")
        if length > self._door.limits.hello:
            raise ValueError(f"问候 {length} 字节,上限 {self._door.limits.hello}")
        if len(self._buffer) < _LENGTH + length:
            return False
        hello = bytes(self._buffer[_LENGTH : _LENGTH + length])
        del self._buffer[: _LENGTH + length]
        return self._accept(hello)

    def _accept(self, hello: bytes) -> bool:
        try:
            said = orjson.loads(hello)
            code, mac, names = str(said["gateway"]), str(said["mac"]), [str(name) for name in said["points"]]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"问候无法解析: {error}") from error
        if any("\n" in name for name in names):
            raise ValueError("问候中的指标地址含换行")
        link = self._door.holder.current.links.get(code)
        if link is None or link.protocol != "frames" or not link.secret:
            return self._turn_away(code, Refusal.UNKNOWN_GATEWAY, f"网关 {code[:20]!r} 未登记为裸帧网关")
        if not hmac.compare_digest(codec.proof(link.secret, self._nonce, code).encode(), mac.encode()):
            return self._turn_away(code, Refusal.BAD_SIGNATURE, "网关密钥不符")
        before = self._door.by_gateway.get(code)
        if before is not None:
            before.close()  # the gateway came back before we noticed that it had gone
        self._door.by_gateway[code] = self
        self._key = codec.session_key(link.secret, self._nonce, code)
        self._names = "\n".join(names).encode()
        unknown = self._resolve(link)
        self._door.board.of(link).connected = True
        if unknown:
            shown = "、".join(names[i] for i in unknown[:20])
            self._door.refuse(code, Refusal.UNKNOWN_POINT, f"问候中有 {len(unknown)} 个未登记指标: {shown}")
        self._answer({"ok": True, "unknown": unknown})
        return True

    def _turn_away(self, code: str, reason: Refusal, detail: str) -> bool:
        self._door.refuse(code if code in self._door.holder.current.links else "", reason, detail)
        self._answer({"ok": False, "error": detail})
        self.close()
        return False

    def _answer(self, form: dict[str, object]) -> None:
        data = orjson.dumps(form)
        if self._transport is not None:
            self._transport.write(len(data).to_bytes(_LENGTH, "little") + data)

    def _resolve(self, link: LinkConfig) -> list[int]:
        """Follow the registry; returns the positions of names that it does not know."""
        self._link = link
        self._version = self._door.holder.current.version
        names = self._names.decode().split("\n") if self._names else []
        self._points = resolve(link.points, names)
        self._known = bool((self._points.index >= 0).all())
        self._scaled = bool((self._points.scale != 1).any() or (self._points.offset != 0).any())
        return [int(i) for i in (self._points.index < 0).nonzero()[0]]

    # --- frames ----------------------------------------------------------------------------------------------------

    def _take_frames(self) -> None:
        size, buffer = codec.HEADER.size, self._buffer
        at = 0
        while len(buffer) - at >= size:
            header = codec.read_header(memoryview(buffer)[at : at + size])
            if header.samples > self._door.limits.samples or header.length > 17 * self._door.limits.samples:
                raise ValueError(f"一帧 {header.samples} 个样本,上限 {self._door.limits.samples}")
            end = at + size + header.length + codec.MAC
            if len(buffer) < end:
                break
            # A copy: the columns are views of it and outlive the buffer.
            data = bytes(memoryview(buffer)[at:end])
            at = end
            if not hmac.compare_digest(codec.seal(self._key, memoryview(data)[: -codec.MAC]), data[-codec.MAC :]):
                raise ValueError(f"第 {header.sequence} 帧的校验不符")
            self._frame(header, memoryview(data)[size : -codec.MAC])
        if at:
            del buffer[:at]
            self._began = self._heard

    def _frame(self, header: codec.Header, body: memoryview) -> None:
        door, now = self._door, self._door.clock()
        link = self._current_link()
        status = door.board.of(link)
        if not header.fits:
            status.rejected += 1
            door.refuse(link.code, Refusal.MALFORMED, f"第 {header.sequence} 帧的长度与样本数不符", bytes(body[:200]))
            self._acknowledge(codec.MALFORMED, header.sequence)
            return
        batch, refused = self._batch(header, body, now)
        status.rejected += refused
        if not len(batch):
            self._acknowledge(codec.DURABLE, header.sequence, refused)
            return
        lane = Lane.BACKGROUND if header.flags & codec.HISTORICAL else Lane.LIVE
        done = door.intake.offer(Frame(Origin(link.gateway, header.sequence, now, lane), batch))
        self._waiting += header.length
        newest = int(batch.ts.max()) if header.flags & codec.ONE_TIME == 0 else header.ts
        if self._transport is not None and (self._waiting > door.limits.ahead or door.intake.full):
            self._transport.pause_reading()

        def durable(outcome: asyncio.Future[None]) -> None:
            self._waiting -= header.length
            error = None if outcome.cancelled() else outcome.exception()
            if outcome.cancelled() or error is not None:
                status.fault(f"日志不可用,网关须重发: {error}", door.clock())
                self._acknowledge(codec.AWAY, header.sequence)
            else:
                status.received(len(batch), now, newest)
                self._acknowledge(codec.DURABLE, header.sequence, refused)
            self._read_on()

        done.add_done_callback(durable)

    def _read_on(self) -> None:
        """Read again once there is room; while others fill the intake, look again soon."""
        if self._transport is None or self._transport.is_reading() or self._waiting > self._door.limits.ahead:
            return
        if self._door.intake.full:
            self._loop.call_later(_AGAIN_S, self._read_on)
        else:
            self._transport.resume_reading()

    def _current_link(self) -> LinkConfig:
        """The link as the registry has it now."""
        directory = self._door.holder.current
        link = cast("LinkConfig", self._link)
        if directory.version != self._version:
            fresh = directory.links.get(link.code)
            if fresh is None or fresh.protocol != "frames":
                raise ValueError(f"网关 {link.code} 已不再登记为裸帧网关")
            self._resolve(fresh)
            link = fresh
        return link

    def _batch(self, header: codec.Header, body: memoryview, now: int) -> tuple[SampleBatch, int]:
        """The samples that can be accepted, and how many cannot (they are told to the dead letters here)."""
        columns = codec.read_body(header, body)
        points, code = self._points, cast("LinkConfig", self._link).code
        slot, value, ts, quality = columns.slot, columns.value, columns.ts, columns.quality
        total = len(slot)
        dense = bool(header.flags & codec.DENSE) and total == len(points.index)
        if not dense and (total and (int(slot.max()) >= len(points.index))):
            keep = slot < len(points.index)
            self._door.refuse(code, Refusal.UNKNOWN_POINT, f"{int((~keep).sum())} 个样本的位置超出问候中的列表")
            slot, value, ts, quality = slot[keep], value[keep], ts[keep], quality[keep]
        index = points.index if dense else points.index[slot]
        if self._scaled:
            value = value * (points.scale if dense else points.scale[slot])
            value += points.offset if dense else points.offset[slot]
        if not self._known:
            keep = index >= 0
            index, value, ts, quality = index[keep], value[keep], ts[keep], quality[keep]
        batch, wrong = accepted(SampleBatch.of(index, ts, value, quality), now, self._door.future_ms)
        if wrong:
            self._door.refuse(code, Refusal.BAD_TIME, wrong)
        return batch, total - len(batch)

    def _acknowledge(self, code: int, sequence: int, refused: int = 0) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(codec.acknowledgement(code, sequence, refused))
