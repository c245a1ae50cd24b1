"""The pipeline on a log in memory, in time: limits, ticks, doubles, late data, damage."""

from __future__ import annotations

import math
import random

import pytest
from tests.alarms.support import table
from tests.stream.support import ARRIVED, NOON, MemoryLog, Node, limits

from hazwatch.alarms.model import State
from hazwatch.history.store import Store
from hazwatch.judge.limits import Limits
from hazwatch.stream import state
from hazwatch.stream.rejudge import FromHistory
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.levels import Level


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    log.new_limits(limits(2), 0)
    return log


@pytest.fixture
def node(log, records, tmp_path) -> Node:
    return Node(log, records, tmp_path)


def at(seconds: float) -> int:
    return NOON + int(seconds * 1000)


async def test_at_1s_high_high_is_one_record(node, log) -> None:
    log.samples((0, 0, 5.0), (0, 1, 9.5), (0, 2, 5.0))
    await node.run()
    (record,) = table(node.sessions)
    assert (record.event_time, record.returned_at, record.worst_level, record.limit_version) == (
        at(1),
        at(2),
        Level.HH,
        1,
    )
    assert (record.value, record.limit, record.arrived_at) == (9.5, 9.0, ARRIVED)
    assert node.announced, "what is durable is told"


async def test_new_limits_in_the_middle_judge_the_held_value_at_once(node, log) -> None:
    log.samples((0, 1, 7.5), (1, 1, 5.0))
    log.new_limits(limits(2, 2, high=7.0), 100)
    await node.run()
    (record,) = table(node.sessions)
    assert (record.point, record.event_time, record.level, record.limit, record.limit_version) == (
        0,
        at(100),
        Level.H,
        7.0,
        2,
    )


async def test_limits_that_are_taken_away_end_the_alarm(node, log) -> None:
    log.samples((0, 1, 8.5))
    log.new_limits(Limits.none(2, 2), 10)
    await node.run()
    assert (table(node.sessions)[0].returned_at, table(node.sessions)[0].state) == (at(10), State.RETURNED)


async def test_limits_raised_above_the_value_end_the_alarm(node, log) -> None:
    log.samples((0, 1, 8.2))
    log.new_limits(limits(2, 2, high=8.9), 100)
    await node.run()
    assert table(node.sessions)[0].returned_at == at(100)


async def test_a_tick_lets_an_on_delay_fire_without_a_sample(node, log) -> None:
    log.new_limits(limits(2, 2, on_ms=5000), 0)
    log.samples((0, 1, 8.5))
    log.tick(5.9)
    log.tick(6.0)
    pipe = await node.run()
    (record,) = table(node.sessions)
    assert (record.event_time, record.arrived_at) == (at(6), at(6))
    assert node.ticks == [(at(5.9), True), (at(6), True)]
    assert pipe.kept.latest.touched[0], "the pages must hear of a level that changed without a value"


async def test_ticks_that_are_played_again_are_not_live(node, log) -> None:
    log.samples((0, 1, 8.5))
    log.tick(5)
    log.samples((0, 6, 5.0))
    await node.run()
    for path in (node.home / "snapshots").glob("*.npz"):
        path.unlink()
    node.ticks.clear()
    await node.run()
    assert node.ticks == [(at(5), False)]


@pytest.mark.parametrize("apart", [False, True])
async def test_a_frame_that_comes_twice_is_taken_once(node, log, apart) -> None:
    log.samples((0, 1, 8.5), sequence=7)
    if apart:
        log.samples((0, 2, 5.0), sequence=8)
    log.samples((0, 1, 9.9), sequence=7)  # the same number: whatever it says, it was answered for
    pipe = await node.run()
    assert table(node.sessions)[0].worst_level is Level.H
    assert pipe.counters.frames_twice == 1


async def test_another_gateway_has_its_own_numbers(node, log) -> None:
    log.samples((0, 1, 8.5), sequence=7, gateway=1)
    log.samples((1, 1, 8.5), sequence=7, gateway=2)
    log.samples((0, 2, 9.5), sequence=-1, gateway=1)
    log.samples((0, 3, 5.0), sequence=-1, gateway=1)  # without a number nothing is a double
    await node.run()
    assert [(r.point, r.returned_at) for r in table(node.sessions)] == [(0, at(3)), (1, None)]


