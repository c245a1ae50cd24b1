"""The engine's picture of the registry: names, kinds, sources, limits. Loaded whole, swapped whole."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from hazwatch.access.port import BY_EXCEPTION
from hazwatch.alarms.facts import PointFacts
from hazwatch.alarms.store import Owns, everything
from hazwatch.judge.limits import Limits
from hazwatch.judge.quality import PointKinds
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import directory as registry_directory
from hazwatch.registry import facts as registry_facts
from hazwatch.registry.facts import Points
from hazwatch.registry.limits.model import ORIGINS, effective, origin
from hazwatch.registry.tables import Source
from hazwatch.risk.confidence import Inputs
from hazwatch.risk.features import service_of
from hazwatch.risk.model import COMBUSTIBLE, OTHER, TOXIC
from hazwatch.risk.service import SourceFacts
from hazwatch.vocabulary.codes import EQUIPMENT_LENGTH, SOURCE_LENGTH


@dataclass(frozen=True, slots=True)
class Picture:
    """The registry at one version.

    Attributes:
        points: names and places, by dense index.
        sources: for the risk model.
        inputs: which points feed which source.
        limits: of all points.
        kinds: for the quality rules.
        span: measuring range, float64[P].
        limit_sets: whose threshold is judged, uint8[P, 4] (``registry.limits.model.ORIGINS``).
    """

    points: Points
    sources: tuple[SourceFacts, ...]
    inputs: Inputs
    limits: Limits
    kinds: PointKinds
    span: NDArray[np.float64]
    limit_sets: NDArray[np.uint8]

    def facts(self, index: int) -> PointFacts:
        """The facts of a point; one that the registry does not know keeps a speaking stand-in."""
        p = self.points.get(index)
        if p is None:
            return PointFacts(index, f"#{index}", f"未登记指标 #{index}", "", "", "", "", "", "", "/", simulated=False)
        ll, l, h, hh = (ORIGINS[k] for k in self.limit_sets[index].tolist())  # noqa: E741  # the name of the limit
        return PointFacts(
            p.index, p.code, p.name, p.quantity, p.unit, p.source, p.source_name, p.enterprise, p.enterprise_name,
            p.path, p.simulated, (ll, l, h, hh),
        )  # fmt: skip

    def equipment(self, index: int) -> str:
        """Code of a point's equipment."""
        p = self.points.get(index)
        return p.equipment if p else ""

    def danger(self, index: int) -> str:
        """``toxic``, ``combustible`` or ``other``."""
        p = self.points.get(index)
        return _danger(p.quantity, p.unit) if p else OTHER


def load(sessions: Sessions, owns: Owns = everything) -> Picture:
    """Read the registry, or the part of the enterprises that are ours. Arrays by dense index are as long as ever."""
    with reading(sessions) as session:
        points = Points.read(session, None if owns is everything else owns)
        sources = [source for source in registry_facts.all_sources(session) if owns(source.enterprise)]
        arrays = registry_directory.limits(session)
        gateways = registry_facts.all_gateways(session)
        # scope: node-internal because the engine grades every source; grades carry the path themselves
        kinds = dict(session.execute(select(Source.code, Source.kind)).tuples().all())
    own_set, mine = np.column_stack([arrays.ll, arrays.l, arrays.h, arrays.hh]), points.index
    limits = Limits.none(len(own_set), arrays.version)
    limits.threshold[mine] = effective(own_set, arrays.regulator)[mine]
    limits.deadband[mine] = np.nan_to_num(arrays.deadband[mine])
    limits.on_delay_ms[mine], limits.off_delay_ms[mine] = arrays.on_delay_ms[mine], arrays.off_delay_ms[mine]
    own = _points_of([s.code for s in sources], points)
    graded = tuple(
        SourceFacts(
            s.code, s.name, s.enterprise, s.path, s.enterprise_path, s.level, s.r, mine, service_of(kinds[s.code])
        )
        for s, mine in zip(sources, own, strict=True)
    )
    return Picture(
        points, graded, _inputs(points, graded, gateways, len(limits)), limits,
        PointKinds(arrays.range_low, arrays.range_high, _flow_of(points, len(limits))),
        arrays.range_high - arrays.range_low, origin(own_set, arrays.regulator),
    )  # fmt: skip


def _points_of(sources: list[str], points: Points) -> list[Sequence[int]]:
    """Dense indices of the points of each source, four bytes each: a nation's as numbers of Python are 19 MiB."""
    owner = points.code.astype(f"S{SOURCE_LENGTH}")
    order = np.argsort(owner, kind="stable")
    wanted = np.array(sources, f"S{SOURCE_LENGTH}")
    first, last = np.searchsorted(owner[order], wanted), np.searchsorted(owner[order], wanted, "right")
    index = points.index[order]
    return [array("I", index[a:b].tolist()) for a, b in zip(first, last, strict=True)]


def _danger(quantity: str, unit: str) -> str:
    """What a gas detector warns of: %LEL is fire, ppm and mg/m³ are poison, %vol is oxygen."""
    if quantity != "QT":
        return OTHER
    if "LEL" in unit.upper():
        return COMBUSTIBLE
    return TOXIC if unit.lower() in ("ppm", "ppb", "mg/m³", "mg/m3") else OTHER


def _inputs(
    points: Points, sources: tuple[SourceFacts, ...], gateways: list[registry_facts.GatewayRow], size: int
) -> Inputs:
    number = {g.code: n for n, g in enumerate(gateways)}
    changing = np.array([g.protocol in BY_EXCEPTION for g in gateways] or [False], np.bool_)
    gateway = np.full(size, -1, np.int64)
    by_exception = np.zeros(size, np.bool_)
    if len(points):
        mine = np.array([number[code] for code in points.gateways], np.int64)[points.gateway]
        gateway[points.index] = mine
        by_exception[points.index] = changing[mine]
    return Inputs.of([s.points for s in sources], gateway, by_exception)


def _flow_of(points: Points, size: int) -> NDArray[np.int64]:
    """For every level the flow at the same equipment (the last of them), else −1."""
    out = np.full(size, -1, np.int64)
    flow, level = points.quantity == b"LL", points.quantity == b"YW"
    if flow.any() and level.any():
        place = points.code.astype(f"S{EQUIPMENT_LENGTH}")
        order = np.argsort(place[flow], kind="stable")
        known, index = place[flow][order], points.index[flow][order]
        at = np.searchsorted(known, place[level], "right") - 1
        has = (at >= 0) & (known[at] == place[level])
        out[points.index[level][has]] = index[at[has]]
    return out
