"""Questions to a large store: one point, a month at one-minute steps and a day of raw samples, over random points.

    python bench/history.py [rows in billions] [folder that is kept, and asked again without filling]

The store is filled by the engine itself: a day at 1 Hz for as many points as make the rows, and 30 days of minutes for
2,000 points. Asked is what a page asks, through the same functions.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hazwatch.history import query
from hazwatch.history.store import Store

DAY = 86_400
#: 2026-10-25 00:00 UTC.
START = 1_792_886_400
MINUTE_POINTS = 2_000
TIMES = 200


async def fill_samples(store: Store, points: int, there: int) -> None:
    """A day of raw samples at 1 Hz for all points; those that are there already are left."""
    for first in range(there // DAY // 500 * 500, points, 500):
        await store.select(
            f"INSERT INTO hazwatch.samples SELECT {first} + intDiv(number, {DAY}) AS point, "  # noqa: S608  # numbers only
            f"toInt64(({START} + 29 * {DAY} + number % {DAY}) * 1000) AS ts, "
            "40 + round(16 * sin(number / 600 + point)) / 16 + (cityHash64(number) % 5) / 16 AS value, 0 AS quality "
            f"FROM numbers({min(500, points - first) * DAY}) SETTINGS max_threads = 2"
        )


async def fill_minutes(store: Store) -> None:
    """Minutes of 30 days for some points."""
    for day in range(30):
        await store.select(
            "INSERT INTO hazwatch.minutes SELECT number % "  # noqa: S608  # numbers only
            f"{MINUTE_POINTS} AS point, "
            f"toInt64(({START} + {day} * {DAY} + intDiv(number, {MINUTE_POINTS}) * 60) * 1000) "
            "AS minute, 40 + (cityHash64(number) % 16) / 16 AS low, low + 0.25 AS high, 60 * (low + 0.125) AS total, "
            f"low AS last, minute + 59000 AS last_ts, 60 AS count FROM numbers({MINUTE_POINTS * 1440})"
        )


def told(name: str, took: list[float], rows: list[int]) -> None:
    p50, p95 = np.percentile(np.array(took) * 1000, [50, 95])
    print(
        f"{name:46s} {TIMES} times: p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  max {max(took) * 1000:6.1f} ms  "
        f"rows {max(rows)}"
    )


async def main(billions: float, kept: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(kept or folder) / "history"
        store = Store.open(place, 3650)
        began = time.perf_counter()
        rows = int(billions * 1e9) // DAY * DAY
        points = rows // DAY
        there = await query.stored(store)
        await fill_samples(store, points, there["samples"]["rows"])
        if not there["minutes"]["rows"]:
            await fill_minutes(store)
        print(
            f"{rows:,} samples of {points:,} points, {MINUTE_POINTS * 1440 * 30:,} minutes: "
            f"{time.perf_counter() - began:.0f} s"
        )
        print("on disk:", await query.stored(store))
        rng = np.random.default_rng(1)
        month = (START * 1000, (START + 30 * DAY) * 1000)
        day = ((START + 29 * DAY) * 1000, (START + 30 * DAY) * 1000)
        for name, most, (start, end), step in (
            ("a month at one-minute steps", MINUTE_POINTS, month, 60),
            ("a month, as a page draws it", MINUTE_POINTS, month, None),
            ("a day of raw samples at 1 Hz", points, day, 0), ("a day, as a page draws it", points, day, None),
        ):  # fmt: skip
            took, found = [], []
            for point in rng.integers(0, min(most, points), TIMES).tolist():
                began = time.perf_counter()
                series = await query.series(store, point, start, end, step)
                took.append(time.perf_counter() - began)
                found.append(len(series.rows))
            told(name, took, found)
        store.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0, sys.argv[2] if len(sys.argv) > 2 else ""))
