"""Pure: the alarm KPIs of design/alarms §4 and the five national indicators (access.md §7), from one log of arrays.

Live rooms, past windows, what-if replays and foreign files all come through ``measure``, so there is no second truth.
Every window is half-open, (t − w, t] looking back or [from, to) on the calendar; every share is of activations unless
it says "of time".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.alarms.floods import STANDARD, FloodRule, Floods, fixed_floods, floods, rate
from hazwatch.alarms.journal import FOREVER, HIGH, URGENT, AlarmLog, Flags, Ints, Spans, spans
from hazwatch.vocabulary.moments import DAY, HOUR, MINUTE, SECOND


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as what; the defaults are those of design/alarms §4 (fleeting and repeat: ours).

    Attributes:
        chatter: so many activations of one alarm within ``chatter_ms`` chatter.
        fleeting_ms: an activation that returns sooner, and does not chatter, is fleeting.
        repeat_ms: an activation within this time after the one before it of the same alarm is a repeat.
        stale_ms: an alarm that stands longer is stale.
        flood: see ``floods``.
        top: length of the list of bad actors; its share is the top-ten share when it is ten.
    """

    chatter: int = 3
    chatter_ms: int = MINUTE
    fleeting_ms: int = 30 * SECOND
    repeat_ms: int = 10 * MINUTE
    stale_ms: int = DAY
    flood: FloodRule = STANDARD
    top: int = 10


@dataclass(frozen=True, slots=True)
class Actor:
    """A tag of the ranking; ``kinds`` are its activations by type."""

    tag: str
    activations: int
    share: float
    chattering: int
    fleeting: int
    standing_ms: int
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class Stale:
    """An alarm that stood longer than the bound at some time in the window; ``end`` None = it still does."""

    tag: str
    kind: str
    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class National:
    """The five national indicators. Their weights and forms are ours; the names are those of the national schema.

    Attributes:
        disturbance: 扰动率, share of time during which at least one alarm of the object stood.
        disturbance_per_point: mean over the points of the share of time in alarm.
        repeat_points, repeats: 重复报警点位数, 重复报警次数: tags that rang more than once; how often beyond the first.
        per_point_day: 平均报警次数, activations a point and day.
        mean_ms: 平均消警时长, mean time from activation to return of what returned.
        longest_ms: 最长报警时间, of what stood in the window, counted inside it.
    """

    disturbance: float
    disturbance_per_point: float
    repeat_points: int
    repeats: int
    per_point_day: float
    mean_ms: float | None
    longest_ms: int


@dataclass(frozen=True, slots=True)
class Kpis:
    """What ``measure`` found. Times in epoch ms, shares in [0, 1]; ``operators`` = positions that share the room."""

    start: int
    end: int
    operators: int
    points: int
    activations: int
    returns: int
    alarms: int
    tags: int
    per_hour: float
    per_day: float
    per_10min: float
    peak: int
    peak_at: int | None
    above_share: float
    floods: Floods
    flood_share: float
    fixed_floods: int
    fixed_flood_share: float
    chatter_share: float
    chattering_alarms: int
    fleeting_share: float
    repeat_share: float
    stale: tuple[Stale, ...]
    standing: int
    top: tuple[Actor, ...]
    top_share: float
    priorities: tuple[int, int, int]
    national: National
    grade: str
    hourly: Ints


