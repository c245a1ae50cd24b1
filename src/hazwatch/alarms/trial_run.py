"""Running one what-if: samples in pieces through the judges, then the comparison and the assistant's proposals.

What is read and what is known of the points is handed in, so this runs over any history; it never reads a clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.alarms.assistant import Bounds, Change, Proposal, propose, sources
from hazwatch.alarms.journal import AlarmLog
from hazwatch.alarms.kpi import measure
from hazwatch.alarms.kpi_form import kpi_form
from hazwatch.alarms.trial import Trial, Wanted, changed, of_change, one_point
from hazwatch.alarms.whatif import TrueEvent, compare, comparison_form
from hazwatch.judge.limits import Limits
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.moments import HOUR, iso

#: Judged before the period begins, so that what stands at its start is known.
LEAD_MS = 6 * HOUR
#: Sources of nuisance that the assistant looks at.
MOST_SOURCES = 50
#: Share of the work that is done when everything has been judged; the rest is the assistant's.
_JUDGED = 0.8

#: Samples of some points of the trial (by their number in it) in order of event time for each point, in pieces.
Fetch = Callable[[NDArray[np.int64], int, int], AsyncIterator[SampleBatch]]
#: Told how much of the work is done, in [0, 1]; raises ``CancelledError`` of its own kind when somebody stopped it.
Progress = Callable[[float, str], Awaitable[None]]


class StoppedError(Exception):
    """Somebody stopped the what-if."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The P points of a trial.

    Attributes:
        limits: as they are judged now.
        span: measuring range, float64[P].
        gas: toxic or combustible gas detectors, bool[P].
        names: what the result says about each: code, name, unit.
    """

    limits: Limits
    span: NDArray[np.float64]
    gas: NDArray[np.bool_]
    names: Sequence[dict[str, str]]

    @property
    def tags(self) -> list[str]:
        """Tags in the logs: numbers within the trial."""
        return [str(k) for k in range(len(self.limits))]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be tried: the period [start, end), changes, bounds of the assistant (None = do not ask it)."""

    start: int
    end: int
    wanted: Sequence[Wanted]
    bounds: Bounds | None
    events: Sequence[TrueEvent] = ()


async def run(asked: Asked, subjects: Subjects, fetch: Fetch, progress: Progress) -> dict[str, Any]:
    """Try it. The tags of ``asked.events`` are numbers within the trial, as text."""
    await progress(0.0, "读取历史")
    before, after, samples = await _replayed(asked, subjects, fetch, progress)
    found = await _proposals(asked, subjects, before, fetch, progress) if asked.bounds else []
    for proposal, log in found:
        if log is not None:
            after = _with(after, proposal.source.tag, log)
    await progress(0.98, "汇总")
    window = (asked.start, asked.end)
    result = comparison_form(compare(before, after, *window, asked.events))
    points = len(subjects.limits)
    kpis = [kpi_form(measure(log, *window, points=points), _iso) for log in (before, after)]
    for form in kpis:
        form["floods"] = form["floods"][:200]
        for row in (*form["top"], *form["stale_alarms"]):
            row.update(subjects.names[int(row.pop("tag"))])
    return {
        "comparison": _named(result, subjects), "kpi_before": kpis[0], "kpi_after": kpis[1],
        "proposals": [_proposal_form(p, subjects) for p, _ in found], "samples": samples, "points": points,
        "limit_version": subjects.limits.version,
    }  # fmt: skip


async def _replayed(
    asked: Asked, subjects: Subjects, fetch: Fetch, progress: Progress
) -> tuple[AlarmLog, AlarmLog, int]:  # fmt: skip
    trial = Trial([subjects.limits, changed(subjects.limits, subjects.span, asked.wanted)])
    everything = np.arange(len(subjects.limits))
    share = _JUDGED if asked.bounds else 0.95
    points = max(1, len(everything))
    async for batch in fetch(everything, asked.start - LEAD_MS, asked.end):
        await asyncio.to_thread(trial.feed, batch)
        # Points come in ascending order, so the newest says how far it is.
        done = (int(batch.point[-1]) + 1) / points if len(batch) else 0.0
        await progress(share * done, f"已判定 {trial.samples:,} 个样本")
    before, after = trial.logs(asked.end, subjects.tags)
    return before, after, trial.samples


