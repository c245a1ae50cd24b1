"""Pieces of work side by side: the first that fails ends the others, also one that swallows a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from hazwatch.app.node import ended, side_by_side


async def stubborn(swallowed: list[int], times: int) -> None:
    """As ``asyncio.wait_for`` does when its answer comes at the moment of the cancellation."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if len(swallowed) == times:
                raise
            swallowed.append(1)


async def test_a_failure_ends_pieces_that_swallow_a_cancellation() -> None:
    swallowed: list[int] = []

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise ConnectionError("records")

    async with asyncio.timeout(10):
        with pytest.raises(ConnectionError, match="records"):
            await side_by_side(stubborn(swallowed, 1), fails())
    assert swallowed == [1]


async def test_who_is_cancelled_leaves_nothing_behind() -> None:
    left: list[str] = []

    async def piece() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            left.append("ended")

    task = asyncio.create_task(side_by_side(piece(), piece()))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        await ended(task)
    assert left == ["ended", "ended"]
    assert task.cancelled()
