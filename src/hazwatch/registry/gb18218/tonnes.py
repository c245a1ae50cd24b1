"""What a tonne of a substance adds to S and R: the identification asked of one tonne, so that nothing is told twice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from hazwatch.registry.gb18218.model import grade
from hazwatch.registry.gb18218.reading import UnitError, unit_of
from hazwatch.registry.gb18218.standard import normal, table1, table5


@dataclass(frozen=True, slots=True)
class Graded:
    """A substance as R sees it: critical quantity Q in t, and β."""

    critical: float
    beta: float


@lru_cache(4096)
def per_tonne(name: str, cas: str) -> Graded | None:
    """Q and β by name and CAS number; None where these alone do not decide (the standard asks for form or class)."""
    names, numbers = _known()
    if normal(name) not in names and cas not in numbers:
        return None  # without a look for names that are much like it, which takes its time
    told = {key: text for key, text in (("name", name), ("cas", cas)) if text}
    try:
        unit = unit_of({"population_500m": 0, "substances": [{**told, "q_t": 1}]})
    except UnitError:
        # A medium may be written in words that are no name of the standard; then the CAS number decides alone.
        return per_tonne("", cas) if name and cas else None
    term = grade(unit.entries, unit.population).terms[0]
    return Graded(float(term.critical), float(term.beta))


@cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """Names and CAS numbers of Table 1."""
    rows = table1()
    names = {normal(name) for row in rows for name in (row.name, row.name_en, *row.aliases, *row.called)} - {""}
    return frozenset(names), frozenset(cas for row in rows for cas in (*row.cas, *row.called)) - {""}


def alphas() -> tuple[float, float]:
    """The least and the largest α of Table 5."""
    values = [float(step.value) for step in table5()]
    return min(values), max(values)
