"""HW-1, first cut: the terms B, A and T, colours, aggregation (domain/risk.md §3–5). Pure.

    S = 100 · [1 − (1 − B) · Π_k (1 − w_k · x_k)]

A noisy-OR: every term only ever raises S, the order of terms does not matter, and S stays within 0…100. The weights
have no public source; they are this product's own and every result shows them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import CHINA, from_ms

MODEL_ID = "HW-1"
VERSION = "1.0"
MINUTE_MS = 60_000
TOXIC, COMBUSTIBLE, OTHER = "toxic", "combustible", "other"


@dataclass(frozen=True, slots=True)
class Weights:
    """Configuration of the model. Its hash travels with every result."""

    base: float = 0.05
    base_span: float = 0.25
    base_r_full: float = 401.0
    w_alarm: float = 0.80
    w_time: float = 0.60
    first_set_point: float = 0.4
    second_set_point: float = 0.7
    toxic_factor: float = 1.25
    combustible_factor: float = 1.15
    half_life_min: float = 10.0
    two_detectors: float = 0.9
    time_horizon_min: float = 30.0
    red: float = 80.0
    orange: float = 60.0
    yellow: float = 40.0
    blue: float = 20.0
    fall_margin: float = 5.0
    fall_after_min: float = 30.0
    floor_two_detectors_min: float = 5.0
    floor_unacknowledged_min: float = 15.0

    def digest(self) -> str:
        """SHA-256 of the configuration, 12 hex digits."""
        text = repr(sorted(asdict(self).items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ActiveAlarm:
    """A standing process alarm as the model sees it.

    Attributes:
        point, point_name: of the alarm.
        equipment: code of its equipment (two detectors are two pieces of equipment).
        level: current level.
        kind: ``toxic``, ``combustible`` or ``other``.
        since: event time of the excursion's begin, epoch ms.
        second_since: since when the second set point stands, None when it does not.
        acknowledged: whether somebody has seen it.
    """

    point: str
    point_name: str
    equipment: str
    level: Level
    kind: str
    since: int
    second_since: int | None
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Approach:
    """A point that moves towards a limit.

    Attributes:
        point_name: of the point.
        minutes: time until the limit at the present slope.
        level: which limit.
    """

    point_name: str
    minutes: float
    level: Level


@dataclass(frozen=True, slots=True)
class Term:
    """One factor of the score. ``contribution`` = S − S with this term at 0."""

    id: str
    name: str
    x: float
    weight: float
    contribution: float
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """A scored object before hysteresis."""

    score: float
    colour: Colour
    floor: Colour
    terms: tuple[Term, ...]
    reason: str


def inherent(r: float, weights: Weights) -> float:
    """B from GB 18218 R: 0.05 + 0.25 · min(1, log10(1+R) / log10(401)). Not a source (R ≤ 0): the base alone."""
    share = min(1.0, math.log10(1 + max(0.0, r)) / math.log10(weights.base_r_full))
    return weights.base + weights.base_span * share


def alarm_state(alarms: Sequence[ActiveAlarm], now: int, weights: Weights) -> tuple[float, str]:
    """X of term A and its reason.

    The x of the set point holds at once. Of the room that is left above it, a quarter fills with duration:
    1 − 2^(−t / half-life).
    """
    if not alarms:
        return 0.0, "无报警"
    worst, why = 0.0, ""
    for alarm in alarms:
        x = weights.second_set_point if alarm.level.severity > 1 else weights.first_set_point
        x *= {TOXIC: weights.toxic_factor, COMBUSTIBLE: weights.combustible_factor}.get(alarm.kind, 1.0)
        x = min(1.0, x)
        minutes = max(0.0, (now - alarm.since) / MINUTE_MS)
        x += 0.25 * (1 - x) * (1 - 2 ** (-minutes / weights.half_life_min))
        if x > worst:
            worst, why = x, f"{alarm.point_name}{alarm.level.zh}报警,始于 {_minute(alarm.since)}"
    gas = [a for a in alarms if a.kind in (TOXIC, COMBUSTIBLE)]
    if any(_two_detectors(a, b) for a, b in combinations(gas, 2)):
        worst = max(worst, weights.two_detectors)
        why = f"{len({a.point for a in gas})} 个气体检测点同时报警;{why}"
    return min(1.0, worst), why


def _two_detectors(a: ActiveAlarm, b: ActiveAlarm) -> bool:
    """Whether two gas alarms come from two sensors: different devices, or two points of one kind.

    A device that measures one gas as poison and as fuel has two points, but is one witness.
    """
    return a.point != b.point and (a.equipment != b.equipment or a.kind == b.kind)


def _minute(ms: int) -> str:
    """A moment in China's zone, to the minute, for a reason text."""
    return from_ms(ms).astimezone(CHINA).strftime("%m-%d %H:%M")


def time_to_limit(approaches: Sequence[Approach], weights: Weights) -> tuple[float, str]:
    """X of term T: 1 − τ/τ0, the point that is nearest in time decides."""
    nearest = min(approaches, key=lambda a: a.minutes, default=None)
    if nearest is None or nearest.minutes >= weights.time_horizon_min:
        return 0.0, f"{weights.time_horizon_min:.0f} 分钟内无指标到达限值"
    x = min(1.0, max(0.0, 1 - nearest.minutes / weights.time_horizon_min))
    return x, f"{nearest.point_name}按当前趋势约 {nearest.minutes:.0f} 分钟后到达{nearest.level.zh}限"


