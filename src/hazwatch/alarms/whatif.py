"""Pure: what other limits, deadbands and delays would have done to an alarm log.

Both logs cover the same period and the same points. Alarms of one tag that follow each other within ``gap_ms`` are one
*episode*: the first alarm of an episode is what must not be lost or come late, the rest is noise about the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hazwatch.alarms.journal import FOREVER, AlarmLog, Ints, Spans, spans
from hazwatch.vocabulary.moments import MINUTE

GAP_MS = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """Something that really happened, as a person marked it: it must be announced within its time."""

    tag: str
    begin: int
    end: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Episodes:
    """N episodes: tag (index into ``tags``), first activation, and the end of standing (``FOREVER`` = it stands)."""

    tag: Ints
    begin: Ints
    end: Ints
    tags: Sequence[str]

    def __len__(self) -> int:
        return len(self.begin)


@dataclass(frozen=True, slots=True)
class FirstAlarms:
    """What became of each episode of the old log.

    Attributes:
        episodes: of the old log.
        delay: how much later (or earlier, negative) its first alarm came, ms; 0 where it is missing, int64[N].
        missing: True where no alarm of the tag stood during the episode any more, bool[N].
    """

    episodes: Episodes
    delay: Ints
    missing: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Announced:
    """A marked event: when it was announced before and after, ms after its begin; None = it was not."""

    event: TrueEvent
    before: int | None
    after: int | None

    @property
    def verdict(self) -> str:
        """``kept``, ``delayed``, ``missed``, or ``never`` when the old limits had missed it too."""
        if self.after is None:
            return "missed" if self.before is not None else "never"
        return "delayed" if self.before is not None and self.after > self.before else "kept"


@dataclass(frozen=True, slots=True)
class Saved:
    """Activations of one tag before and after."""

    tag: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Old log against new."""

    before: int
    after: int
    first: FirstAlarms
    events: tuple[Announced, ...]
    tags: tuple[Saved, ...]

    @property
    def saved_share(self) -> float:
        """Share of activations that would not have come."""
        return (self.before - self.after) / self.before if self.before else 0.0


def compare(
    before: AlarmLog, after: AlarmLog, start: int, end: int, events: Sequence[TrueEvent] = (), gap_ms: int = GAP_MS
) -> Comparison:
    """Compare two logs of one period.

    Args:
        before, after: the logs; they may begin before ``start``.
        start, end: the period [start, end), epoch ms; what began before it is not counted.
        events: marked true events.
        gap_ms: silence that separates two episodes of a tag.
    """
    old, new = spans(before), spans(after)
    old_counts, new_counts = _by_tag(before, old, start, end), _by_tag(after, new, start, end)
    names = sorted(old_counts.keys() | new_counts.keys(), key=lambda tag: (-old_counts.get(tag, 0), tag))
    return Comparison(
        sum(old_counts.values()), sum(new_counts.values()),
        first_alarms(_within(episodes(before, gap_ms), start, end), after, gap_ms),
        tuple(Announced(e, _announced(before, old, e), _announced(after, new, e)) for e in events),
        tuple(Saved(tag, old_counts.get(tag, 0), new_counts.get(tag, 0)) for tag in names),
    )  # fmt: skip


def episodes(log: AlarmLog, gap_ms: int = GAP_MS) -> Episodes:
    """Runs of alarms of one tag with less silence than ``gap_ms`` between them."""
    of_tag, tags = log.tags()
    kept = spans(log)
    tag = of_tag[kept.alarm] if len(kept.alarm) else kept.alarm
    order = np.lexsort((kept.begin, tag))
    tag, begin, end = tag[order], kept.begin[order], kept.end[order]
    if not len(tag):
        return Episodes(tag, begin, end, tags)
    reached = _reached(tag, end)
    fresh = np.ones(len(tag), np.bool_)
    fresh[1:] = (tag[1:] != tag[:-1]) | (begin[1:] - reached[:-1] > gap_ms)
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(tag)) - 1
    return Episodes(tag[first], begin[first], reached[last], tags)


def _reached(tag: Ints, end: Ints) -> Ints:
    """Latest end so far within each tag (tags in ascending order)."""
    out = end.copy()
    for part in np.split(np.arange(len(tag)), np.flatnonzero(np.diff(tag)) + 1):
        out[part] = np.maximum.accumulate(end[part])
    return out


def _within(found: Episodes, start: int, end: int) -> Episodes:
    keep = (found.begin >= start) & (found.begin < end)
    return Episodes(found.tag[keep], found.begin[keep], found.end[keep], found.tags)


