"""What other rooms may know of the knowledge base: gases and liquids, what weather harms, what may not meet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from hazwatch.chemicals.book import book
from hazwatch.chemicals.desk import UnknownSubstanceError, by_cas, find
from hazwatch.chemicals.liquid import expansion, liquid_at_20
from hazwatch.chemicals.model import Fact, Substance
from hazwatch.chemicals.reactivity import Verdict
from hazwatch.registry.setpoints.model import OEL_ORDER, GasFacts
from hazwatch.risk.concerns import Trait

_TOXIC = {"gas_tox", "gas_tox_corr", "liq_flam_tox"}
_MASS = "mg/m³"
#: Up to which boiling point a liquid counts as one whose pressure rises in the sun, and from which melting point as
#: one that freezes in a cold wave, °C [ours].
_BOILS_IN_THE_SUN_C, _FREEZES_C = 60.0, -15.0
#: By hazard classes of GHS, and by families of the knowledge base.
_GHS_TRAITS: Mapping[Trait, tuple[str, ...]] = {
    Trait.FLAMMABLE: ("FG", "FL", "FS", "PL", "PS", "SH"), Trait.PRESSURISED: ("PG", "FG", "OG"),
    Trait.UNSTABLE: ("EX", "UEX", "OP", "OL", "OS", "SH"), Trait.TOXIC: ("AI",), Trait.WATER: ("WR",),
}  # fmt: skip
_FAMILY_TRAITS: Mapping[Trait, frozenset[str]] = {
    Trait.FLAMMABLE: frozenset({
        "gas_flam", "gas_flam_liq", "liq_flam", "liq_flam_ws", "liq_flam_tox", "solid_flam", "pyrophoric", "white_p",
        "acetylene",
    }),
    Trait.PRESSURISED: frozenset({
        "gas_flam", "gas_flam_liq", "gas_tox", "gas_tox_corr", "gas_ox", "gas_inert", "cryogenic", "acetylene",
    }),
    Trait.UNSTABLE: frozenset({
        "org_perox", "self_react", "explosive", "monomer", "peroxide_former", "acetylene", "oxidizer",
    }),
    Trait.TOXIC: frozenset({"gas_tox", "gas_tox_corr", "liq_flam_tox", "liq_tox", "hf", "cyanide", "water_react_tox"}),
    Trait.WATER: frozenset({"water_react", "water_react_tox", "pyrophoric", "liq_acid"}),
}  # fmt: skip


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


@lru_cache(4096)
def weather_traits(cas: str | None, name: str | None) -> frozenset[str] | None:
    """What weather may harm of a medium, words of ``Trait``; None where nobody knows it. No value is a bad value."""
    facts = gas_facts(cas, name)
    substance = by_cas(facts.cas) if facts else None
    if substance is None or not (substance.ghs or set(substance.families) - {"general"}):
        return None
    found = {trait for trait, ghs in _GHS_TRAITS.items() if any(c.startswith(ghs) for c in substance.ghs)}
    found |= {trait for trait, names in _FAMILY_TRAITS.items() if names & set(substance.families)}
    boiling, melting = substance.property("boiling_point"), substance.property("melting_point")
    if boiling is None or boiling.value <= _BOILS_IN_THE_SUN_C:
        found.add(Trait.PRESSURISED)
    if melting is None or melting.value >= _FREEZES_C:
        found.add(Trait.FREEZES)
    return frozenset(found)


@lru_cache(4096)
def liquid(cas: str | None, name: str | None) -> tuple[float, float] | None:
    """Density of a liquid at 20 ℃, kg/m³, and its expansion per K; None where nobody knows them."""
    facts = gas_facts(cas, name)
    substance = by_cas(facts.cas) if facts else None
    return liquid_at_20(substance) if substance else None


@lru_cache(4096)
def expands(cas: str | None, name: str | None) -> bool:
    """Whether the expansion of a liquid is known, and not taken as usual."""
    facts = gas_facts(cas, name)
    substance = by_cas(facts.cas) if facts else None
    return substance is not None and expansion(substance) is not None


#: What separates the goods of one store.
_BETWEEN_GOODS = re.compile(r"[、,,;;/+]|和|与|及")
#: x of goods that must not meet, and of those to be careful with, in one store and in stores of one source [ours].
_CLASHES: Mapping[tuple[Verdict, bool], float] = {
    (Verdict.INCOMPATIBLE, True): 1.0, (Verdict.INCOMPATIBLE, False): 0.5, (Verdict.CAUTION, True): 0.4,
}  # fmt: skip


@lru_cache(4096)
def goods(cas: str | None, medium: str | None) -> tuple[str, ...]:
    """CAS numbers of what a store holds: its own, and the substances that its medium names."""
    found = [gas_facts(cas, None)] if cas else []
    found += [gas_facts(None, name.strip()) for name in _BETWEEN_GOODS.split(medium or "") if name.strip()]
    return tuple(dict.fromkeys(facts.cas for facts in found if facts))


@lru_cache(4096)
def clash(one: str, other: str, *, together: bool) -> tuple[float, str]:
    """How bad it is that two goods are kept in one store (``together``) or in stores of one source, and why.

    Nobody's guess counts: a pair without a rule in the matrix of reactivity groups is 0 here, 未知 on its card.
    """
    held = book()
    pair = held.matrix.meet((one, held.substances[one].groups), (other, held.substances[other].groups))
    x = _CLASHES.get((pair.verdict, together), 0.0)
    if x == 0.0:
        return 0.0, ""
    worst = pair.findings[0]
    names = f"{held.substances[one].name}、{held.substances[other].name}"
    how = pair.verdict.zh if together else f"{pair.verdict.zh}(分区存放)"
    return x, f"{names} {how},{worst.reason or '、'.join(worst.effects)}"


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
