"""Material balance on simulated tanks: leaks of 1 % of throughput, false alarms, and what is told apart.

    .venv/bin/python bench/balance.py [TANK_DAYS] [--derived]

``--derived``: density and expansion as the node derives them from the knowledge base, read every 10 s.

Tanks are those of the simulator's physics (heat, density, shut-off valves), read with the noise of its gauges;
every meter has a constant error of its own (0.1 % of the flow, one sigma) that the balance does not know.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hazwatch.app.books import derived
from hazwatch.app.chemistry import liquid
from hazwatch.app.sites import Tank
from hazwatch.risk.balance import Balance, Finding, Readings, Vessel, strapping
from hazwatch.simulator.physics import tankfarm as tf
from hazwatch.simulator.plant import VESSELS
from hazwatch.simulator.registry import AMMONIA, BENZENE, METHANOL

#: Seconds between looks. The node looks every second; here only at the sphere, whose flows are small beside its area.
DT = {"101": 5.0, "102": 5.0, "201": 5.0, "301": 1.0}
#: Receiving and delivering, m³/h, and between which levels (m) the routine runs.
ROUTINE = {
    "101": (120.0, 65.0, 5.0, 11.0),
    "102": (65.0, 22.0, 1.8, 3.6),
    "201": (75.0, 40.0, 4.0, 9.5),
    "301": (42.0, 18.0, 3.5, 8.0),
}
LEVEL_SD = {"101": 0.0015, "102": 0.0015, "201": 0.0015, "301": 0.004}


MEDIUM = {"101": METHANOL, "102": METHANOL, "201": BENZENE, "301": AMMONIA}
DERIVED = "--derived" in sys.argv
if DERIVED:
    DT = dict.fromkeys(DT, 10.0)


def balance_of(n: str) -> Balance:
    v = VESSELS[n]
    if DERIVED:
        tank = Tank(v.diameter, v.height, sphere=v.sphere)
        return Balance(derived(tank, liquid(None, MEDIUM[n]) or (0.0, 0.0)))
    heights, volumes = strapping(v.diameter, v.height, sphere=v.sphere, rows=2000)
    # The sphere has two gauges; their mean is read.
    sd = LEVEL_SD[n] / (2**0.5 if v.sphere else 1)
    return Balance(
        Vessel(v.fluid.density, v.fluid.expansion, heights, volumes, level_sd=sd, flow_sd=0.25, temperature_sd=0.03)
    )


@dataclass
class Case:
    """What happens to a tank: a leak as a share of the throughput, a stuck gauge, flows that nobody ordered."""

    leak: float = 0.0
    stuck: bool = False
    unordered: bool = False
    begin_s: float = 1e12


def walk(n: str, seed: int, days: float, case: Case) -> list[tuple[float, Finding]]:
    """Findings of a tank, by seconds since the case began (negative before)."""
    rng = np.random.default_rng(seed)
    vessel, (fill, draw, low, high) = VESSELS[n], ROUTINE[n]
    state = tf.TankState(tf.mass_at(vessel, 0.4 + 0.2 * rng.random(), 15 + 5 * rng.random()), temperature=17.0)
    book = balance_of(n)
    bias = 1 + 0.001 * rng.standard_normal(2)
    receiving, shown = bool(rng.integers(2)), 0.0
    dt = DT[n]
    steps = round(days * 86_400 / dt)
    noise = rng.standard_normal((steps, 4))
    found = []
    for k in range(steps):
        at = k * dt
        on = at >= case.begin_s
        level = tf.level(vessel, state)
        receiving = level < low or (receiving and level < high)
        if case.unordered:
            orders = tf.Orders(0.0, draw if on else 0.0)
        else:
            through = max(fill if receiving else 0.0, draw) / 3600 * tf.density(vessel.fluid, state.temperature)
            orders = tf.Orders(fill if receiving else 0.0, draw, leak=case.leak * through if on else 0.0)
        air = 14 + 7 * np.sin(2 * np.pi * (at / 86_400 - 0.3))
        state = tf.step(vessel, state, orders, air, max(0.0, np.sin(2 * np.pi * (at / 86_400 - 0.25))), dt)
        gauge = tf.level(vessel, state) + book.vessel.level_sd * noise[k, 0]
        shown = shown if case.stuck and on and shown else gauge
        flows = [
            max(0.0, f * b + 0.25 * e) if f > 0 else 0.0
            for f, b, e in zip((state.inflow, state.outflow), bias, noise[k, 1:3], strict=True)
        ]
        verdict = book.look(
            round(at * 1000),
            Readings(
                shown, state.temperature + 0.03 * noise[k, 3], *flows, ordered=not case.unordered, open=flows[1] > 0
            ),
        )
        if verdict is not None:
            found.append((at - case.begin_s, verdict.finding))
    return found


def first(found: list[tuple[float, Finding]], wanted: Finding) -> float | None:
    return next((at / 60 for at, finding in found if at >= 0 and finding is wanted), None)


def main(tank_days: float) -> None:
    begun = time.perf_counter()
    # Many tanks for some days rather than a few for months: the meters' errors differ from tank to tank.
    plants = max(1, round(tank_days / len(ROUTINE) / 5))
    each = tank_days / len(ROUTINE) / plants
    alarms = 0
    for n in ROUTINE:
        own = 0
        for seed in range(plants):
            kinds = [Finding.CLOSED, *(f for _, f in walk(n, seed, each, Case()))]
            own += sum(b is not Finding.CLOSED and a is Finding.CLOSED for a, b in pairwise(kinds))
        alarms += own
        print(f"tank {n}: {plants} × {each:.1f} days of normal operation, {own} false alarms", flush=True)
    print(
        f"false alarms: {alarms} in {tank_days / 30:.2f} tank-months = {alarms / (tank_days / 30):.2f}"
        " a tank-month (wanted ≤ 1)\n"
    )
    print(f"{'tank':<6}{'leak':>7}{'found':>8}{'within 60 min':>15}{'median min':>12}{'worst min':>11}")
    for n in ROUTINE:
        for share in (0.01, 0.02, 0.05):
            times = [first(walk(n, 100 + s, 0.25, Case(leak=share, begin_s=3 * 3600)), Finding.LEAK) for s in range(10)]
            known = [t for t in times if t is not None]
            soon = sum(t <= 60 for t in known)
            print(
                f"{n:<6}{share:>7.0%}{len(known):>5}/10{soon:>12}/10"
                f"{np.median(known or [np.nan]):>12.0f}{max(known, default=np.nan):>11.0f}",
                flush=True,
            )
    print()
    for name, case, wanted in (
        ("stuck gauge", Case(stuck=True, begin_s=3 * 3600), Finding.STUCK),
        ("transfer without order", Case(unordered=True, begin_s=3 * 3600), Finding.TRANSFER),
        ("leak of 2 %", Case(leak=0.02, begin_s=3 * 3600), Finding.LEAK),
    ):
        right, delays = 0, []
        for n in ROUTINE:
            for s in range(5):
                found = [(at, f) for at, f in walk(n, 200 + s, 0.25, case) if at >= 0 and f is not Finding.CLOSED]
                right += bool(found) and found[0][1] is wanted
                if found:
                    delays.append(found[0][0] / 60)
        print(f"{name:<24} first told as {wanted.zh}: {right}/20, median {np.median(delays or [np.nan]):.0f} min")
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    days = [a for a in sys.argv[1:] if not a.startswith("--")]
    main(float(days[0]) if days else 120.0)
