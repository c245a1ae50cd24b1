"""Capacity: what is said grows with what it should, and with the figures of the nation it is what arithmetic says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from hazwatch.cli import app
from hazwatch.history.capacity import GIB, SAMPLE_BYTES, Keeping, Load, cost, log_lasts_h

KEEPING = Keeping(90, 1095, 72, 20, 60)
NATION = Load(460_000, 1.0, 0.1, 4_500)


def test_the_nation() -> None:
    found = cost(NATION, KEEPING)
    assert found.samples_a_second == 460_000
    assert found.stored_a_day == 460_000 * 86_400 * 0.1
    assert found.samples_kept == found.stored_a_day * SAMPLE_BYTES * 90
    assert found.log_kept == 20 * GIB
    assert log_lasts_h(NATION, KEEPING) == pytest.approx(20 * GIB / (460_000 * 22 * 3600))


def test_what_never_changes_is_stored_at_every_heartbeat_and_never_more_often_than_it_comes() -> None:
    assert cost(replace(NATION, change=0.0), KEEPING).stored_a_day == 460_000 / 60 * 86_400
    assert cost(replace(NATION, change=0.0, hz=0.001), KEEPING).stored_a_day == pytest.approx(460 * 86_400)


loads = st.builds(Load, st.integers(0, 10**7), st.floats(0.001, 10), st.floats(0, 1), st.floats(0, 1e6))


@given(load=loads, more=st.floats(1, 5))
def test_more_never_costs_less(load, more) -> None:
    before = cost(load, KEEPING)
    for after in (
        cost(replace(load, points=int(load.points * more)), KEEPING),
        cost(replace(load, hz=load.hz * more), KEEPING),
        cost(replace(load, alarms_a_day=load.alarms_a_day * more), KEEPING),
        cost(load, replace(KEEPING, raw_days=int(90 * more))),
    ):
        assert after.year >= before.year
        assert after.cores >= before.cores
        assert after.memory >= before.memory


@pytest.mark.parametrize("wrong", [{"points": -1}, {"hz": 0.0}, {"change": 1.5}, {"alarms_a_day": -1.0}])
def test_nonsense_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="指标数"):
        cost(replace(NATION, **wrong), KEEPING)


def test_the_command_speaks_of_a_year() -> None:
    said = CliRunner().invoke(app, ["capacity", "--points", "460000", "--change", "0.1"])
    assert said.exit_code == 0
    assert "一年磁盘" in said.output
    assert "460,000 样本/秒" in said.output
    refused = CliRunner().invoke(app, ["capacity", "--points", "10", "--change", "2"])
    assert refused.exit_code == 2
