"""Compiles the compiled loops ahead of the first sample, so that nobody's first alarm waits for a compiler.

The results are cached beside the sources; set-up runs this once, every process start then takes a fraction of a second.
"""

from __future__ import annotations

import numpy as np

from hazwatch.access import accept
from hazwatch.access.sparkplug import decode
from hazwatch.history import latest, thinning
from hazwatch.judge.judge import from_history, judge, narrowed, tick
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.risk.trend import STEP_MS, Window
from hazwatch.samples.batch import SampleBatch


def warm_engine() -> None:
    """Everything that the engine runs for a sample, once in order and once late."""
    state, limits = fresh(1), Limits.none(1)
    batch = SampleBatch.of([0, 0], [2_000, 1_000], [1.0, 2.0])
    fate = judge(state, limits, batch).fate
    thinning.thin(thinning.fresh(1), batch, fate, 60_000)
    latest.update(latest.fresh(1), batch, batch.ts, fate)
    tick(state, limits, 3_000)
    narrowed(state, limits, 1)
    window = Window(1)
    for k in range(6):
        window.add(k * STEP_MS, np.array([float(k)]))
    window.approaches(limits.threshold, np.ones(1), 30.0)
    none = np.zeros(0, np.int64)
    from_history(state, limits, 0, none, np.zeros(0), np.zeros(0, np.uint8))


def warm_access() -> None:
    """The Sparkplug parser, and what every batch is asked."""
    decode.warm_up()
    accept.warm_up()


if __name__ == "__main__":
    warm_engine()
    warm_access()
