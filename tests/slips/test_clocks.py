"""Deadlines across midnight, month end, holidays and a change of the clocks."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.slips.support import MINUTE, shanghai

from hazwatch.slips.clocks import STANDARD, ClockKind, Rules, Span, Unit, WorkCalendar, form_of, rules_of
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import HOUR, from_ms
from hazwatch.vocabulary.warnings import Tier

OFFICE = WorkCalendar()


@pytest.mark.parametrize(
    ("colour", "confirm", "start", "feedback"),
    [
        (Colour.RED, "2026-11-30 23:55", "2026-12-01 00:10", "2026-12-01 01:40"),
        (Colour.ORANGE, "2026-12-01 00:10", "2026-12-01 00:40", "2026-12-01 07:40"),
        (Colour.YELLOW, "2026-12-01 00:40", "2026-12-01 03:40", "2026-12-01 23:40"),
        (Colour.BLUE, "2026-12-01 03:40", "2026-12-01 08:00", "2026-12-03 23:40"),
    ],
)
def test_the_standard_clocks_over_a_month_end(colour, confirm, start, feedback) -> None:
    born = shanghai("2026-11-30 23:40")
    kinds = (ClockKind.CONFIRM, ClockKind.START, ClockKind.FEEDBACK)
    assert [Rules().due(colour, kind, born) for kind in kinds] == [shanghai(t) for t in (confirm, start, feedback)]


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-23 09:00", 60, "2026-11-23 10:00"),  # Monday morning
        ("2026-11-23 11:30", 60, "2026-11-23 14:00"),  # over noon
        ("2026-11-23 17:00", 60, "2026-11-24 09:00"),  # over night
        ("2026-11-27 17:00", 60, "2026-11-30 09:00"),  # over a weekend
        ("2026-11-28 12:00", 30, "2026-11-30 09:00"),  # from a Saturday
        ("2026-11-30 17:00", 60, "2026-12-01 09:00"),  # over a month end
        ("2026-11-23 08:30", 450, "2026-11-23 17:30"),  # a whole day ends when it ends
        ("2026-12-31 17:00", 60, "2027-01-04 09:00"),  # 元旦 is a Friday here, declared off
    ],
)
def test_working_time(start, minutes, end) -> None:
    calendar = WorkCalendar(special={"2027-01-01": False})
    assert calendar.after(shanghai(start), Span(minutes, Unit.WORKING)) == shanghai(end)


def test_a_saturday_that_is_worked_counts() -> None:
    calendar = WorkCalendar(special={"2026-11-28": True})
    assert calendar.after(shanghai("2026-11-27 17:00"), Span(60, Unit.WORKING)) == shanghai("2026-11-28 09:00")


def test_a_change_of_the_clocks_takes_no_working_time_and_a_wall_span_stays_a_span() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    nights = WorkCalendar(hours=((0, 1440),), special={"2026-10-25": True}, zone=berlin)
    begin = nights.moment(nights.day_of(shanghai("2026-10-25 12:00")), 0)
    assert nights.after(begin, Span(24 * 60, Unit.WORKING)) == begin + 24 * HOUR, "a day of 25 h"
    assert nights.moment(nights.day_of(begin) + timedelta(days=1), 0) - begin == 25 * HOUR
    assert nights.after(begin, Span(180)) == begin + 3 * HOUR


@given(
    start=st.integers(shanghai("2026-01-01 00:00"), shanghai("2028-12-31 00:00")), first=st.integers(1, 3000),
    more=st.integers(1, 3000),
)  # fmt: skip
def test_working_spans_add_up_and_end_in_working_time(start, first, more) -> None:
    half = OFFICE.after(start, Span(first, Unit.WORKING))
    assert half >= start + first * MINUTE
    assert OFFICE.after(half, Span(more, Unit.WORKING)) == OFFICE.after(start, Span(first + more, Unit.WORKING))
    local = from_ms(half).astimezone(OFFICE.zone)
    minute = local.hour * 60 + local.minute + local.second / 60 + local.microsecond / 6e7
    assert OFFICE.works(local.date())
    assert any(begin < minute <= end for begin, end in OFFICE.hours)


@given(start=st.integers(shanghai("2026-01-01 00:00"), shanghai("2027-12-31 00:00")), minutes=st.integers(1, 1440))
def test_a_shift_ends_at_a_change_of_shift_no_more_than_a_shift_later(start, minutes) -> None:
    end = OFFICE.after(start, Span(minutes, Unit.SHIFT))
    local = from_ms(end).astimezone(OFFICE.zone)
    assert (local.hour, local.minute, local.second, local.microsecond) in {(8, 0, 0, 0), (20, 0, 0, 0)}
    assert 0 <= end - (start + minutes * MINUTE) < 12 * HOUR


def test_rules_of_a_region_say_what_differs_and_come_back_as_they_were() -> None:
    body = {
        "colours": {
            "yellow": {"confirm": {"minutes": 30}, "feedback": {"minutes": 9, "unit": "working"}, "top": "city"}
        },
        "hours": [["09:00", "17:00"]], "shifts": ["00:00", "08:00", "16:00"],
    }  # fmt: skip
    rules = rules_of(body, {})
    assert rules.spans[Colour.YELLOW].confirm == Span(30)
    assert rules.spans[Colour.YELLOW].start == STANDARD[Colour.YELLOW].start
    assert rules.spans[Colour.YELLOW].top is Tier.CITY
    assert rules_of(form_of(rules), {}) == rules


@pytest.mark.parametrize(
    "body",
    [
        {"colours": {"green": {}}}, {"colours": {"red": {"confirm": {"minutes": 0}}}}, {"hours": []},
        {"colours": {"red": {"confirm": {"minutes": 5, "unit": "moon"}}}}, {"hours": [["17:00", "09:00"]]},
        {"shifts": []}, {"shifts": ["25:00"]}, {"colours": {"red": {"confirm": None}}},
        {"colours": {"red": {"top": "moon"}}}, {"hours": [["08:00", "12:00"], ["11:00", "13:00"]]},
    ],
)  # fmt: skip
def test_nonsense_is_refused(body) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        rules_of(body, {})
