"""A stream that is dealt out: each gateway's frames go to its share, and a slow share holds back no other."""

from __future__ import annotations

import asyncio
from functools import partial

from hazwatch.access.dealt import DealtIntake
from hazwatch.access.intake import GroupCommit
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, decode
from hazwatch.vocabulary.lanes import Lane


def frame(gateway: int) -> Frame:
    return Frame(Origin(gateway, 1, 0), SampleBatch.of([gateway], [1], [float(gateway)]))


async def test_a_slow_share_holds_back_its_own_gateways_only() -> None:
    written: dict[int, list[int]] = {0: [], 1: []}
    gate = asyncio.Event()

    async def publish(share: int, data: bytes, lane: Lane) -> None:
        assert lane is Lane.LIVE
        if share == 0:
            await gate.wait()
        written[share] += [origin.gateway for origin in decode(data).origins]

    commits = [GroupCommit(partial(publish, n), lambda _: None, commit_ms=1, max_pending=100) for n in range(2)]
    intake = DealtIntake(commits, lambda gateway: gateway % 2)
    running = asyncio.create_task(intake.run())
    slow = [intake.offer(frame(n)) for n in (2, 4)]
    async with asyncio.timeout(5):
        await intake.submit(frame(3))
        await intake.offer(frame(5))
    assert written == {0: [], 1: [3, 5]}
    assert intake.full, "callers are told to stop reading"
    gate.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*slow)
    assert written[0] == [2, 4]
    assert not intake.full
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