def first_alarms(old: Episodes, after: AlarmLog, gap_ms: int = GAP_MS) -> FirstAlarms:
    """Find the first alarm of every old episode in the new log."""
    new = episodes(after, 0)
    number = {tag: k for k, tag in enumerate(new.tags)}
    delay = np.zeros(len(old), np.int64)
    missing = np.ones(len(old), np.bool_)
    for tag in np.unique(old.tag).tolist():
        mine = np.flatnonzero(old.tag == tag)
        theirs = np.flatnonzero(new.tag == number.get(old.tags[tag], -1))
        if not len(theirs):
            continue
        begin, end = new.begin[theirs], new.end[theirs]
        # The first that still stood at, or began after, the old first alarm.
        k = np.searchsorted(end, old.begin[mine], "right")
        there = k < len(theirs)
        at = begin[np.minimum(k, len(theirs) - 1)]
        near = there & (at <= old.end[mine])
        delay[mine[near]] = np.maximum(at[near] - old.begin[mine[near]], -gap_ms)
        missing[mine] = ~near
    return FirstAlarms(old, delay, missing)


def _by_tag(log: AlarmLog, kept: Spans, start: int, end: int) -> dict[str, int]:
    of_tag, tags = log.tags()
    inside = (kept.begin >= start) & (kept.begin < end)
    counts = np.bincount(of_tag[kept.alarm[inside]], minlength=len(tags)) if inside.any() else np.zeros(0, np.int64)
    return {tags[k]: int(counts[k]) for k in np.flatnonzero(counts).tolist()}


def _announced(log: AlarmLog, kept: Spans, event: TrueEvent) -> int | None:
    """How long after its begin an event was announced; 0 when the alarm stood already."""
    mine = np.array([tag == event.tag for tag, _ in log.names], np.bool_)
    if not len(kept.alarm) or not mine.any():
        return None
    near = mine[kept.alarm] & (kept.begin <= event.end) & (kept.end > event.begin)
    return int(max(kept.begin[near].min() - event.begin, 0)) if near.any() else None


def comparison_form(found: Comparison, most: int = 20) -> dict[str, object]:
    """A comparison in the form of the API: distribution of delays, worst ones, missing ones, marked events, by tag."""
    first = found.first
    there = ~first.missing
    delays = first.delay[there]
    late = delays[delays > 0]
    worst = np.flatnonzero(there & (first.delay > 0))
    worst = worst[np.argsort(-first.delay[worst], kind="stable")][:most]
    gone = np.flatnonzero(first.missing)
    length = np.minimum(first.episodes.end, FOREVER) - first.episodes.begin
    gone = gone[np.argsort(-length[gone], kind="stable")]
    edges = (0, 5, 15, 30, 60, 300, 900)
    bins = np.searchsorted(np.array(edges) * 1000, late, "left")
    return {
        "before": found.before, "after": found.after, "saved": found.before - found.after,
        "saved_share": found.saved_share, "episodes": len(first.episodes),
        "first_alarms": {
            "same": int((delays == 0).sum()), "earlier": int((delays < 0).sum()), "later": len(late),
            "missing": int(first.missing.sum()),
            "p50_s": _quantile(late, 0.5), "p95_s": _quantile(late, 0.95),
            "worst_s": float(late.max() / 1000) if len(late) else 0.0,
            "histogram": [
                {"above_s": low, "up_to_s": high, "count": int((bins == k + 1).sum())}
                for k, (low, high) in enumerate(zip(edges, (*edges[1:], None), strict=True))
            ],
            "worst": [_episode(first, k) | {"delay_s": float(first.delay[k] / 1000)} for k in worst.tolist()],
            "gone": [_episode(first, k) for k in gone[:most].tolist()],
        },
        "events": [
            {"tag": a.event.tag, "begin": a.event.begin, "end": a.event.end, "note": a.event.note,
             "before_s": None if a.before is None else a.before / 1000,
             "after_s": None if a.after is None else a.after / 1000, "verdict": a.verdict}
            for a in found.events
        ],
        "events_missed": sum(a.verdict == "missed" for a in found.events),
        "events_delayed": sum(a.verdict == "delayed" for a in found.events),
        "tags": [{"tag": t.tag, "before": t.before, "after": t.after} for t in found.tags[: 5 * most]],
        "tag_count": len(found.tags),
    }  # fmt: skip


def _quantile(values: Ints, share: float) -> float:
    return float(np.quantile(values, share) / 1000) if len(values) else 0.0


def _episode(first: FirstAlarms, k: int) -> dict[str, object]:
    found = first.episodes
    end = int(found.end[k])
    return {
        "tag": found.tags[int(found.tag[k])], "begin": int(found.begin[k]), "end": None if end >= FOREVER else end,
        "seconds": None if end >= FOREVER else (end - int(found.begin[k])) / 1000,
    }  # fmt: skip
