"""The door for raw frames, over real sockets: who is let in, what is acknowledged when, who waits for whom."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import orjson
import pytest
from tests.links import hold, make_link

from hazwatch.access.directory import Directory
from hazwatch.access.frames import codec
from hazwatch.access.frames.listener import FrameLimits, FramesListener
from hazwatch.access.intake import GroupCommit
from hazwatch.vocabulary.lanes import Lane

SECRET = b"s" * 64
NAMES = ["A", "B", "C"]
LINK = make_link(NAMES, "frames", secret=SECRET)
NOW = time.time_ns() // 1_000_000


class Log:
    """A log that can be away or slow."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, Lane]] = []
        self.letters = []
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, data: bytes, lane: Lane) -> None:
        await self.gate.wait()
        if self.away:
            raise RuntimeError("away")
        self.messages.append((data, lane))


@asynccontextmanager
async def door(holder, board, clock, log: Log, limits: FrameLimits | None = None, **intake):
    commit = GroupCommit(log.publish, log.letters.append, commit_ms=2, **intake)
    listener = FramesListener(holder, commit, board, clock, "127.0.0.1", 0, limits=limits)
    tasks = [asyncio.create_task(listener.run()), asyncio.create_task(commit.run())]
    await listener.listening.wait()
    try:
        yield listener
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Gateway:
    """The other side."""

    async def open(self, port: int, code: str = LINK.code, secret: bytes = SECRET, points=NAMES, mac: str = ""):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        hello = await self.reader.readexactly(len(codec.GREETING) + codec.NONCE)
        nonce = hello[len(codec.GREETING) :]
        self.key = codec.session_key(secret, nonce, code)
        form = orjson.dumps({"gateway": code, "mac": mac or codec.proof(secret, nonce, code), "points": points})
        self.writer.write(len(form).to_bytes(4, "little") + form)
        size = int.from_bytes(await self.reader.readexactly(4), "little")
        return orjson.loads(await self.reader.readexactly(size))

    def send(self, sequence: int, values, ts: int = NOW, **columns) -> None:
        self.writer.write(codec.frame(self.key, sequence, ts, np.array(values, float), **columns))

    async def answer(self) -> tuple[int, int, int]:
        async with asyncio.timeout(5):
            return codec.read_acknowledgement(await self.reader.readexactly(codec.ACK.size))

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:  # we were still writing
                return True


