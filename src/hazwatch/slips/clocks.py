"""Pure: when something is due. Spans of wall time, of working time by a calendar, and until the end of a shift.

Everything is a function of epoch milliseconds; nothing here knows what time it is. Days begin at midnight of the zone,
so a span is right across midnight, month end and a change of the clocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import CHINA, MINUTE
from hazwatch.vocabulary.warnings import Tier

_DAY_MIN, _HOUR_MIN = 1440, 60
_FRIDAY = 4
#: A calendar without working time for so long is no calendar.
_MOST_DAYS = 400
#: The longest span, minutes.
LONGEST_MIN = 60 * _DAY_MIN


class ClockKind(StrEnum):
    """What is awaited: 确认, 开始处置, 反馈 (and 续报), 审核."""

    CONFIRM = "confirm"
    START = "start"
    FEEDBACK = "feedback"
    REVIEW = "review"

    @property
    def zh(self) -> str:
        """The Chinese word."""
        return {"confirm": "确认", "start": "开始处置", "feedback": "反馈", "review": "审核"}[self.value]


class Unit(StrEnum):
    """How minutes of a span count: always, only in working time, or to the end of the shift that holds its end."""

    WALL = "wall"
    WORKING = "working"
    SHIFT = "shift"


@dataclass(frozen=True, slots=True)
class Span:
    """How long a clock runs."""

    minutes: int
    unit: Unit = Unit.WALL

    def __post_init__(self) -> None:
        if not 1 <= self.minutes <= LONGEST_MIN:
            raise ValueError(f"时限应为 1 至 {LONGEST_MIN} 分钟,收到 {self.minutes}")


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Working time of a region.

    Attributes:
        hours: working hours of a working day, minutes from midnight, in order.
        shifts: when shifts change, minutes from midnight, in order.
        special: ISO date → whether it is a working day after all (调休, 节假日); else Monday to Friday are.
        zone: in which days begin.
    """

    hours: tuple[tuple[int, int], ...] = ((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60 + 30))
    shifts: tuple[int, ...] = (8 * 60, 20 * 60)
    special: Mapping[str, bool] = field(default_factory=dict)
    zone: tzinfo = CHINA

    def __post_init__(self) -> None:
        edges = [minute for pair in self.hours for minute in pair]
        if not edges or edges != sorted(set(edges)) or edges[0] < 0 or edges[-1] > _DAY_MIN:
            raise ValueError("工作时间应为一天内先后有序、互不重叠的时段")
        ordered = list(self.shifts) == sorted(set(self.shifts))
        if not self.shifts or not ordered or self.shifts[0] < 0 or self.shifts[-1] >= _DAY_MIN:
            raise ValueError("交接班时刻应为一天内先后有序的时刻")

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return self.special.get(day.isoformat(), day.weekday() <= _FRIDAY)

    def day_of(self, at: int) -> date:
        """The local day of a moment."""
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone).date()

    def moment(self, day: date, minute: int) -> int:
        """Epoch ms of a local time; minute 1440 is the next midnight."""
        day, minute = (day + timedelta(days=1), 0) if minute == _DAY_MIN else (day, minute)
        hour, rest = divmod(minute, _HOUR_MIN)
        return round(datetime(day.year, day.month, day.day, hour, rest, tzinfo=self.zone).timestamp() * 1000)

    def _working(self, start: int) -> Iterator[tuple[int, int]]:
        """Stretches of working time from a moment on."""
        day = self.day_of(start)
        for _ in range(_MOST_DAYS):
            if self.works(day):
                for begin, end in self.hours:
                    first, last = max(start, self.moment(day, begin)), self.moment(day, end)
                    if first < last:
                        yield first, last
            day += timedelta(days=1)

    def after(self, start: int, span: Span) -> int:
        """When a span that begins at ``start`` is over, epoch ms.

        Raises:
            ValueError: the calendar has too little working time for it.
        """
        left = span.minutes * MINUTE
        if span.unit is Unit.WALL:
            return start + left
        if span.unit is Unit.SHIFT:
            return self._shift_end(start + left)
        for first, last in self._working(start):
            if left <= last - first:
                return first + left
            left -= last - first
        raise ValueError(f"工作日历 {_MOST_DAYS} 天内没有足够的工作时间")

    def _shift_end(self, at: int) -> int:
        day = self.day_of(at)
        changes = (self.moment(day + timedelta(days=n), m) for n in (0, 1, 2) for m in self.shifts)
        return next(change for change in changes if change >= at)