async def test_frames_are_remembered_over_a_restart(node, log) -> None:
    log.samples((0, 1, 8.5), sequence=7)
    pipe = await node.run()
    state.save(pipe.kept, node.home / "snapshots")
    log.samples((0, 1, 9.9), sequence=7)
    again = await node.run()
    assert again.counters.frames_twice == 1
    assert table(node.sessions)[0].worst_level is Level.H


async def test_a_damaged_message_is_counted_and_passed_over(node, log) -> None:
    log.samples((0, 1, 8.5))
    log.append("hz.samples.live", b"HZS1 but cut")
    log.samples((0, 2, 5.0))
    pipe = await node.run()
    assert (pipe.counters.damaged, pipe.counters.samples) == (1, 2)
    assert table(node.sessions)[0].returned_at == at(2)
    assert pipe.kept.place.live == 4


async def test_a_damaged_control_record_does_not_stop_everything(node, log) -> None:
    log.append("hz.samples.control", b"HZL1 but cut")
    log.append("hz.samples.control", b"HZT1")
    log.samples((0, 1, 8.5))
    pipe = await node.run()
    assert pipe.counters.damaged == 2
    assert len(table(node.sessions)) == 1


async def test_the_background_lane_never_rings(node, log) -> None:
    log.samples((0, 1, 9.5), (0, 2, 5.0), lane=Lane.BACKGROUND)
    await node.run()
    (record,) = table(node.sessions)
    assert (record.state, record.found_late, record.returned_at) == (State.NORMAL, True, at(2))


async def test_a_late_sample_amends_the_record(node, log) -> None:
    """At 1 s 高 and at 9 s still 高; then the sample of 5 s comes: it had been normal in between."""
    log.samples((0, 1, 8.5), (0, 9, 8.6))
    log.samples((0, 5, 5.0))
    await node.run()
    first, second = table(node.sessions)
    assert (first.event_time, first.returned_at) == (at(1), at(5))
    assert (second.event_time, second.found_late, second.returned_at) == (at(9), True, None)


async def test_a_point_that_nobody_announced_is_taken_without_limits(node, log) -> None:
    log.samples((40, 1, 9.9))
    pipe = await node.run()
    assert table(node.sessions) == []
    assert pipe.kept.latest.value[40] == 9.9
    assert pipe.kept.points == 41


async def test_an_infinite_value_is_no_number(node, log) -> None:
    log.samples((0, 1, math.inf), (1, 1, math.nan))
    pipe = await node.run()
    assert pipe.kept.latest.quality.tolist() == [3, 3]
    assert table(node.sessions) == []


async def test_the_counters_tell_what_happened(node, log) -> None:
    log.samples((0, 1, 5.0), (0, 3, 5.0))
    log.samples((0, 2, 5.0))
    log.samples((0, 2, 5.0))
    pipe = await node.run()
    c = pipe.counters
    assert (c.samples, c.late, c.duplicates, c.newest_event, c.newest_received) == (4, 1, 1, at(3), ARRIVED)


async def test_a_sample_older_than_memory_is_judged_from_history(node, log, tmp_path) -> None:
    """Twenty normal samples from 100 s on, then one of 50 s at 高高: found late, over at 100 s, never rings."""
    log.samples(*((0, t, 5.0 + t / 1000) for t in range(10, 40, 10)))
    log.samples(*((0, 100 + t, 5.0 + t / 1000) for t in range(20)))
    log.samples((0, 50, 9.5))
    store = Store.open(tmp_path / "history", 3_650)

    class RealStore:
        """The real store behind the fuse of the bench."""

        fuse = None
        insert_async = staticmethod(store.insert_async)
        select = staticmethod(store.select)

    node.store = RealStore()
    made = {}

    async def rejudge(point: int, since: int):
        made["asked"] = (point, since)
        return await FromHistory(store, node.desk, lambda: made["pipe"].kept)(point, since)

    original = node.pipeline

    def pipeline(*args, **kwargs):
        made["pipe"] = original(*args, **kwargs)
        return made["pipe"]

    node.pipeline = pipeline
    try:
        pipe = await node.run(random.Random(3), rejudge=rejudge)
        assert made["asked"] == (0, at(50))
        assert pipe.kept.owed == {}
        (record,) = table(node.sessions)
        assert (record.event_time, record.returned_at, record.worst_level) == (at(50), at(100), Level.HH)
        assert (record.state, record.found_late) == (State.NORMAL, True)
        assert pipe.kept.judge.live.active[0] == 0
    finally:
        store.close()
