"""Killed at any step and started again, the node ends with the records and the history of one that never stopped."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from tests.alarms.support import scratch
from tests.stream.support import Crash, Fuse, MemoryLog, Node, limits

from hazwatch.stream import state
from hazwatch.vocabulary.lanes import Lane

POINTS = 3
VALUES = [0.5, 1.5, 5.0, 5.1, 7.8, 8.5, 9.5]


def some_log(seed: int) -> MemoryLog:
    """A minute and a half of a small plant: jitter, doubles, ticks, a change of limits."""
    rng = random.Random(seed)
    log = MemoryLog()
    log.new_limits(limits(POINTS, on_ms=rng.choice([0, 2000]), off_ms=rng.choice([0, 3000])), 0)
    sent = []
    second = 0.0
    for number in range(60):
        second += rng.choice([0.5, 1.0, 3.0])
        if rng.random() < 0.15:
            log.tick(second - 1)
        if number == 30:
            log.new_limits(limits(POINTS, 2, high=rng.choice([7.0, 8.0]), on_ms=1000), second)
        samples = [
            (
                rng.randrange(POINTS), round(second - rng.choice([0, 0, 0, 0.7, 2.2]), 3), rng.choice(VALUES),
                rng.choice([0, 0, 0, 7]),
            )
            for _ in range(rng.randint(1, 3))
        ]  # fmt: skip
        sent.append((samples, number))
        frame = rng.choice(sent) if rng.random() < 0.15 else sent[-1]
        log.samples(*frame[0], sequence=frame[1])
    log.tick(second + 60)
    return log


class Bench:
    """A node on a folder and a database of its own."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log

    def __enter__(self) -> Node:
        self._scratch = scratch()
        self._home = Path(tempfile.mkdtemp())
        return Node(self.log, self._scratch.__enter__(), self._home)

    def __exit__(self, *_: object) -> None:
        self._scratch.__exit__(None, None, None)
        shutil.rmtree(self._home)


async def run_with_crashes(node: Node, rng: random.Random, crashes: int, steps: int) -> int:
    """Run, dying at random steps; returns how often it really died."""
    died = 0
    for _ in range(crashes):
        try:
            await node.run(rng, Fuse(rng.randint(1, steps)))
        except Crash:
            died += 1
        else:
            return died
    await node.run(rng)
    return died


@pytest.mark.parametrize("seed", range(12))
async def test_crashes_leave_no_trace(seed) -> None:
    log = some_log(seed)
    with Bench(log) as whole:
        fuse = Fuse()
        await whole.run(random.Random(seed), fuse)
        wanted = whole.outcome()
    rng = random.Random(1000 + seed)
    with Bench(log) as node:
        died = await run_with_crashes(node, rng, rng.randint(1, 6), fuse.burnt)
        assert node.outcome() == wanted
    assert seed or died, "the test itself: the first seed does crash"


async def test_every_single_step_may_be_the_last() -> None:
    """One crash at each step of the work of a short log, one after the other."""
    log = MemoryLog()
    log.new_limits(limits(1, on_ms=1000), 0)
    for k, value in enumerate([5.0, 8.5, 8.6, 9.5, 5.0, 5.0, 5.0]):
        log.samples((0, k * 20, value), sequence=k)
    log.tick(200)
    with Bench(log) as whole:
        fuse = Fuse()
        await whole.run(random.Random(7), fuse)
        wanted = whole.outcome()
    assert len(wanted[0]) == 1
    for step in range(1, fuse.burnt + 1):
        with Bench(log) as node:
            with pytest.raises(Crash):
                await node.run(random.Random(7), Fuse(step))
            await node.run(random.Random(step))
            assert node.outcome() == wanted, f"killed at step {step}"


def two_lanes(seed: int) -> list[tuple]:
    """Few enough frames that every late sample finds its place in memory."""
    rng = random.Random(seed)
    second, frames = 0.0, []
    for number in range(24):
        second += rng.choice([0.5, 1.0, 3.0])
        lane = rng.choice([Lane.BACKGROUND, Lane.LIVE, Lane.LIVE])
        samples = [(rng.randrange(POINTS), round(second - rng.choice([0, 0, 0.7]), 3), rng.choice(VALUES))]
        frames.append((samples, lane, number))
    return frames


@pytest.mark.parametrize("seed", range(20))
async def test_with_two_lanes_the_same_excursions_stand_whatever_died_when(seed) -> None:
    """How the lanes interleave is chance, so what depends on arrival may differ; the excursions may not."""

    async def played(crashes: int, steps: int) -> tuple[list, int]:
        rng = random.Random(seed + 100 * crashes)
        log = MemoryLog()
        log.new_limits(limits(POINTS, on_ms=1000 * (seed % 2), off_ms=2000 * (seed % 3)), 0)
        with Bench(log) as node:
            # The limits are in force before anything comes, on every replay.
            state.save((await node.run(rng)).kept, node.home / "snapshots")
            for samples, lane, number in two_lanes(seed):
                log.samples(*samples, lane=lane, sequence=number)
            log.tick(500)
            fuse = Fuse()
            if crashes:
                await run_with_crashes(node, rng, crashes, steps)
            else:
                await node.run(rng, fuse)
            seen = [
                (r.id, r.level, r.worst_level, r.value, r.event_time, r.returned_at)
                for r in node.outcome()[0]
                if not r.revoked
            ]
            return seen, fuse.burnt

    wanted, steps = await played(0, 0)
    assert (await played(5, steps))[0] == wanted
