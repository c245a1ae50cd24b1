"""What other rooms may know of the knowledge base: facts of gases for set points and for what is to be watched."""

from __future__ import annotations

from functools import lru_cache

from hazwatch.chemicals.desk import UnknownSubstanceError, by_cas, find
from hazwatch.chemicals.model import Fact, Substance
from hazwatch.registry.setpoints.model import OEL_ORDER, GasFacts

_TOXIC = {"gas_tox", "gas_tox_corr", "liq_flam_tox"}
_MASS = "mg/m³"


@lru_cache(4096)
def gas_facts(cas: str | None, name: str | None) -> GasFacts | None:
    """Facts of a gas by CAS number, else by its exact name or alias; None where it is not certain."""
    substance = by_cas(cas) if cas else None
    if substance is None and name:
        try:
            substance = find(name)
        except UnknownSubstanceError:
            return None
    return _facts(substance) if substance else None


@lru_cache(4096)
def nature(cas: str | None, name: str | None) -> tuple[bool | None, bool | None]:
    """Whether a medium gives a combustible and a toxic gas; None where nobody knows the medium.

    Toxic counts what is deadly by the air: acute toxicity by inhalation of class 1 or 2, and toxic gases.
    """
    facts = gas_facts(cas, name)
    substance = by_cas(facts.cas) if facts else None
    if substance is None:
        return None, None
    combustible = substance.property("lel") is not None or any(c.startswith(("FG", "FL")) for c in substance.ghs)
    toxic = bool({"AI1", "AI2"} & set(substance.ghs)) or bool(_TOXIC & set(substance.families))
    return combustible, toxic


def _facts(substance: Substance) -> GasFacts:
    mass, lel = substance.property("molar_mass"), substance.property("lel")
    idlh = substance.exposure.get("IDLH")
    oel = {kind: substance.exposure[kind].value for kind in OEL_ORDER if kind in substance.exposure}
    return GasFacts(
        substance.cas, substance.name, _value(mass), _value(lel), oel,
        idlh.value if idlh and idlh.unit == _MASS else None, idlh.value if idlh and idlh.unit != _MASS else None,
    )  # fmt: skip


def _value(fact: Fact | None) -> float | None:
    return fact.value if fact else None