async def _proposals(
    asked: Asked, subjects: Subjects, before: AlarmLog, fetch: Fetch, progress: Progress
) -> list[tuple[Proposal, AlarmLog | None]]:  # fmt: skip
    bounds = asked.bounds or Bounds()
    ranked = sources(before, asked.start, asked.end)[:MOST_SOURCES]
    found = []
    for place, source in enumerate(ranked):
        await progress(_JUDGED + 0.17 * place / len(ranked), f"助手:第 {place + 1}/{len(ranked)} 个点位")
        point = int(source.tag)
        parts = [batch async for batch in fetch(np.array([point]), asked.start - LEAD_MS, asked.end)]
        whole = SampleBatch.concat(parts)
        own = SampleBatch(np.zeros_like(whole.point), whole.ts, whole.value, whole.quality)
        replay = _Replay(own, subjects, point, asked.end)
        proposal = await asyncio.to_thread(
            propose, source, replay, (asked.start, asked.end), bounds, asked.events, gas=bool(subjects.gas[point])
        )
        log = replay(proposal.change) if proposal.change is not None else None
        found.append((proposal, log))
    return found


class _Replay:
    """Judges one point of a trial with a change."""

    def __init__(self, samples: SampleBatch, subjects: Subjects, point: int, until: int) -> None:
        self._samples = samples
        self._limits = one_point(subjects.limits, point)
        self._span = subjects.span[point : point + 1]
        self._tag = str(point)
        self._until = until

    def __call__(self, change: Change) -> AlarmLog:
        """The log of the point."""
        wanted = of_change(change, 0, self._limits, self._span)
        trial = Trial([changed(self._limits, self._span, [wanted])])
        trial.feed(self._samples)
        return trial.logs(self._until, [self._tag])[0]


def _with(log: AlarmLog, tag: str, other: AlarmLog) -> AlarmLog:
    """A log with the events of one tag replaced."""
    mine = np.array([name[0] == tag for name in log.names], np.bool_)
    number = {name: k for k, name in enumerate(log.names)}
    keep = ~mine[log.alarm]
    own = np.array([number[name] for name in other.names], np.int64)
    return AlarmLog.of(
        np.concatenate([log.ts[keep], other.ts]), np.concatenate([log.alarm[keep], own[other.alarm]]),
        np.concatenate([log.active[keep], other.active]), log.names,
    )  # fmt: skip


def _named(form: dict[str, Any], subjects: Subjects) -> dict[str, Any]:
    rows = [*form["first_alarms"]["worst"], *form["first_alarms"]["gone"], *form["events"], *form["tags"]]
    for row in rows:
        row.update(subjects.names[int(row.pop("tag"))])
        for key in ("begin", "end"):
            if key in row:
                row[key] = _iso(row[key])
    return form


def _proposal_form(found: Proposal, subjects: Subjects) -> dict[str, Any]:
    point = int(found.source.tag)
    change = None if found.change is None else {k: v for k, v in asdict(found.change).items() if v is not None}
    form = {
        "nuisance": found.source.nuisance, "activations": found.source.activations, "change": change,
        "nuisance_after": found.nuisance_after, "why": found.why, "gas": bool(subjects.gas[point]),
        "values": _values(found.change, point, subjects),
        "worst_delay_s": float(found.comparison.first.delay.max(initial=0) / 1000) if found.comparison else None,
        "after": found.comparison.after if found.comparison else None,
    }  # fmt: skip
    return form | subjects.names[point]


def _values(change: Change | None, point: int, subjects: Subjects) -> dict[str, float]:
    """The change as values of the enterprise's set, ready to be proposed."""
    if change is None:
        return {}
    new = changed(subjects.limits, subjects.span, [of_change(change, point, subjects.limits, subjects.span)])
    values: dict[str, float] = {}
    if change.deadband is not None:
        values["deadband"] = float(f"{new.deadband[point]:.12g}")
    if change.on_ms is not None:
        values["on_delay_s"] = change.on_ms / 1000
    if change.off_ms is not None:
        values["off_delay_s"] = change.off_ms / 1000
    if change.widen is not None:
        for column, name in ((1, "l"), (2, "h")):
            if not np.isnan(new.threshold[point, column]):
                values[name] = float(f"{new.threshold[point, column]:.12g}")
    return values


def _iso(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)
