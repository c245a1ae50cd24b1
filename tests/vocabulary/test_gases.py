"""Concentrations: there and back, the figures of handbooks, and what is no concentration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazwatch.vocabulary.gases import STANDARD, Air, lel_of_vol, mg_m3_of_ppm, ppm_of_mg_m3, vol_of_lel

AIR = st.builds(Air, st.floats(-60, 200), st.floats(30, 300))
MASS, AMOUNT = st.floats(1, 500), st.floats(0, 1e6)


@given(AMOUNT, MASS, AIR)
def test_there_and_back(amount, mass, air) -> None:
    assert ppm_of_mg_m3(mg_m3_of_ppm(amount, mass, air), mass, air) == pytest.approx(amount, rel=1e-12)


@given(st.floats(0, 500), st.floats(0.1, 100))
def test_lel_there_and_back(share, lel) -> None:
    assert lel_of_vol(vol_of_lel(share, lel), lel) == pytest.approx(share, rel=1e-12)


@given(AMOUNT, MASS, AIR, st.floats(1.01, 2))
def test_warmer_or_thinner_air_holds_less(amount, mass, air, factor) -> None:
    warmer = Air((air.celsius + 273.15) * factor - 273.15, air.kpa)
    thinner = Air(air.celsius, air.kpa / factor)
    expected = mg_m3_of_ppm(amount, mass, air) / factor
    assert mg_m3_of_ppm(amount, mass, warmer) == pytest.approx(expected, rel=1e-9)
    assert mg_m3_of_ppm(amount, mass, thinner) == pytest.approx(expected, rel=1e-9)


def test_figures_of_handbooks() -> None:
    assert pytest.approx(24.465, abs=1e-3) == STANDARD.molar_volume
    assert Air(0, 101.325).molar_volume == pytest.approx(22.414, abs=1e-3)
    assert mg_m3_of_ppm(10, 70.91) == pytest.approx(29, rel=1e-3)
    assert ppm_of_mg_m3(20, 17.03) == pytest.approx(28.7, rel=2e-3)
    assert vol_of_lel(25, 5) == 1.25


@pytest.mark.parametrize("bad", [(-274, 101), (20, 0), (20, -1)])
def test_there_is_no_such_air(bad) -> None:
    with pytest.raises(ValueError, match="空气"):
        Air(*bad)


def test_there_is_no_such_gas() -> None:
    with pytest.raises(ValueError, match="摩尔质量"):
        ppm_of_mg_m3(1, 0)
    with pytest.raises(ValueError, match="爆炸下限"):
        vol_of_lel(25, 0)
