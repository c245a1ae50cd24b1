"""How fast the judge is, with the plain-Python reference of the tests as peer, in one run.

python bench/judge.py [points]
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np

from hazwatch.judge.judge import judge
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.samples.batch import SampleBatch

REFERENCE = Path(__file__).parents[1] / "tests" / "judge" / "reference.py"

#: Seconds until the memory of each point is full, and seconds that are timed.
_WARM, _TIMED = 18, 24


def limits(points: int) -> Limits:
    delay = np.full(points, 5_000, np.int64)
    return Limits(1, np.tile([5.0, 10.0, 90.0, 95.0], (points, 1)), np.ones(points), delay, delay)


def kernel(points: int, low: float, high: float, *, shuffle: bool, dense: bool = True) -> float:
    rng = np.random.default_rng(1)
    state, of = fresh(points), limits(points)
    batches = []
    for k in range(_WARM + _TIMED):
        order = rng.permutation(points) if shuffle else np.arange(points)
        batches.append(SampleBatch.of(order, np.full(points, k * 1000), rng.uniform(low, high, points)))
    for batch in batches[:_WARM]:
        judge(state, of, batch, dense=dense)
    began = time.perf_counter()
    for batch in batches[_WARM:]:
        judge(state, of, batch, dense=dense)
    return _TIMED * points / (time.perf_counter() - began)


def peer() -> float:
    spec = importlib.util.spec_from_file_location("reference", REFERENCE)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    rng = np.random.default_rng(1)
    samples = [(k * 1000, float(v), 0) for k, v in enumerate(rng.uniform(20, 80, 50_000))]
    began = time.perf_counter()
    reference.judge_point(samples, {"LL": 5.0, "L": 10.0, "H": 90.0, "HH": 95.0}, 1.0, 5000, 5000)
    return len(samples) / (time.perf_counter() - began)


def main() -> None:
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 460_000
    calm, dense = kernel(points, 20, 80, shuffle=True), kernel(points, 20, 80, shuffle=False)
    exact = kernel(points, 20, 80, shuffle=False, dense=False)
    busy = kernel(points, 0, 100, shuffle=True)
    plain = peer()
    print(f"{points} points, one core, M samples/s")
    print(f"  calm, in order of points   {dense / 1e6:8.1f}   (exact path alone {exact / 1e6:.1f})")
    print(f"  calm, shuffled             {calm / 1e6:8.1f}")
    print(f"  one in five beyond a limit {busy / 1e6:8.1f}")
    print(f"  plain Python (peer)        {plain / 1e6:8.3f}   ratio {calm / plain:,.0f}")


if __name__ == "__main__":
    main()
