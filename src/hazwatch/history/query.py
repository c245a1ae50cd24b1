"""Questions to the history: one point over a range, in a resolution that a chart can draw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hazwatch.history.port import History
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.moments import MINUTE
from hazwatch.vocabulary.quality import LAST_JUDGED

#: At most this many steps come back when the step is chosen automatically.
MOST_STEPS = 1_500
#: Raw rows in one answer; what is cut off is said and can be asked for next.
MOST_RAW = 100_000
_NICE_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)

#: Weights of the ledger repeat after so many points.
LEDGER_WEIGHTS = 1009

COLUMNS = ("ts", "min", "max", "mean", "last", "count", "quality")


@dataclass(frozen=True, slots=True)
class Series:
    """An answer.

    Attributes:
        step_s: seconds a row; 0 = raw.
        source: ``raw`` or ``minute``.
        rows: float64[N, 7] by ``COLUMNS``; ts in epoch ms, quality the worst of the step (0 where unknown).
        next_from: where to go on when the answer was cut, else None.
    """

    step_s: int
    source: str
    rows: NDArray[np.float64]
    next_from: int | None = None


def step_for(start: int, end: int) -> int:
    """Seconds a step so that at most ``MOST_STEPS`` come back for a range of epoch ms."""
    wanted = (end - start) / 1000 / MOST_STEPS
    return next((s for s in _NICE_STEPS_S if s >= wanted), int(np.ceil(wanted / 86400)) * 86400)


async def series(
    store: History, point: int, start: int, end: int, step_s: int | None, running: NDArray[np.void] | None = None
) -> Series:
    """One point from ``start`` (inclusive) to ``end`` (exclusive), epoch ms.

    Args:
        store: the open store.
        point: dense index.
        start, end: range.
        step_s: seconds a row, 0 = raw, None = automatic.
        running: the point's minute that is not complete yet (``thinning.running``), so that a chart ends at now.
    """
    chosen = step_for(start, end) if step_s is None else step_s
    if chosen == 0:
        return await _raw(store, point, start, end)
    if chosen * 1000 < MINUTE:
        return await _from_samples(store, point, start, end, chosen)
    found = await _from_minutes(store, point, start, end, chosen - chosen % 60)
    return found if running is None else _with_running(found, running, start, end)


def _with_running(series: Series, running: NDArray[np.void], start: int, end: int) -> Series:
    """Add the running minute to the last step, or as a step of its own."""
    if not len(running) or not start <= int(running[0]["minute"]) + MINUTE or int(running[0]["minute"]) >= end:
        return series
    now = running[0]
    step = int(now["minute"]) // (series.step_s * 1000) * series.step_s * 1000
    row = np.array([step, now["low"], now["high"], now["total"] / now["count"], now["last"], now["count"], 0.0])
    if len(series.rows) and series.rows[-1, 0] == step:
        before = series.rows[-1]
        n = before[5] + row[5]
        mean = (before[3] * before[5] + row[3] * row[5]) / n
        row = np.array([step, min(before[1], row[1]), max(before[2], row[2]), mean, row[4], n, before[6]])
        return replace(series, rows=np.vstack([series.rows[:-1], row]))
    return replace(series, rows=np.vstack([series.rows, row]))


async def value_before(store: History, point: int, moment: int) -> tuple[int, float, int] | None:
    """The last kept sample before a moment: (ts, value, quality)."""
    table = await store.select(
        f"SELECT max(ts) AS newest, count() AS n FROM hazwatch.samples WHERE point = {int(point)} "  # noqa: S608  # numbers only
        f"AND ts < {int(moment)}",
        point,
    )
    if table.num_rows == 0 or table.to_pylist()[0]["n"] == 0:
        return None
    newest = int(table.to_pylist()[0]["newest"])
    # Two samples of one moment may lie there unmerged: the one that stands is asked for.
    ts, value, quality = await samples(store, point, newest, newest + 1)
    return int(ts[0]), float(value[0]), int(quality[0])


async def samples(
    store: History, point: int, start: int, end: int, limit: int = 10_000_000
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
    """Kept samples of a point, each once, in order: ts, value, quality."""
    table = await store.select(
        f"SELECT ts, value, quality FROM hazwatch.samples FINAL WHERE point = {int(point)} "  # noqa: S608  # numbers only
        f"AND ts >= {int(start)} AND ts < {int(end)} ORDER BY ts LIMIT {int(limit)}",
        point,
    )
    if table.num_rows == 0:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8)
    return (
        table.column("ts").to_numpy().copy(),
        table.column("value").to_numpy().copy(),
        table.column("quality").to_numpy().copy(),
    )


async def ledger(store: History) -> tuple[int, float, float]:
    """Of all finished minutes: how many samples, their sum, and their sum weighted by (point mod 1009) + 1.

    Sums are exact when the values are multiples of a power of two, as those of the load generator are.
    """
    table = await store.select(
        f"SELECT sum(count) AS n, sum(total) AS sums, sum(total * (point % {LEDGER_WEIGHTS} + 1)) AS weighted "  # noqa: S608  # numbers only
        "FROM hazwatch.minutes"
    )
    row = table.to_pylist()[0]
    return int(row["n"]), float(row["sums"]), float(row["weighted"])


async def stored(store: History) -> dict[str, dict[str, int]]:
    """Rows and bytes on disk of each table, of the parts in use (of a cluster: on the replica that answers)."""
    found = {}
    for name in ("samples", "minutes"):
        table = await store.select(
            "SELECT toInt64(sum(rows)) AS n, toInt64(sum(bytes_on_disk)) AS size FROM system.parts "  # noqa: S608  # no outside text in it
            f"WHERE active AND database = 'hazwatch' AND table LIKE '{name}%'"
        )
        row = table.to_pylist()[0]
        found[name] = {"rows": int(row["n"]), "bytes": int(row["size"])}
    return found


async def _raw(store: History, point: int, start: int, end: int) -> Series:
    ts, value, quality = await samples(store, point, start, end, MOST_RAW + 1)
    cut = int(ts[MOST_RAW]) if len(ts) > MOST_RAW else None
    ts, value, quality = ts[:MOST_RAW], value[:MOST_RAW], quality[:MOST_RAW]
    ones = np.ones(len(ts))
    return Series(0, "raw", np.column_stack([ts, value, value, value, value, ones, quality]), cut)


async def _from_samples(store: History, point: int, start: int, end: int, step_s: int) -> Series:
    step = step_s * 1000
    usable = "quality <= 2 AND NOT isNaN(value)"
    table = await store.select(
        f"SELECT intDiv(ts, {step}) * {step} AS t, minIf(value, {usable}) AS lo, maxIf(value, {usable}) AS hi, "  # noqa: S608  # numbers only
        f"avgIf(value, {usable}) AS mean, argMaxIf(value, ts, {usable}) AS last, countIf({usable}) AS n, "
        f"max(quality) AS q FROM hazwatch.samples FINAL WHERE point = {int(point)} AND ts >= {int(start)} "
        f"AND ts < {int(end)} GROUP BY t ORDER BY t",
        point,
    )
    return Series(step_s, "raw", _rows(table, ("t", "lo", "hi", "mean", "last", "n", "q")))


async def _from_minutes(store: History, point: int, start: int, end: int, step_s: int) -> Series:
    step = step_s * 1000
    table = await store.select(
        f"SELECT intDiv(minute, {step}) * {step} AS t, min(low) AS lo, max(high) AS hi, "  # noqa: S608  # numbers only
        f"sum(total) / sum(count) AS mean, argMax(last, last_ts) AS last, sum(count) AS n, 0 AS q "
        f"FROM hazwatch.minutes WHERE point = {int(point)} AND minute >= {int(start) - int(start) % MINUTE} "
        f"AND minute < {int(end)} GROUP BY t ORDER BY t",
        point,
    )
    return Series(step_s, "minute", _rows(table, ("t", "lo", "hi", "mean", "last", "n", "q")))


def _rows(table: object, names: tuple[str, ...]) -> NDArray[np.float64]:
    if table.num_rows == 0:  # type: ignore[attr-defined]  # pyarrow has no types
        return np.zeros((0, len(names)))
    columns = [table.column(name).to_numpy().astype(np.float64) for name in names]  # type: ignore[attr-defined]  # same
    rows = np.column_stack(columns)
    empty = rows[:, 5] == 0
    rows[empty, 1:5] = np.nan
    return rows


async def sample_counts(store: History, points: NDArray[np.int64], start: int, end: int) -> dict[int, int]:
    """Kept samples of each of these points in a range; points without any are missing."""
    table = await store.select(
        f"SELECT point, count() AS n FROM hazwatch.samples WHERE {_among(points)} "  # noqa: S608  # numbers only
        f"AND ts >= {int(start)} AND ts < {int(end)} GROUP BY point"
    )
    return {int(row["point"]): int(row["n"]) for row in table.to_pylist()}


async def anything(store: History, start: int, end: int) -> bool:
    """Whether any sample of a range is kept."""
    table = await store.select(
        f"SELECT point FROM hazwatch.samples WHERE ts >= {int(start)} AND ts < {int(end)} LIMIT 1"  # noqa: S608  # numbers only
    )
    return bool(table.num_rows)


async def many_samples(store: History, points: NDArray[np.int64], start: int, end: int) -> SampleBatch:
    """Kept samples of some points, each once, by point and event time."""
    table = await store.select(
        "SELECT point, ts, value, quality FROM hazwatch.samples FINAL "  # noqa: S608  # numbers only
        f"WHERE {_among(points)} AND ts >= {int(start)} AND ts < {int(end)} ORDER BY point, ts"
    )
    if table.num_rows == 0:
        return SampleBatch.empty()
    return SampleBatch.of(*(table.column(name).to_numpy() for name in ("point", "ts", "value", "quality")))


async def stepped(
    store: History, points: NDArray[np.int64], start: int, end: int, step_ms: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The last usable value of each step of some points: point, step (ts // step_ms), value; by point and step."""
    table = await store.select(
        f"SELECT point, intDiv(ts, {int(step_ms)}) AS step, argMax(value, ts) AS last FROM hazwatch.samples "  # noqa: S608  # numbers only
        f"WHERE {_among(points)} AND ts >= {int(start)} AND ts < {int(end)} AND quality <= {int(LAST_JUDGED)} "
        "GROUP BY point, step ORDER BY point, step"
    )
    if table.num_rows == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    point, step, last = (table.column(name).to_numpy() for name in ("point", "step", "last"))
    return point.astype(np.int64), step.astype(np.int64), last.astype(np.float64)


def _among(points: NDArray[np.int64]) -> str:
    """A condition on the point that the store's index can serve: runs of neighbours are ranges."""
    found = np.sort(points)
    if not len(found):
        return "0"
    edges = np.flatnonzero(np.diff(found) > 1) + 1
    runs = [(int(part[0]), int(part[-1])) for part in np.split(found, edges)]
    return "(" + " OR ".join(f"point BETWEEN {a} AND {b}" if b > a else f"point = {a}" for a, b in runs) + ")"
