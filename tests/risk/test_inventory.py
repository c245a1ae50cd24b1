"""Live R: what lies there raises it, what nobody measures never lowers it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazwatch.registry.gb18218.model import grade
from hazwatch.registry.gb18218.reading import unit_of
from hazwatch.registry.gb18218.tonnes import alphas, per_tonne
from hazwatch.risk.inventory import Stock, live_r

A = alphas()
tonnes = st.floats(0, 5_000)
stocks = st.lists(
    st.builds(
        Stock, st.floats(1, 5_000), st.none() | tonnes, tonnes, st.sampled_from([0.0, 5.0, 10.0, 500.0]),
        st.sampled_from([1.0, 2.0, 4.0]),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
rs = st.floats(0, 2_000)
known = st.none() | st.sampled_from([0.5, 1.0, 2.0])


def number(r: float | None) -> float:
    return -1.0 if r is None else r


def test_one_tonne_is_graded_as_the_registry_grades_it() -> None:
    found = per_tonne("液氨", "7664-41-7")
    whole = grade(unit_of({"population_500m": 60, "substances": [{"name": "液氨", "q_t": 518}]}).entries, 60)
    assert found is not None
    assert live_r(0.0, 1.5, [Stock(518, 518, 0, found.critical, found.beta)], A) == pytest.approx(float(whole.r), 1e-4)
    assert per_tonne("不存在的物质", "") is None
    assert A == (0.5, 2.0)


def test_at_the_design_quantity_live_r_is_the_registered_one_whatever_alpha() -> None:
    for alpha in (None, 1.0, 2.0):
        assert live_r(42.0, alpha, [Stock(100, 100, 0, 10, 2), Stock(50, None, 0, 10, 2)], A) == 42.0


def test_overfilled_by_half_it_is_half_more() -> None:
    assert live_r(24.0, None, [Stock(60, 90, 0, 5, 1)], A) == pytest.approx(36.0)


def test_what_is_not_measured_counts_at_design_or_at_what_was_last_known() -> None:
    assert live_r(24.0, None, [Stock(60, 30, 0, 5, 1), Stock(60, None, 0, 5, 1)], A) == pytest.approx(18.0)
    assert live_r(24.0, None, [Stock(60, 60, 0, 5, 1), Stock(60, None, 90, 5, 1)], A) == pytest.approx(30.0)
    assert live_r(24.0, None, [Stock(60, None, 0, 5, 1)], A) is None


def test_a_source_that_is_none_by_design_becomes_one_when_more_lies_there() -> None:
    assert live_r(0.0, 1.0, [Stock(4, 4.9, 0, 5, 4)], A) == 0.0
    assert live_r(0.0, 1.0, [Stock(4, 5, 0, 5, 4)], A) == 4.0


@settings(max_examples=150)
@given(rs, known, stocks, st.data())
def test_more_never_lowers_it(r, alpha, some, data) -> None:
    n = data.draw(st.integers(0, len(some) - 1))
    if some[n].live is None:
        return
    more = [replace(s, live=s.live + data.draw(tonnes)) if k == n else s for k, s in enumerate(some)]
    assert number(live_r(r, alpha, more, A)) >= number(live_r(r, alpha, some, A))


@settings(max_examples=150)
@given(rs, known, stocks, st.data())
def test_a_gauge_that_falls_silent_never_lowers_it_below_what_was_known(r, alpha, some, data) -> None:
    """With what was last known of it, a silent vessel counts at least as much as before."""
    n = data.draw(st.integers(0, len(some) - 1))
    if some[n].live is None:
        return
    silent = [replace(s, live=None, last=s.live) if k == n else s for k, s in enumerate(some)]
    before, after = live_r(r, alpha, some, A), live_r(r, alpha, silent, A)
    assert max(r, number(after)) >= max(r, number(before))
