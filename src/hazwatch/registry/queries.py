"""Reading the registry, always through the scope. Live values, grades and alarms are joined elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.tables import Node
from hazwatch.records.paging import Page, PageRequest, contains, ordered
from hazwatch.registry.limits.model import THRESHOLDS, judged
from hazwatch.registry.limits.tables import RegulatorLimit
from hazwatch.registry.tables import Enterprise, Equipment, Gateway, Park, Point, Source

#: Given dense indexes in list order, tells which of them belong on the list (the filter by live state).
Keep = Callable[[NDArray[np.int64]], NDArray[np.bool_]]

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class PointView:
    """A point as lists show it, with what its live value needs. Its thresholds are those that are judged."""

    index: int
    code: str
    name: str
    tag: str | None
    quantity: str
    unit: str
    range_low: float
    range_high: float
    ll: float | None
    l: float | None  # noqa: E741 -- the name of the limit in the trade
    h: float | None
    hh: float | None
    deadband: float
    on_delay_s: float
    off_delay_s: float
    equipment: str
    source: str
    enterprise: str
    gateway: str
    gateway_number: int
    stale_after_s: float
    simulated: bool
    limit_fault: str | None
    path: str

    def form(self) -> dict[str, Any]:
        """The registry's part of the contract's ``point``."""
        hidden = {"index", "gateway", "gateway_number", "stale_after_s", "path"}
        return {key: value for key, value in asdict(self).items() if key not in hidden}


@dataclass(frozen=True, slots=True)
class PointFilter:
    """Filters of the list of points; empty = all."""

    q: str = ""
    source: str = ""
    enterprise: str = ""
    quantity: str = ""


@dataclass(frozen=True, slots=True)
class EquipmentView:
    """A piece of equipment as the contract shows it, without its points."""

    code: str
    name: str
    kind: str
    medium: str | None
    cas: str | None
    form: str | None
    capacity_m3: float | None
    diameter_m: float | None
    height_m: float | None
    design_t: float | None


@dataclass(frozen=True, slots=True)
class SourceView:
    """A hazard source without its grade."""

    code: str
    name: str
    kind: str
    level: int
    r: float | None
    enterprise: str
    enterprise_name: str
    lon: float | None
    lat: float | None
    simulated: bool
    path: str


@dataclass(frozen=True, slots=True)
class EnterpriseView:
    """An enterprise without its grade; ``park`` and ``region`` are names."""

    code: str
    name: str
    park: str | None
    region: str
    lon: float | None
    lat: float | None
    simulated: bool
    sources: int
    path: str


_POINT_SORT = {
    name: getattr(Point, name)
    for name in ("code", "name", "tag", "quantity", "unit", "equipment", "source", "enterprise")
}


def points_page(
    session: Session, who: Principal, request: PageRequest, wanted: PointFilter | None = None, keep: Keep | None = None
) -> Page[PointView]:
    """Points in scope.

    Args:
        session: a reading unit.
        who: who asks.
        request: page and sort.
        wanted: filters that the registry knows.
        keep: filter by what only the live table knows.

    Raises:
        UnknownSortError: the field cannot be sorted by.
    """
    statement = _filtered(scoped(select(Point.index), who, Point), wanted or PointFilter())
    indexes = np.fromiter(session.scalars(ordered(statement, request, _POINT_SORT, Point.code)), np.int64)
    if keep is not None:
        indexes = indexes[keep(indexes)]
    part = indexes[request.offset : request.offset + request.page_size].tolist()
    found = {view.index: view for view in _points(session, who, Point.index.in_(part))}
    return Page([found[index] for index in part], len(indexes), request.page, request.page_size)


def indexes_in_scope(session: Session, who: Principal) -> NDArray[np.int64]:
    """Dense indexes of all points in scope, ascending."""
    statement = scoped(select(Point.index).order_by(Point.index), who, Point)
    return np.fromiter(session.scalars(statement), np.int64)


def point_by_code(session: Session, who: Principal, code: str) -> PointView | None:
    """One point, None when there is none in scope."""
    return next(iter(_points(session, who, Point.code == code)), None)


def points_by_codes(session: Session, who: Principal, codes: Collection[str]) -> list[PointView]:
    """Those of these points that are in scope, by code."""
    wanted = sorted(set(codes))
    found: list[PointView] = []
    for start in range(0, len(wanted), _CHUNK):
        found.extend(_points(session, who, Point.code.in_(wanted[start : start + _CHUNK])))
    return found


def points_of_source(session: Session, who: Principal, code: str) -> list[PointView]:
    """All points of a hazard source, by code."""
    return _points(session, who, Point.source == code)


def equipment_of_source(session: Session, who: Principal, code: str) -> list[EquipmentView]:
    """Equipment of a hazard source, by code."""
    statement = scoped(select(Equipment).where(Equipment.source == code).order_by(Equipment.code), who, Equipment)
    names = EquipmentView.__dataclass_fields__
    return [EquipmentView(**{name: getattr(row, name) for name in names}) for row in session.scalars(statement)]


def sources(
    session: Session, who: Principal, *, q: str = "", enterprise: str = "", level: int | None = None, code: str = ""
) -> list[SourceView]:
    """Hazard sources in scope, by code."""
    # Columns, not objects: a province has 5,000 sources, and pages sort them all by live figures.
    names = tuple(SourceView.__dataclass_fields__)
    columns = [Enterprise.name if name == "enterprise_name" else getattr(Source, name) for name in names]
    statement = scoped(select(*columns), who, Source).join(Enterprise, Enterprise.code == Source.enterprise)
    if q:
        statement = statement.where(contains(q, Source.code, Source.name, Enterprise.name))
    if enterprise:
        statement = statement.where(Source.enterprise == enterprise)
    if level is not None:
        statement = statement.where(Source.level == level)
    if code:
        statement = statement.where(Source.code == code)
    return [SourceView(*row) for row in session.execute(statement.order_by(Source.code))]


def enterprises(session: Session, who: Principal, *, q: str = "", code: str = "") -> list[EnterpriseView]:
    """Enterprises in scope, by code. Names of park and region are told even where these stand above the scope."""
    counts = scoped(
        select(Source.enterprise, func.count().label("n")).group_by(Source.enterprise), who, Source
    ).subquery()
    statement = (
        scoped(
            select(
                Enterprise.code,
                Enterprise.name,
                Park.name,
                Node.name,
                Enterprise.lon,
                Enterprise.lat,
                Enterprise.simulated,
                func.coalesce(counts.c.n, 0),
                Enterprise.path,
            ),
            who,
            Enterprise,
        )
        .outerjoin(Park, Park.code == Enterprise.park)
        .join(Node, Node.code == Enterprise.region)
        .outerjoin(counts, counts.c.enterprise == Enterprise.code)
    )
    if q:
        statement = statement.where(contains(q, Enterprise.code, Enterprise.name, Enterprise.credit_code))
    if code:
        statement = statement.where(Enterprise.code == code)
    return [EnterpriseView(*row) for row in session.execute(statement.order_by(Enterprise.code))]


@dataclass(frozen=True, slots=True)
class PointPlace:
    """A point with what is needed to ask for it elsewhere."""

    index: int
    code: str
    name: str
    quantity: str
    path: str


def point_places(
    session: Session, who: Principal, wanted: PointFilter, codes: Collection[str] = ()
) -> list[PointPlace]:  # fmt: skip
    """Points in scope by index: those of a filter, or those of the codes where any are given."""
    columns = (Point.index, Point.code, Point.name, Point.quantity, Point.path)
    if not codes:
        statement = scoped(select(*columns), who, Point)
        for column, value in (
            (Point.source, wanted.source),
            (Point.enterprise, wanted.enterprise),
            (Point.quantity, wanted.quantity),
        ):
            if value:
                statement = statement.where(column == value)
        return [PointPlace(*row) for row in session.execute(statement.order_by(Point.index))]
    names = sorted(set(codes))
    rows = [
        PointPlace(*row)
        for start in range(0, len(names), _CHUNK)
        for row in session.execute(
            scoped(select(*columns).where(Point.code.in_(names[start : start + _CHUNK])), who, Point)
        )
    ]
    return sorted(rows, key=lambda row: row.index)


def point_counts(session: Session, who: Principal) -> dict[str, int]:
    """Points in scope by enterprise."""
    statement = scoped(select(Point.enterprise, func.count()).group_by(Point.enterprise), who, Point)
    return dict(row.tuple() for row in session.execute(statement))


def _points(session: Session, who: Principal, condition: ColumnElement[bool]) -> list[PointView]:
    columns = (Gateway.number, Gateway.stale_after_s, RegulatorLimit)
    statement = (
        scoped(select(Point, *columns), who, Point)
        .join(Gateway, Gateway.code == Point.gateway)
        .outerjoin(RegulatorLimit, RegulatorLimit.point == Point.index)
    )
    names = [name for name in PointView.__dataclass_fields__ if name not in {"gateway_number", "stale_after_s"}]
    return [
        PointView(
            gateway_number=number,
            stale_after_s=stale,
            **({name: getattr(row, name) for name in names} | _judged_limits(row, regulator)),
        )
        for row, number, stale, regulator in session.execute(statement.where(condition).order_by(Point.code))
    ]


def _judged_limits(row: Point, regulator: RegulatorLimit | None) -> dict[str, float | None]:
    """The thresholds that are judged, where a regulator's set stands beside the enterprise's."""
    if regulator is None:
        return {}
    found = judged(*({name: getattr(holder, name) for name in THRESHOLDS} for holder in (row, regulator)))
    return {name: found[name]["value"] if name in found else None for name in THRESHOLDS}


def _filtered(statement: Select[int], wanted: PointFilter) -> Select[int]:
    if wanted.q:
        statement = statement.where(contains(wanted.q, Point.code, Point.name, Point.tag))
    for column, value in (
        (Point.source, wanted.source),
        (Point.enterprise, wanted.enterprise),
        (Point.quantity, wanted.quantity),
    ):
        if value:
            statement = statement.where(column == value)
    return statement


def page_of(rows: Sequence[Any], request: PageRequest) -> Page[Any]:
    """A page of a list that had to be sorted in memory."""
    part = list(rows[request.offset : request.offset + request.page_size])
    return Page(part, len(rows), request.page, request.page_size)