async def test_a_frame_is_acknowledged_when_it_is_durable_and_not_before(board, clock) -> None:
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        assert await gateway.open(listener.port) == {"ok": True, "unknown": []}
        log.gate.clear()
        gateway.send(1, [1.0, 2.0, 3.0])
        gateway.send(2, [4.0], slot=np.array([2]), historical=True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await gateway.reader.readexactly(1)
        log.gate.set()

        assert {(await gateway.answer())[:2] for _ in range(2)} == {(codec.DURABLE, 1), (codec.DURABLE, 2)}
    assert sorted(lane for _, lane in log.messages) == [Lane.LIVE, Lane.BACKGROUND]
    assert board.of(LINK).samples == 4


async def test_a_frame_that_the_log_did_not_take_is_to_be_sent_again(board, clock) -> None:
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        await gateway.open(listener.port)
        log.away = True
        gateway.send(1, [1.0, 2.0, 3.0])
        assert await gateway.answer() == (codec.AWAY, 1, 0)
        log.away = False
        gateway.send(1, [1.0, 2.0, 3.0])
        assert await gateway.answer() == (codec.DURABLE, 1, 0)


@pytest.mark.parametrize(
    ("code", "secret", "reason"),
    [(LINK.code, b"x" * 64, "bad_signature"), ("99999999999", SECRET, "unknown_gateway")],
)
async def test_who_is_turned_away(board, clock, code, secret, reason) -> None:
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        assert not (await gateway.open(listener.port, code, secret))["ok"]
        assert await gateway.ended()
    assert [str(letter.reason) for letter in log.letters] == [reason]


async def test_what_cannot_be_accepted_is_refused_and_the_rest_goes_on(board, clock) -> None:
    """An unknown name, a sample from the future, no number, a length that lies: each has its letter."""
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        assert await gateway.open(listener.port, points=["A", "nobody", "C"]) == {"ok": True, "unknown": [1]}
        gateway.send(1, [1.0, 2.0, np.nan])
        assert await gateway.answer() == (codec.DURABLE, 1, 1)
        gateway.send(2, [1.0, 2.0], slot=np.array([0, 2]), delta=np.array([0, 3_600_000]))
        assert await gateway.answer() == (codec.DURABLE, 2, 1)
        gateway.send(3, [1.0, 2.0], slot=np.array([0, 77]))
        assert await gateway.answer() == (codec.DURABLE, 3, 1)
        head = codec.HEADER.pack(codec.MAGIC, 7, 0, 3, 8, 4, NOW)
        gateway.writer.write(head + bytes(8) + codec.seal(gateway.key, head + bytes(8)))
        assert await gateway.answer() == (codec.MALFORMED, 4, 0)
        gateway.send(5, [1.0, 2.0, 3.0])
        assert await gateway.answer() == (codec.DURABLE, 5, 1)
    assert {str(letter.reason) for letter in log.letters} == {"unknown_point", "bad_time", "malformed"}


async def test_a_forged_frame_ends_the_connection(board, clock) -> None:
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        await gateway.open(listener.port)
        gateway.key = b"not the key of this session at al"[:32]
        gateway.send(1, [1.0, 2.0, 3.0])
        assert await gateway.ended()
    assert not log.messages


async def test_the_newer_connection_of_a_gateway_takes_over(board, clock) -> None:
    log, old, new = Log(), Gateway(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        await old.open(listener.port)
        await new.open(listener.port)
        assert await old.ended()
        assert board.of(LINK).connected
        new.send(1, [1.0, 2.0, 3.0])
        assert await new.answer() == (codec.DURABLE, 1, 0)


async def test_a_registry_that_changed_is_followed_within_the_connection(board, clock) -> None:
    """Scale 1 becomes 0.1: the next frame is read so. A gateway that is no longer registered is turned out."""
    log, gateway, holder = Log(), Gateway(), hold(LINK)
    async with door(holder, board, clock, log) as listener:
        await gateway.open(listener.port)
        scaled = replace(LINK, points={k: replace(p, scale=0.1) for k, p in LINK.points.items()})
        holder.current = Directory(2, {LINK.code: scaled})
        gateway.send(1, [10.0, 20.0, 30.0])
        await gateway.answer()
        assert np.frombuffer(log.messages[0][0][-3 * 13 : -3 * 5], "<f8").tolist() == pytest.approx([1, 2, 3])
        holder.current = Directory(3, {})
        gateway.send(2, [1.0, 2.0, 3.0])
        assert await gateway.ended()


async def test_a_gateway_that_sends_ahead_waits_and_holds_nobody_back(board, clock) -> None:
    """While one has 3 frames under way and may have 2, another is answered as soon as the log takes frames."""
    other = make_link(NAMES, "frames", secret=SECRET, code="41090090102", gateway=2)
    log, greedy, modest = Log(), Gateway(), Gateway()
    async with door(hold(LINK, other), board, clock, log, FrameLimits(ahead=3 * 8), max_pending=1) as listener:
        await greedy.open(listener.port)
        await modest.open(listener.port, other.code)
        log.gate.clear()
        for n in range(6):
            greedy.send(n, [1.0, 2.0, 3.0])
        await asyncio.sleep(0.05)
        log.gate.set()
        modest.send(1, [1.0, 2.0, 3.0])
        assert await modest.answer() == (codec.DURABLE, 1, 0)
        assert [(await greedy.answer())[1] for _ in range(6)] == list(range(6))


async def test_silence_ends_a_connection(board, clock, monkeypatch) -> None:
    monkeypatch.setattr("hazwatch.access.frames.listener._SWEEP_S", 0.02)
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log, FrameLimits(idle_s=0.1)) as listener:
        await gateway.open(listener.port)
        assert await gateway.ended()
        assert not board.of(LINK).connected


async def test_bytes_that_never_end_a_frame_end_the_connection(board, clock, monkeypatch) -> None:
    """A byte every 20 ms is no silence, but no frame either."""
    monkeypatch.setattr("hazwatch.access.frames.listener._SWEEP_S", 0.02)
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log, FrameLimits(frame_s=0.2)) as listener:
        await gateway.open(listener.port)
        frame = codec.frame(gateway.key, 1, NOW, np.zeros(3))

        async def drip() -> None:
            for byte in frame[:-1]:
                gateway.writer.write(bytes([byte]))
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert await gateway.ended()
        dripping.cancel()


async def test_a_proof_of_strange_letters_is_a_wrong_one(board, clock) -> None:
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        assert not (await gateway.open(listener.port, mac="ä"))["ok"]
        assert await gateway.ended()
    assert [str(letter.reason) for letter in log.letters] == ["bad_signature"]


async def test_a_name_with_a_line_end_is_refused(board, clock) -> None:
    log, gateway = Log(), Gateway()
    async with door(hold(LINK), board, clock, log) as listener:
        with pytest.raises(asyncio.IncompleteReadError):
            await gateway.open(listener.port, points=["A\nB", "C"])
    assert [str(letter.reason) for letter in log.letters] == ["malformed"]
