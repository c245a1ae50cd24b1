"""Pure: the proposal assistant. Ranks the sources of nuisance and finds for each the smallest change that removes it.

*Nuisance* is an activation that chatters, is fleeting or repeats (``kpi.Rules``). A change is good enough when it
removes at least ``remove`` of the nuisance of its tag and nothing is lost: no first alarm of an episode comes later
than ``bound_ms``, none is missing that stood longer than that, and every marked event is still announced within it. Of
the changes on the ladder the first that is good enough is proposed; the ladder is ordered from the smallest on.

A gas detector never gets an on-delay (design/alarms §2): its ladder has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hazwatch.alarms.journal import AlarmLog, Flags, Spans, spans
from hazwatch.alarms.kpi import Rules, chattering, repeating
from hazwatch.alarms.whatif import Comparison, TrueEvent, compare
from hazwatch.vocabulary.moments import SECOND


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one tag; None = as it is.

    Attributes:
        on_ms, off_ms: new delays.
        deadband: new deadband, share of the span.
        widen: how far the first set points move outwards, share of the span.
    """

    on_ms: int | None = None
    off_ms: int | None = None
    deadband: float | None = None
    widen: float | None = None


#: Replays one tag with a change; the same log as before for a change of nothing.
Replay = Callable[[Change], AlarmLog]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a proposal may do.

    Attributes:
        remove: share of the nuisance that must go.
        bound_ms: no first alarm may come later than this.
        max_off_ms, max_on_ms: longest delays; 0 = none.
        max_deadband: largest deadband, share of the span; 0 = no deadband.
        max_widen: furthest a first set point may move, share of the span; 0 = limits stay.
        least: a tag with fewer nuisance activations is left alone.
    """

    remove: float = 0.8
    bound_ms: int = 30 * SECOND
    max_off_ms: int = 1800 * SECOND
    max_on_ms: int = 0
    max_deadband: float = 0.05
    max_widen: float = 0.0
    least: int = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A source of nuisance."""

    tag: str
    nuisance: int
    activations: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a source; ``change`` None = nothing is good enough, and ``why`` says what failed."""

    source: Source
    change: Change | None
    nuisance_after: int
    comparison: Comparison | None
    why: str


def nuisance(kept: Spans, rules: Rules | None = None) -> Flags:
    """Which activations are nuisance, bool[K]."""
    rules = rules or Rules()
    return chattering(kept, rules) | repeating(kept, rules) | (kept.end - kept.begin < rules.fleeting_ms)


def sources(log: AlarmLog, start: int, end: int) -> list[Source]:
    """Tags by nuisance, most first."""
    kept = spans(log)
    inside = (kept.begin >= start) & (kept.begin < end)
    of_tag, tags = log.tags()
    if not inside.any():
        return []
    tag = of_tag[kept.alarm]
    bad = np.bincount(tag[inside & nuisance(kept)], minlength=len(tags))
    everything = np.bincount(tag[inside], minlength=len(tags))
    order = sorted(np.flatnonzero(bad).tolist(), key=lambda k: (-int(bad[k]), tags[k]))
    return [Source(tags[k], int(bad[k]), int(everything[k])) for k in order]


_OFF_S = (30, 60, 120, 300, 600, 900, 1200, 1800)
_ON_S = (5, 10, 15, 20, 30, 60)
_DEADBAND = (0.005, 0.01, 0.02, 0.03, 0.05)
_WIDEN = (0.01, 0.02, 0.05)


def ladder(bounds: Bounds, *, gas: bool) -> Iterator[Change]:
    """Changes from the smallest on: deadband, off-delay, both, then with an on-delay, then with another limit."""
    offs = [s * SECOND for s in _OFF_S if s * SECOND <= bounds.max_off_ms]
    bands = [share for share in _DEADBAND if share <= bounds.max_deadband]
    ons = [] if gas else [s * SECOND for s in _ON_S if s * SECOND <= min(bounds.max_on_ms, bounds.bound_ms)]
    wider = [share for share in _WIDEN if share <= bounds.max_widen]
    yield from (Change(deadband=band) for band in bands)
    yield from (Change(off_ms=off) for off in offs)
    yield from (Change(off_ms=off, deadband=band) for band in bands[-1:] for off in offs)
    yield from (Change(on_ms=on) for on in ons)
    yield from (Change(on_ms=on, off_ms=off) for on in ons for off in offs[:4])
    yield from (Change(on_ms=on, off_ms=off, deadband=band) for on in ons for off in offs[:2] for band in bands[-1:])
    yield from (Change(deadband=band, widen=wide) for wide in wider for band in bands[1:3])


def propose(
    source: Source, replay: Replay, window: tuple[int, int], bounds: Bounds, events: Sequence[TrueEvent] = (), *,
    gas: bool = False,
) -> Proposal:  # fmt: skip
    """The smallest change that is good enough for one source.

    Args:
        source: whose nuisance is to go.
        replay: judges the tag's period anew with a change.
        window: the period counted, epoch ms.
        bounds: what may be done.
        events: marked true events; those of other tags do not matter.
        gas: a toxic or combustible gas detector.
    """
    if source.nuisance < bounds.least:
        return Proposal(source, None, source.nuisance, None, f"扰人报警少于 {bounds.least} 次,不必改动")
    before = replay(Change())
    mine = [event for event in events if event.tag == source.tag]
    allowed = source.nuisance * (1 - bounds.remove)
    nearest: tuple[int, str] = (source.nuisance, "没有可用的改动")
    for change in ladder(bounds, gas=gas):
        after = replay(change)
        left = _left(after, window)
        if left > allowed:
            nearest = min(nearest, (left, f"各种改动最多只能减到 {left} 次"))
            continue
        found = compare(before, after, *window, mine)
        why = harm(found, bounds)
        if not why:
            return Proposal(source, change, left, found, "")
        nearest = min(nearest, (left, why))
    return Proposal(source, None, source.nuisance, None, nearest[1])


def harm(found: Comparison, bounds: Bounds) -> str:
    """What a change would break, in Chinese; empty when nothing."""
    first = found.first
    length = first.episodes.end - first.episodes.begin
    if bool((first.missing & (length > bounds.bound_ms)).any()):
        return "会漏掉持续时间超过允许延迟的首报"
    if bool((first.delay > bounds.bound_ms).any()):
        return f"首报会推迟超过 {bounds.bound_ms / SECOND:g} 秒"
    for event in found.events:
        if event.verdict == "missed":
            return "会漏掉已标记的真实事件"
        if event.before is not None and event.after is not None and event.after - event.before > bounds.bound_ms:
            return "会过晚报出已标记的真实事件"
    return ""


def _left(log: AlarmLog, window: tuple[int, int]) -> int:
    kept = spans(log)
    return int((nuisance(kept) & (kept.begin >= window[0]) & (kept.begin < window[1])).sum())
