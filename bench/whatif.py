"""What-if over 30 simulated days of 3,000 points, from a history that is stored on change with a heartbeat.

    .venv/bin/python bench/whatif.py [POINTS] [DAYS]

Values are a slow swing and noise around a limit for one point in twenty, calm otherwise; a value is kept when it
changes and once a minute. The history is chDB in a temporary folder; the what-if reads it as the engine does.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from hazwatch.alarms.assistant import Bounds
from hazwatch.alarms.trial import Wanted
from hazwatch.alarms.trial_run import Asked, Subjects, run
from hazwatch.app.trials import pieces
from hazwatch.history.store import Store
from hazwatch.history.thinning import ROLLUP
from hazwatch.judge.limits import Limits
from hazwatch.samples.batch import SampleBatch

START = 1_790_000_000_000
DAY, MINUTE = 86_400_000, 60_000


def fill(store: Store, points: int, days: int) -> int:
    """A day at a time; returns how many samples there are."""
    rng = np.random.default_rng(7)
    total = 0
    for day in range(days):
        ts = START + day * DAY + np.arange(0, DAY, MINUTE)
        for first in range(0, points, 250):
            count = min(250, points - first)
            point = np.repeat(np.arange(first, first + count), len(ts))
            noisy = (np.arange(first, first + count) % 20 == 0)[:, None]
            swing = 50 + 20 * np.sin(ts / DAY * 6.28)[None, :]
            value = np.where(noisy, swing + rng.normal(0, 3, (count, len(ts))), 40 + 0 * swing)
            batch = SampleBatch.of(point, np.tile(ts, count), value.ravel())
            store.insert(batch, np.zeros(0, ROLLUP), f"{day}-{first}")
            total += len(batch)
    return total


async def main(points: int, days: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "history", 4000)
        begun = time.perf_counter()
        total = fill(store, points, days)
        print(f"{total:,} samples of {points:,} points over {days} days stored in {time.perf_counter() - begun:.0f} s")
        threshold = np.tile([np.nan, np.nan, 68.0, 80.0], (points, 1))
        zeros = np.zeros(points, np.int64)
        limits = Limits(1, threshold, np.full(points, 1.0), zeros, zeros)
        names = [{"point": str(k)} for k in range(points)]
        subjects = Subjects(limits, np.full(points, 100.0), np.zeros(points, np.bool_), names)
        every = np.ones(points, np.bool_)
        index = np.arange(points)

        async def progress(share: float, message: str) -> None:
            del share, message

        def fetch(some: np.ndarray, start: int, end: int) -> AsyncIterator[SampleBatch]:
            return pieces(store, index, some, start, end)

        for name, bounds in (("replay", None), ("replay and assistant", Bounds())):
            wanted = [Wanted(every, {}, deadband_share=0.03, off_ms=60_000)] if bounds is None else []
            begun, cpu = time.perf_counter(), time.process_time()
            result = await run(Asked(START, START + days * DAY, wanted, bounds), subjects, fetch, progress)
            took, used = time.perf_counter() - begun, time.process_time() - cpu
            found = result["comparison"]
            print(
                f"{name}: {took:.1f} s ({used:.1f} s of CPU), {result['samples'] / took / 1e6:.1f} M samples/s "
                f"through two judges; activations {found['before']:,} → {found['after']:,}, proposals "
                f"{sum(p['change'] is not None for p in result['proposals'])}"
            )
        store.close()


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in (sys.argv[1:] + ["3000", "30"][len(sys.argv) - 1 :]))))