def measure(
    log: AlarmLog, start: int, end: int, *, points: int | None = None, operators: int = 1, rules: Rules | None = None,
) -> Kpis:  # fmt: skip
    """All KPIs of a window.

    Args:
        log: may begin before the window: what stands or floods at its start is then known.
        start, end: the window [start, end), epoch ms.
        points: how many points the room watches; None = the tags of the log.
        operators: positions among whom the alarms are shared; rates are per position.
        rules: what counts as what.

    Raises:
        ValueError: the window is empty, or there is no operator.
    """
    if end <= start:
        raise ValueError("时间范围为空:结束时间应晚于开始时间")
    if operators < 1:
        raise ValueError("值守岗位数至少为 1")
    rules = rules or Rules()
    kept = spans(log)
    of_tag, tags = log.tags()
    inside = (kept.begin >= start) & (kept.begin < end)
    times = np.sort(kept.begin)
    counted = times[(times >= start) & (times < end)]
    noisy = chattering(kept, rules)
    fleeting = (kept.end - kept.begin < rules.fleeting_ms) & ~noisy
    total = int(inside.sum())
    staircase = rate(times, rules.flood.window_ms)
    found = _overlapping(floods(times, rules.flood, staircase), start, end)
    fixed, fixed_share = fixed_floods(counted, start, end, rules.flood)
    flood_time = int((np.minimum(found.end, end) - np.maximum(found.start, start)).sum())
    seen = points if points is not None else len(tags)
    stands = kept.fresh & (kept.begin < end) & (kept.end > start)
    top = _ranking(log, kept, inside, noisy, fleeting, (start, end), of_tag, tags)
    per_10min = total / ((end - start) / (10 * MINUTE)) / operators
    peak, peak_at = staircase.peak(start, end)
    above = staircase.share_above(rules.flood.above, start, end)
    priorities = log.priorities()[kept.alarm[inside]] if total else np.zeros(0, np.int64)
    urgent, high = int((priorities == URGENT).sum()), int((priorities == HIGH).sum())
    returned = ~log.active & (log.ts >= start) & (log.ts < end)
    return Kpis(
        start=start, end=end, operators=operators, points=seen, activations=total, returns=int(returned.sum()),
        alarms=len(np.unique(kept.alarm[inside])), tags=len(np.unique(of_tag[kept.alarm[inside]])) if total else 0,
        per_hour=per_10min * 6, per_day=per_10min * 144, per_10min=per_10min, peak=peak, peak_at=peak_at,
        above_share=above, floods=found, flood_share=flood_time / (end - start), fixed_floods=fixed,
        fixed_flood_share=fixed_share, chatter_share=_share(noisy & inside, total),
        chattering_alarms=len(np.unique(kept.alarm[noisy & inside])),
        fleeting_share=_share(fleeting & inside, total), repeat_share=_share(repeating(kept, rules) & inside, total),
        stale=_stale(log, kept, stands, rules, start, end), standing=int((stands & (kept.end >= end)).sum()),
        top=top[: rules.top], top_share=sum(actor.activations for actor in top[: rules.top]) / total if total else 0.0,
        priorities=(urgent, high, total - urgent - high),
        national=_national(kept, stands, inside, of_tag, seen, start, end),
        grade=grade_of(per_10min, peak / operators, above),
        hourly=np.bincount((counted - start) // HOUR, minlength=-(-(end - start) // HOUR)),
    )  # fmt: skip


#: (grade, average in ten minutes, peak in ten minutes, share of time above the flood bound), best first; the worst of
#: the three measures decides. After the five levels of EEMUA 191 [K].
GRADES: tuple[tuple[str, float, float, float], ...] = (
    ("predictive", 0.1, 10, 0.01),
    ("robust", 1, 10, 0.01),
    ("stable", 1, 100, 0.05),
    ("reactive", 10, 1000, 0.25),
)
WORST = "overloaded"
GRADE_ZH = {
    "predictive": "预测型", "robust": "稳健型", "stable": "稳定型", "reactive": "被动应对型", "overloaded": "过载型",
}  # fmt: skip


def grade_of(per_10min: float, peak: float, above_share: float) -> str:
    """The class of a room: overloaded, reactive, stable, robust or predictive."""
    for name, average, most, share in GRADES:
        if per_10min <= average and peak <= most and above_share <= share:
            return name
    return WORST


def _share(flags: Flags, total: int) -> float:
    return float(flags.sum() / total) if total else 0.0


def _overlapping(all_floods: Floods, start: int, end: int) -> Floods:
    near = (all_floods.start < end) & (all_floods.end > start)
    return Floods(
        all_floods.start[near], all_floods.end[near], all_floods.activations[near], all_floods.peak[near]
    )  # fmt: skip


def chattering(kept: Spans, rules: Rules) -> Flags:
    """Activations that belong to a run of ``chatter`` of one alarm within ``chatter_ms``, bool[K]."""
    n, more = len(kept.begin), rules.chatter - 1
    found = np.zeros(n, np.bool_)
    if n > more:
        run = kept.begin[more:] - kept.begin[: n - more] < rules.chatter_ms
        run &= kept.alarm[more:] == kept.alarm[: n - more]
        for shift in range(rules.chatter):
            found[shift : n - more + shift] |= run
    return found


def repeating(kept: Spans, rules: Rules) -> Flags:
    """Activations soon after the one before them of the same alarm, bool[K]."""
    found = np.zeros(len(kept.begin), np.bool_)
    found[1:] = (np.diff(kept.begin) < rules.repeat_ms) & (kept.alarm[1:] == kept.alarm[:-1])
    return found


def _stale(log: AlarmLog, kept: Spans, stands: Flags, rules: Rules, start: int, end: int) -> tuple[Stale, ...]:
    until = np.minimum(kept.end, end)
    long = np.flatnonzero(stands & (until - kept.begin > rules.stale_ms) & (until > start))
    order = long[np.argsort(kept.begin[long], kind="stable")]
    return tuple(
        Stale(*log.names[int(kept.alarm[k])], int(kept.begin[k]), None if kept.end[k] >= end else int(kept.end[k]))
        for k in order
    )


def _ranking(
    log: AlarmLog, kept: Spans, inside: Flags, noisy: Flags, fleeting: Flags, window: tuple[int, int],
    of_tag: Ints, tags: list[str],
) -> tuple[Actor, ...]:  # fmt: skip
    """All tags that rang, most activations first; equal ones by name."""
    per_alarm = np.bincount(kept.alarm[inside], minlength=len(log.names))
    tag = of_tag[kept.alarm] if len(kept.alarm) else kept.alarm
    counts = np.bincount(tag[inside], minlength=len(tags))
    chatter = np.bincount(tag[inside & noisy], minlength=len(tags))
    brief = np.bincount(tag[inside & fleeting], minlength=len(tags))
    length = np.maximum(np.minimum(kept.end, window[1]) - np.maximum(kept.begin, window[0]), 0)
    stood = np.bincount(tag[kept.fresh], weights=length[kept.fresh], minlength=len(tags))
    kinds: dict[int, dict[str, int]] = {}
    for alarm in np.flatnonzero(per_alarm).tolist():
        kinds.setdefault(int(of_tag[alarm]), {})[log.names[alarm][1]] = int(per_alarm[alarm])
    total = int(inside.sum())
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda k: (-int(counts[k]), tags[k]))
    return tuple(
        Actor(tags[k], int(counts[k]), int(counts[k]) / total, int(chatter[k]), int(brief[k]), int(stood[k]), kinds[k])
        for k in order
    )


