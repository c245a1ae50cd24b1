"""Live Tennessee Eastman runs as the simulated park's production unit sees them: limits, judge, terms of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hazwatch.judge.judge import judge
from hazwatch.judge.limits import Limits
from hazwatch.judge.state import fresh
from hazwatch.risk.configuration import DEFAULT, Configuration
from hazwatch.risk.features import COLUMN, NONE, SERVICES
from hazwatch.risk.indicators import Indicators
from hazwatch.risk.model import Held, Scores, evaluate, hold
from hazwatch.risk.multivariate import Pca, ratios
from hazwatch.risk.objects import blank
from hazwatch.risk.trend import Window
from hazwatch.samples.batch import SampleBatch
from hazwatch.simulator.registry import park
from hazwatch.simulator.te_points import TE_POINTS
from hazwatch.simulator.tennessee import LivePlant
from hazwatch.stream import packed
from hazwatch.vocabulary.colours import Colour

STEP_H = 0.01
STEP_MS = 36_000
ONSET_H, LENGTH_H = 4.0, 34.0
UNIT = SERVICES["production-unit"]
CALM_FAULTS = (1, 4, 11, 13, 14, 18, 20)
T0 = 1_795_417_200_000
_SOURCE = next(s for s in park().sources if "田纳西" in s.name)
_ROWS = [p for p in park().points if p.code.startswith(_SOURCE.code)]
P = len(TE_POINTS)
#: Measured values that the multivariate model watches: measurements and valves, no analyses (they come late), no trip.
WATCHED = [n for n, p in enumerate(TE_POINTS) if p.quantity not in ("ZF", "KG")]
SPAN = np.array([p.span[1] - p.span[0] for p in TE_POINTS])


def limits() -> Limits:
    """Limits as the simulator's park has them."""
    nan = float("nan")
    threshold = np.array([[nan if v is None else v for v in (p.ll, p.l, p.h, p.hh)] for p in _ROWS])
    ms = [(round(1000 * (p.on_delay_s or 0)), round(1000 * (p.off_delay_s or 0))) for p in _ROWS]
    on, off = (np.array(column, np.int64) for column in zip(*ms, strict=True))
    return Limits(1, threshold, np.array([p.deadband or 0.0 for p in _ROWS]), on, off)


def run(idv: int, seed: int) -> np.ndarray:
    """Rows of 54 values every 36 plant seconds; the disturbance begins after 4 h. Ends 30 h later or with the trip."""
    plant, rows = LivePlant(seed=seed), []
    for k in range(round(LENGTH_H / STEP_H)):
        if idv and k == round(ONSET_H / STEP_H):
            plant.disturb(idv)
        rows.append(plant.advance(STEP_H))
        if plant.tripped:
            break
    return np.array(rows)


@dataclass(frozen=True)
class Seen:
    """A run as the node sees it, by step: levels of the points, inputs of the model, scores, colours shown."""

    level: np.ndarray
    value: np.ndarray
    scores: Scores
    colour: np.ndarray


def inputs(rows: np.ndarray, pca: Pca | None) -> tuple[np.ndarray, np.ndarray]:
    """Levels int8[N, P] and inputs of the production-unit model float64[N, F], minutes for what stands."""
    n, lim, at = len(rows), limits(), COLUMN[UNIT.id]
    state, window, quality = fresh(P), Window(P), Indicators()
    quality.know(["unit"])
    begun, second = np.full(P, -1), np.full(P, -1)
    level = np.zeros((n, P), np.int8)
    default, _ = blank(UNIT)
    value = np.tile(default, (n, 1))
    for name in (
        "first_other",
        "first_combustible",
        "first_toxic",
        "second_other",
        "second_combustible",
        "second_toxic",
    ):
        value[:, at[name]] = NONE
    value[:, at["r"]], value[:, at["usable"]], value[:, at["level"]] = _SOURCE.r, 1.0, _SOURCE.level
    points = np.arange(P, dtype=np.uint32)
    for k in range(n):
        ts = T0 + k * STEP_MS
        judge(state, lim, SampleBatch(points, np.full(P, ts, np.int64), rows[k], np.zeros(P, np.uint8)))
        now = packed.levels(state, points)
        level[k] = now
        for p in np.flatnonzero((now != 0) != (begun >= 0)).tolist():
            (quality.begin if now[p] else quality.end)("unit", p, ts)
            begun[p] = ts if now[p] else -1
        second = np.where(np.abs(now) == 2, np.where(second < 0, ts, second), -1)
        window.add(ts, rows[k])
        _fill(value[k], at, now, begun, ts, window, lim)
        for name, v in quality.of("unit", P, ts).items():
            value[k, at[name]] = v
    if pca is not None:
        smooth = median3(rows[:, WATCHED])
        value[:, at["t2"]], value[:, at["spe"]] = ratios(pca, smooth)
    return level, value


def _fill(row: np.ndarray, at: dict, now: np.ndarray, begun: np.ndarray, ts: int, window: Window, lim: Limits) -> None:
    for name, which in (("first_other", np.abs(now) == 1), ("second_other", np.abs(now) == 2)):
        which[-1] = False
        if which.any():
            row[at[name]] = (ts - begun[which].min()) / 60_000
    if now[-1]:
        row[at["trip"]] = (ts - begun[-1]) / 60_000
    row[at["alarming"]] = np.count_nonzero(now)
    near = [
        tau for p, (tau, _) in window.approaches(lim.threshold, SPAN, DEFAULT.time_horizon_min).items() if not now[p]
    ]
    if near:
        row[at["to_limit"]] = max(0.0, min(near))
    recent = window.recent(P)
    with np.errstate(invalid="ignore", divide="ignore"):
        high = (recent - lim.threshold[:, 2]) / (lim.threshold[:, 3] - lim.threshold[:, 2])
        low = (lim.threshold[:, 1] - recent) / (lim.threshold[:, 1] - lim.threshold[:, 0])
    share = np.nan_to_num(np.fmax(high, low), nan=0.0, posinf=0.0, neginf=0.0).max()
    row[at["trip_share"]] = min(1.0, max(0.0, float(share)))


def median3(rows: np.ndarray) -> np.ndarray:
    """The median of each value and the two before it."""
    padded = np.concatenate([rows[:1], rows[:1], rows])
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def seen(rows: np.ndarray, pca: Pca | None, k: Configuration = DEFAULT) -> Seen:
    """Judge and score a run."""
    level, value = inputs(rows, pca)
    scores = evaluate(UNIT, value, np.zeros_like(value), k)
    held, colours = Held(Colour.NONE), []
    for n in range(len(rows)):
        held = hold(held, float(scores.score[n]), Colour(int(scores.colour[n])), scores.floor(n), T0 + n * STEP_MS, k)
        colours.append(int(held.colour))
    return Seen(level, value, scores, np.array(colours))
