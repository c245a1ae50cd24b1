"""Pure: how likely S reaches a bound within 1, 4 and 24 hours, from forecasts of the x of its terms (never of S alone).

Every point with limits walks on from where its trend line is: a damped drift and a spread that grows with the square
root of time, both from its last hours. The chance that it reaches a limit is that of a random walk touching a line
(reflection principle). A point that reaches a limit passes through "no time left" (T) and then alarms (A); what the
other terms say stays as it is. The raw chance is mapped to observed frequencies by a logistic curve whose figures were
learned on runs of their own (docs/models.md), with an interval from how often such a forecast came true there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk.configuration import Configuration

HORIZONS_H = (1, 4, 24)
#: The past that is looked at, one value every ten minutes: four hours.
KEPT = 24
STEP_MIN = 10.0
#: A trend goes on for half an hour and no longer; after that only chance moves a point.
_DAMPED_H = 0.5
_TINY = 1e-9
_EDGE = 1e-4
_STEEPEST = 3.0


@dataclass(frozen=True, slots=True)
class Curve:
    """How raw chances become probabilities: logit(p) = a + b · logit(raw), and the intervals seen by classes of p."""

    a: float
    b: float
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


#: The identity: a raw chance as it is.
PLAIN = Curve(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Walk:
    """How P points move: where each is, its drift an hour, its spread a step of ten minutes and over the past."""

    now: NDArray[np.float64]
    per_hour: NDArray[np.float64]
    spread: NDArray[np.float64]
    wide: NDArray[np.float64]


def walk(past: NDArray[np.float64]) -> Walk:
    """From values every ten minutes, oldest first, float64[P, K], K ≥ 6; a point with a gap is not forecast (NaN)."""
    steps = np.diff(past, axis=1)
    # Robust: one wild value makes two wild steps among many.
    spread = 1.4826 * np.median(np.abs(steps - np.median(steps, axis=1, keepdims=True)), axis=1)
    now = np.median(past[:, -3:], axis=1)
    slope = now - np.median(past[:, -6:-3], axis=1)
    return Walk(now, slope / (3 * STEP_MIN / 60), spread, past.std(axis=1))


def unbroken(past: NDArray[np.float64]) -> int:
    """From which column on most points have a value in every column; a point with a gap is not forecast.

    Args:
        past: float64[P, K], NaN = none.
    """
    broken = np.flatnonzero(np.isnan(past).mean(axis=0) > 0.5) if len(past) else np.zeros(0)  # noqa: PLR2004  # most
    return int(broken[-1]) + 1 if len(broken) else 0


#: The model on whose runs the curves were learned; for the others they are borrowed, and the page says so.
LEARNED_ON = "production-unit"
#: Learned on the calibration seeds of bench/warning.py: (colour of the bound, hours) → curve.
CURVES: Mapping[tuple[str, int], Curve] = {
    ("orange", 1): Curve(
        -1.908, 0.218, (0.026, 0.133, 0.128, 0.025, 0.246, 0.391, 0.0, 0.0, 0.0, 0.0),
        (0.03, 0.168, 0.244, 0.475, 1.0, 0.485, 1.0, 1.0, 1.0, 1.0),
    ),
    ("orange", 4): Curve(
        -1.209, 0.286, (0.055, 0.12, 0.42, 0.369, 0.258, 0.127, 0.0, 0.246, 0.566, 0.0),
        (0.064, 0.134, 0.48, 0.464, 0.441, 0.484, 0.637, 1.0, 0.661, 1.0),
    ),
    ("orange", 24): Curve(
        -0.803, 0.451, (0.0, 0.247, 0.306, 0.254, 0.5, 0.8, 0.878, 0.897, 0.363, 0.863),
        (1.0, 0.546, 0.349, 0.286, 0.612, 0.938, 1.0, 1.0, 1.0, 0.989),
    ),
    ("red", 1): Curve(
        -3.527, 0.262, (0.006, 0.122, 0.138, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (0.008, 0.656, 0.206, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ),
    ("red", 4): Curve(
        -2.251, 0.246, (0.023, 0.132, 0.177, 0.363, 0.0, 0.253, 0.0, 0.0, 0.0, 0.0),
        (0.026, 0.18, 0.381, 1.0, 0.521, 0.339, 1.0, 1.0, 1.0, 1.0),
    ),
    ("red", 24): Curve(
        -0.97, 0.708, (0.047, 0.096, 0.282, 0.553, 0.607, 0.544, 0.502, 0.367, 0.341, 0.799),
        (0.065, 0.121, 0.353, 0.676, 0.787, 0.742, 0.737, 0.667, 0.709, 0.911),
    ),
}  # fmt: skip


def reaches(moving: Walk, threshold: NDArray[np.float64], hours: float) -> NDArray[np.float64]:
    """The chance of each point to reach each of its limits within some hours, float64[P, 4]; 0 where there is none.

    Args:
        moving: how P points move.
        threshold: LL L H HH, NaN = none, float64[P, 4].
        hours: the horizon.
    """
    now = moving.now
    out = np.zeros((len(now), 4))
    drift = moving.per_hour * min(hours, _DAMPED_H)
    sigma = np.maximum(np.maximum(moving.spread * math.sqrt(hours * 60 / STEP_MIN), moving.wide), _TINY)
    for column, sign in ((0, -1.0), (1, -1.0), (2, 1.0), (3, 1.0)):
        distance = sign * (threshold[:, column] - now) - np.maximum(sign * drift, 0.0)
        chance = np.where(distance <= 0, 1.0, _touch(distance / sigma))
        out[:, column] = np.where(np.isnan(threshold[:, column]) | np.isnan(now + sigma), 0.0, chance)
    return np.nan_to_num(out)


def _touch(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """2·Φ(−z): a walk that ends beyond a line, or has been there."""
    return np.asarray(2 * 0.5 * np.array([math.erfc(one / math.sqrt(2)) if one < 40 else 0.0 for one in z]))  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Standing:
    """A unit as it is: B, x by term in the order of the weights (A first, T second), worst second-limit factor."""

    base: float
    x: Mapping[str, float]


def chance(
    standing: Standing, first: Sequence[float], second: Sequence[float], bound: float, k: Configuration
) -> float:
    """The raw chance that S reaches a bound, given the chances of points to reach a first or second limit.

    ``first`` are the points within their limits, ``second`` those not yet beyond their second one: what stands is in x.

    A point's chances depend on each other only as far as the worst decides: the largest single chance is the least,
    independence the most; the geometric middle of the two is taken.
    """
    if score(standing, {}, k) >= bound:
        return 1.0
    at_first = score(standing, {"A": k.first_set_point * (1 + k.growth / 2), "T": 1.0}, k)
    at_second = score(standing, {"A": k.second_set_point * (1 + k.growth / 4), "T": 1.0}, k)
    if at_first >= bound:
        return _any(first)
    return _any(second) if at_second >= bound else 0.0


def _any(chances: Sequence[float]) -> float:
    if not len(chances):
        return 0.0
    least, most = max(chances), 1 - math.prod(1 - min(c, 1.0) for c in chances)
    return min(1 - _EDGE, math.sqrt(max(0.0, least * most)))


def outlook(
    standing: Standing, past: NDArray[np.float64], threshold: NDArray[np.float64], level: NDArray[np.integer],
    k: Configuration,
) -> list[dict[str, float]]:  # fmt: skip
    """Probabilities of 橙 and 红 by horizon, with their intervals, as plain data.

    Args:
        standing: the unit as it is.
        past: values every ten minutes, oldest first, float64[P, K], K ≥ 6.
        threshold: LL L H HH, float64[P, 4]. level: of now, −2…2, [P].
        k: configuration.
    """
    moving, out = walk(past), []
    for hours in HORIZONS_H:
        chances = reaches(moving, threshold, hours)
        first = np.maximum(chances[:, 1], chances[:, 2])[level == 0].tolist()
        second = np.maximum(chances[:, 0], chances[:, 3])[np.abs(level) < 2].tolist()  # noqa: PLR2004  # second set point
        row: dict[str, float] = {"hours": float(hours)}
        for name, bound in (("orange", k.orange), ("red", k.red)):
            told = calibrated(chance(standing, first, second, bound, k), CURVES[name, hours])
            row |= {f"{name}{part}": round(p, 3) for part, p in zip(("", "_low", "_high"), told, strict=True)}
        out.append(row)
    return out


def score(standing: Standing, raised: Mapping[str, float], k: Configuration) -> float:
    """S with some terms raised."""
    rest = 1 - standing.base
    for term, x in standing.x.items():
        rest *= 1 - k.weights[term] * min(1.0, max(x, raised.get(term, 0.0)))
    return 100 * (1 - rest)


def calibrated(raw: float, curve: Curve) -> tuple[float, float, float]:
    """Probability and interval."""
    if raw >= 1.0:
        return 1.0, 1.0, 1.0
    clipped = min(1 - _EDGE, max(_EDGE, raw))
    logit = curve.a + curve.b * math.log(clipped / (1 - clipped))
    p = 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
    if not curve.low:
        return p, 0.0, 1.0
    place = min(len(curve.low) - 1, int(p * len(curve.low)))
    return p, min(p, curve.low[place]), max(p, curve.high[place])


def learn(raw: NDArray[np.float64], came: NDArray[np.bool_], classes: int = 10) -> Curve:
    """Fit a curve to forecasts and what came of them (logistic regression by Newton's method), with intervals.

    Args:
        raw: raw chances below 1, float64[N]. came: whether the bound was reached, bool[N].
        classes: of p, for the intervals (Jeffreys, 90 %).
    """
    clipped = np.clip(raw, _EDGE, 1 - _EDGE)
    x = np.log(clipped / (1 - clipped))
    a, b = 0.0, 1.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-(a + b * x)))
        w = np.maximum(p * (1 - p), _TINY)
        # A little ridge towards the identity keeps it finite where events and non-events part cleanly.
        gradient = np.array([(came - p).sum() - 0.1 * a, ((came - p) * x).sum() - 0.1 * (b - 1)])
        hessian = np.array([[w.sum() + 0.1, (w * x).sum()], [(w * x).sum(), (w * x * x).sum() + 0.1]])
        step = np.clip(np.linalg.solve(hessian, gradient), -0.5, 0.5)
        a, b = a + float(step[0]), min(_STEEPEST, max(0.0, b + float(step[1])))
        if np.abs(step).max() < 1e-8:  # noqa: PLR2004  # converged
            break
    p = 1 / (1 + np.exp(-(a + b * x)))
    low, high = [], []
    for c in range(classes):
        mine = (p >= c / classes) & (p < (c + 1) / classes)
        n, hits = int(mine.sum()), int(came[mine].sum())
        rate = (hits + 0.5) / (n + 1)
        half = 1.645 * math.sqrt(rate * (1 - rate) / (n + 1))
        low.append(max(0.0, rate - half) if n else 0.0)
        high.append(min(1.0, rate + half) if n else 1.0)
    return Curve(a, b, tuple(low), tuple(high))
