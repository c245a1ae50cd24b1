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
from hazwatch.risk.model import COMBUSTIBLE, OTHER, TOXIC
from hazwatch.risk.service import SourceFacts


@dataclass(frozen=True, slots=True)
class Picture:
    """The registry at one version.

    Attributes:
        points: facts by dense index.
        equipment: equipment code by dense index.
        danger: ``toxic``, ``combustible`` or ``other`` by dense index.
        company: for a point that is reported by exception, all points of its gateway: any of them speaks for it.
        sources: for the risk model.
        limits: of all points.
        kinds: for the quality rules.
        span: measuring range, float64[P].
    """

    points: Mapping[int, PointFacts]
    equipment: Mapping[int, str]
    danger: Mapping[int, str]
    company: Mapping[int, NDArray[np.int64]]
    sources: tuple[SourceFacts, ...]
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
        _company(points, {g.code for g in gateways if g.protocol in BY_EXCEPTION}),
        tuple(
            SourceFacts(
                s.code, s.name, s.enterprise, s.path, s.enterprise_path, s.level, s.r, tuple(own.get(s.code, ()))
            )
            for s in sources
        ),
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


def _company(points: list[registry_facts.PointRow], by_exception: set[str]) -> dict[int, NDArray[np.int64]]:
    """For every point behind a gateway that reports by exception, all points of that gateway."""
    members: dict[str, list[int]] = {}
    for p in points:
        if p.gateway in by_exception:
            members.setdefault(p.gateway, []).append(p.index)
    arrays = {code: np.array(index, np.int64) for code, index in members.items()}
    return {p.index: arrays[p.gateway] for p in points if p.gateway in arrays}


def _flow_of(points: list[registry_facts.PointRow], size: int) -> NDArray[np.int64]:
    """For every level the flow at the same equipment, else −1."""
    flow = {p.equipment: p.index for p in points if p.quantity == "LL"}
    out = np.full(size, -1, np.int64)
    for p in points:
        if p.quantity == "YW" and p.equipment in flow:
            out[p.index] = flow[p.equipment]
    return out
