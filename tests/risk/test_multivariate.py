"""The multivariate monitor: what it learns, what it names, and that it can be kept."""

from __future__ import annotations

import numpy as np
import pytest

from hazwatch.risk.multivariate import fit, form, held_out, median3, on_grid, parse, ratios, shares


def normal(rows: int = 3_000, seed: int = 1) -> np.ndarray:
    """Six variables that two causes move."""
    rng = np.random.default_rng(seed)
    causes = rng.standard_normal((rows, 2))
    mixing = np.array([[1.0, 0.8, 0.5, 0.0, 0.2, -1.0], [0.0, 0.3, -0.6, 1.0, 0.9, 0.1]])
    return 50 + causes @ mixing + 0.1 * rng.standard_normal((rows, 6))


def test_normal_operation_stays_within_its_limits() -> None:
    t2, spe = ratios(fit(normal()), normal(seed=2))
    assert (np.maximum(t2, spe) > 1).mean() < 0.01
    assert held_out(normal()) < 0.02


def test_a_variable_that_leaves_the_others_is_named_though_its_value_is_usual() -> None:
    model = fit(normal())
    row = np.full(6, 50.0)
    row[3] += 1.5
    t2, spe = ratios(model, row[None, :])
    added_t2, added_spe = shares(model, row)
    assert spe[0] > 3
    assert int(np.argmax(added_spe)) == 3
    assert added_t2.sum() == pytest.approx(t2[0])
    assert added_spe.sum() == pytest.approx(spe[0])


def test_a_row_with_a_gap_has_no_distance() -> None:
    row = np.full((1, 6), 50.0)
    row[0, 2] = np.nan
    assert np.isnan(np.maximum(*ratios(fit(normal()), row))).all()


def test_a_model_is_the_same_after_it_was_kept() -> None:
    rows = np.column_stack([normal(), np.full(3_000, 7.0)])
    model = fit(rows)
    again = parse(form(model))
    assert np.array_equal(np.stack(ratios(model, rows)), np.stack(ratios(again, rows)))


def test_a_value_stands_for_its_time_and_no_longer() -> None:
    points = np.array([7, 3])
    found = np.array([3, 7, 7]), np.array([11, 10, 13]), np.array([1.0, 2.0, 3.0])
    grid = on_grid(points, found, first=10, steps=5, hold=1)
    assert np.array_equal(grid, [[2, np.nan], [2, 1], [np.nan, 1], [3, np.nan], [3, np.nan]], equal_nan=True)
    assert np.array_equal(
        median3(np.array([[1.0], [9.0], [2.0], [3.0]])), [[np.nan], [np.nan], [2], [3]], equal_nan=True
    )
