"""Pure: the five national indicators of alarm quality over the last 24 hours, kept by source and hour.

扰动率 share of time in alarm · 重复报警 how often a point alarmed again · 平均报警次数 alarms a point · 平均消警时长 ·
最长报警时间. Hours are whole hours of event time; the running one counts with what it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.vocabulary.moments import DAY, HOUR, MINUTE

_HOURS = 24
Hour = NDArray[np.float64]
_COUNT, _AGAIN, _CLEARED, _CLEAR_MS, _LONGEST, _STOOD = range(6)


@dataclass(slots=True)
class _Source:
    """What stands at a source: points with the moment they began, and since when anything stands."""

    standing: dict[int, int]
    since: int = 0


class Indicators:
    """Fed with excursions as they begin and end."""

    def __init__(self) -> None:
        self._row: dict[str, int] = {}
        self._hours = np.zeros((0, _HOURS, 6))
        self._of_hour = np.zeros((0, _HOURS), np.int64)
        self._source: list[_Source] = []
        self._points: dict[int, tuple[str, int]] = {}
        self._last: dict[int, int] = {}

    def know(self, sources: list[str]) -> None:
        """Make room for sources; what is known of them stays."""
        fresh = [code for code in sources if code not in self._row]
        for code in fresh:
            self._row[code] = len(self._row)
            self._source.append(_Source({}))
        more = len(self._row) - len(self._hours)
        if more > 0:
            self._hours = np.concatenate([self._hours, np.zeros((more, _HOURS, 6))])
            self._of_hour = np.concatenate([self._of_hour, np.full((more, _HOURS), -1, np.int64)])

    def begin(self, source: str, point: int, at: int) -> None:
        """A point left normal; told twice it counts once."""
        row = self._row.get(source)
        if row is None or point in self._source[row].standing:
            return
        one = self._source[row]
        if not one.standing:
            one.since = at
        one.standing[point] = at
        hour = self._hour(row, at)
        hour[_COUNT] += 1
        if at - self._last.get(point, -DAY) < DAY:
            hour[_AGAIN] += 1
        self._last[point] = at

    def end(self, source: str, point: int, at: int) -> None:
        """It came back."""
        row = self._row.get(source)
        if row is None or point not in self._source[row].standing:
            return
        one = self._source[row]
        begun = one.standing.pop(point)
        hour = self._hour(row, at)
        hour[_CLEARED] += 1
        hour[_CLEAR_MS] += max(0, at - begun)
        hour[_LONGEST] = max(hour[_LONGEST], at - begun)
        if not one.standing:
            hour[_STOOD] += max(0, at - one.since)

    def _hour(self, row: int, at: int) -> Hour:
        number = at // HOUR
        place = number % _HOURS
        if self._of_hour[row, place] != number:
            self._hours[row, place] = 0.0
            self._of_hour[row, place] = number
        hour: Hour = self._hours[row, place]
        return hour

    def of(self, source: str, points: int, now: int) -> dict[str, float]:
        """The five indicators of a source with so many points; empty where nothing alarmed."""
        row = self._row.get(source)
        if row is None:
            return {}
        recent = self._of_hour[row] > now // HOUR - _HOURS
        one = self._source[row]
        if not recent.any() and not one.standing:
            return {}
        hours = self._hours[row][recent]
        total = hours.sum(axis=0) if len(hours) else np.zeros(6)
        running = max((now - at for at in one.standing.values()), default=0)
        stood = total[_STOOD] + (now - one.since if one.standing else 0)
        longest = max(float(hours[:, _LONGEST].max()) if len(hours) else 0.0, running)
        return {
            "q_disturbance": float(min(1.0, max(0.0, stood / DAY))),
            "q_repeat": float(total[_AGAIN]),
            "q_count": float(total[_COUNT] / max(1, points)),
            "q_clear": float(total[_CLEAR_MS] / total[_CLEARED] / MINUTE) if total[_CLEARED] else 0.0,
            "q_longest": float(max(0.0, longest) / MINUTE),
        }
