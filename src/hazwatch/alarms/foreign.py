"""Pure: several foreign logs of one plant side by side, and what other delays would have made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hazwatch.alarms.assistant import Bounds, Change, Proposal, propose, sources
from hazwatch.alarms.delays import delayed
from hazwatch.alarms.journal import FOREVER, AlarmLog, spans
from hazwatch.vocabulary.moments import DAY

NOTHING = Change()


@dataclass(frozen=True, slots=True)
class Together:
    """Logs of separate runs on one axis of time, a silent day between them. ``start``, ``end``: the whole."""

    log: AlarmLog
    start: int
    end: int


def together(logs: Sequence[AlarmLog]) -> Together:
    """One log of several runs; what stands at the end of a run ends there."""
    number: dict[tuple[str, str], int] = {}
    parts: list[tuple[np.ndarray[tuple[int], np.dtype[np.int64]], ...]] = []
    at = 0
    for log in logs:
        if not len(log):
            continue
        own = np.array([number.setdefault(name, len(number)) for name in log.names], np.int64)
        shift, over = at - int(log.ts[0]), int(log.ts[-1]) + 1
        kept = spans(log)
        standing = np.unique(kept.alarm[kept.end >= FOREVER])
        ts = np.concatenate([log.ts, np.full(len(standing), over)]) + shift
        alarm = own[np.concatenate([log.alarm, standing])]
        active = np.concatenate([log.active, np.zeros(len(standing), np.bool_)])
        parts.append((ts, alarm, active.astype(np.int64)))
        at = over + shift + DAY
    ts, alarm, active = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return Together(AlarmLog.of(ts, alarm, active.astype(np.bool_), list(number)), 0, at - DAY)


def changed(log: AlarmLog, changes: Mapping[str, Change], every: Change = NOTHING) -> AlarmLog:
    """A log with other delays, by tag; ``every`` holds for tags without a change of their own."""
    chosen = [changes.get(tag, every) for tag, _ in log.names]
    on = np.array([change.on_ms or 0 for change in chosen], np.int64)
    off = np.array([change.off_ms or 0 for change in chosen], np.int64)
    return delayed(log, on, off)


def proposals(logs: Sequence[AlarmLog], bounds: Bounds, gas: frozenset[str] = frozenset()) -> list[Proposal]:
    """What the assistant proposes for the tags of foreign logs: delays only, for there are no values.

    Args:
        logs: runs of one plant; a proposal holds for all of them.
        bounds: what may be done; deadbands and limits are left out here.
        gas: tags of gas detectors, which never get an on-delay.
    """
    whole = together(logs)
    only_delays = Bounds(
        bounds.remove, bounds.bound_ms, bounds.max_off_ms, bounds.max_on_ms, 0.0, 0.0, bounds.least
    )  # fmt: skip
    of_tag, tags = whole.log.tags()
    found = []
    for source in sources(whole.log, whole.start, whole.end):
        mine = whole.log.only(of_tag == tags.index(source.tag))

        def replay(change: Change, mine: AlarmLog = mine, tag: str = source.tag) -> AlarmLog:
            return changed(mine, {tag: change})

        found.append(
            propose(source, replay, (whole.start, whole.end), only_delays, gas=source.tag in gas)
        )  # fmt: skip
    return found
