from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from hazwatch.access.intake import GroupCommit, split
from hazwatch.access.port import IntakeClosedError
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, decode
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.lanes import Lane


def frame(n: int = 3, *, sequence: int = 1, lane: Lane = Lane.LIVE, gateway: int = 1) -> Frame:
    return Frame(Origin(gateway, sequence, 1000, lane), SampleBatch.of(range(n), [5] * n, np.arange(n) * 1.0))


class Log:
    def __init__(self) -> None:
        self.messages: list[tuple[bytes, Lane]] = []
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, data: bytes, lane: Lane) -> None:
        await self.gate.wait()
        if self.away:
            raise ConnectionError("away")
        self.messages.append((data, lane))


@pytest.fixture
async def log() -> Log:
    return Log()


async def test_frames_of_one_moment_share_one_append(log: Log, running: Any) -> None:
    commit = GroupCommit(log.publish, lambda _: None, commit_ms=20)
    async with running(commit):
        await asyncio.gather(*(commit.submit(frame(sequence=i)) for i in range(50)))
    assert len(log.messages) == 1
    assert [o.sequence for o in decode(log.messages[0][0]).origins] == list(range(50))


async def test_submit_returns_only_when_the_append_is_durable(log: Log, running: Any) -> None:
    log.gate.clear()
    commit = GroupCommit(log.publish, lambda _: None, commit_ms=1)
    async with running(commit):
        task = asyncio.create_task(commit.submit(frame()))
        await asyncio.sleep(0.1)
        assert not task.done()
        log.gate.set()
        await asyncio.wait_for(task, 1)


async def test_a_failed_append_reaches_every_waiter(log: Log, running: Any) -> None:
    log.away = True
    commit = GroupCommit(log.publish, lambda _: None, commit_ms=1)
    async with running(commit):
        results = await asyncio.gather(*(commit.submit(frame()) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(r, IntakeClosedError) for r in results)
        log.away = False
        await commit.submit(frame())
    assert commit.pending_bytes == 0


async def test_lanes_do_not_wait_for_each_other(log: Log, running: Any) -> None:
    async def publish(data: bytes, lane: Lane) -> None:
        if lane is Lane.BACKGROUND:
            await log.gate.wait()
        log.messages.append((data, lane))

    log.gate.clear()
    commit = GroupCommit(publish, lambda _: None, commit_ms=1)
    async with running(commit):
        history = asyncio.create_task(commit.submit(frame(lane=Lane.BACKGROUND)))
        await asyncio.wait_for(commit.submit(frame()), 1)
        assert not history.done()
        log.gate.set()
        await history
    assert [lane for _, lane in log.messages] == [Lane.LIVE, Lane.BACKGROUND]


async def test_large_frames_are_split_and_every_part_has_a_sequence_of_its_own(log: Log, running: Any) -> None:
    commit = GroupCommit(log.publish, lambda _: None, commit_ms=1, max_message=10_000)
    big = frame(2000)
    async with running(commit):
        await asyncio.gather(commit.submit(big), commit.submit(frame(sequence=9)))
    assert all(len(data) <= 10_000 for data, _ in log.messages)
    decoded = [f for data, _ in log.messages for f in decode(data).frames()]
    parts = [f for f in decoded if f.origin.sequence != 9]
    assert sum(len(f.batch) for f in parts) == 2000
    assert len({f.origin.sequence for f in parts}) == len(parts)
    assert [f.origin.sequence for f in split(big, 10_000)] == [f.origin.sequence for f in parts]  # same on a repetition


async def test_a_split_frame_fails_as_a_whole_when_one_part_is_lost(running: Any) -> None:
    calls = 0

    async def publish(_data: bytes, _lane: Lane) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError("away")

    commit = GroupCommit(publish, lambda _: None, commit_ms=1, max_message=10_000)
    async with running(commit):
        with pytest.raises(IntakeClosedError):
            await commit.submit(frame(2000))


async def test_too_much_pending_holds_the_caller_back(log: Log, running: Any) -> None:
    log.gate.clear()
    commit = GroupCommit(log.publish, lambda _: None, commit_ms=1, max_pending=5000)
    async with running(commit):
        tasks = [asyncio.create_task(commit.submit(frame(100))) for _ in range(10)]
        await asyncio.sleep(0.05)
        assert commit.pending_bytes <= 5000
        log.gate.set()
        await asyncio.gather(*tasks)
    assert sum(len(decode(d).batch) for d, _ in log.messages) == 1000


async def test_stopping_tells_every_waiter(log: Log) -> None:
    log.gate.clear()
    commit = GroupCommit(log.publish, lambda _: None, commit_ms=1)
    run = asyncio.create_task(commit.run())
    tasks = [asyncio.create_task(commit.submit(frame())) for _ in range(2)]
    await asyncio.sleep(0.05)
    tasks.append(asyncio.create_task(commit.submit(frame())))
    await asyncio.sleep(0.01)
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(r, IntakeClosedError) for r in results)
    with pytest.raises(IntakeClosedError):
        await commit.submit(frame())


async def test_refusals_of_a_kind_become_one_letter_a_second(log: Log, running: Any) -> None:
    letters: list[DeadLetter] = []
    commit = GroupCommit(log.publish, letters.append)
    async with running(commit):
        for i in range(10_000):
            commit.refuse(DeadLetter("41090090101", Refusal.MALFORMED, f"第 {i} 个", 5, 1, "x"))
        commit.refuse(DeadLetter("", Refusal.UNKNOWN_GATEWAY, "谁", 5))
        await asyncio.sleep(1.2)
    assert [(x.link, x.reason, x.count) for x in letters] == [
        ("41090090101", Refusal.MALFORMED, 10_000),
        ("", Refusal.UNKNOWN_GATEWAY, 1),
    ]
    assert letters[0].detail == "第 0 个"


async def test_refusals_are_bounded_whatever_the_sender_invents(log: Log, running: Any) -> None:
    letters: list[DeadLetter] = []
    commit = GroupCommit(log.publish, letters.append)
    async with running(commit):
        for i in range(5000):
            commit.refuse(DeadLetter(str(i), Refusal.UNKNOWN_GATEWAY, "谁", 5))
    assert len(letters) <= 1001
    assert sum(x.count for x in letters) == 5000
