"""HW-1: one form for every service (domain/risk.md §3–5). Pure, for many objects at once.

    S = 100 · [1 − (1 − B) · Π_k (1 − w_k · x_k)]

A noisy-OR: every term only ever raises S, the order of terms does not matter, and S stays within 0…100. The numbers
are this product's own (``configuration``) and every result shows them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk.configuration import Configuration
from hazwatch.risk.features import SERVICES, TERM_COLUMNS, Service
from hazwatch.risk.terms import TERMS, Column, alarm_state, inherent
from hazwatch.vocabulary.colours import Colour

MODEL_ID = "HW-1"
VERSION = "2.0"
MINUTE_MS = 60_000
TOXIC, COMBUSTIBLE, OTHER = "toxic", "combustible", "other"

#: Terms that come from points that may fall silent.
_MONITORED = frozenset("ATMNPXHKGV")
_IS_MONITORED = {s.id: np.array([t in _MONITORED for t in s.terms]) for s in SERVICES.values()}
_OF_TERM = {s.id: {t: np.array(at) for t, at in TERM_COLUMNS[s.id].items()} for s in SERVICES.values()}
#: A score that one spiking sample alone would carry over the bound of 红 stays this far below it.
_SHY = 0.1
_SCORE_DIGITS = 6
_NO_AGE = math.inf
_SECONDS = 60.0

#: Direct rules, in the order in which they are told: (colour, text).
FLOORS: tuple[tuple[Colour, str], ...] = (
    (Colour.RED, "一、二级重大危险源 2 台以上气体检测仪 5 分钟内先后高高报警"),
    (Colour.RED, "液位高高或超压,而切断未确认"),
    (Colour.RED, "视频与工艺参数共同确认火灾"),
    (Colour.ORANGE, "有毒气体高高报警"),
    (Colour.ORANGE, "屏障已旁路,而其变量越过预警限"),
    (Colour.ORANGE, "特级动火作业中,同一危险源可燃气体达到 25 %LEL"),
    (Colour.YELLOW, "高高/低低报警 15 分钟未确认"),
)


@dataclass(frozen=True, slots=True)
class Scores:
    """N scored objects before hysteresis.

    Attributes:
        service: the model.
        base: B, float64[N].
        x: of every term, float64[N, K]; contribution: S − S with the term at 0, float64[N, K + 1], the first of B.
        score: S, float64[N]; sure: S without what may be one spiking sample, float64[N].
        colour: of the score and the floors, int64[N]; floors: which direct rules hold, bool[N, 7].
        confidence: 0…1, float64[N]; unknown: more than half is missing, bool[N].
    """

    service: Service
    base: Column
    x: NDArray[np.float64]
    contribution: NDArray[np.float64]
    score: Column
    sure: Column
    colour: NDArray[np.int64]
    floors: NDArray[np.bool_]
    confidence: Column
    unknown: NDArray[np.bool_]

    def floor(self, n: int) -> Colour:
        """The colour below which the direct rules do not let object ``n`` fall."""
        holding = [colour for (colour, _), holds in zip(FLOORS, self.floors[n], strict=True) if holds]
        return max(holding, default=Colour.NONE)


def evaluate(
    service: Service, value: NDArray[np.float64], age: NDArray[np.float64], configuration: Configuration
) -> Scores:
    """Score N objects.

    Args:
        service: which model.
        value: its inputs in the order of ``service.features``, NaN = missing and never known, float64[N, F].
        age: how long ago each value was last valid, seconds, ≥ 0, float64[N, F].
        configuration: the numbers.
    """
    k = configuration
    unknown = np.isnan(value)
    calm = np.array([f.calm for f in service.features])
    known = np.where(unknown, calm, value)
    columns = {f.id: known[:, n] for n, f in enumerate(service.features)}
    lost = _drift(np.where(unknown, _NO_AGE, age) / _SECONDS, k)
    stale = np.where(unknown, 1.0, np.where(age / _SECONDS > k.hold_min, 1.0, 0.0))
    usable = np.where(unknown[:, service.at("usable")], 0.0, columns["usable"])
    silent = np.where(unknown[:, service.at("usable")], 1.0, columns["silent"])

    base = inherent(columns, k)
    x = np.column_stack([TERMS[t](columns, k) for t in service.terms])
    weights = np.array([k.weights[t] for t in service.terms])
    priors = np.array([k.priors[t] for t in service.terms])
    drifted = np.column_stack([lost[:, _OF_TERM[service.id][t]].mean(axis=1) for t in service.terms])
    drifted = np.maximum(drifted, np.where(_IS_MONITORED[service.id], silent[:, None], 0.0))
    assumed = np.round(priors * drifted, _SCORE_DIGITS)
    sure_alarm = np.maximum(alarm_state(columns, k, confirmed=True), assumed[:, 0])
    x = np.maximum(x, assumed)
    score, sure = _total(base, x, sure_alarm, weights, k)
    floors = _floors(columns, k)
    colour = np.maximum(colours(score, k), _floor_colour(floors))
    gone = np.column_stack([stale[:, _OF_TERM[service.id][t]].mean(axis=1) for t in service.terms])
    confidence = np.round(usable * (1 - (gone * weights).sum(axis=1) / max(weights.sum(), 1e-9)), 4)
    return Scores(
        service, base, x, _contributions(base, x, sure_alarm, weights, k, score), score, sure, colour, floors,
        confidence, confidence < k.unknown_below,
    )  # fmt: skip


def _drift(minutes: NDArray[np.float64], k: Configuration) -> NDArray[np.float64]:
    """How much of an input is lost: nothing for 5 min, then more and more of it."""
    over = np.maximum(minutes - k.hold_min, 0.0)
    return np.round(1 - np.exp2(-over / k.drift_half_life_min), _SCORE_DIGITS)


def _total(
    base: Column, x: NDArray[np.float64], sure_alarm: Column, weights: NDArray[np.float64], k: Configuration
) -> tuple[Column, Column]:
    """S, and S without what may be one spiking sample; S does not cross the bound of 红 by such a sample alone."""
    rest = 1 - base
    for n in range(1, len(weights)):
        rest = rest * (1 - weights[n] * x[:, n])
    score = np.round(100 * (1 - rest * (1 - weights[0] * x[:, 0])), _SCORE_DIGITS)
    sure = np.round(100 * (1 - rest * (1 - weights[0] * sure_alarm)), _SCORE_DIGITS)
    return np.where((score >= k.red) & (sure < k.red), np.maximum(sure, k.red - _SHY), score), sure


def _contributions(
    base: Column, x: NDArray[np.float64], sure_alarm: Column, weights: NDArray[np.float64], k: Configuration,
    score: Column,
) -> NDArray[np.float64]:  # fmt: skip
    without = [_total(np.zeros_like(base), x, sure_alarm, weights, k)[0]]
    for n in range(len(weights)):
        less = x.copy()
        less[:, n] = 0.0
        without.append(_total(base, less, sure_alarm if n else np.zeros_like(base), weights, k)[0])
    return np.round(score[:, None] - np.column_stack(without), _SCORE_DIGITS)


def colours(score: Column, k: Configuration) -> NDArray[np.int64]:
    """红 S ≥ 80 · 橙 60–<80 · 黄 40–<60 · 蓝 20–<40 · none < 20."""
    return np.searchsorted([k.blue, k.yellow, k.orange, k.red], score, side="right").astype(np.int64)


def colour_of(score: float, k: Configuration) -> Colour:
    """The same for one."""
    return Colour(int(colours(np.array([score]), k)[0]))


def _floors(c: Mapping[str, Column], k: Configuration) -> NDArray[np.bool_]:
    big = (c["level"] >= 1) & (c["level"] <= 2)  # noqa: PLR2004  # 一、二级
    return np.column_stack(
        [
            big & (c["gas_pair_second"] >= 1),
            (c["uncut"] >= 0) & (c["uncut"] * _SECONDS >= k.floor_cut_off_s),
            c["fire"] >= 1,
            (c["second_toxic"] >= 0) | (c["toxic_floor"] >= 1),
            c["bypass_beyond"] >= 1,
            (c["work_hot_special"] > 0) & (c["lel"] >= k.floor_hot_work_lel),
            (c["unseen"] >= 0) & (c["unseen"] >= k.floor_unacknowledged_min),
        ]
    )


def _floor_colour(floors: NDArray[np.bool_]) -> NDArray[np.int64]:
    worst = np.array([int(colour) for colour, _ in FLOORS])
    return np.asarray((floors * worst).max(axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class Held:
    """A colour with its hysteresis: since when the score would allow a lower one (None = it does not)."""

    colour: Colour
    lower_since: int | None = None


def hold(held: Held, score: float, colour: Colour, floor: Colour, now: int, k: Configuration) -> Held:
    """Rise at once; fall only after 30 min below (bound − 5) and without a floor.

    Args:
        held: what is shown so far.
        score, colour, floor: of now; colour has the floor in it.
        now: epoch ms.
        k: configuration.
    """
    if colour >= held.colour:
        return Held(colour)
    below = score < k.bounds[held.colour] - k.fall_margin and floor < held.colour
    if not below:
        return Held(held.colour)
    since = held.lower_since if held.lower_since is not None else now
    if now - since >= k.fall_after_min * MINUTE_MS:
        return Held(colour)
    return Held(held.colour, since)


@dataclass(frozen=True, slots=True)
class Member:
    """An object as its aggregate sees it. ``sure``: its score without what may be one spiking sample."""

    score: float
    colour: Colour
    sure: float


def enterprise_score(sources: Sequence[Member], k: Configuration) -> tuple[float, Colour, float]:
    """E = min(100, max S + 8·log2(max(1, n60))); never a better colour than the worst source.

    Returns:
        Score, colour, and the score without what may be one spiking sample.
    """
    if not sources:
        return 0.0, Colour.NONE, 0.0
    total, sure = (_joined([getattr(s, name) for s in sources], k) for name in ("score", "sure"))
    if total >= k.red > sure:
        total = max(sure, k.red - _SHY)
    return total, max([colour_of(total, k), *(s.colour for s in sources)]), sure


def _joined(scores: Sequence[float], k: Configuration) -> float:
    n60 = sum(1 for s in scores if s >= k.orange)
    return round(min(100.0, max(scores) + k.enterprise_step * math.log2(max(1, n60))), _SCORE_DIGITS)


@dataclass(frozen=True, slots=True)
class ParkScore:
    """A park or region: a score for ranking, a colour for alerting, and counts by colour (never an average colour)."""

    score: float
    colour: Colour
    counts: dict[str, int]


def park_score(enterprises: Sequence[Member], domino_share: float, k: Configuration) -> ParkScore:
    """0.6·max E + 0.25·mean(top 5) + 0.15·domino share, beside the counts; 红 if any enterprise is 红.

    Args:
        enterprises: of the park.
        domino_share: share of its sources with a neighbour in the ring that is 红 or 橙, 0…1.
        k: configuration.
    """
    counts = {c.word: sum(1 for e in enterprises if e.colour is c) for c in reversed(Colour)}
    if not enterprises:
        return ParkScore(0.0, Colour.NONE, counts)
    best = sorted((e.score for e in enterprises), reverse=True)[:5]
    score = k.park_worst * best[0] + k.park_top * math.fsum(best) / len(best) + k.park_domino * 100 * domino_share
    score = round(min(100.0, score), _SCORE_DIGITS)
    worst = max(e.colour for e in enterprises)
    # A maximum alerts: the score of a park only ranks it, and alone it makes no park 红.
    return ParkScore(score, max(worst, min(colour_of(score, k), Colour.ORANGE)), counts)