def _national(
    kept: Spans, stands: Flags, inside: Flags, of_tag: Ints, points: int, start: int, end: int
) -> National:  # fmt: skip
    begin, until = np.maximum(kept.begin[stands], start), np.minimum(kept.end[stands], end)
    tag = of_tag[kept.alarm[stands]] if stands.any() else np.zeros(0, np.int64)
    any_stands = _covered(begin, until, np.zeros(len(begin), np.int64))
    each = _covered(begin, until, tag)
    rang = np.bincount(of_tag[kept.alarm[inside]]) if inside.any() else np.zeros(0, np.int64)
    back = kept.fresh & (kept.end < end) & (kept.end >= start) & (kept.end < FOREVER)
    length = end - start
    return National(
        disturbance=any_stands / length,
        disturbance_per_point=each / length / points if points else 0.0,
        repeat_points=int((rang > 1).sum()),
        repeats=int(np.maximum(rang - 1, 0).sum()),
        per_point_day=int(rang.sum()) / points / (length / DAY) if points else 0.0,
        mean_ms=float((kept.end[back] - kept.begin[back]).mean()) if back.any() else None,
        longest_ms=int((until - begin).max()) if len(begin) else 0,
    )


def _covered(begin: Ints, end: Ints, group: NDArray[np.int64]) -> int:
    """Length of the union of spans, taken in each group by itself and added up."""
    if not len(begin):
        return 0
    # Groups are laid one after the other on one axis, so that one sweep serves all of them.
    low, width = int(begin.min()), int(end.max() - begin.min()) + 1
    shift = group * width - low
    order = np.argsort(begin + shift, kind="stable")
    a, b = (begin + shift)[order], (end + shift)[order]
    reached = np.maximum.accumulate(b)
    before = np.concatenate([[a[0]], reached[:-1]])
    return int(np.maximum(b - np.maximum(a, before), 0).sum())
