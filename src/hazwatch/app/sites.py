"""What the risk terms need to know of sources besides their points: kind, neighbours, valves, stock, weather."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import orjson
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from hazwatch.app.chemistry import clash, expands, goods, liquid, weather_traits
from hazwatch.registry.facts import PointRow, Points
from hazwatch.registry.gb18218.tables import Identification
from hazwatch.registry.gb18218.tonnes import Graded, per_tonne
from hazwatch.registry.tables import Equipment, Source
from hazwatch.risk.features import Service, service_of
from hazwatch.vocabulary.codes import SOURCE_LENGTH

#: Value of a point, None when there is none that may be used.
ValueOf = Callable[[int], float | None]
_EARTH_M = 6_371_000.0
#: The northernmost latitude of China, degrees.
_NORTH = 54.0
#: Type of equipment that holds nothing.
_DETECTOR = "Q0"
_STORE = "C0"
#: Quantities of the points whose names are looked at.
_LOOKED_AT = (b"FW", b"FS", b"CL", b"KG", b"WD", b"SD", b"YL", b"YW", b"LL", b"QT")
_OF_STORES = (b"QT", b"SD")
#: Metres in a unit of level. A gauge in another unit is read by nobody here.
_METRES: Mapping[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001}


@dataclass(slots=True)
class Tank:
    """What is read of a tank: points by dense index, and its shape. ``metres``: in one unit of each level gauge."""

    diameter: float
    height: float
    sphere: bool
    level: list[int] = field(default_factory=list)
    metres: list[float] = field(default_factory=list)
    temperature: list[int] = field(default_factory=list)
    inflow: list[int] = field(default_factory=list)
    outflow: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Holder:
    """A vessel or store as the inventory sees it.

    Attributes:
        name: of the equipment. design: design quantity, t.
        graded: what a tonne of it adds to R; None where GB 18218 does not know the medium by name and CAS number alone.
        liquid: kg/m³ at 20 ℃ and expansion per K; None when nobody knows.
        expands: whether that expansion is known of this liquid, not taken as usual.
        weight: points that measure what it holds, t.
    """

    name: str
    design: float
    graded: Graded | None = None
    liquid: tuple[float, float] | None = None
    expands: bool = False
    weight: tuple[int, ...] = ()


@dataclass(slots=True)
class Room:
    """What tells whether the ventilation of a store must run. Points by dense index."""

    fans: list[int] = field(default_factory=list)
    gas: list[int] = field(default_factory=list)
    warm: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clash:
    """Goods that must not meet: in which stores (the same twice: side by side in one), how bad, and what they are."""

    stores: tuple[str, str]
    x: float
    text: str


@dataclass(slots=True)
class Site:
    """A source as the terms see it. Points by dense index.

    Attributes:
        service: which model; lon, lat: where.
        stock: (point, design quantity in t) of every vessel or store; complete: all of them are measured.
        inlets: equipment → positions of its inlet cut-off valves.
        blanket: pressures of blanketed tanks; rooms: by store, its fans and what they run for; climate: temperature,
            humidity.
        wind, air: of the weather stations of its park. tanks: by equipment, those whose shape is known.
        holders: by equipment, what holds something. alpha: of R, None when nobody identified it here.
        clashes: goods of its stores that must not meet.
        traits: what weather may harm of it (``risk.concerns``); None when a medium of it is not known.
    """

    service: Service
    lon: float | None = None
    lat: float | None = None
    stock: list[tuple[int, float]] = field(default_factory=list)
    complete: bool = True
    inlets: dict[str, list[int]] = field(default_factory=dict)
    blanket: list[int] = field(default_factory=list)
    rooms: dict[str, Room] = field(default_factory=dict)
    climate: list[int] = field(default_factory=list)
    wind: Sequence[int] = ()
    air: Sequence[int] = ()
    tanks: dict[str, Tank] = field(default_factory=dict)
    holders: dict[str, Holder] = field(default_factory=dict)
    alpha: float | None = None
    clashes: Sequence[Clash] = ()
    traits: frozenset[str] | None = None


def read(session: Session, points: Points) -> dict[str, Site]:
    """All sources of the node."""
    # scope: node-internal because the engine grades every source; grades carry the path themselves
    rows = session.execute(select(Source.code, Source.kind, Source.lon, Source.lat, Source.path)).tuples().all()
    design = dict(
        session.execute(select(Equipment.code, Equipment.design_t).where(Equipment.design_t > 0)).tuples().all()
    )
    sites = {code: Site(service_of(kind), lon, lat) for code, kind, lon, lat, _ in rows}
    _shape_tanks(session, sites)
    _name_contents(session, sites)
    _name_alpha(session, sites)
    park_of = {code: path.rsplit("/", 2)[0] for code, _, _, _, path in rows}
    weather: dict[str, tuple[list[int], list[int]]] = {}
    measured: set[str] = set()
    for n, quantity in enumerate(points.quantity.tolist()):
        if quantity not in _LOOKED_AT or (quantity in _OF_STORES and points.code[n][12:14] != _STORE.encode()):
            continue
        row = points.get(int(points.index[n]))
        if row is None or row.source not in sites:
            continue
        _place(sites[row.source], row, design, measured)
        park = weather.setdefault(park_of[row.source], ([], []))
        if quantity == b"FS":
            park[0].append(row.index)
        elif quantity == b"WD" and row.name.endswith("气温"):
            park[1].append(row.index)
    for code, site in sites.items():
        site.wind, site.air = weather.get(park_of[code], ((), ()))
    for equipment in design:
        if equipment not in measured and equipment[:SOURCE_LENGTH] in sites:
            sites[equipment[:SOURCE_LENGTH]].complete = False
    return sites


def _shape_tanks(session: Session, sites: Mapping[str, Site]) -> None:
    # scope: node-internal because the engine grades every source; grades carry the path themselves
    shapes = select(Equipment.code, Equipment.diameter_m, Equipment.height_m, Equipment.form)
    for code, diameter, height, form in session.execute(shapes.where(Equipment.diameter_m > 0)).tuples():
        if code[12:14] == "G0" and code[:SOURCE_LENGTH] in sites:
            tank = Tank(diameter or 0.0, height or 0.0, "球" in (form or ""))
            sites[code[:SOURCE_LENGTH]].tanks[code] = tank


def _name_contents(session: Session, sites: Mapping[str, Site]) -> None:
    """What the vessels, units and stores of a source hold. One unknown medium makes what weather may harm unknown."""
    # scope: node-internal because the engine grades every source; grades carry the path themselves
    wanted = (Equipment.source, Equipment.code, Equipment.name, Equipment.cas, Equipment.medium, Equipment.design_t)
    found: dict[str, set[str] | None] = {}
    stored: dict[str, dict[str, tuple[str, str | None, str | None]]] = {}
    for source, code, name, cas, medium, design in session.execute(select(*wanted)).tuples():
        site = sites.get(source)
        if code[12:14] == _DETECTOR or site is None:
            continue
        traits = weather_traits(cas, medium)
        known = found.setdefault(source, set())
        found[source] = None if known is None or traits is None else known | traits
        if design:
            site.holders[code] = Holder(
                name, design, per_tonne(medium or "", cas or ""), liquid(cas, medium), expands(cas, medium)
            )
        if code[12:14] == _STORE and (cas or medium):
            stored.setdefault(source, {})[code] = (name, cas, medium)
    for source, traits_ in found.items():
        if traits_ is not None:
            sites[source].traits = frozenset(traits_ | {sites[source].service.id})
    for source, stores in stored.items():
        sites[source].clashes = _clashes(stores)


def _clashes(stores: Mapping[str, tuple[str, str | None, str | None]]) -> list[Clash]:
    """All pairs of goods of some stores that must not meet, the worst first."""
    held = [(code, name, one) for code, (name, cas, medium) in stores.items() for one in goods(cas, medium)]
    found = []
    for (code, name, one), (other_code, other_name, other) in combinations(held, 2):
        x, text = clash(one, other, together=code == other_code)
        if x > 0:
            where = name if code == other_code else f"{name}与{other_name}"
            found.append(Clash((code, other_code), x, f"{where}:{text}"))
    return sorted(found, key=lambda c: (-c.x, c.stores, c.text))


def _name_alpha(session: Session, sites: Mapping[str, Site]) -> None:
    """α of the newest identification of each source."""
    # scope: node-internal because the engine grades every source; grades carry the path themselves
    newest = select(Identification.source, func.max(Identification.version)).group_by(Identification.source)
    rows = select(Identification.source, Identification.result)
    for source, result in session.execute(
        rows.where(tuple_(Identification.source, Identification.version).in_(newest))
    ).tuples():
        if source in sites:
            sites[source].alpha = float(orjson.loads(result)["alpha"])


def _place(site: Site, row: PointRow, design: Mapping[str, float | None], measured: set[str]) -> None:
    """Put a point where its term looks for it, by quantity, kind of equipment, and its name."""
    equipment, kind = row.equipment, row.equipment[12:14]
    tank = site.tanks.get(equipment)
    if tank is not None:
        _place_in(tank, row)
    if kind == _STORE:
        _place_in_store(site, row)
    match row.quantity:
        case "CL":
            holder = site.holders.get(equipment)
            if holder is not None and row.unit == "t":
                holder.weight = (*holder.weight, row.index)
            if design.get(equipment):
                site.stock.append((row.index, float(design[equipment] or 0.0)))
                measured.add(equipment)
        case "FW" if kind == "G0" and "进" in row.name:
            site.inlets.setdefault(equipment, []).append(row.index)
        case "YL" if kind == "G0" and "氮封" in row.name:
            site.blanket.append(row.index)
        case _:
            pass


def _place_in_store(site: Site, row: PointRow) -> None:
    """Put a point where climate and ventilation of its store look for it."""
    fan = row.quantity == "KG" and ("风机" in row.name or "通风" in row.name)
    if row.quantity in ("WD", "SD"):
        site.climate.append(row.index)
    if fan or row.quantity in ("QT", "WD"):
        room = site.rooms.setdefault(row.equipment, Room())
        (room.fans if fan else room.gas if row.quantity == "QT" else room.warm).append(row.index)


def _place_in(tank: Tank, row: PointRow) -> None:
    """Put a point where the balance of its tank looks for it. Of temperatures the first is the liquid's."""
    match row.quantity:
        case "YW" if row.unit in _METRES or row.unit == "%":
            tank.level.append(row.index)
            tank.metres.append(_METRES.get(row.unit, tank.height / 100))
        case "WD" if not tank.temperature:
            tank.temperature.append(row.index)
        case "LL" if "进" in row.name:
            tank.inflow.append(row.index)
        case "LL" if "出" in row.name:
            tank.outflow.append(row.index)
        case _:
            pass


