"""Material balance: what is lost is found, and told apart from what only looks like it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hazwatch.risk.balance import Balance, Finding, Group, Readings, Vessel, density, strapping, volume

HOUR = 3600
TANK = Vessel(800.0, 0.0012, area=200.0, level_sd=0.0015, flow_sd=0.2)


def play(
    hours: float, *, leak=0.0, stuck=False, draw=60.0, booked=None, ordered=True, opened=False, noise=True, seed=1
):
    """A tank read every 5 s; the case begins after 2 h. Findings with their hour since then."""
    rng, book = np.random.default_rng(seed), Balance(TANK)
    level, shown, found = 8.0, 8.0, []
    for k in range(round(hours * HOUR / 5)):
        on = k * 5 >= 2 * HOUR
        level -= (draw + (leak if on else 0.0)) / HOUR * 5 / TANK.area
        if not (stuck and on):
            shown = level + (0.0015 * rng.standard_normal() if noise else 0.0)
        meter = draw if booked is None or not on else booked
        verdict = book.look(5000 * k, Readings(shown, 20.0, 0.0, meter, ordered or not on, opened))
        if verdict is not None and on:
            found.append((k * 5 / HOUR - 2, verdict))
    return found


def kinds(found) -> set[Finding]:
    return {v.finding for _, v in found}


def test_a_tank_that_only_delivers_is_closed() -> None:
    assert kinds(play(8)) == {Finding.CLOSED}


@pytest.mark.parametrize("seed", range(3))
def test_a_leak_of_two_percent_is_found_within_the_hour(seed) -> None:
    found = play(4, leak=1.2, seed=seed)
    first = next(at for at, v in found if v.finding is Finding.LEAK)
    assert first <= 1
    assert found[-1][1].share == pytest.approx(0.02, rel=0.4)
    assert kinds(found) <= {Finding.CLOSED, Finding.LEAK}


def test_mass_that_no_meter_saw_coming_is_a_gain() -> None:
    assert Finding.GAIN in kinds(play(4, leak=-3.0))


def test_a_gauge_that_stands_still_while_much_flows_is_stuck_and_no_leak() -> None:
    assert kinds(play(4, stuck=True)) <= {Finding.STUCK, Finding.CLOSED}
    assert Finding.STUCK in kinds(play(4, stuck=True))


def test_a_flow_without_an_order_is_a_transfer() -> None:
    assert next(v.finding for _, v in play(4, ordered=False)[1:]) is Finding.TRANSFER
    unmetered = play(4, draw=0.0, leak=20.0, ordered=False, opened=True)
    assert Finding.TRANSFER in kinds(unmetered)
    assert Finding.LEAK not in kinds(unmetered)
    assert Finding.LEAK in kinds(play(4, draw=0.0, leak=20.0)), "with every valve shut it is a leak"


def test_without_noise_the_books_close_to_the_kilogram() -> None:
    assert max(abs(v.residual) for _, v in play(5, noise=False)) < 1e-6


def test_warmth_is_no_gain() -> None:
    """Sun warms the tank by 4 K in 4 h: the level rises, the mass does not."""
    book, mass = Balance(TANK), 1_000_000.0
    for k in range(2880):
        t = 18 + 4 * k / 2880
        level = mass / density(TANK, t) / TANK.area
        verdict = book.look(5000 * k, Readings(level, t, 0.0, 0.0))
        assert verdict is None or (verdict.finding is Finding.CLOSED and abs(verdict.residual) < 1e-6)


def test_what_is_not_known_is_no_loss() -> None:
    book = Balance(TANK)
    for k in range(2000):
        lost = 500 <= k < 900
        level = math.nan if lost else 8.0
        verdict = book.look(5000 * k, Readings(level, 20.0, 0.0, 0.0))
        assert verdict is None or verdict.finding is Finding.CLOSED
    assert book.up == 0


def test_a_group_does_not_mind_what_its_members_give_each_other() -> None:
    """Two tanks, an unmetered line between them: each is out of balance, together they are not."""
    one, other, group = Balance(TANK), Balance(TANK), Group()
    findings = set()
    for k in range(4000):
        moved = 0.02 * k / 4000 * 5
        pair = [
            one.look(5000 * k, Readings(8 - moved, 20.0, 0.0, 0.0)),
            other.look(5000 * k, Readings(5 + moved, 20.0, 0.0, 0.0)),
        ]
        joined = group.step(pair) if any(pair) else None
        findings |= {v.finding for v in pair if v}
        assert joined is None or joined.finding is Finding.CLOSED
    assert findings >= {Finding.LEAK, Finding.GAIN}


def test_volume_by_table_and_by_area() -> None:
    heights, volumes = strapping(12.4, 12.4, sphere=True)
    sphere = Vessel(610.0, heights=heights, volumes=volumes)
    assert volume(sphere, 12.4) == pytest.approx(math.pi * 12.4**3 / 6)
    assert volume(sphere, 6.2) == pytest.approx(math.pi * 12.4**3 / 12, rel=1e-4)
    assert volume(TANK, 2.0) == 400.0
