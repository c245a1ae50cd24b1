"""Pure: density of a liquid at 20 ℃ and how it expands.

What is known is the density at 25 ℃. The expansion follows from the critical point by Rackett's equation with the
constant of Yamada and Gunn, V ∝ Z^((1 − Tr)^(2/7)), Z = 0.29056 − 0.08775·ω, and ω by Edmister from the boiling point:
within some 25 % for polar liquids, 10 % for others. Over the 20 K that tanks see that is a few per mille of the mass.
"""

from __future__ import annotations

import math

from hazwatch.chemicals.model import ZERO_CELSIUS, Substance

_KNOWN_AT, _WANTED_AT = 25.0, 20.0
#: Of liquids whose critical point is not known, per K: between water and light hydrocarbons.
USUAL_EXPANSION = 0.0011
_MPA_AN_ATMOSPHERE = 0.101325


def expansion(substance: Substance) -> float | None:
    """Expansion at 20 ℃, per K; None where the critical point is not known or lies below."""
    facts = [substance.property(key) for key in ("critical_temperature", "critical_pressure", "boiling_point")]
    if any(fact is None for fact in facts):
        return None
    critical, pressure, boiling = (fact.value for fact in facts if fact is not None)
    critical, boiling = critical + ZERO_CELSIUS, boiling + ZERO_CELSIUS
    reduced = (_WANTED_AT + ZERO_CELSIUS) / critical
    if not 0 < reduced < 1 or not 0 < boiling < critical:
        return None
    share = boiling / critical
    omega = 3 / 7 * share / (1 - share) * math.log10(pressure / _MPA_AN_ATMOSPHERE) - 1
    z = 0.29056 - 0.08775 * omega
    return float(-math.log(z) * 2 / 7 * (1 - reduced) ** (-5 / 7) / critical) if z > 0 else None


def liquid_at_20(substance: Substance) -> tuple[float, float] | None:
    """Density at 20 ℃, kg/m³, and expansion per K; None where the density is not known."""
    known = substance.property("liquid_density_25c")
    if known is None:
        return None
    grows = expansion(substance) or USUAL_EXPANSION
    return known.value * (1 + grows * (_KNOWN_AT - _WANTED_AT)), grows
