"""Heat balance: a change of the coolant is found, a change of load is not one, silence calms nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazwatch.risk.declared import DeclaredError, check
from hazwatch.risk.heat import HeatBalance, HeatRules, Reference, reference_of, transfer

STEP_S = 10


def readings(load: float, *, inlet: float = 30.0, shown: float = 30.0, fouling: float = 0.0) -> tuple[float, ...]:
    """A unit at 120 ℃ whose outlet stays at 90 ℃: flow, inlet as shown, outlet, temperature."""
    flow = load * (1 - fouling) / (90 - inlet)
    return flow, shown, 90.0, 120.0


def value(rng: np.random.Generator, *given: float) -> float | None:
    flow, *rest = given
    return transfer(flow * (1 + 0.01 * rng.standard_normal()), *rest)


def reference(rng: np.random.Generator) -> Reference:
    at = np.arange(0, 6 * 3600, STEP_S, np.float64)
    found = reference_of(at, np.array([value(rng, *readings(100.0)) for _ in at], np.float64), HeatRules())
    assert found is not None
    return found


def first(book: HeatBalance, rng: np.random.Generator, hours: float, given: tuple[float, ...]) -> float | None:
    """Minutes until the ratio reaches 1."""
    for k in range(round(hours * 3600 / STEP_S)):
        verdict = book.look(k * STEP_S * 1000, value(rng, *given))
        if verdict is not None and verdict.ratio >= 1:
            return k * STEP_S / 60
    return None


def test_a_day_of_normal_operation_raises_nothing() -> None:
    rng = np.random.default_rng(1)
    assert first(HeatBalance(reference(rng)), rng, 24, readings(100.0)) is None


@pytest.mark.parametrize("case", [readings(100.0, inlet=36.0), readings(100.0, fouling=0.08)], ids=["warm", "fouled"])
def test_warmer_coolant_and_fouling_are_found_within_the_hour(case) -> None:
    rng = np.random.default_rng(2)
    found = first(HeatBalance(reference(rng)), rng, 2, case)
    assert found is not None
    assert found <= 60


def test_what_is_missing_changes_no_sum() -> None:
    rng = np.random.default_rng(3)
    book = HeatBalance(reference(rng))
    assert first(book, rng, 2, readings(100.0, inlet=36.0)) is not None
    before = book.up, book.down
    for k in range(10_000):
        assert book.look(10**9 + k * STEP_S * 1000, None) is None
    assert (book.up, book.down) == before


@settings(max_examples=60)
@given(st.floats(-0.5, 0.5), st.floats(0, 0.5))
def test_further_off_never_gives_a_lower_ratio(off: float, more: float) -> None:
    def ratio(by: float) -> float:
        book = HeatBalance(Reference(0.0, 0.01))
        found = [book.look(k * 60_000, by) for k in range(30)]
        return max(v.ratio for v in found if v is not None)

    assert ratio(np.copysign(abs(off) + more, off)) >= ratio(off)


def test_nothing_flows_nothing_is_told() -> None:
    assert transfer(0.0, 30, 90, 120) is None
    assert transfer(1.0, 30, 20, 120) is None
    assert transfer(1.0, 30, 90, 40) is None
    assert reference_of(np.arange(100.0), np.full(100, np.nan), HeatRules()) is None


def test_an_inlet_is_measured_or_declared() -> None:
    points = {"name": "反应器", "flow": "a", "outlet": "b", "temperature": "c"}
    assert check("heat_balance", points | {"inlet_c": 35})["inlet_c"] == 35
    with pytest.raises(DeclaredError, match="至少填一个"):
        check("heat_balance", points)
