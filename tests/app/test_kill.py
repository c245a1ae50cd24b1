"""kill -9 of any process at any moment: nothing acknowledged is lost, nothing stands there twice.

HAZWATCH_KILLS sets how many kills (the suite makes a few; 100 are made before a release, see docs/performance.md).
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from tests.balance import balance, saw
from tests.nodes import TestGateway, level_point, node, plant

from hazwatch.app.node import clock

POINTS = 10
ROLES = ("engine", "log", "access", "web")


async def _drive(gateways: list[TestGateway], start: int, stop: asyncio.Event) -> list[int]:
    """Every gateway sends one report a second of event time, as fast as it is acknowledged."""
    done = [0] * len(gateways)

    async def one(k: int) -> None:
        while not stop.is_set():
            n = done[k]
            await gateways[k].send(start + n * 1000, {level_point(k + 1): saw(n)}, patience_s=90.0)
            done[k] += 1
            await asyncio.sleep(0.02)

    await asyncio.gather(*(one(k) for k in range(len(gateways))))
    return done


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path):
    kills = int(os.environ.get("HAZWATCH_KILLS", "6"))
    rng = random.Random(20)
    start = clock() // 1000 * 1000 - 4 * 3_600_000
    with node(tmp_path, plant(POINTS), snapshot_s=3) as running:
        gateways = [TestGateway(running.settings.national_tcp_port, running.secret()) for _ in range(POINTS)]
        stop = asyncio.Event()
        driving = asyncio.create_task(_drive(gateways, start, stop))
        for k in range(kills):
            await asyncio.sleep(rng.uniform(0.5, 3.0))
            running.kill(ROLES[k % len(ROLES)])
        await asyncio.sleep(1.0)
        stop.set()
        done = await driving
        running.wait_healthy()
        lost, doubled, alarms = await asyncio.to_thread(balance, running, start, done)
    total = sum(done)
    print(f"\n{kills} kills, {total} samples acknowledged: {lost} lost, {doubled} doubled; {alarms} alarm records")
    assert (lost, doubled) == (0, 0)
    assert total > 10 * POINTS
