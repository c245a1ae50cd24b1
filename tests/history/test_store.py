"""The real store: tokens, blocks that a crash interrupted, questions, a second process."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import orjson
import pytest

from hazwatch.history import query, thinning
from hazwatch.history.offsets import OffsetFile, Place
from hazwatch.history.sink import HistorySink
from hazwatch.history.store import Store
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.lanes import Lane

MIDNIGHT = 1_795_392_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NO_MINUTES = np.zeros(0, thinning.ROLLUP)


def batch(*samples: tuple[float, float], point: int = 0) -> SampleBatch:
    """(seconds after midnight, value)."""
    ts = [MIDNIGHT + int(t * 1000) for t, _ in samples]
    return SampleBatch.of([point] * len(samples), ts, [v for _, v in samples])


def rollup(minute: int, low: float, high: float, total: float, last: float, count: int, point: int = 0) -> np.ndarray:
    row = np.zeros(1, thinning.ROLLUP)
    start = MIDNIGHT + minute * MINUTE
    row[0] = (point, start, low, high, total, last, start + 30_000, count)
    return row


async def counted(store: Store) -> tuple[int, int]:
    """Rows as they lie in the store, not merged."""
    samples = await store.select("SELECT count() AS n FROM hazwatch.samples")
    minutes = await store.select("SELECT count() AS n FROM hazwatch.minutes")
    return samples.to_pylist()[0]["n"], minutes.to_pylist()[0]["n"]


# --- inserting -----------------------------------------------------------------------------------------------------


async def test_the_same_token_inserts_once(store) -> None:
    for _ in range(3):
        store.insert(batch((1, 1.0), (2, 2.0)), rollup(0, 1, 2, 3, 2, 2), "a")
    assert await counted(store) == (2, 1)
    store.insert(batch((1, 1.0), (2, 2.0)), rollup(0, 1, 2, 3, 2, 2), "b")
    assert await counted(store) == (4, 2)
    ts, value, _ = await query.samples(store, 0, MIDNIGHT, MIDNIGHT + MINUTE)
    assert value.tolist() == [1.0, 2.0], "a sample is identified by point and time, whatever was inserted twice"
    assert len(ts) == 2


async def test_a_token_holds_over_a_restart_of_the_process(tmp_path) -> None:
    for _ in range(2):
        store = Store.open(tmp_path / "history", 3_650)
        store.insert(batch((1, 1.0)), rollup(0, 1, 1, 1, 1, 1), "a")
        assert await counted(store) == (1, 1)
        store.close()


async def test_a_large_block_over_several_days_is_one_block(store) -> None:
    n = 400_000
    large = SampleBatch.of(np.arange(n) % 1000, MIDNIGHT + np.arange(n) // 1000 * 1_000_000, np.arange(n) / 7)
    for _ in range(2):
        store.insert(large, NO_MINUTES, "large")
    assert (await counted(store))[0] == n


async def test_a_block_may_reach_over_many_days(store) -> None:
    """A gateway that was away for half a year sends a sample of every day at once."""
    days = [(k * 86_400, float(k)) for k in range(-180, 1)]
    store.insert(batch(*days), NO_MINUTES, "late")
    assert (await counted(store))[0] == 181


async def test_the_late_value_of_the_same_moment_stands(store) -> None:
    store.insert(batch((1, 1.0)), NO_MINUTES, "a")
    store.insert(batch((1, 5.0)), NO_MINUTES, "b")
    _, value, _ = await query.samples(store, 0, MIDNIGHT, MIDNIGHT + MINUTE)
    assert value.tolist() == [5.0]
    assert await query.value_before(store, 0, MIDNIGHT + MINUTE) == (MIDNIGHT + 1000, 5.0, 0)


async def test_nan_and_quality_come_back(store) -> None:
    store.insert(SampleBatch.of([4], [MIDNIGHT], [math.nan], [7]), NO_MINUTES, "a")
    _, value, quality = await query.samples(store, 4, MIDNIGHT, MIDNIGHT + 1)
    assert math.isnan(value[0])
    assert quality.tolist() == [7]


def test_a_second_process_is_refused_and_told_why(store, tmp_path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom hazwatch.history.store import Store\n"
        "try:\n    Store.open(Path(sys.argv[1]), 90)\n"
        "except RuntimeError as error:\n    print(error)\n    sys.exit(7)\n"
    )
    asked = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "history")], capture_output=True, text=True, timeout=60, check=False
    )
    assert asked.returncode == 7, asked.stderr
    assert "另一个进程" in asked.stdout
    assert str(tmp_path / "history") in asked.stdout
    store.insert(batch((1, 1.0)), NO_MINUTES, "still-mine")


# --- blocks and offsets --------------------------------------------------------------------------------------------


class Crash(Exception):  # noqa: N818  # not an error of the program
    """The process dies here."""


class Engine:
    """The history's part of an engine that plays the log from a snapshot. One message a second, five a block."""

    def __init__(self, store: Store, folder) -> None:
        self.store = store
        self.offsets = OffsetFile(folder / "offset")
        self.state = thinning.fresh(1)
        self.sink = HistorySink(store, self.offsets, 60_000, Place())

    async def play(self, upto: int) -> None:
        for k in range(1, upto + 1):
            one = batch((k * 20, float(k)))
            self.sink.take(self.state, one, np.zeros(1, np.uint8), Lane.LIVE, k)
            if k % 5 == 0 or self.sink.interrupted == Place(k, 0):
                await self.sink.flush()


