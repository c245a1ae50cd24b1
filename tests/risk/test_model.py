"""HW-1 from what stands at a source: the properties of domain/risk.md §4, the floors, hysteresis, aggregation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.reference import slope_per_minute

from hazwatch.risk import objects
from hazwatch.risk.configuration import DEFAULT as W
from hazwatch.risk.evidence import ActiveAlarm, Approach, Around, at_moment, collect
from hazwatch.risk.features import SERVICES
from hazwatch.risk.model import COMBUSTIBLE, OTHER, TOXIC, Held, Member, colour_of, enterprise_score, hold, park_score
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level

NOW = 1_795_417_200_000
MINUTE = 60_000
RED, ORANGE, YELLOW, BLUE, NONE = Colour.RED, Colour.ORANGE, Colour.YELLOW, Colour.BLUE, Colour.NONE
FARM = SERVICES["tank-farm"]
settings.register_profile("brief", deadline=None, max_examples=40)
settings.load_profile("brief")


@dataclass(frozen=True)
class Result:
    """What a law looks at."""

    score: float
    colour: Colour
    floor: Colour
    terms: dict[str, dict]
    reason: str


#: Every alarm of a test stands at a point of its own.
_POINTS = count()


def alarm(  # an alarm has that many sides
    level: Level = Level.H, kind: str = OTHER, minutes: float = 0.0, second: float | None = None,
    equipment: str = "G0001", *, acknowledged: bool = True,
) -> ActiveAlarm:  # fmt: skip
    since = NOW - int(minutes * MINUTE)
    if level.severity > 1 and second is None:
        second = minutes
    second_since = None if second is None else NOW - int(second * MINUTE)
    return ActiveAlarm(f"P{next(_POINTS)}", "液位", equipment, level, kind, since, second_since, acknowledged)


levels = st.sampled_from([Level.LL, Level.L, Level.H, Level.HH])
kinds = st.sampled_from([TOXIC, COMBUSTIBLE, OTHER])
alarms = st.lists(
    st.builds(
        alarm, levels, kinds, st.floats(0, 600), st.none(), st.sampled_from(["G0001", "Q0001", "Q0002", "Q0003"]),
        acknowledged=st.booleans(),
    ),
    max_size=6,
)  # fmt: skip
approaches = st.lists(st.builds(Approach, st.just("温度"), st.floats(0.01, 60), levels), max_size=4)
rs = st.floats(0, 5000)
source_levels = st.integers(1, 4)


def s(r, level, standing, near=(), now=NOW) -> Result:
    asked = collect(FARM, "410902001001", r, level, Around(standing, near), now)
    told = objects.answers(FARM, at_moment(FARM, [asked], now), W)[0]
    terms = {t["id"]: t for t in told["terms"]}
    return Result(told["score"], Colour[told["colour"].upper()], Colour[told["floor"].upper()], terms, told["reason"])


def x_of(term: str, standing=(), near=()) -> float:
    return s(1, 3, standing, near).terms[term]["x"]


@given(rs, source_levels, alarms, approaches)
def test_the_score_stays_between_0_and_100(r, level, standing, near) -> None:
    result = s(r, level, standing, near)
    assert 0 <= result.score <= 100
    assert all(0 <= t["x"] <= 1 and 0 <= t["weight"] <= 1 for t in result.terms.values())
    assert result.colour >= result.floor


@given(rs, rs, source_levels, alarms, approaches)
def test_a_greater_r_never_lowers_it(a, b, level, standing, near) -> None:
    low, high = sorted((a, b))
    assert s(low, level, standing, near).score <= s(high, level, standing, near).score


@given(rs, source_levels, alarms, approaches, st.builds(alarm, levels, kinds, st.floats(0, 600)))
def test_one_more_alarm_never_lowers_it(r, level, standing, near, more) -> None:
    before, after = s(r, level, standing, near), s(r, level, [*standing, more], near)
    assert before.score <= after.score
    assert before.colour <= after.colour


@given(rs, source_levels, alarms, approaches, st.data())
def test_a_worse_level_never_lowers_it(r, level, standing, near, data) -> None:
    if not standing:
        return
    k = data.draw(st.integers(0, len(standing) - 1))
    worse = list(standing)
    up = {Level.H: Level.HH, Level.L: Level.LL}.get(worse[k].level, worse[k].level)
    worse[k] = replace(worse[k], level=up, second_since=worse[k].second_since or worse[k].since)
    before, after = s(r, level, standing, near), s(r, level, worse, near)
    assert before.score <= after.score
    assert before.colour <= after.colour


@given(rs, source_levels, alarms, approaches, st.builds(Approach, st.just("压力"), st.floats(0.01, 60), levels))
def test_one_more_approach_never_lowers_it(r, level, standing, near, more) -> None:
    assert s(r, level, standing, near).score <= s(r, level, standing, [*near, more]).score


@given(rs, source_levels, alarms, st.floats(0, 600))
def test_an_alarm_that_lasts_never_counts_less(r, level, standing, minutes) -> None:
    assert s(r, level, standing).score <= s(r, level, standing, now=NOW + int(minutes * MINUTE)).score


@given(rs, source_levels, alarms, approaches, st.randoms(use_true_random=False))
def test_the_order_of_inputs_does_not_matter(r, level, standing, near, rng) -> None:
    shuffled, turned = list(standing), list(near)
    rng.shuffle(shuffled)
    rng.shuffle(turned)
    a, b = s(r, level, standing, near), s(r, level, shuffled, turned)
    assert (a.score, a.colour, a.floor) == (b.score, b.colour, b.floor)


@given(rs, source_levels, alarms, approaches)
def test_a_contribution_is_the_score_minus_the_score_without_the_term(r, level, standing, near) -> None:
    result = s(r, level, standing, near)
    assert math.isclose(result.terms["T"]["contribution"], result.score - s(r, level, standing).score, abs_tol=2e-6)
    assert math.isclose(result.terms["A"]["contribution"], result.score - s(r, level, [], near).score, abs_tol=2e-6)


def test_worked_by_hand() -> None:
    """R = 400: B = 0.30. 高高 of a level since now: A = 0.80 · 0.7. 15 min from 高: T = 0.60 · 0.5."""
    result = s(400, 3, [alarm(Level.HH)], [Approach("温度", 15.0, Level.H)])
    assert math.isclose(result.score, 100 * (1 - 0.70 * 0.44 * 0.70))
    assert result.colour is RED or result.colour is ORANGE
    assert math.isclose(result.score, 78.44)
    assert "液位高高报警" in result.reason
    assert "15 分钟" in result.reason


@pytest.mark.parametrize(("r", "b"), [(-5, 0.05), (0, 0.05), (400, 0.30), (10_000, 0.30), (19.024984, 0.175)])
def test_inherent(r, b) -> None:
    assert math.isclose(s(r, 4, []).terms["B"]["x"], b, abs_tol=1e-6)


def test_calm_is_only_what_is_inherent() -> None:
    result = s(400, 1, [])
    assert (round(result.score, 6), result.colour) == (30.0, BLUE)
    assert "固有危险性" in result.reason


@pytest.mark.parametrize(
    ("level", "kind", "x"),
    [
        (Level.H, OTHER, 0.4), (Level.L, OTHER, 0.4), (Level.HH, OTHER, 0.7), (Level.LL, OTHER, 0.7),
        (Level.H, TOXIC, 0.5), (Level.HH, TOXIC, 0.875), (Level.H, COMBUSTIBLE, 0.46), (Level.HH, COMBUSTIBLE, 0.805),
    ],
)  # fmt: skip
def test_x_of_an_alarm_by_level_and_danger(level, kind, x) -> None:
    assert math.isclose(x_of("A", [alarm(level, kind)]), x)


def test_an_alarm_grows_with_a_half_life_of_ten_minutes() -> None:
    at_0, at_10, at_20, for_ever = (x_of("A", [alarm(Level.H, OTHER, m)]) for m in (0, 10, 20, 1e5))
    assert math.isclose(for_ever, 0.4 + 0.25 * 0.6)
    assert math.isclose(at_10 - at_0, (for_ever - at_0) / 2)
    assert math.isclose(at_20 - at_10, (at_10 - at_0) / 2)


def test_two_neighbouring_detectors_count_nine_tenths() -> None:
    two = [alarm(Level.H, COMBUSTIBLE, equipment="Q0001"), alarm(Level.H, COMBUSTIBLE, equipment="Q0002")]
    assert x_of("A", two) == 0.9
    assert "2 个" in s(1, 3, two).reason
    assert x_of("A", [two[0], two[0]]) < 0.5, "two alarms of one detector are one detector"
    assert x_of("A", [two[0], alarm(Level.H, OTHER, equipment="Q0002")]) < 0.5, "a level is no detector"


def test_one_spike_of_one_sensor_turns_nothing_red() -> None:
    for kind in (TOXIC, COMBUSTIBLE, OTHER):
        assert s(10_000, 1, [alarm(Level.HH, kind)]).colour < RED


@pytest.mark.parametrize(("minutes", "x"), [(0.0, 1.0), (15.0, 0.5), (29.99, 1 - 29.99 / 30), (30.0, 0.0), (99.0, 0.0)])
def test_time_to_limit(minutes, x) -> None:
    far = Approach("压力", 28.0, Level.L)
    near = [Approach("温度", minutes, Level.H)]
    assert math.isclose(x_of("T", near=near), x, abs_tol=1e-6)
    assert x_of("T", near=[far, *near]) == max(x_of("T", near=near), x_of("T", near=[far])), (
        "the nearest in time decides"
    )


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (100, RED), (80, RED), (79.99, ORANGE), (60, ORANGE), (59.99, YELLOW), (40, YELLOW), (39.99, BLUE), (20, BLUE),
        (19.99, NONE),
    ],
)  # fmt: skip
def test_colours(value, colour) -> None:
    assert colour_of(value, W) is colour


# --- floors --------------------------------------------------------------------------------------------------------


def pair(apart: float, kinds: tuple[str, str] = (COMBUSTIBLE, COMBUSTIBLE), equipment: str = "Q0002"):
    return [
        alarm(Level.HH, kinds[0], 10, equipment="Q0001"),
        alarm(Level.HH, kinds[1], 10 - apart, equipment=equipment),
    ]


@pytest.mark.parametrize(
    ("standing", "level", "colour"),
    [
        (pair(5), 1, RED),  # two detectors at 高高 within 5 min of a 一级 source
        (pair(5), 2, RED),
        (pair(5.01), 2, NONE),
        (pair(0), 3, NONE),  # a 三级 source
        (pair(0, (TOXIC, COMBUSTIBLE), equipment="Q0001"), 1, ORANGE),  # one device with two points is one witness
        (pair(0, equipment="Q0001"), 1, RED),  # two sensors of one kind in one group
        (pair(0, (TOXIC, COMBUSTIBLE)), 1, RED),
        (pair(0, (OTHER, OTHER)), 1, NONE),
        (pair(9, (TOXIC, COMBUSTIBLE)), 1, ORANGE),
        ([alarm(Level.HH, TOXIC)], 4, ORANGE),  # any toxic 高高
        ([alarm(Level.H, TOXIC)], 1, NONE),
        ([alarm(Level.HH, OTHER, 15, acknowledged=False)], 4, YELLOW),  # unseen for 15 min
        ([alarm(Level.LL, OTHER, 15, acknowledged=False)], 4, YELLOW),
        ([alarm(Level.HH, OTHER, 14.9, acknowledged=False)], 4, NONE),
        ([alarm(Level.HH, OTHER, 15, acknowledged=True)], 4, NONE),
        ([alarm(Level.H, OTHER, 500, acknowledged=False)], 4, NONE),
        ([alarm(Level.HH, OTHER, 60, 5, acknowledged=False)], 4, NONE),  # 高 for an hour, 高高 for 5 min
        ([], 1, NONE),
    ],
)
def test_floors(standing, level, colour) -> None:
    assert s(1, level, standing).floor is colour
    assert s(1, level, standing).colour >= colour


def test_several_alarms_of_one_detector_do_not_hide_the_pair() -> None:
    """One detector has two points at 高高, 10 and 2 min ago; its neighbour joined 3 min ago: near the second."""
    standing = [
        alarm(Level.HH, COMBUSTIBLE, 2, equipment="Q0001"),
        alarm(Level.HH, TOXIC, 10, equipment="Q0001"),
        alarm(Level.HH, COMBUSTIBLE, 3, equipment="Q0002"),
    ]
    for order in (standing, standing[::-1], [standing[1], standing[0], standing[2]]):
        assert s(1, 1, order).floor is RED


# --- hysteresis ----------------------------------------------------------------------------------------------------


def held_on(held: Held, value: float, now: int, low: Colour = NONE) -> Held:
    return hold(held, value, max(colour_of(value, W), low), low, now, W)


def walk(steps: list[tuple[float, float]], begin: Colour = NONE) -> list[Colour]:
    """Colours shown for a list of (minute, score)."""
    held, shown = Held(begin), []
    for minute, value in steps:
        held = held_on(held, value, NOW + int(minute * MINUTE))
        shown.append(held.colour)
    return shown


def test_it_rises_at_once_and_falls_after_thirty_minutes_below_the_margin() -> None:
    steps = [(0, 85), (1, 74), (30, 74), (30.9, 74), (31, 74), (32, 74)]
    assert walk(steps) == [RED, RED, RED, RED, ORANGE, ORANGE]


def test_just_below_the_bound_is_not_enough_to_fall() -> None:
    assert walk([(0, 85), (1, 75), (999, 75.1)]) == [RED, RED, RED]
    assert walk([(0, 85), (1, 74.99), (31, 74.99)]) == [RED, RED, ORANGE]


def test_one_moment_above_the_margin_starts_the_thirty_minutes_anew() -> None:
    assert walk([(0, 85), (1, 70), (20, 76), (21, 70), (40, 70), (51, 70)]) == [RED, RED, RED, RED, RED, ORANGE]


def test_it_falls_to_where_the_score_is() -> None:
    assert walk([(0, 85), (1, 10), (31, 10)]) == [RED, RED, NONE]


def test_a_floor_holds_the_colour_however_low_the_score() -> None:
    held = Held(ORANGE)
    for minute in range(0, 120, 10):
        held = held_on(held, 5, NOW + minute * MINUTE, ORANGE)
    assert held == Held(ORANGE)


@given(st.lists(st.tuples(st.floats(0.1, 40), st.floats(0, 100)), max_size=30))
def test_the_colour_shown_is_never_better_than_the_score_now(gaps) -> None:
    held, minute = Held(NONE), 0.0
    for gap, value in gaps:
        minute += gap
        before = held
        held = held_on(held, value, NOW + int(minute * MINUTE))
        assert held.colour >= colour_of(value, W)
        assert held.colour >= before.colour or before.lower_since is not None, "it never falls at the first look"


# --- aggregation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "total", "colour"),
    [
        ([], 0.0, NONE),
        ([(30.0, BLUE)], 30.0, BLUE),
        ([(62.0, ORANGE)], 62.0, ORANGE),
        ([(62.0, ORANGE), (60.0, ORANGE)], 70.0, ORANGE),
        ([(70.0, ORANGE)] * 4, 86.0, RED),
        ([(95.0, RED)] * 4, 100.0, RED),
        ([(10.0, RED), (30.0, BLUE)], 30.0, RED),  # a held red stays red
    ],
)
def test_enterprise(sources, total, colour) -> None:
    members = [Member(score, one, score) for score, one in sources]
    assert enterprise_score(members, W)[:2] == (total, colour)


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(list(Colour))), min_size=1, max_size=8))
def test_an_enterprise_is_never_better_than_its_worst_source(sources) -> None:
    total, colour, _ = enterprise_score([Member(score, one, score) for score, one in sources], W)
    assert colour >= max(c for _, c in sources)
    assert max(round(v, 6) for v, _ in sources) <= total + 1e-6 <= 100 + 2e-6


def test_a_park_counts_colours_and_never_averages_them() -> None:
    members = [Member(90.0, RED, 90.0), *[Member(10.0, NONE, 10.0)] * 9]
    park = park_score(members, 0.5, W)
    assert park.score == pytest.approx(0.6 * 90 + 0.25 * (90 + 4 * 10) / 5 + 0.15 * 50)
    assert park.colour is RED, "any enterprise 红 makes the park 红, whatever the score"
    assert park.counts == {"red": 1, "orange": 0, "yellow": 0, "blue": 0, "none": 9}
    calm = park_score([Member(79.0, ORANGE, 79.0)] * 5, 1.0, W)
    assert calm.score > 80
    assert calm.colour is ORANGE, "a score that only ranks makes no park 红"
    assert park_score([], 0.0, W).colour is NONE


# --- slope and configuration ---------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(-100, 100)), max_size=12))
def test_the_slope_is_the_median_of_all_pairs(points) -> None:
    pairs = sorted((v2 - v1) / (t2 - t1) for k, (t1, v1) in enumerate(points) for t2, v2 in points[k + 1 :] if t1 != t2)
    middle = len(pairs) // 2
    wanted = 0.0 if not pairs else pairs[middle] if len(pairs) % 2 else (pairs[middle - 1] + pairs[middle]) / 2
    assert math.isclose(slope_per_minute([t for t, _ in points], [v for _, v in points]), wanted, abs_tol=1e-9)


def test_the_digest_names_the_configuration() -> None:
    assert len(W.digest()) == 12
    assert replace(W, red=81.0).digest() != W.digest()
    assert replace(W, weights={**W.weights, "A": 0.81}).digest() != W.digest()
