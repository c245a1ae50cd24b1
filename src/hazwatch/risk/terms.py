"""Pure: the x of every term of HW-1, for many objects at once (domain/risk.md §3).

Every function takes the columns of its inputs, float64[N] with missing values already calm, and gives x in [0, 1].
Each is monotone in each input and does not care about order: what comes in as a list was made a count, a sum of powers
of two, or a maximum by who collected it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hazwatch.risk.configuration import Configuration

Column = NDArray[np.float64]
Columns = Mapping[str, Column]
Term = Callable[[Columns, Configuration], Column]

#: Digits of every x and of B: what compilers and processors differ in lies far below, so a grade is the same for ever.
DIGITS = 6
_SECONDS = 60.0


def inherent(c: Columns, k: Configuration) -> Column:
    """B = 0.05 + 0.25 · min(1, log10(1+R) / log10(401)), R of the design or of the live inventory, the larger."""
    r = np.maximum(np.maximum(c["r"], c["r_live"]), 0.0)
    share = np.minimum(1.0, np.log10(1.0 + r) / np.log10(k.base_r_full))
    return _settled(k.base + k.base_span * share)


def _classes(k: Configuration) -> dict[str, float]:
    """The x with which an alarm of each kind begins."""
    first, second, comb, tox = k.first_set_point, k.second_set_point, k.combustible_factor, k.toxic_factor
    return {
        "first_other": first, "first_combustible": min(1.0, first * comb), "first_toxic": min(1.0, first * tox),
        "second_other": second, "second_combustible": min(1.0, second * comb), "second_toxic": min(1.0, second * tox),
        "trip": k.interlock_trip,
    }  # fmt: skip


def alarm_state(c: Columns, k: Configuration, *, confirmed: bool = False) -> Column:
    """A: the worst alarm; a quarter of the room above it fills with duration, half-life 10 min.

    ``confirmed`` leaves out what may be one spiking sample of one sensor: alarms younger than 30 s that stand alone.
    """
    worst = np.zeros(len(c["gas_pair"]))
    alone = (c["gas_pair"] < 1) & (c["alarming"] <= 1)
    for name, x in _classes(k).items():
        minutes = c[name]
        grown = x + k.growth * (1 - x) * (1 - np.exp2(-np.maximum(minutes, 0.0) / k.half_life_min))
        stands = minutes >= 0
        if confirmed:
            stands &= ~(alone & (minutes * _SECONDS < k.confirm_s))
        worst = np.maximum(worst, np.where(stands, grown, 0.0))
    return _settled(np.maximum(worst, np.where(c["gas_pair"] >= 1, k.two_detectors, 0.0)))


def time_to_limit(c: Columns, k: Configuration) -> Column:
    """T: clip(1 − τ/τ0)."""
    return _settled(1 - c["to_limit"] / k.time_horizon_min)


def alarm_quality(c: Columns, k: Configuration) -> Column:
    """Q: mean of the five national indicators, each scaled to [0, 1]."""
    parts = (
        c["q_disturbance"], c["q_repeat"] / k.q_repeat_full, c["q_count"] / k.q_count_full,
        c["q_clear"] / k.q_clear_full_min, c["q_longest"] / k.q_longest_full_min,
    )  # fmt: skip
    total = np.zeros(len(parts[0]))
    for part in parts:
        total = total + np.clip(part, 0.0, 1.0)
    return _settled(total / len(parts))


def barriers(c: Columns, _k: Configuration) -> Column:
    """I: 1 − Π min(1, PFD_design / PFD_now)."""
    return _settled(c["barrier_loss"])


def material_balance(c: Columns, _k: Configuration) -> Column:
    """M: 0 up to the threshold of the CUSUM, a half at it, 1 at twice of it."""
    return _settled(np.where(c["balance"] >= 1, c["balance"] / 2, 0.0))


def work_and_management(c: Columns, k: Configuration) -> Column:
    """W: everything together as a noisy-OR.

    A work counts 1, and twice as much at night, on a holiday, and inside the hazard source: its exponent.
    """
    left = np.ones(len(c["commitment"]))
    for name, x in sorted(k.works.items()):
        left = left * np.power(1 - x, c[f"work_{name}"])
    commitment = np.where(
        c["commitment"] > 1, max(k.commitment_unsafe, k.commitment_missing),
        k.commitment_missing * np.minimum(c["commitment"], 1.0),
    )  # fmt: skip
    left = left * (1 - commitment)
    left = left * (1 - k.trial_production * c["trial_production"]) * (1 - k.start_stop * c["start_stop"])
    left = left * np.power(1 - k.danger_general, c["danger_general"]) * np.power(1 - k.danger_major, c["danger_major"])
    left = left * (1 - k.tasks_missed * c["tasks_missed"]) * np.power(1 - k.interlock_removed, c["interlock_removed"])
    return _settled(1 - left)


def environment(c: Columns, k: Configuration) -> Column:
    """E: weather warning, wind from 13.8 m/s, lightning, extreme heat, wind towards people with a live release."""
    left = 1 - k.weather_step * c["weather"]
    left = left * np.where(c["wind"] >= k.wind_ms, 1 - k.wind_x, 1.0) * (1 - k.lightning_x * c["lightning"])
    left = left * np.where(c["heat"] >= k.heat_c, 1 - k.heat_x, 1.0) * (1 - k.towards_people_x * c["towards_people"])
    return _settled(1 - left)


def domino(c: Columns, k: Configuration) -> Column:
    """D: a neighbour within the escalation ring is 橙 (3) or 红 (4)."""
    worst = np.where(c["neighbour"] >= 4, max(k.neighbour_red, k.neighbour_orange), k.neighbour_orange)  # noqa: PLR2004  # Colour.RED
    return _settled(np.where(c["neighbour"] >= 3, worst, 0.0))  # noqa: PLR2004  # Colour.ORANGE


def _plain(name: str) -> Term:
    return lambda c, _k: _settled(c[name])


def multivariate(c: Columns, k: Configuration) -> Column:
    """X: T² or SPE beyond its control limit, on a log scale: 0 at the limit, 1 at ten times of it."""
    ratio = np.maximum(np.maximum(c["t2"], c["spe"]), 1.0)
    return _settled(np.log(ratio) / np.log(k.multivariate_full))


def heat_balance(c: Columns, _k: Configuration) -> Column:
    """H: as the material balance."""
    return _settled(np.where(c["heat_balance"] >= 1, c["heat_balance"] / 2, 0.0))


def overstock(c: Columns, k: Configuration) -> Column:
    """K: from the design quantity (q > design) to 1.5 times of it; half of it at once."""
    over = np.clip((c["overstock"] - 1) / (k.overstock_full - 1), 0.0, 1.0)
    return _settled(np.where(c["overstock"] > 1, 0.5 + 0.5 * over, 0.0))


TERMS: Mapping[str, Term] = {
    "A": alarm_state, "T": time_to_limit, "Q": alarm_quality, "I": barriers, "M": material_balance,
    "W": work_and_management, "E": environment, "D": domino, "L": _plain("no_order"), "N": _plain("blanket_loss"),
    "R": _plain("roof_seal"), "O": _plain("boil_over"), "P": _plain("trip_share"), "X": multivariate,
    "H": heat_balance, "K": overstock, "C": _plain("incompatible"), "G": _plain("climate"), "V": _plain("ventilation"),
}  # fmt: skip


def _settled(x: Column) -> Column:
    """Into [0, 1], and to six digits."""
    return np.asarray(np.round(np.clip(x, 0.0, 1.0), DIGITS), np.float64)
