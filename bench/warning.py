"""Early warning on live Tennessee Eastman runs: lead time, calm where nothing happens, and the forecast's skill.

    make bench-warning            # 20 seeds of every case, about a quarter of an hour on one core
    .venv/bin/python bench/warning.py --seeds 4

Weights and the forecast's curves were calibrated on seeds 1000001–1000008 (multivariate model: 1–3 of them, weights of
the terms P and X: 4–8, curves: 1–8); the evaluation uses seeds 1–20 and nothing else. Limits are those of the simulated
park. Plant time counts as time. The disturbance begins 4 h into a run and is followed for 30 h, or to the trip.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import tep_runs as tep
from hazwatch.risk import forecast
from hazwatch.risk.configuration import DEFAULT
from hazwatch.risk.forecast import HORIZONS_H, KEPT, Curve, Standing
from hazwatch.risk.multivariate import Pca, fit
from hazwatch.vocabulary.colours import Colour

CASES = (6, 0, *tep.CALM_FAULTS)
CALIBRATION = range(1_000_001, 1_000_009)
EVALUATION = range(1, 21)
#: Steps of 36 s between forecasts (6 min), and between the values they look at (10 min, nearly).
EVERY, PAST = 10, 17
BOUNDS = {"orange": DEFAULT.orange, "red": DEFAULT.red}
LIMITED = [n for n in range(tep.P - 1) if not np.isnan(tep.limits().threshold[n]).all()]


def rows_of(idv: int, seed: int, cache: Path | None) -> np.ndarray:
    file = cache / f"{idv}_{seed}.npz" if cache else None
    if file and file.exists():
        return np.load(file)["rows"].astype(float)
    rows = tep.run(idv, seed)
    if file:
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, rows=rows.astype(np.float32))
    return rows.astype(np.float32).astype(float)


def raw_forecasts(rows: np.ndarray, seen: tep.Seen) -> dict:
    """(bound, horizon) → (raw chance, S now beyond it, any alarm, came true), one row a forecast."""
    threshold = tep.limits().threshold[LIMITED]
    out: dict = {(b, h): [] for b in BOUNDS for h in HORIZONS_H}
    score, n = seen.scores.score, len(rows)
    tripped = n < round(tep.LENGTH_H / tep.STEP_H)
    for k in range(KEPT * PAST, n, EVERY):
        moving = forecast.walk(rows[k - PAST * np.arange(KEPT)[::-1]][:, LIMITED].T)
        standing = Standing(
            float(seen.scores.base[k]), dict(zip(tep.UNIT.terms, seen.scores.x[k].tolist(), strict=True))
        )
        calm, below = seen.level[k][LIMITED] == 0, np.abs(seen.level[k][LIMITED]) < 2
        for h in HORIZONS_H:
            until = k + round(h / tep.STEP_H)
            if until >= n and not tripped:
                continue
            chances = forecast.reaches(moving, threshold, h)
            first = np.maximum(chances[:, 1], chances[:, 2])[calm]
            second = np.maximum(chances[:, 0], chances[:, 3])[below]
            ahead = score[k : until + 1]
            for name, bound in BOUNDS.items():
                raw = forecast.chance(standing, first, second, bound, DEFAULT)
                # After a trip the unit stands at 红 or 橙 for good; what it had reached before counts.
                came = bool((ahead >= bound).any())
                out[name, h].append(
                    (raw, float(score[k] >= bound), float(np.abs(seen.level[k]).max() > 0), float(came))
                )
    return out


def merged(parts: list[dict]) -> dict:
    return {key: np.array([row for part in parts for row in part[key]]).reshape(-1, 4) for key in parts[0]}


def learnt(pca: Pca, cache: Path | None) -> dict[tuple[str, int], Curve]:
    """Curves from the calibration seeds."""
    parts = []
    for idv in CASES:
        for seed in CALIBRATION:
            rows = rows_of(idv, seed, cache)
            parts.append(raw_forecasts(rows, tep.seen(rows, pca)))
    curves = {}
    for key, table in merged(parts).items():
        open_ = table[:, 0] < 1
        curves[key] = forecast.learn(table[open_, 0], table[open_, 3] > 0)
    return curves


def episodes(shown: np.ndarray) -> int:
    """How often a condition begins."""
    return int(np.count_nonzero(shown[1:] & ~shown[:-1]) + shown[0])


def evaluate(idv: int, seeds: range, pca: Pca, cache: Path | None) -> tuple[dict, list[dict]]:
    onset = round(tep.ONSET_H / tep.STEP_H)
    out = {"runs": 0, "trips": [], "lead": {3: [], 4: []}, "alarm_lead": [], "red": 0, "orange": 0, "hours": 0.0,
           "orange_episodes": 0, "red_episodes": 0, "alarm_episodes": 0}  # fmt: skip
    parts = []
    for seed in seeds:
        rows = rows_of(idv, seed, cache)
        seen = tep.seen(rows, pca)
        parts.append(raw_forecasts(rows, seen))
        shown, alarm = seen.colour, np.abs(seen.level).max(axis=1) > 0
        out["runs"] += 1
        out["hours"] += len(rows) * tep.STEP_H
        out["red"] += bool((shown == Colour.RED).any())
        out["orange"] += bool((shown >= Colour.ORANGE).any())
        out["orange_episodes"] += episodes(shown >= Colour.ORANGE)
        out["red_episodes"] += episodes(shown >= Colour.RED)
        out["alarm_episodes"] += sum(episodes(seen.level[:, p] != 0) for p in range(tep.P))
        if len(rows) < round(tep.LENGTH_H / tep.STEP_H):
            trip = len(rows) - 1
            out["trips"].append((trip - onset) * tep.STEP_H)
            for colour, leads in out["lead"].items():
                leads.append(lead(shown[onset:] >= colour))
            out["alarm_lead"].append(lead(alarm[onset:]))
    return out, parts


def lead(holds: np.ndarray) -> float:
    """Hours before the end from which on a condition holds without a break."""
    breaks = np.flatnonzero(~holds)
    return (len(holds) - 1 - (breaks[-1] + 1 if len(breaks) else 0)) * tep.STEP_H


def skill(table: np.ndarray, curve: Curve) -> dict:
    """Brier scores and how the intervals hold."""
    p = np.array([forecast.calibrated(raw, curve) for raw in table[:, 0]])
    came = table[:, 3]
    bins = []
    for c in range(10):
        mine = (p[:, 0] >= c / 10) & (p[:, 0] < (c + 1) / 10 + (c == 9))
        if mine.sum() >= 30:
            bins.append((p[mine, 0].mean(), came[mine].mean(), int(mine.sum())))
    gap = sum(n * abs(a - b) for a, b, n in bins) / max(1, sum(n for *_, n in bins))
    return {
        "n": len(came), "rate": came.mean(), "model": ((p[:, 0] - came) ** 2).mean(),
        "persistence": ((table[:, 1] - came) ** 2).mean(), "alarms": ((table[:, 2] - came) ** 2).mean(), "gap": gap,
    }  # fmt: skip


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("--seeds", type=int, default=20)
    given.add_argument("--cache", type=Path, help="folder to keep runs in")
    given.add_argument("--calibrate", action="store_true", help="learn the curves anew and print them")
    options = given.parse_args()
    begun = time.perf_counter()
    normal = [tep.median3(rows_of(0, seed, options.cache)[:, tep.WATCHED])[50:] for seed in list(CALIBRATION)[:3]]
    pca = fit(np.concatenate(normal))
    curves = forecast.CURVES
    if options.calibrate:
        curves = learnt(pca, options.cache)
        for key, c in curves.items():
            low, high = (tuple(round(v, 3) for v in side) for side in (c.low, c.high))
            print(f"    {key}: Curve({c.a:.3f}, {c.b:.3f}, {low}, {high}),")
        return
    print(f"configuration {DEFAULT.digest()}; calibrated on seeds {CALIBRATION[0]}–{CALIBRATION[-1]}", flush=True)
    seeds = EVALUATION[: options.seeds]
    print(f"evaluated on seeds {seeds[0]}–{seeds[-1]}\n")
    print(
        f"{'case':<8}{'runs':>5}{'trips':>6}{'trip h':>8}{'lead 橙 h (min/med)':>22}{'lead 红':>9}{'alarm':>7}"
        f"{'红 runs':>8}{'橙 runs':>8}{'橙 ep./point-day':>18}{'alarm ep./point-day':>20}"
    )
    every, found = [], {}
    for idv in CASES:
        found[idv], parts = evaluate(idv, seeds, pca, options.cache)
        every += parts
        print(line(idv, found[idv]), flush=True)
    trip = found[6]
    good = sum(h >= 5 for h in trip["lead"][3])
    print(
        f"\nIDV(6): 橙 or worse at least 5 h before the trip in {good} of {trip['runs']} runs"
        f" ({100 * good / trip['runs']:.0f} %, wanted ≥ 95 %)"
    )
    calm = [found[idv] for idv in CASES if idv != 6]
    quiet, runs = sum(f["runs"] - f["red"] for f in calm), sum(f["runs"] for f in calm)
    print(
        f"faults that never trip and normal running: 红 never stands in {quiet} of {runs} runs"
        f" ({100 * quiet / runs:.1f} %, wanted ≥ 90 %)\n"
    )
    print(
        f"{'forecast':<14}{'n':>8}{'rate':>7}{'Brier':>8}{'persistence':>13}{'alarms':>8}"
        f"{'|p − rate|':>12}{'curve a, b':>16}"
    )
    for (name, h), table in merged(every).items():
        s, c = skill(table, curves[name, h]), curves[name, h]
        print(
            f"S≥{BOUNDS[name]:g} in {h:>2} h {s['n']:>9}{s['rate']:>7.3f}{s['model']:>8.4f}"
            f"{s['persistence']:>13.4f}{s['alarms']:>8.4f}{s['gap']:>12.3f}{c.a:>9.2f}{c.b:>7.2f}"
        )
    print(f"\n{time.perf_counter() - begun:.0f} s")


def line(idv: int, f: dict) -> str:
    days = f["hours"] / 24 * len(LIMITED)
    leads, reds = f["lead"][3], f["lead"][4]
    name = f"IDV({idv})" if idv else "normal"
    lead_text = f"{min(leads):.2f} / {np.median(leads):.2f}" if leads else "–"
    red_text = f"{np.median(reds):.2f}" if reds else "–"
    alarm_text = f"{np.median(f['alarm_lead']):.2f}" if f["alarm_lead"] else "–"
    trip = f"{np.mean(f['trips']):.2f}" if f["trips"] else "–"
    return (
        f"{name:<8}{f['runs']:>5}{len(f['trips']):>6}{trip:>8}{lead_text:>22}{red_text:>9}{alarm_text:>7}{f['red']:>8}"
        f"{f['orange']:>8}{f['orange_episodes'] / days:>18.4f}{f['alarm_episodes'] / days:>20.4f}"
    )


if __name__ == "__main__":
    main()
