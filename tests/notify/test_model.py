"""Who is told, when, and how often: laws of messages."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.notify.model import EVERY_MS, NAMED, Book, Hours, Route, Shift, Told, due, hours_of, message, pause_ms

CHINA = ZoneInfo("Asia/Shanghai")
STEP_MS = 500


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)


def alarm(n: int = 0, *, priority: int = 1, path: str = "/41/", open_: bool = True) -> Told:
    return Told(
        f"a{n}", n, path, priority, at("2026-03-02 10:00:00") + n, "高高", "p", f"液位{n}", "罐区", "甲", 9.5, "m",
        open_,
    )  # fmt: skip


def played(arrivals: list[int], until: int) -> list[int]:
    """Moments at which messages go out, looked at every half second, for alarms that came at these moments."""
    sent: list[int] = []
    told = 0
    for now in range(0, until, STEP_MS):
        waiting = [a for a in arrivals[told:] if a <= now]
        if waiting and due(waiting[-1], sent[-2:], now):
            sent.append(now)
            told += len(waiting)
    assert told == len(arrivals), "every alarm became part of a message"
    return sent


gaps = st.lists(st.integers(0, 20_000), min_size=1, max_size=80)


@given(gaps)
def test_the_last_notice_is_at_most_5s_after_the_last_alarm(pauses) -> None:
    arrivals = [sum(pauses[: n + 1]) for n in range(len(pauses))]
    sent = played(arrivals, arrivals[-1] + 60_000)
    assert sent[0] - arrivals[0] <= STEP_MS, "the first alarm is told at once"
    assert sent[-1] - arrivals[-1] <= 5_000


@given(gaps)
def test_never_more_than_two_messages_in_8s(pauses) -> None:
    arrivals = [sum(pauses[: n + 1]) for n in range(len(pauses))]
    sent = played(arrivals, arrivals[-1] + 60_000)
    assert all(c - a >= 8_000 for a, c in zip(sent, sent[2:], strict=False))


@given(st.lists(st.integers(0, 3_000), min_size=20, max_size=200))
def test_in_a_flood_at_most_one_message_every_10s(pauses) -> None:
    arrivals = [sum(pauses[: n + 1]) for n in range(len(pauses))]
    sent = [moment for moment in played(arrivals, arrivals[-1] + 60_000) if moment <= arrivals[-1]]
    assert all(b - a >= EVERY_MS for a, b in pairwise(sent))


def test_ten_thousand_alarms_in_ten_seconds_are_three_messages() -> None:
    sent = played(list(range(10_000)), 40_000)
    assert sent[0] == 0
    assert len(sent) <= 3
    assert sent[-1] <= 15_000


@pytest.mark.parametrize(
    ("moment", "days", "covered"),
    [
        ("2026-03-02 09:00:00", "working", True),  # a Monday
        ("2026-03-02 18:00:00", "working", False),  # the end is outside
        ("2026-03-01 09:00:00", "working", False),  # a Sunday
        ("2026-03-01 09:00:00", "off", True),
        ("2026-02-28 09:00:00", "working", True),  # a Saturday that is worked (调休)
        ("2026-03-03 09:00:00", "working", False),  # a Tuesday that is a holiday
        ("2026-03-03 09:00:00", "off", True),
        ("2026-03-01 09:00:00", "all", True),
    ],
)
def test_working_days_and_holidays_in_the_zone_of_the_site(moment, days, covered) -> None:
    special = {"2026-02-28": True, "2026-03-03": False}
    assert Hours(days, 8 * 60, 18 * 60).cover(at(moment), CHINA, special) is covered


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        ("2026-03-02 20:00:00", True), ("2026-03-03 07:59:00", True), ("2026-03-03 08:00:00", False),
        ("2026-03-07 01:00:00", True),  # the night of Friday's shift
        ("2026-03-07 21:00:00", False), ("2026-03-08 01:00:00", False),
    ],
)  # fmt: skip
def test_a_night_shift_belongs_to_the_day_on_which_it_begins(moment, covered) -> None:
    assert Hours("working", 20 * 60, 8 * 60).cover(at(moment), CHINA, {}) is covered


def book(**route) -> Book:
    fields = {
        "id": "r", "path": "/41/0901/", "name": "", "priority": 2, "hours": Hours(), "channels": ("c",), "duties": (),
        "escalate_after_s": 0, "escalate_channels": (), "escalate_duties": (),
    }  # fmt: skip
    duty = {"d": (Shift("day", Hours("all", 480, 1200)), Shift("night", Hours("all", 1200, 480)))}
    return Book((Route(**(fields | route)),), duty, {}, CHINA)


def test_a_route_tells_of_its_part_of_the_tree_and_its_priorities_only() -> None:
    now = at("2026-03-02 10:00:00")
    inside = "/41/0901/x/"
    assert book().recipients(alarm(path=inside), now) == {"c": "r"}
    assert book().recipients(alarm(path="/41/0902/x/"), now) == {}
    assert book().recipients(alarm(path=inside, priority=3), now) == {}
    assert book().recipients(alarm(path=inside, open_=False), now) == {}, "somebody has it"


def test_a_duty_list_tells_whoever_is_on_duty() -> None:
    told = alarm(path="/41/0901/x/")
    listed = book(channels=(), duties=("d",))
    assert set(listed.recipients(told, at("2026-03-02 10:00:00"))) == {"day"}
    assert set(listed.recipients(told, at("2026-03-02 23:00:00"))) == {"night"}
    assert set(listed.recipients(told, at("2026-03-02 03:00:00"))) == {"night"}


def test_the_next_in_line_is_told_after_the_time_of_the_route() -> None:
    listed = book(escalate_after_s=300, escalate_channels=("chief",))
    began = at("2026-03-02 10:00:00")
    assert listed.next_in_line("r", began, began + 299_000) == set()
    assert listed.next_in_line("r", began, began + 300_000) == {"chief"}
    assert listed.next_in_line("gone", began, began + 300_000) == set()


@given(st.lists(st.integers(1, 4), min_size=1, max_size=40))
def test_a_message_counts_every_alarm_and_begins_with_the_gravest(priorities) -> None:
    alarms = [(alarm(n, priority=p), False) for n, p in enumerate(priorities)]
    title, text = message(alarms, CHINA)
    assert title.startswith(f"P{min(priorities)} ")
    assert (f"另有 {len(alarms) - 1} 条" in title) is (len(alarms) > 1)
    named = [line for line in text.splitlines() if line.startswith("P")]
    hidden = len(alarms) - len(named)
    assert len(named) == min(NAMED, len(alarms))
    assert (f"另有 {hidden} 条" in text) is (hidden > 0)


def test_a_message_says_what_where_when_and_that_it_is_simulated() -> None:
    title, text = message([(alarm(), True)], CHINA)
    assert title == "无人确认 P1 甲 罐区 高高"
    assert text == "P1 液位0 高高 9.5 m 03-02 10:00:00 罐区(无人确认)"


@pytest.mark.parametrize("wrong", [{"days": "some"}, {"start": "8"}, {"start": "08:60"}, {"end": "24:01"}])
def test_hours_that_are_none_are_named(wrong) -> None:
    with pytest.raises(ValueError, match=r"日期类型|时刻"):
        hours_of(wrong)


def test_attempts_come_later_and_later_but_never_stop_for_long() -> None:
    pauses = [pause_ms(n) for n in range(1, 200)]
    assert pauses[0] == 5_000
    assert pauses == sorted(pauses)
    assert pauses[-1] == 600_000