@dataclass(frozen=True, slots=True)
class Spans:
    """The clocks of one colour.

    Attributes:
        confirm, start, feedback, review: from the opening; the review from the feedback.
        again: after a feedback, the next one is due again after this, until the slip is closed; None = once.
        top: the highest tier that a clock of this colour climbs to.
    """

    confirm: Span
    start: Span
    feedback: Span
    review: Span
    again: Span | None = None
    top: Tier = Tier.PROVINCE

    def of(self, kind: ClockKind) -> Span:
        """The span of a clock."""
        return {
            ClockKind.CONFIRM: self.confirm, ClockKind.START: self.start, ClockKind.FEEDBACK: self.feedback,
            ClockKind.REVIEW: self.review,
        }[kind]  # fmt: skip


#: Defaults [ours]; the notice publishes no hours. 蓝 is begun within the shift in which its
#: confirmation is due.
STANDARD: Mapping[Colour, Spans] = {
    Colour.RED: Spans(Span(15), Span(30), Span(120), Span(120), Span(120), Tier.MINISTRY),
    Colour.ORANGE: Spans(Span(30), Span(60), Span(480), Span(480)),
    Colour.YELLOW: Spans(Span(60), Span(240), Span(1440), Span(1440)),
    Colour.BLUE: Spans(Span(240), Span(240, Unit.SHIFT), Span(4320), Span(4320)),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Clocks of a region: spans by colour, and its calendar."""

    spans: Mapping[Colour, Spans] = field(default_factory=lambda: STANDARD)
    calendar: WorkCalendar = WorkCalendar()

    def due(self, colour: Colour, kind: ClockKind, start: int) -> int:
        """When a clock that starts now runs out."""
        return self.calendar.after(start, self.spans[colour].of(kind))


def rules_of(body: Mapping[str, Any], special: Mapping[str, bool], zone: tzinfo = CHINA) -> Rules:
    """Rules from a body as ``form_of`` gives it; what is left out stays standard.

    Raises:
        ValueError: a span, colour, tier, hour or shift that is none.
    """
    spans = dict(STANDARD)
    for word, given in body.get("colours", {}).items():
        colour = next((c for c in STANDARD if c.word == word), None)
        if colour is None:
            raise ValueError(f"没有颜色 {word!r}")
        spans[colour] = _spans_of(given, STANDARD[colour])
    standard = WorkCalendar()
    hours = tuple((_minute(a), _minute(b)) for a, b in body["hours"]) if "hours" in body else standard.hours
    shifts = tuple(_minute(text) for text in body["shifts"]) if "shifts" in body else standard.shifts
    rules = Rules(spans, WorkCalendar(hours, shifts, special, zone))
    for colour in spans:
        for kind in ClockKind:
            rules.due(colour, kind, 0)
    return rules


def _spans_of(given: Mapping[str, Any], standard: Spans) -> Spans:
    def span(name: str, default: Span | None) -> Span | None:
        if name not in given:
            return default
        return Span(given[name]["minutes"], Unit(given[name].get("unit", "wall"))) if given[name] else None

    found = [span(kind.value, standard.of(kind)) for kind in ClockKind]
    confirm, start, feedback, review = found
    if confirm is None or start is None or feedback is None or review is None:
        raise ValueError("确认、开始处置、反馈、审核四个时限都要有")
    top = next((tier for tier in Tier if tier.word == given.get("top", standard.top.word)), None)
    if top is None:
        raise ValueError(f"没有层级 {given.get('top')!r}")
    return Spans(confirm, start, feedback, review, span("again", standard.again), top)


def form_of(rules: Rules) -> dict[str, Any]:
    """Rules as JSON."""

    def form(span: Span | None) -> dict[str, Any] | None:
        return None if span is None else {"minutes": span.minutes, "unit": span.unit.value}

    return {
        "colours": {
            colour.word: {k.value: form(s.of(k)) for k in ClockKind} | {"again": form(s.again), "top": s.top.word}
            for colour, s in rules.spans.items()
        },
        "hours": [[_text(a), _text(b)] for a, b in rules.calendar.hours],
        "shifts": [_text(minute) for minute in rules.calendar.shifts],
    }  # fmt: skip


def _minute(text: str) -> int:
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdigit() and minute.isdigit()) or int(minute) >= _HOUR_MIN:
        raise ValueError(f"时刻应写成 时:分,收到 {text!r}")
    return int(hour) * _HOUR_MIN + int(minute)


def _text(minute: int) -> str:
    return f"{minute // _HOUR_MIN:02d}:{minute % _HOUR_MIN:02d}"
