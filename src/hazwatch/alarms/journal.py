"""Pure: an alarm log as arrays. The one form in which live rooms, past windows, replays and foreign files are measured.

An *alarm* is what can ring: a tag and a type (高 of LT-101 is one, 高高 of LT-101 another). An *activation* is one
annunciation of an alarm. An alarm *stands* from its activation to its next return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.vocabulary.levels import Level

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Priorities of annunciations: 1 urgent (second set point) · 2 high (first set point) · 3 everything else.
URGENT, HIGH, OTHER = 1, 2, 3
#: "Does not end": later than any event time, with room to add windows.
FOREVER = 1 << 62
#: Column of a level (低低 低 · 高 高高) by level + 2; normal has none and gets any.
_SLOT = np.array([0, 1, 0, 2, 3], np.int64)


def priority_of(kind: str) -> int:
    """Priority of an alarm by the word of its type: ``HH`` and ``LL`` are urgent, ``H`` and ``L`` high."""
    return {"HH": URGENT, "LL": URGENT, "H": HIGH, "L": HIGH}.get(kind.upper(), OTHER)


@dataclass(frozen=True, slots=True)
class AlarmLog:
    """E events in order of event time; equal times keep the order in which they were told.

    Attributes:
        ts: event time, epoch ms, int64[E].
        alarm: index into ``names``, int64[E].
        active: True = activation, False = return, bool[E].
        names: (tag, type) of every alarm.
    """

    ts: Ints
    alarm: Ints
    active: Flags
    names: Sequence[tuple[str, str]]

    def __len__(self) -> int:
        return len(self.ts)

    @classmethod
    def of(
        cls, ts: NDArray[np.integer], alarm: NDArray[np.integer], active: NDArray[np.bool_],
        names: Sequence[tuple[str, str]],
    ) -> AlarmLog:  # fmt: skip
        """A log from events in any order."""
        order = np.argsort(np.asarray(ts, np.int64), kind="stable")
        return cls(
            np.asarray(ts, np.int64)[order], np.asarray(alarm, np.int64)[order], np.asarray(active, np.bool_)[order],
            names,
        )  # fmt: skip

    def only(self, alarms: Flags) -> AlarmLog:
        """The events of some alarms, bool[len(names)]."""
        keep = alarms[self.alarm]
        return AlarmLog(self.ts[keep], self.alarm[keep], self.active[keep], self.names)

    def tags(self) -> tuple[Ints, list[str]]:
        """Index of the tag of every alarm, int64[len(names)], and the tags."""
        number: dict[str, int] = {}
        of = np.array([number.setdefault(tag, len(number)) for tag, _ in self.names], np.int64)
        return of, list(number)

    def priorities(self) -> Ints:
        """Priority of every alarm, int64[len(names)]."""
        return np.array([priority_of(kind) for _, kind in self.names], np.int64)


@dataclass(frozen=True, slots=True)
class Spans:
    """The K activations of a log in order of (alarm, event time).

    Attributes:
        alarm: int64[K].
        begin: event time of the activation, int64[K].
        end: event time of the next return of the same alarm, ``FOREVER`` while it stands, int64[K].
        fresh: False where the alarm was standing already (it rang again without a return), bool[K].
    """

    alarm: Ints
    begin: Ints
    end: Ints
    fresh: Flags


def spans(log: AlarmLog) -> Spans:
    """When each activation began and ended."""
    order = np.argsort(log.alarm, kind="stable")
    alarm, ts, active = log.alarm[order], log.ts[order], log.active[order]
    n = len(order)
    # Position of the next return at or after each event; it counts only within the same alarm.
    at = np.where(active, n, np.arange(n))
    following = np.minimum.accumulate(at[::-1])[::-1] if n else at
    reachable = following < n
    same = np.zeros(n, np.bool_)
    same[reachable] = alarm[following[reachable]] == alarm[reachable]
    end = np.full(n, FOREVER)
    end[same] = ts[following[same]]
    fresh = np.ones(n, np.bool_)
    fresh[1:] = ~(active[:-1] & (alarm[1:] == alarm[:-1]))
    return Spans(alarm[active], ts[active], end[active], fresh[active])


def from_levels(
    point: NDArray[np.integer], ts: NDArray[np.integer], before: NDArray[np.integer], after: NDArray[np.integer],
    names: Sequence[str],
) -> AlarmLog:  # fmt: skip
    """The log that changes of level add up to, as the alarm desk would annunciate them.

    A rise (out of normal, to the second set point, over to the other side) is an activation of the level entered.
    Easing (高高 → 高) ends the alarm of the level left where the lower one rang before; else it goes on until the
    excursion is over, so that no standing time is lost. Coming back to normal ends everything of the point.

    Args:
        point: index into ``names``, M changes in order of event time.
        ts: epoch ms.
        before, after: ``Level`` as numbers.
        names: tag of every point.
    """
    points, times = np.asarray(point, np.int64), np.asarray(ts, np.int64)
    before, after = np.asarray(before, np.int64), np.asarray(after, np.int64)
    rise = (after != 0) & ((np.abs(after) > np.abs(before)) | (after * before < 0))
    kinds = (Level.LL, Level.L, Level.H, Level.HH)
    slot, left = _SLOT[after + 2], _SLOT[before + 2]
    over = after == 0
    crossed = rise & (after * before < 0)
    # Easing ends the level left only when the level entered rang in this excursion; the first rise says so.
    eased = ~rise & ~over & _rang_before(points, times, rise, over | crossed, slot)
    parts = [(times[rise], points[rise] * 4 + slot[rise], True), (times[eased], points[eased] * 4 + left[eased], False)]
    for k in range(4):
        ending = over | (crossed & ((k < 2) != (slot < 2)))  # noqa: PLR2004  # 低低 and 低 are the low side
        parts.append((times[ending], points[ending] * 4 + k, False))
    return _joined(parts, [(tag, kind.word) for tag in names for kind in kinds])


def _rang_before(point: Ints, ts: Ints, rise: Flags, ends: Flags, slot: Ints) -> Flags:
    """Whether the level entered by each change rang since the last change that ends everything, bool[M]."""
    order = np.lexsort((ts, point))
    found = np.zeros(len(point), np.bool_)
    rang: set[int] = set()
    last = -1
    for m in order.tolist():
        if point[m] != last or ends[m]:
            rang.clear()
            last = int(point[m])
        if rise[m]:
            rang.add(int(slot[m]))
        found[m] = int(slot[m]) in rang
    return found


def _joined(parts: list[tuple[Ints, Ints, bool]], names: Sequence[tuple[str, str]]) -> AlarmLog:
    """Returns before activations where the times are equal; returns of alarms that do not stand are left out."""
    ts = np.concatenate([part[0] for part in parts])
    alarm = np.concatenate([part[1] for part in parts])
    active = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    order = np.lexsort((active, ts, alarm))
    ts, alarm, active = ts[order], alarm[order], active[order]
    idle = np.ones(len(ts), np.bool_)
    idle[1:] = (alarm[1:] != alarm[:-1]) | ~active[:-1]
    keep = np.flatnonzero(active | ~idle)
    keep = keep[np.lexsort((active[keep], ts[keep]))]
    return AlarmLog(ts[keep], alarm[keep], active[keep], names)
