"""KPIs of an alarm log: laws against slow walks through the same events, and cases that a person can count."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alarms.tep import CASES, case, needs_cases
from typer.testing import CliRunner

from hazwatch.alarms.floods import fixed_floods, floods, rate
from hazwatch.alarms.journal import FOREVER, AlarmLog, from_levels, spans
from hazwatch.alarms.kpi import GRADES, Rules, grade_of, measure
from hazwatch.alarms.kpi_form import kpi_form, kpi_lines
from hazwatch.alarms.kpi_log import AlarmFileError, read, read_text
from hazwatch.cli import app

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


def log(*events: tuple[float, str]) -> AlarmLog:
    """``log((0, "A H"), (20, "A H NR"))``: seconds, alarm, and NR for its return."""
    lines = [f"{1_000_000 + seconds},{text.split()[0]},{text.split(maxsplit=1)[1]}" for seconds, text in events]
    return read_text("\n".join(["timestamp,tag,type", *lines]), "log").log


T0 = 1_000_000 * SECOND


def every(seconds: float, count: int, alarm: str = "A H", start: float = 0) -> list[tuple[float, str]]:
    return [(start + k * seconds, alarm) for k in range(count)]


# --- floods ----------------------------------------------------------------------------------------------------------


def walked_floods(times: list[int]) -> list[tuple[int, int]]:
    """The definition, second by second."""
    found, begin = [], None
    for moment in range(min(times), max(times) + 601 + 1):
        n = sum(moment - 600 < t <= moment for t in times)
        if begin is None and n > 10:
            begin = moment
        elif begin is not None and n < 5:
            found.append((begin, moment))
            begin = None
    return found


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=80))
def test_floods_are_those_of_a_walk_through_time(seconds) -> None:
    times = np.sort(np.array(seconds, np.int64)) * SECOND
    found = floods(times)
    pairs = zip((found.start // SECOND).tolist(), (found.end // SECOND).tolist(), strict=True)
    assert list(pairs) == walked_floods(seconds)


def test_a_flood_starts_with_the_eleventh_and_ends_when_only_four_are_left() -> None:
    times = np.arange(11, dtype=np.int64) * 30 * SECOND
    found = floods(times)
    assert found.start.tolist() == [300 * SECOND]
    # The seventh leaves the window ten minutes after it came: four are left.
    assert found.end.tolist() == [180 * SECOND + 600 * SECOND]
    assert found.activations.tolist() == [11]
    assert found.peak.tolist() == [11]


def test_ten_in_ten_minutes_are_no_flood_and_eleven_over_the_whole_window_are_none_either() -> None:
    assert len(floods(np.arange(10, dtype=np.int64) * SECOND)) == 0
    assert len(floods(np.arange(11, dtype=np.int64) * MINUTE)) == 0


def test_a_flood_goes_on_between_the_two_bounds() -> None:
    times = np.concatenate([np.arange(11) * SECOND, 10 * SECOND + np.arange(1, 40) * 100 * SECOND]).astype(np.int64)
    found = floods(times)
    assert len(found) == 1
    assert found.end[0] > times[-1]


def test_fixed_intervals_count_what_lies_in_each() -> None:
    times = np.concatenate([np.arange(11) * SECOND, 25 * MINUTE + np.arange(11) * SECOND]).astype(np.int64)
    assert fixed_floods(times, 0, 40 * MINUTE - 1) == (2, 0.5)


@given(st.lists(st.integers(0, 2000), max_size=60), st.integers(0, 10))
def test_share_of_time_above_a_bound(seconds, most) -> None:
    times = np.sort(np.array(seconds, np.int64)) * SECOND
    walked = sum(sum(s - 600 < t <= s for t in seconds) > most for s in range(100, 2100)) / 2000
    assert rate(times).share_above(most, 100 * SECOND, 2100 * SECOND) == pytest.approx(walked)


# --- spans -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2), st.booleans()), max_size=60))
def test_an_activation_ends_with_the_next_return_of_its_alarm(events) -> None:
    events = sorted(events, key=lambda e: e[0])
    ts, alarm, active = ([e[k] for e in events] for k in range(3))
    found = spans(AlarmLog.of(np.array(ts, int), np.array(alarm, int), np.array(active, bool), [("A", "H")] * 3))
    walked = []
    for k, (t, a, on) in enumerate(events):
        if on:
            later = [x for x in events[k + 1 :] if x[1] == a and not x[2]]
            before = [x for x in events[:k] if x[1] == a]
            walked.append((a, t, later[0][0] if later else FOREVER, not (before and before[-1][2])))
    rows = zip(*(x.tolist() for x in (found.alarm, found.begin, found.end, found.fresh)), strict=True)
    assert sorted(rows) == sorted(walked)


def test_levels_become_activations_and_returns_as_the_desk_annunciates_them() -> None:
    levels = [0, 1, 2, 1, 0, 2, 1, 0, 1, -1]
    changes = [(k, *pair) for k, pair in enumerate(pairwise(levels))]
    ts, before, after = (np.array([c[k] for c in changes]) for k in range(3))
    found = from_levels(np.zeros(9, int), ts, before, after, ["P"])
    told = [
        (t, found.names[a][1], on)
        for t, a, on in zip(found.ts.tolist(), found.alarm.tolist(), found.active.tolist(), strict=True)
    ]
    assert told == [
        (0, "H", True), (1, "HH", True), (2, "HH", False), (3, "H", False),
        # Straight to 高高 and down over 高, which never rang: it stands until it is over.
        (4, "HH", True), (6, "HH", False),
        (7, "H", True), (8, "H", False), (8, "L", True),
    ]  # fmt: skip


# --- measures --------------------------------------------------------------------------------------------------------


def test_three_in_a_minute_chatter_and_a_brief_one_alone_is_fleeting() -> None:
    pairs = [(s, e) for k in range(3) for s, e in ((k * 20, "A H"), (k * 20 + 10, "A H NR"))]
    found = measure(log(*pairs, (300, "B L"), (310, "B L NR"), (900, "C H"), (960, "C H NR")), T0, T0 + HOUR)
    assert (found.activations, found.returns, found.chattering_alarms) == (5, 5, 1)
    assert (found.chatter_share, found.fleeting_share, found.repeat_share) == (0.6, 0.2, 0.4)


def test_three_over_a_whole_minute_do_not_chatter() -> None:
    assert measure(log(*every(30, 3)), T0, T0 + HOUR).chatter_share == 0


def test_stale_standing_and_the_national_indicators() -> None:
    hours = 3600
    alarms = log((0, "A H"), (30 * hours, "A H NR"), (10 * hours, "B H"), (12 * hours, "B H NR"), (40 * hours, "B H"))
    found = measure(alarms, T0, T0 + 2 * DAY, points=4)
    assert [(s.tag, s.end) for s in found.stale] == [("A", T0 + 30 * HOUR)]
    assert found.standing == 1
    national = found.national
    assert national.disturbance == pytest.approx(38 / 48)
    assert national.disturbance_per_point == pytest.approx((30 + 2 + 8) / 48 / 4)
    assert (national.repeat_points, national.repeats) == (1, 1)
    assert national.per_point_day == pytest.approx(3 / 4 / 2)
    assert national.mean_ms == 16 * HOUR
    assert national.longest_ms == 30 * HOUR


def test_what_stood_or_flooded_before_the_window_is_known_in_it() -> None:
    found = measure(log((-DAY / SECOND, "A H"), *every(1, 11, "B L", start=-60)), T0, T0 + HOUR)
    assert (found.activations, found.standing) == (0, 2)
    assert found.floods.start.tolist() == [T0 - 50 * SECOND]
    assert found.flood_share == pytest.approx((600 - 60 + 7 - 1) / 3600)


def test_ranking_by_tag_with_ties_by_name_and_rates_by_position() -> None:
    alarms = log(*every(100, 4, "B H"), *every(100, 2, "A HH"), *every(100, 2, "A L"), *every(100, 1, "C X"))
    found = measure(alarms, T0, T0 + DAY, operators=2, rules=Rules(top=2))
    assert [(a.tag, a.activations, a.kinds) for a in found.top] == [("A", 4, {"HH": 2, "L": 2}), ("B", 4, {"H": 4})]
    assert found.top_share == pytest.approx(8 / 9)
    assert found.per_day == pytest.approx(4.5)
    assert found.priorities == (2, 6, 1)


def test_a_window_without_alarms_is_predictive_and_an_empty_window_is_refused() -> None:
    found = measure(log((0, "A H")), T0 + HOUR, T0 + 2 * HOUR)
    assert (found.activations, found.grade, found.peak, found.top_share) == (0, "predictive", 0, 0)
    with pytest.raises(ValueError, match="时间范围"):
        measure(log((0, "A H")), T0, T0)


def test_the_worst_measure_decides_the_class() -> None:
    for name, average, peak, share in GRADES:
        assert grade_of(average, peak, share) == name
    assert grade_of(0.05, 5, 0.3) == "overloaded"
    assert grade_of(0.05, 60, 0) == "stable"
    assert grade_of(11, 5, 0) == "overloaded"


@given(st.lists(st.tuples(st.integers(0, 7200), st.sampled_from(["A H", "A H NR", "B L", "B L NR"])), max_size=60))
def test_shares_stay_shares_and_figures_add_up(events) -> None:
    found = measure(log(*events), T0, T0 + 2 * HOUR)
    shares = [found.chatter_share, found.fleeting_share, found.repeat_share, found.flood_share, found.top_share,
              found.national.disturbance, found.national.disturbance_per_point, found.above_share]  # fmt: skip
    assert all(0 <= share <= 1 for share in shares)
    assert sum(found.priorities) == found.activations == found.hourly.sum() == sum(a.activations for a in found.top)
    assert found.peak <= found.activations
    json.dumps(kpi_form(found, lambda ms: ms))
    assert "报警次数" in "".join(kpi_lines(kpi_form(found, lambda ms: ms)))


# --- foreign files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form", "back"),
    [
        ("2024-05-01 00:00:20.000000001", "naive", "2024-05-01 00:00:20.000"),
        ("2024/5/1 0:00:20", "naive", "2024-05-01 00:00:20.000"),
        ("2024-05-01T00:00:20Z", "zoned", "2024-05-01T00:00:20.000Z"),
        ("12.5", "seconds", 12.5),
        ("1714492820000", "milliseconds", 1714492820000),
    ],
)
def test_times_are_given_back_as_the_file_writes_them(text, form, back) -> None:
    found = read_text(f"timestamp,tag,type\n{text},A,H\n", "f")
    assert found.form == form
    assert found.moment(int(found.log.ts[0])) == back


def test_bad_rows_are_refused_by_line_and_the_rest_goes_on() -> None:
    text = 'n,TimeStamp,tag,type\n0,5,A,H\n1,soon,A,H\n2,6,,H\n3,7,A,\n4,8\n\n5,9,"B\n",h nr\n6,nan,A,H\n'
    found = read_text(text, "f")
    assert [(r.line, r.reason.split(":")[0].split("(")[0]) for r in found.refused] == [
        (3, "时间无法识别"), (4, "没有位号"), (5, "没有类型"), (6, "只有 2 列"), (10, "时间无法识别"),
    ]  # fmt: skip
    assert found.rows == 7
    assert found.log.names == [("A", "H"), ("B", "H")]
    assert found.log.active.tolist() == [True, False]


def test_rows_in_any_order_and_a_file_without_header() -> None:
    assert read_text("7,A,H\n5,B,L\n", "f").log.ts.tolist() == [5000, 7000]


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "timestamp,tag\n1,A\n"])
def test_what_is_no_alarm_log_says_so(text) -> None:
    with pytest.raises(AlarmFileError, match="timestamp"):
        read_text(text, "f.csv")


def test_the_command_keeps_refused_rows_beside_and_prints_json(tmp_path) -> None:
    file = tmp_path / "log.csv"
    rows = [f"{10 * k},A,{kind}" for k, kind in enumerate(["H", "H NR"] * 12)]
    file.write_text("\n".join(["timestamp,tag,type", *rows, "x,A,H"]))
    answer = CliRunner().invoke(app, ["alarms", "kpi", str(file), "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert (found["activations"], found["rows"], found["refused"]["rows"][0]["line"]) == (12, 25, 26)
    assert [(f["start"], f["end"]) for f in found["floods"]] == [(200.0, 740.0)]
    assert "26,时间无法识别" in (tmp_path / "log.rejected.csv").read_text(encoding="utf-8")


def test_the_command_refuses_a_binary_file_in_one_line(tmp_path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\x00\x01")
    answer = CliRunner().invoke(app, ["alarms", "kpi", str(tmp_path / "x.csv")])
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)


# --- recorded Tennessee Eastman alarms -------------------------------------------------------------------------------


@needs_cases
def test_twenty_recorded_cases_add_up() -> None:
    found = [measure((log := read(case("original", k)).log), int(log.ts[0]), int(log.ts[-1]) + 1) for k in CASES]
    assert sum(f.activations for f in found) == 105_365
    assert sum(len(f.floods) for f in found) == 490
    assert found[0].top[0].tag == "FIR123"
    assert all(f.top[0].activations >= f.top[1].activations for f in found)


@needs_cases
@pytest.mark.parametrize("variant", ["original", "filter", "deadband"])
def test_floods_of_a_recorded_case_are_those_of_a_walk_through_its_seconds(variant) -> None:
    log = read(case(variant, 3)).log
    seconds = (np.sort(spans(log).begin) // SECOND).tolist()
    found = floods(np.array(seconds, np.int64) * SECOND)
    near: list[tuple[int, int]] = []
    begin, n, low, high = None, 0, 0, 0
    for moment in range(seconds[0], seconds[-1] + 602):
        while high < len(seconds) and seconds[high] <= moment:
            high += 1
        while low < high and seconds[low] <= moment - 600:
            low += 1
        n = high - low
        if begin is None and n > 10:
            begin = moment
        elif begin is not None and n < 5:
            near.append((begin, moment))
            begin = None
    assert list(zip((found.start // SECOND).tolist(), (found.end // SECOND).tolist(), strict=True)) == near
