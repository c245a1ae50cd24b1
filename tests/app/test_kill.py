"""kill -9 of any process at any moment: nothing acknowledged is lost, nothing stands there twice.

HAZWATCH_KILLS sets how many kills (the suite makes a few; 100 are made before a release, see docs/performance.md).
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest
from tests.nodes import TestGateway, TestNode, level_point, node, plant

from hazwatch.app.node import clock

POINTS = 10
ROLES = ("engine", "log", "access", "web")


async def _drive(gateways: list[TestGateway], start: int, stop: asyncio.Event) -> list[int]:
    """Every gateway sends one report a second of event time, as fast as it is acknowledged."""
    done = [0] * len(gateways)

    async def one(k: int) -> None:
        while not stop.is_set():
            n = done[k]
            # A saw tooth: up over 高高 and back every 20 s of event time, so that every 20 reports make one excursion.
            value = 9.5 if n % 20 >= 15 else 5.0 + n % 7 / 10
            await gateways[k].send(start + n * 1000, {level_point(k + 1): value}, patience_s=90.0)
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
        lost, doubled, alarms = await asyncio.to_thread(_balance, running, start, done)
    total = sum(done)
    print(f"\n{kills} kills, {total} samples acknowledged: {lost} lost, {doubled} doubled; {alarms} alarm records")
    assert (lost, doubled) == (0, 0)
    assert total > 10 * POINTS


def _balance(running: TestNode, start: int, done: list[int]) -> tuple[int, int, int]:
    """Compare history and alarm records with what was acknowledged, once the engine has caught up."""
    deadline = time.monotonic() + 60
    lost = doubled = alarms = 0
    while time.monotonic() < deadline:
        lost, doubled, alarms = _compare(running, start, done)
        if not lost and not doubled:
            break
        time.sleep(1.0)
    return lost, doubled, alarms


def _compare(running: TestNode, start: int, done: list[int]) -> tuple[int, int, int]:
    lost = doubled = records = 0
    with running.client() as client:
        for k, n in enumerate(done):
            params = {"from": start, "to": start + n * 1000, "step": 0}
            answer = client.get(f"/api/v1/points/{level_point(k + 1)}/history", params=params)
            if answer.status_code != 200:
                return 1, 0, 0
            kept = [int(row[0]) for row in answer.json()["rows"]]
            wanted = [start + m * 1000 for m in range(n) if _stored(m)]
            lost += len(set(wanted) - set(kept))
            doubled += len(kept) - len(set(kept))
            found = client.get(
                "/api/v1/alarms", params={"show": "all", "point": level_point(k + 1), "page_size": 500}
            ).json()
            begun = sorted(a["event_time"] for a in found["items"])
            excursions = (n + 4) // 20
            lost += max(0, excursions - len(begun))
            doubled += max(0, len(begun) - excursions)
            records += len(begun)
    return lost, doubled, records


def _stored(m: int) -> bool:
    """Whether report m changes the value (store on change keeps only those)."""

    def value(n: int) -> float:
        return 9.5 if n % 20 >= 15 else 5.0 + n % 7 / 10

    return m == 0 or value(m) != value(m - 1)