def neighbours(sites: Mapping[str, Site], ring_m: float) -> dict[str, list[str]]:
    """Sources within the escalation ring of each source, by the distance of their places."""
    if ring_m <= 0:
        return {}
    # Cells are no narrower than the ring anywhere in China.
    high, wide = math.degrees(ring_m / _EARTH_M), math.degrees(ring_m / _EARTH_M / math.cos(math.radians(_NORTH)))
    cells: dict[tuple[int, int], list[tuple[str, float, float]]] = {}
    placed = {c: (s.lon, s.lat) for c, s in sites.items() if s.lon is not None and s.lat is not None}
    for code, (lon, lat) in placed.items():
        cells.setdefault((int(lon // wide), int(lat // high)), []).append((code, lon, lat))
    found: dict[str, list[str]] = {}
    for code, (lon, lat) in placed.items():
        x, y = int(lon // wide), int(lat // high)
        around = [one for dx in (-1, 0, 1) for dy in (-1, 0, 1) for one in cells.get((x + dx, y + dy), ())]
        near = sorted(c for c, a, b in around if c != code and _metres(lon, lat, a, b) <= ring_m)
        if near:
            found[code] = near
    return found


def _metres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Distance of two places that lie near each other."""
    east = math.radians(other_lon - lon) * math.cos(math.radians((lat + other_lat) / 2))
    return _EARTH_M * math.hypot(east, math.radians(other_lat - lat))