MESSAGES = 23
#: Of 23 messages four whole blocks are flushed: 20 samples, and the 6 minutes that were complete by then.
WHOLE = (20, 6)


async def test_blocks_without_a_crash(store, tmp_path) -> None:
    await Engine(store, tmp_path).play(MESSAGES)
    assert await counted(store) == WHOLE


@pytest.mark.parametrize("where", ["before the insert", "after the samples", "after the insert"])
@pytest.mark.parametrize("block", [1, 3])
async def test_a_block_that_a_crash_interrupted_is_neither_doubled_nor_lost(
    store, tmp_path, monkeypatch, where, block
) -> None:
    blocks = 0
    whole = Store._insert

    def dies(self, samples, minutes, token):
        nonlocal blocks
        blocks += 1
        if blocks != block:
            return whole(self, samples, minutes, token)
        if where == "after the samples":
            whole(self, samples, minutes[:0], token)
        elif where == "after the insert":
            whole(self, samples, minutes, token)
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr(Store, "_insert", dies)
        with pytest.raises(Crash):
            await Engine(store, tmp_path).play(MESSAGES)
    again = Engine(store, tmp_path)
    assert again.sink.interrupted == Place(5 * block, 0)
    await again.play(MESSAGES)
    assert again.sink.interrupted is None
    assert await counted(store) == WHOLE
    await Engine(store, tmp_path).play(MESSAGES)
    assert await counted(store) == WHOLE, "a replay of what is there adds nothing"


async def test_an_interrupted_block_waits_until_it_is_whole_again(store, tmp_path) -> None:
    engine = Engine(store, tmp_path)
    engine.offsets.intend(Place(7, 0))
    again = Engine(store, tmp_path)
    await again.play(6)
    assert await counted(store) == (0, 0)
    assert again.sink.waiting == 6
    await again.play(7)
    assert again.sink.interrupted is None


async def test_what_the_store_has_is_not_gathered_again(store, tmp_path) -> None:
    await Engine(store, tmp_path).play(10)
    again = Engine(store, tmp_path)
    assert again.sink.done == Place(10, 0)
    await again.play(9)
    assert again.sink.waiting == 0


async def test_lanes_have_their_own_places(store, tmp_path) -> None:
    engine = Engine(store, tmp_path)
    fate = np.zeros(1, np.uint8)
    engine.sink.take(engine.state, batch((1, 1.0)), fate, Lane.LIVE, 5)
    engine.sink.take(engine.state, batch((2, 2.0)), fate, Lane.BACKGROUND, 3)
    engine.sink.pass_by(Lane.LIVE, 9)
    await engine.sink.flush()
    assert OffsetFile(tmp_path / "offset").done == Place(9, 3)
    assert engine.sink.stored == 2


def test_the_offset_file(tmp_path) -> None:
    path = tmp_path / "offset"
    first = OffsetFile(path)
    assert (first.done, first.next) == (Place(), None)
    token = first.intend(Place(5, 2))
    assert OffsetFile(path).next == Place(5, 2)
    assert OffsetFile(path).intend(Place(5, 2)) == token, "the same block has the same token"
    again = OffsetFile(path)
    again.finish()
    assert (OffsetFile(path).done, OffsetFile(path).next) == (Place(5, 2), None)
    assert again.intend(Place(9, 2)) != token
    assert orjson.loads(path.read_bytes()) == {"done": [5, 2], "next": [9, 2]}


def test_places() -> None:
    assert Place(5, 5).covers(Place(5, 5))
    assert Place(6, 5).covers(Place(5, 5))
    assert not Place(6, 4).covers(Place(5, 5))


# --- questions -----------------------------------------------------------------------------------------------------


def rows_of(series) -> list[list[float]]:
    return [[None if math.isnan(x) else x for x in row] for row in series.rows.tolist()]


async def test_raw(store) -> None:
    store.insert(batch((1, 1.0), (2, 2.0), (3, 3.0)), NO_MINUTES, "a")
    series = await query.series(store, 0, MIDNIGHT + 1000, MIDNIGHT + 3000, 0)
    assert (series.step_s, series.source, series.next_from) == (0, "raw", None)
    assert rows_of(series) == [[MIDNIGHT + 1000, 1, 1, 1, 1, 1, 0], [MIDNIGHT + 2000, 2, 2, 2, 2, 1, 0]]


