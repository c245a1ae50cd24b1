from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hazwatch.access.port import LinkStatus
from hazwatch.access.retained import Retained
from hazwatch.access.times import believable
from hazwatch.samples.batch import SampleBatch

T0 = 1_795_000_000_000


def batch(*values: float, ts: int = T0) -> SampleBatch:
    return SampleBatch.of([0] * len(values), [ts] * len(values), values)


@pytest.fixture
def status() -> LinkStatus:
    return LinkStatus("A")


async def test_order_is_kept_over_an_outage(
    link: Any, intake: Any, clock: Any, status: Any, running: Any, eventually: Any
) -> None:
    retained = Retained(link([], "modbus"), intake, status, clock)
    intake.closed = True
    async with running(retained):
        for i in range(50):
            retained.put(batch(float(i)))
            await asyncio.sleep(0)
        await eventually(lambda: status.last_error)
        intake.closed = False
        await eventually(lambda: intake.of(0) == [float(i) for i in range(50)])
    assert status.samples == 50


async def test_memory_is_bounded_and_what_was_given_up_is_a_gap(
    link: Any, intake: Any, clock: Any, status: Any, running: Any, eventually: Any
) -> None:
    retained = Retained(link([], "modbus"), intake, status, clock, most=10)
    for i in range(20):
        retained.put(batch(float(i), float(i)))
    async with running(retained):
        await eventually(lambda: intake.frames)
    assert intake.of(0) == [float(i) for i in range(15, 20) for _ in range(2)]
    assert status.gaps == 15


def test_believable_times() -> None:
    same, wrong = believable(batch(1.0), T0)
    assert (len(same), wrong) == (1, "")
    kept, wrong = believable(SampleBatch.of([0] * 3, [T0 + 300_001, 0, T0 + 300_000], [1.0, 2.0, 3.0]), T0)
    assert kept.value.tolist() == [3.0]
    assert "超前" in wrong
    assert "2000 年" in wrong
