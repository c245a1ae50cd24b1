"""A day of one enterprise, backfilled while everything else goes on: 500 points at 1 Hz through the background lane.

A gateway of its own sends it, over raw frames marked historical, as fast as it is acknowledged. Of every point one hour
of the day stands over 高 for a minute, so there are alarms to be found late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from hazwatch.bench.fleet import HIGH, Member
from hazwatch.bench.gateways import FramesGateway

_DAY_S: Final = 86_400
#: Seconds of all points in one frame, and frames that may be under way.
_SECONDS, _AHEAD = 90, 8
_BEFORE_MS: Final = 2 * 3_600_000


def values(points: int, second: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What all points had in ``_SECONDS`` seconds from a second of the day on, by second and point."""
    at = second + np.arange(_SECONDS)[:, None]
    point = np.arange(points)[None, :]
    calm = 30.0 + ((at + 7 * point) % 160) / 16
    alarm = (at >= 43_200 + 60 * (point % 60)) & (at < 43_260 + 60 * (point % 60))
    return np.where(alarm, HIGH + 5.0, calm)


async def backfill(
    member: Member, points: int, secret: bytes, port: int, now_ms: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Send the day that ended two hours ago; returns what was sent and how long until all was durable."""
    took: list[float] = []
    gateway = FramesGateway(member, secret, time.perf_counter, took)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: gateway, "127.0.0.1", port)
    while not gateway.ready:  # noqa: ASYNC110  # a flag that a callback sets
        await asyncio.sleep(0.02)
    start = (now_ms - _BEFORE_MS) // 1000 * 1000 - _DAY_S * 1000
    slot = np.tile(np.arange(points), _SECONDS)
    delta = np.repeat(np.arange(_SECONDS) * 1000, points)
    began = time.perf_counter()
    total = weighted = 0.0
    count = 0
    for second in range(0, _DAY_S, _SECONDS):
        while gateway.waiting >= _AHEAD:  # noqa: ASYNC110  # a count that a callback lowers
            await asyncio.sleep(0.005)
        sent = values(points, second).ravel()
        gateway.send_columns(start + second * 1000, sent, slot=slot, delta=delta)
        count += len(sent)
        total += float(sent.sum())
        weighted += float(sent @ ((member.first + slot) % 1009 + 1.0))
    while gateway.waiting:  # noqa: ASYNC110  # same
        await asyncio.sleep(0.02)
    seconds = time.perf_counter() - began
    say(f"补传 {count} 个样本落盘,{seconds:.0f} 秒")
    return {
        "samples": count, "total": total, "weighted": weighted, "durable_s": round(seconds, 1),
        "refused": gateway.refused, "ack_ms_max": round(max(took) * 1000, 1), "alarms_expected": points,
    }  # fmt: skip
