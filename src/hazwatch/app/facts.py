"""The engine's picture of the registry: names, kinds, sources, limits. Loaded whole, swapped whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hazwatch.access.port import BY_EXCEPTION
from hazwatch.alarms.facts import PointFacts
from hazwatch.judge.limits import Limits
from hazwatch.judge.quality import PointKinds
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import directory as registry_directory
from hazwatch.registry import facts as registry_facts
from hazwatch.risk.confidence import Inputs
from hazwatch.risk.model import COMBUSTIBLE, OTHER, TOXIC
from hazwatch.risk.service import SourceFacts


@dataclass(frozen=True, slots=True)
class Picture:
    """The registry at one version.

    Attributes:
        points: facts by dense index.
        equipment: equipment code by dense index.
        danger: ``toxic``, ``combustible`` or ``other`` by dense index.
        sources: for the risk model.
        inputs: which points feed which source.
        limits: of all points.
        kinds: for the quality rules.
        span: measuring range, float64[P].
    """

    points: Mapping[int, PointFacts]
    equipment: Mapping[int, str]
    danger: Mapping[int, str]
    sources: tuple[SourceFacts, ...]
    inputs: Inputs
    limits: Limits
    kinds: PointKinds
    span: NDArray[np.float64]

    def facts(self, index: int) -> PointFacts:
        """The facts of a point; one that the registry does not know keeps a speaking stand-in."""
        known = self.points.get(index)
        return known or PointFacts(
            index, f"#{index}", f"未登记指标 #{index}", "", "", "", "", "", "", "/", simulated=False
        )


def load(sessions: Sessions) -> Picture:
    """Read the registry."""
    with reading(sessions) as session:
        points = registry_facts.all_points(session)
        sources = registry_facts.all_sources(session)
        arrays = registry_directory.limits(session)
        gateways = registry_facts.all_gateways(session)
    own: dict[str, list[int]] = {}
    for point in points:
        own.setdefault(point.source, []).append(point.index)
    threshold = np.column_stack([arrays.ll, arrays.l, arrays.h, arrays.hh])
    limits = Limits(arrays.version, threshold, np.nan_to_num(arrays.deadband), arrays.on_delay_ms, arrays.off_delay_ms)
    graded = tuple(
        SourceFacts(s.code, s.name, s.enterprise, s.path, s.enterprise_path, s.level, s.r, tuple(own.get(s.code, ())))
        for s in sources
    )
    return Picture(
        {
            p.index: PointFacts(
                p.index, p.code, p.name, p.quantity, p.unit, p.source, p.source_name, p.enterprise, p.enterprise_name,
                p.path, p.simulated,
            )
            for p in points
        },
        {p.index: p.equipment for p in points},
        {p.index: _danger(p.quantity, p.unit) for p in points},
        graded,
        _inputs(points, graded, gateways, len(limits)),
        limits,
        PointKinds(arrays.range_low, arrays.range_high, _flow_of(points, len(limits))),
        arrays.range_high - arrays.range_low,
    )  # fmt: skip


def _danger(quantity: str, unit: str) -> str:
    """What a gas detector warns of: %LEL is fire, ppm and mg/m³ are poison, %vol is oxygen."""
    if quantity != "QT":
        return OTHER
    if "LEL" in unit.upper():
        return COMBUSTIBLE
    return TOXIC if unit.lower() in ("ppm", "ppb", "mg/m³", "mg/m3") else OTHER


def _inputs(
    points: list[registry_facts.PointRow],
    sources: tuple[SourceFacts, ...],
    gateways: list[registry_facts.GatewayRow],
    size: int,
) -> Inputs:
    number = {g.code: n for n, g in enumerate(gateways)}
    changing = {g.code for g in gateways if g.protocol in BY_EXCEPTION}
    gateway = np.full(size, -1, np.int64)
    by_exception = np.zeros(size, np.bool_)
    for p in points:
        gateway[p.index] = number[p.gateway]
        by_exception[p.index] = p.gateway in changing
    return Inputs.of([s.points for s in sources], gateway, by_exception)


def _flow_of(points: list[registry_facts.PointRow], size: int) -> NDArray[np.int64]:
    """For every level the flow at the same equipment, else −1."""
    flow = {p.equipment: p.index for p in points if p.quantity == "LL"}
    out = np.full(size, -1, np.int64)
    for p in points:
        if p.quantity == "YW" and p.equipment in flow:
            out[p.index] = flow[p.equipment]
    return out