async def test_raw_that_is_cut_says_where_to_go_on(store, monkeypatch) -> None:
    monkeypatch.setattr(query, "MOST_RAW", 4)
    store.insert(batch(*((k, float(k)) for k in range(10))), NO_MINUTES, "a")
    got, start = [], MIDNIGHT
    for _ in range(5):
        series = await query.series(store, 0, start, MIDNIGHT + MINUTE, 0)
        got += series.rows[:, 4].tolist()
        if series.next_from is None:
            break
        start = series.next_from
    assert got == [float(k) for k in range(10)]


async def test_steps_of_seconds_come_from_samples(store) -> None:
    samples = SampleBatch.of(
        [0] * 5, [MIDNIGHT + t for t in (0, 1000, 4999, 5000, 6000)], [1.0, 3.0, 2.0, 9.0, math.nan], [0, 0, 0, 7, 3]
    )
    store.insert(samples, NO_MINUTES, "a")
    series = await query.series(store, 0, MIDNIGHT, MIDNIGHT + 10_000, 5)
    assert (series.step_s, series.source) == (5, "raw")
    assert rows_of(series) == [[MIDNIGHT, 1, 3, 2, 2, 3, 0], [MIDNIGHT + 5000, None, None, None, None, 0, 7]]


async def test_steps_of_minutes_add_partials_up(store) -> None:
    first, late = rollup(0, 1, 3, 4, 3, 2), rollup(0, 0, 9, 9, 9, 2)
    rows = np.concatenate([first, late, rollup(1, 5, 5, 5, 5, 1), rollup(7, 2, 2, 2, 2, 1)])
    rows["last_ts"][1] -= 1  # the late partial ends earlier
    store.insert(SampleBatch.empty(), rows, "a")
    series = await query.series(store, 0, MIDNIGHT, MIDNIGHT + HOUR, 60)
    assert (series.step_s, series.source) == (60, "minute")
    assert rows_of(series) == [
        [MIDNIGHT, 0, 9, 13 / 4, 3, 4, 0],
        [MIDNIGHT + MINUTE, 5, 5, 5, 5, 1, 0],
        [MIDNIGHT + 7 * MINUTE, 2, 2, 2, 2, 1, 0],
    ]  # fmt: skip
    coarse = await query.series(store, 0, MIDNIGHT, MIDNIGHT + HOUR, 300)
    assert rows_of(coarse) == [[MIDNIGHT, 0, 9, 18 / 5, 5, 5, 0], [MIDNIGHT + 5 * MINUTE, 2, 2, 2, 2, 1, 0]]


async def test_a_step_that_is_no_whole_minute_is_rounded_down_and_said(store) -> None:
    assert (await query.series(store, 0, MIDNIGHT, MIDNIGHT + DAY, 100)).step_s == 60


async def test_the_running_minute_ends_the_chart(store) -> None:
    store.insert(SampleBatch.empty(), np.concatenate([rollup(0, 1, 3, 4, 3, 2), rollup(1, 5, 5, 5, 5, 1)]), "a")
    running = rollup(2, 6, 8, 14, 8, 2)
    series = await query.series(store, 0, MIDNIGHT, MIDNIGHT + HOUR, 60, running)
    assert rows_of(series)[-1] == [MIDNIGHT + 2 * MINUTE, 6, 8, 7, 8, 2, 0]
    coarse = await query.series(store, 0, MIDNIGHT, MIDNIGHT + HOUR, 300, running)
    assert rows_of(coarse) == [[MIDNIGHT, 1, 8, 23 / 5, 8, 5, 0]]
    empty = await query.series(store, 1, MIDNIGHT, MIDNIGHT + HOUR, 60, running)
    assert rows_of(empty) == [[MIDNIGHT + 2 * MINUTE, 6, 8, 7, 8, 2, 0]]
    before = await query.series(store, 0, MIDNIGHT, MIDNIGHT + 2 * MINUTE, 60, running)
    assert len(before.rows) == 2, "beyond the range that was asked"
    after = await query.series(store, 0, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, 60, running)
    assert len(after.rows) == 0


async def test_nothing_is_no_rows(store) -> None:
    for step in (0, 10, 60, None):
        assert (await query.series(store, 5, MIDNIGHT, MIDNIGHT + DAY, step)).rows.shape == (0, 7)
    assert await query.value_before(store, 5, MIDNIGHT) is None


@pytest.mark.parametrize("span", [1, 59, 1500, 3600, 86_400, 7 * 86_400, 365 * 86_400, 3650 * 86_400])
def test_an_automatic_step_gives_at_most_1500_rows(span) -> None:
    step = query.step_for(MIDNIGHT, MIDNIGHT + span * 1000)
    assert span / step <= 1500
    assert step == 1 or span / step > 150, "and no fewer than a chart can draw"