def colour_of(score: float, weights: Weights) -> Colour:
    """红 S ≥ 80 · 橙 60–<80 · 黄 40–<60 · 蓝 20–<40 · none < 20."""
    for colour, bound in (
        (Colour.RED, weights.red),
        (Colour.ORANGE, weights.orange),
        (Colour.YELLOW, weights.yellow),
        (Colour.BLUE, weights.blue),
    ):
        if score >= bound:
            return colour
    return Colour.NONE


def floor(alarms: Sequence[ActiveAlarm], source_level: int, now: int, weights: Weights) -> tuple[Colour, str]:
    """Direct rules: a colour that the score may not undercut, with its reason ("" = no rule applies).

    Args:
        alarms: standing process alarms of the source.
        source_level: 一级 1 … 四级 4.
        now: event time.
        weights: configuration.
    """
    gas_second = [a for a in alarms if a.kind in (TOXIC, COMBUSTIBLE) and a.second_since is not None]
    window = weights.floor_two_detectors_min * MINUTE_MS
    close = any(
        _two_detectors(a, b) and abs((a.second_since or 0) - (b.second_since or 0)) <= window
        for a, b in combinations(gas_second, 2)
    )
    if source_level in (1, 2) and close:
        return Colour.RED, "一、二级重大危险源 2 台以上气体检测仪 5 分钟内先后高高报警"
    if any(a.kind == TOXIC for a in gas_second):
        return Colour.ORANGE, "有毒气体高高报警"
    waiting = weights.floor_unacknowledged_min * MINUTE_MS
    if any(a.second_since is not None and not a.acknowledged and now - a.second_since >= waiting for a in alarms):
        return Colour.YELLOW, "高高/低低报警 15 分钟未确认"
    return Colour.NONE, ""


def score(
    r: float,
    source_level: int,
    alarms: Sequence[ActiveAlarm],
    approaches: Sequence[Approach],
    now: int,
    weights: Weights,
) -> Score:
    """Score one hazard source.

    Args:
        r: R of GB 18218.
        source_level: 1 … 4.
        alarms: standing process alarms of its points.
        approaches: its points that move towards a limit.
        now: event time of the scoring, epoch ms.
        weights: configuration.
    """
    b = inherent(r, weights)
    x_a, why_a = alarm_state(alarms, now, weights)
    x_t, why_t = time_to_limit(approaches, weights)
    factors = {"B": b, "A": weights.w_alarm * x_a, "T": weights.w_time * x_t}
    total = 100 * (1 - math.prod(1 - f for f in factors.values()))
    without = {k: 100 * (1 - math.prod(1 - f for other, f in factors.items() if other != k)) for k in factors}
    low, why_floor = floor(alarms, source_level, now, weights)
    colour = max(colour_of(total, weights), low)
    terms = (
        Term("B", "固有危险性", b, 1.0, total - without["B"], f"R = {r:g}"),
        Term("A", "报警状态", x_a, weights.w_alarm, total - without["A"], why_a),
        Term("T", "到限时间", x_t, weights.w_time, total - without["T"], why_t),
    )
    parts = [text for text, x in ((why_floor, 1.0), (why_a, x_a), (why_t, x_t)) if text and x > 0]
    reason = ";".join(parts) or "无报警,各指标远离限值,仅固有危险性"
    return Score(total, colour, low, terms, reason)


@dataclass(frozen=True, slots=True)
class Held:
    """A colour with its hysteresis: since when the score would allow a lower one (None = it does not)."""

    colour: Colour
    lower_since: int | None = None


def hold(held: Held, new: Score, now: int, weights: Weights) -> Held:
    """Rise at once; fall only after 30 min below (bound − 5) and without a floor."""
    if new.colour >= held.colour:
        return Held(new.colour)
    bounds = {
        Colour.RED: weights.red, Colour.ORANGE: weights.orange, Colour.YELLOW: weights.yellow,
        Colour.BLUE: weights.blue,
    }  # fmt: skip
    below = new.score < bounds[held.colour] - weights.fall_margin and new.floor < held.colour
    if not below:
        return Held(held.colour)
    since = held.lower_since if held.lower_since is not None else now
    if now - since >= weights.fall_after_min * MINUTE_MS:
        return Held(new.colour)
    return Held(held.colour, since)


def enterprise_score(sources: Sequence[tuple[float, Colour]], weights: Weights) -> tuple[float, Colour]:
    """E = min(100, max S + 8·log2(max(1, n60))); never a better colour than the worst source."""
    if not sources:
        return 0.0, Colour.NONE
    n60 = sum(1 for s, _ in sources if s >= weights.orange)
    total = min(100.0, max(s for s, _ in sources) + 8 * math.log2(max(1, n60)))
    return total, max([colour_of(total, weights), *(c for _, c in sources)])


def slope_per_minute(minutes: Sequence[float], values: Sequence[float]) -> float:
    """Theil–Sen slope: the median of the slopes of all pairs. 0 with fewer than two different times."""
    slopes = sorted(
        (values[j] - values[i]) / (minutes[j] - minutes[i])
        for i in range(len(minutes))
        for j in range(i + 1, len(minutes))
        if minutes[j] != minutes[i]
    )
    if not slopes:
        return 0.0
    middle = len(slopes) // 2
    return slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2
