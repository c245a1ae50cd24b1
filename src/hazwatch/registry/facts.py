"""What the engine needs to know of all points and sources of the node, in one read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.registry.tables import Enterprise, Gateway, Point, Source


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point with the names around it."""

    index: int
    code: str
    name: str
    quantity: str
    unit: str
    equipment: str
    source: str
    source_name: str
    enterprise: str
    enterprise_name: str
    path: str
    simulated: bool
    gateway: str


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """A gateway, as far as the age of its values goes."""

    code: str
    protocol: str
    stale_after_s: float


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A hazard source with the place of its enterprise."""

    code: str
    name: str
    enterprise: str
    path: str
    enterprise_path: str
    level: int
    r: float


def all_points(session: Session) -> list[PointRow]:
    """Every point of the node by dense index."""
    # scope: node-internal because the engine names its points in alarm records, which carry the path themselves
    rows = session.execute(
        select(
            Point.index, Point.code, Point.name, Point.quantity, Point.unit, Point.equipment, Point.source, Source.name,
            Point.enterprise, Enterprise.name, Point.path, Point.simulated,
            Point.gateway,
        )
        .join(Source, Source.code == Point.source)
        .join(Enterprise, Enterprise.code == Point.enterprise)
        .order_by(Point.index)
    )  # fmt: skip
    return [PointRow(*tuple(row)) for row in rows]


def all_gateways(session: Session) -> list[GatewayRow]:
    """Every gateway of the node."""
    # scope: node-internal because the age of a value is judged by its gateway, whoever may see the value
    rows = session.execute(select(Gateway.code, Gateway.protocol, Gateway.stale_after_s))
    return [GatewayRow(code, protocol, stale) for code, protocol, stale in rows.tuples()]


def all_sources(session: Session) -> list[SourceRow]:
    """Every hazard source of the node."""
    # scope: node-internal because the engine grades every source; grades carry the path themselves
    rows = session.execute(
        select(Source.code, Source.name, Source.enterprise, Source.path, Enterprise.path, Source.level, Source.r)
        .join(Enterprise, Enterprise.code == Source.enterprise)
        .order_by(Source.code)
    )
    return [SourceRow(*row[:6], row[6] or 0.0) for row in rows]


@dataclass(frozen=True, slots=True)
class EnterpriseRow:
    """An enterprise and its place."""

    code: str
    name: str
    path: str


def all_enterprises(session: Session) -> list[EnterpriseRow]:
    """Every enterprise of the node."""
    # scope: node-internal because the web process looks up the place of what it is told before it shows it
    rows = session.execute(select(Enterprise.code, Enterprise.name, Enterprise.path))
    return [EnterpriseRow(*row) for row in rows]
