"""Sample at the socket → alarm on the page, over N alarms on a whole node; and how long a killed engine needs.

    python bench/latency.py [alarms]

The gateway speaks the national JSON protocol over TCP; "on the page" is the arrival of the event at a browser's live
stream. The clock starts before the frame is encrypted and written to the socket.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

from tests.nodes import TestGateway, TestNode, events, level_point, node, plant

from hazwatch.app.node import clock


async def measure(running: TestNode, alarms: int) -> tuple[np.ndarray, np.ndarray]:
    gateway = TestGateway(running.settings.national_tcp_port, running.secret())
    running.client().close()
    start = clock() // 1000 * 1000 - alarms * 2000 - 5000
    page_s, ack_s = [], []
    async with httpx.AsyncClient(base_url=running.url, cookies=running.cookies) as page:
        stream = events(page)
        await anext(stream)
        for k in range(alarms):
            point = level_point(k % 20 + 1)
            value = 9.5 if k // 20 % 2 == 0 else 8.5
            began = time.perf_counter()
            await gateway.send(start + k * 1000, {point: 5.0 if k // 20 % 2 else value})
            ack_s.append(time.perf_counter() - began)
            async for name, data in stream:
                if name == "alarm" and data["point"] == point:
                    page_s.append(time.perf_counter() - began)
                    break
    gateway.close()
    return np.array(page_s) * 1000, np.array(ack_s) * 1000


async def restart(running: TestNode, alarms: int) -> float:
    """Kill the engine, push a change at once; seconds until its alarm is on the page."""
    gateway = TestGateway(running.settings.national_tcp_port, running.secret())
    async with httpx.AsyncClient(base_url=running.url, cookies=running.cookies) as page:
        stream = events(page)
        await anext(stream)
        began = time.monotonic()
        running.kill("engine")
        await gateway.send(clock() // 1000 * 1000, {level_point(1): 9.9 if alarms // 20 % 2 == 0 else 5.0})
        async for name, data in stream:
            if name == "alarm" and data["point"] == level_point(1):
                break
    gateway.close()
    return time.monotonic() - began


def main() -> None:
    alarms = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as home, node(Path(home), plant(20)) as running:
        page_ms, ack_ms = asyncio.run(measure(running, alarms))
        seconds = asyncio.run(restart(running, alarms))
    for name, values in (("socket -> alarm on the page", page_ms), ("socket -> acknowledged (durable)", ack_ms)):
        p50, p99 = np.percentile(values, [50, 99])
        print(f"{name:34s} {len(values)} times: p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  max {values.max():6.1f} ms")
    print(f"engine killed, value pushed at once -> alarm on the page: {seconds:.1f} s")


if __name__ == "__main__":
    main()
