"""Heat balance on live Tennessee Eastman runs: time to detect cooling faults, false alarms a unit-month.

    .venv/bin/python bench/heat.py [SEEDS] [CACHE]

Coolant flow is the opening of the reactor's cooling valve, XMV(10); outlet XMEAS(21); reactor XMEAS(9); the inlet is
not measured and declared as 35 ℃. The first 4 h of a run are its reference, the fault begins then; normal runs are
judged from there on. Plant time counts as time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import tep_runs as tep
from hazwatch.risk.heat import HeatBalance, HeatRules, reference_of, transfer
from hazwatch.simulator.te_points import TE_POINTS

TAGS = [p.tag for p in TE_POINTS]
FLOW, OUTLET, REACTOR = (TAGS.index(tag) for tag in ("XMV(10)", "XMEAS(21)", "XMEAS(9)"))
INLET_C = 35.0
CASES = {0: "normal", 4: "cooling water warmer", 11: "cooling water wanders", 14: "cooling valve sticks",
         6: "feed A lost", 1: "feed composition", 13: "kinetics drift"}  # fmt: skip


def rows_of(idv: int, seed: int, cache: Path | None) -> np.ndarray:
    file = cache / f"{idv}_{seed}.npy" if cache else None
    if file and file.exists():
        return np.load(file)
    rows = tep.run(idv, seed)[:, [FLOW, OUTLET, REACTOR]]
    if file:
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, rows)
    return rows


def first(rows: np.ndarray, rules: HeatRules) -> tuple[float | None, int]:
    """Hours after the onset until the ratio reaches 1, and how often it begins to."""
    onset = round(tep.ONSET_H / tep.STEP_H)
    found = [transfer(flow, INLET_C, outlet, reactor) for flow, outlet, reactor in rows.tolist()]
    value = np.array([np.nan if v is None else v for v in found])
    at_s = np.arange(len(rows)) * tep.STEP_H * 3600
    reference = reference_of(at_s[:onset], value[:onset], rules)
    if reference is None:
        raise SystemExit("the first hours give no reference")
    book, told, episodes, over = HeatBalance(reference, rules), None, 0, False
    for k in range(onset, len(rows)):
        verdict = book.look(round(1000 * at_s[k]), found[k])
        if verdict is None:
            continue
        if verdict.ratio >= 1 and not over:
            episodes += 1
            told = told if told is not None else (k - onset) * tep.STEP_H
        over = verdict.ratio >= 1
    return told, episodes


def main(seeds: int, cache: Path | None) -> None:
    begun, rules = time.perf_counter(), HeatRules()
    print(
        f"{'case':<28}{'runs':>5}{'found':>7}{'within 1 h':>12}{'median h':>10}{'worst h':>9}"
        f"{'episodes a unit-month':>24}"
    )
    for idv, name in CASES.items():
        times, episodes, hours = [], 0, 0.0
        for seed in range(1, seeds + 1):
            rows = rows_of(idv, seed, cache)
            told, n = first(rows, rules)
            times += [told] if told is not None else []
            episodes += n
            hours += len(rows) * tep.STEP_H - tep.ONSET_H
        soon = sum(t <= 1 for t in times)
        print(
            f"IDV({idv:<2}) {name:<21}{seeds:>5}{len(times):>7}{soon:>12}{np.median(times or [np.nan]):>10.2f}"
            f"{max(times, default=np.nan):>9.2f}{episodes / hours * 720:>24.2f}",
            flush=True,
        )
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
