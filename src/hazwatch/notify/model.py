"""Pure: which route concerns an alarm, who is on duty, when a message is due, and what it says.

Alarms are never dropped or delayed here: only messages are grouped. A recipient gets the first alarm at once and, in a
flood, at most one message every ten seconds; when it is quiet again, the rest within five seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

EVERY_MS, QUIET_MS, TWO_IN_MS = 10_000, 4_000, 8_000
#: Alarms named in one message; the others are counted.
NAMED = 5
_SATURDAY = 5
_HOUR, _DAY = 60, 1440
DAYS = ("all", "working", "off")
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 5_000, 600_000
#: Attempts after which a message is given up: about a day.
MOST_ATTEMPTS = 150


@dataclass(frozen=True, slots=True)
class Told:
    """An alarm as far as messages go. ``priority`` 1 is the highest; ``open`` = nobody has acknowledged it yet."""

    id: str
    seq: int
    path: str
    priority: int
    at: int
    level: str
    point: str
    name: str
    source: str
    enterprise: str
    value: float | None
    unit: str
    open: bool
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Handed:
    """What another room wants told to the channels of one node of the tree; ``again``: because a clock ran out."""

    seq: int
    id: str
    node: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """Days and minutes of the day in the site's zone; an end before the start lies on the next day."""

    days: str = "all"
    start: int = 0
    end: int = 1440

    def cover(self, at: int, zone: tzinfo, special: Mapping[str, bool]) -> bool:
        """Whether a moment (epoch ms) lies within. ``special``: date → whether it is a working day after all."""
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
        minute, day = local.hour * 60 + local.minute, local.date()
        if self.start <= self.end:
            return self.start <= minute < self.end and self._on(day, special)
        if minute >= self.start:
            return self._on(day, special)
        return minute < self.end and self._on(date.fromordinal(day.toordinal() - 1), special)

    def _on(self, day: date, special: Mapping[str, bool]) -> bool:
        if self.days == "all":
            return True
        working = special.get(day.isoformat(), day.weekday() < _SATURDAY)
        return working if self.days == "working" else not working


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody's turn on a duty list."""

    channel: str
    hours: Hours


@dataclass(frozen=True, slots=True)
class Route:
    """Alarms below ``path`` of at least a priority, within hours, go to channels and duty lists; and who comes next.

    ``escalate_after_s`` 0 = nobody else is told.
    """

    id: str
    path: str
    name: str
    priority: int
    hours: Hours
    channels: tuple[str, ...]
    duties: tuple[str, ...]
    escalate_after_s: int
    escalate_channels: tuple[str, ...]
    escalate_duties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that decides who is told."""

    routes: tuple[Route, ...]
    duties: Mapping[str, tuple[Shift, ...]]
    special: Mapping[str, bool]
    zone: tzinfo

    def _on_duty(self, duties: Sequence[str], at: int) -> set[str]:
        shifts = [shift for name in duties for shift in self.duties.get(name, ())]
        return {shift.channel for shift in shifts if shift.hours.cover(at, self.zone, self.special)}

    def recipients(self, alarm: Told, now: int) -> dict[str, str]:
        """Channel → route, of whoever is told of an alarm that nobody has acknowledged."""
        found: dict[str, str] = {}
        for route in self.routes:
            concerned = alarm.open and alarm.path.startswith(route.path) and alarm.priority <= route.priority
            if concerned and route.hours.cover(now, self.zone, self.special):
                for channel in {*route.channels, *self._on_duty(route.duties, now)}:
                    found.setdefault(channel, route.id)
        return found

    def next_in_line(self, route_id: str, told_at: int, now: int) -> set[str]:
        """Channels that are told because nobody acknowledged for too long."""
        route = next((r for r in self.routes if r.id == route_id), None)
        if route is None or not route.escalate_after_s or now - told_at < 1000 * route.escalate_after_s:
            return set()
        return {*route.escalate_channels, *self._on_duty(route.escalate_duties, now)}


def due(newest: int, sent: Sequence[int], now: int) -> bool:
    """Whether a channel's waiting alarms go out now.

    Args:
        newest: when the newest of them came, epoch ms.
        sent: when messages went out on the channel, oldest first.
        now: epoch ms.
    """
    if not sent or now - sent[-1] >= EVERY_MS:
        return True
    quiet = now - newest >= QUIET_MS
    return quiet and (len(sent) == 1 or now - sent[-2] >= TWO_IN_MS)


def pause_ms(attempts: int) -> int:
    """How long a message that failed waits for its next attempt."""
    return min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS << min(attempts - 1, 10))


def message(alarms: Sequence[tuple[Told, bool]], zone: tzinfo) -> tuple[str, str]:
    """Title and text. ``alarms``: each with whether it is told again because nobody acknowledged."""
    ranked = sorted(alarms, key=lambda one: (one[0].priority, -one[0].at))
    worst, again = ranked[0]
    more = len(ranked) - 1
    mark = "模拟 " if worst.simulated else ""
    title = f"{mark}{'无人确认 ' if again else ''}P{worst.priority} {worst.enterprise} {worst.source} {worst.level}"
    title += f",另有 {more} 条" if more else ""
    lines = [_line(alarm, escalated, zone) for alarm, escalated in ranked[:NAMED]]
    if len(ranked) > NAMED:
        lines.append(f"…… 另有 {len(ranked) - NAMED} 条,请到报警页查看")
    return title, "\n".join(lines)


def _line(alarm: Told, escalated: bool, zone: tzinfo) -> str:
    when = datetime.fromtimestamp(alarm.at / 1000, UTC).astimezone(zone)
    value = "" if alarm.value is None else f" {alarm.value:g} {alarm.unit}"
    mark = "(无人确认)" if escalated else ""
    return f"P{alarm.priority} {alarm.name} {alarm.level}{value} {when:%m-%d %H:%M:%S} {alarm.source}{mark}"


def hours_of(raw: Mapping[str, Any]) -> Hours:
    """Hours from a body: ``{days, start, end}`` with ``HH:MM``.

    Raises:
        ValueError: not such hours.
    """
    days = raw.get("days", "all")
    if days not in DAYS:
        raise ValueError(f"日期类型 {days!r} 不是 {' / '.join(DAYS)}")
    return Hours(days, _minute(raw.get("start", "00:00")), _minute(raw.get("end", "24:00")))


def _minute(text: str) -> int:
    hour, colon, minute = text.partition(":")
    digits = bool(colon) and hour.isdigit() and minute.isdigit()
    if not digits or int(minute) >= _HOUR or int(hour) * _HOUR + int(minute) > _DAY:
        raise ValueError(f"时刻应写成 时:分,收到 {text!r}")
    return int(hour) * _HOUR + int(minute)
