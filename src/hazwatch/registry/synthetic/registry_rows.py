"""Rows of the registry of a made-up province. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import shapely

from hazwatch.registry.model import (
    Description,
    EnterpriseRow,
    EquipmentRow,
    GatewayRow,
    ParkRow,
    PointRow,
    SourceRow,
)
from hazwatch.registry.synthetic.model import CHEMICALS, MARK, TRADES, Chemical, County, Size, Trade

#: Serial numbers from here on, so that real enterprises of a county keep the low ones.
_FIRST_SERIAL = 501
_MAX_SERIAL = 999
_PER_PARK = 18
_IN_PARK = 0.62
_TRIES = 40
_KM = 1 / 111.0
#: Figures of GB 18218—2018 Table 6 for R, by level: lower and upper bound of what is made up.
_R_OF_LEVEL = {1: (100.0, 260.0), 2: (50.0, 99.9), 3: (10.0, 49.9), 4: (1.0, 9.9)}
_WORDS = "安远宏昌德瑞华恒嘉康利明诺普庆荣盛泰维祥亿源正中卓"


@dataclass(slots=True)
class Works:
    """One made-up enterprise, as far as its file needs to know."""

    row: EnterpriseRow
    trade: Trade
    county: County
    sources: list[tuple[SourceRow, Chemical]] = field(default_factory=list)
    equipment: list[EquipmentRow] = field(default_factory=list)


@dataclass(slots=True)
class Province:
    """Everything that was made, before it is a description."""

    parks: list[ParkRow]
    works: list[Works]
    gateways: list[GatewayRow]
    points: list[PointRow]

    def description(self) -> Description:
        """As plain rows."""
        return Description(
            parks=tuple(self.parks),
            enterprises=tuple(one.row for one in self.works),
            sources=tuple(source for one in self.works for source, _ in one.sources),
            equipment=tuple(row for one in self.works for row in one.equipment),
            gateways=tuple(self.gateways),
            points=tuple(self.points),
        )


def make_rows(random: Random, size: Size, counties: Sequence[County]) -> Province:
    """Make parks, enterprises, sources, equipment and points.

    Raises:
        ValueError: no county, or more enterprises than the counties have numbers for.
    """
    if not counties:
        raise ValueError("没有区县边界数据,不能生成")
    if size.enterprises > len(counties) * (_MAX_SERIAL - _FIRST_SERIAL):
        raise ValueError("区县太少,放不下这么多企业")
    parks = _parks(random, max(1, size.enterprises // _PER_PARK), counties)
    works = _works(random, size.enterprises, counties, parks)
    _sources(random, works, size.sources)
    gateways = [
        GatewayRow(f"{one.row.code}01", f"{MARK}数据网关", "national", simulated=True) for one in works if one.sources
    ]
    return Province(parks, works, gateways, list(_points(random, works, size.points)))


def _spread(random: Random, total: int, count: int, least: int) -> list[int]:
    """``count`` whole numbers from ``least`` on that sum up to ``total``, unevenly."""
    shares = [random.lognormvariate(0, 0.6) for _ in range(count)]
    free, whole = total - least * count, sum(shares)
    found = [least + int(free * share / whole) for share in shares]
    for n in range(total - sum(found)):
        found[n % count] += 1
    return found


def _inside(random: Random, county: County) -> tuple[float, float]:
    west, south, east, north = county.geometry.bounds
    for _ in range(_TRIES):
        lon, lat = random.uniform(west, east), random.uniform(south, north)
        if county.geometry.contains(shapely.Point(lon, lat)):
            return round(lon, 6), round(lat, 6)
    place = county.geometry.representative_point()
    return round(place.x, 6), round(place.y, 6)


def _near(random: Random, county: County, lon: float, lat: float, km: float) -> tuple[float, float]:
    for _ in range(_TRIES):
        away, turn = km * math.sqrt(random.random()) * _KM, random.uniform(0, 2 * math.pi)
        place = lon + away * math.cos(turn) / math.cos(math.radians(lat)), lat + away * math.sin(turn)
        if county.geometry.contains(shapely.Point(place)):
            return round(place[0], 6), round(place[1], 6)
    return lon, lat


def _parks(random: Random, count: int, counties: Sequence[County]) -> list[ParkRow]:
    homes = sorted(random.sample(list(counties), min(count, len(counties))), key=lambda county: county.code)
    rows = []
    for county in homes:
        lon, lat = _inside(random, county)
        name = f"{MARK}{county.name}化工园区"
        rows.append(ParkRow(f"P{county.code}51", name, county.code, lon, lat, simulated=True))
    return rows


def _works(
    random: Random, count: int, counties: Sequence[County], parks: Sequence[ParkRow]
) -> list[Works]:  # fmt: skip
    by_code = {county.code: county for county in counties}
    taken: dict[str, int] = {}
    weights = [trade.weight for trade in TRADES]
    found = []
    for number in range(count):
        trade = random.choices(TRADES, weights)[0]
        park = random.choice(parks) if trade.type != "经营" and random.random() < _IN_PARK else None
        county = by_code[park.region] if park else random.choice(counties)
        while taken.get(county.code, _FIRST_SERIAL) > _MAX_SERIAL:
            park, county = None, random.choice(counties)
        serial = taken[county.code] = taken.get(county.code, _FIRST_SERIAL - 1) + 1
        lon, lat = _near(random, county, park.lon, park.lat, 2.5) if park else _inside(random, county)  # type: ignore[arg-type]  # parks are made with a place
        name = f"{MARK}{county.name}{random.choice(_WORDS)}{random.choice(_WORDS)}{trade.word}有限公司{number + 1:04d}"
        credit = f"9141{county.code}{random.randrange(10**8):08d}"
        address = f"{county.city}{county.name}{MARK}{serial} 号"
        row = EnterpriseRow(
            f"{county.code}{serial:03d}", name, county.code, park.code if park else None, credit, address, lon, lat,
            simulated=True,
        )  # fmt: skip
        found.append(Works(row, trade, county))
    return found


def _sources(random: Random, works: list[Works], total: int) -> None:
    """Not everybody has a major hazard source: a sixth has none, where the figures allow."""
    without = min(len(works) // 6, max(0, len(works) - 1)) if total >= len(works) else len(works) - total
    holders = sorted(random.sample(range(len(works)), len(works) - without)) if total else []
    if not holders:
        return
    for place, count in zip(holders, _spread(random, total, len(holders), 1), strict=True):
        one = works[place]
        for serial in range(1, count + 1):
            chemical = CHEMICALS[random.choice(one.trade.chemicals)]
            kind = random.choice(one.trade.kinds)
            level = random.choices((1, 2, 3, 4), (8, 17, 40, 35))[0]
            lon, lat = _near(random, one.county, one.row.lon or 0, one.row.lat or 0, 0.2)
            row = SourceRow(
                f"{one.row.code}{serial:03d}", f"{MARK}{chemical.name}{kind}{serial}", kind, level,
                round(random.uniform(*_R_OF_LEVEL[level]), 1), lon, lat, simulated=True,
            )  # fmt: skip
            one.sources.append((row, chemical))


def _points(random: Random, works: Sequence[Works], total: int) -> Iterator[PointRow]:
    held = [(one, source, chemical) for one in works for source, chemical in one.sources]
    if not held:
        return
    for (one, source, chemical), count in zip(held, _spread(random, total, len(held), 4), strict=True):
        yield from _points_of(random, one, source, chemical, count)


def _points_of(
    random: Random, one: Works, source: SourceRow, chemical: Chemical, count: int
) -> Iterator[PointRow]:  # fmt: skip
    """Points of one source: vessels with what they need, the rest gas detectors."""
    letter = {"储罐区": "G0", "库区": "C0"}.get(source.kind, "S0")
    gateway = f"{one.row.code}01"
    vessels, left = 0, count
    while left >= 4 and vessels < 40:
        vessels += 1
        code = f"{source.code}{letter}{vessels:03d}"
        one.equipment.append(_vessel(random, code, letter, vessels, chemical))
        for quantity, name, low, high, limits in _measured(letter, chemical):
            yield PointRow(
                f"{code}{quantity}001", f"{vessels} 号{name}", gateway, f"{quantity}-{vessels:03d}", None, low, high,
                *limits, simulated=True,
            )  # fmt: skip
        left -= 3
        if random.random() < 0.15:
            break
    for serial in range(1, left + 1):
        code = f"{source.code}Q0{serial:03d}" if serial <= 999 else ""
        if not code:
            raise ValueError("一个重大危险源的指标过多,请增加重大危险源数")
        one.equipment.append(EquipmentRow(code, f"{chemical.name}探测器 {serial}", chemical.name, chemical.cas))
        top, high, higher = (100.0, 25.0, 50.0) if chemical.gas == "%LEL" else (100.0, 20.0, 40.0)
        yield PointRow(
            f"{code}QT001", f"{chemical.name}浓度 {serial}", gateway, f"AT-{serial:03d}", chemical.gas, 0.0, top,
            None, None, high, higher, simulated=True,
        )  # fmt: skip


def _vessel(random: Random, code: str, letter: str, number: int, chemical: Chemical) -> EquipmentRow:
    if letter != "G0":
        word = "库房" if letter == "C0" else "装置单元"
        return EquipmentRow(code, f"{number} 号{word}", chemical.name, chemical.cas)
    volume = random.choice((100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0))
    form = "球罐" if chemical.state in {"液化气", "气"} else random.choice(("内浮顶罐", "固定顶罐", "卧罐"))
    return EquipmentRow(
        code, f"{chemical.name}储罐 V-{number:03d}", chemical.name, chemical.cas, form, volume, None, None,
        round(volume * 0.7, 1),
    )  # fmt: skip


Limits = tuple[float | None, float | None, float | None, float | None]


def _measured(letter: str, chemical: Chemical) -> tuple[tuple[str, str, float, float, Limits], ...]:
    """The three points of a vessel: quantity, name, range, limits 低低 低 高 高高."""
    if letter == "C0":
        return (
            ("WD", "温度", -20.0, 80.0, (None, None, 30.0, 35.0)), ("SD", "湿度", 0.0, 100.0, (None, None, 80.0, 90.0)),
            ("QT", "气体浓度", 0.0, 100.0, (None, None, 25.0, 50.0)),
        )  # fmt: skip
    if letter == "S0":
        return (
            ("WD", "反应温度", 0.0, 300.0, (None, 60.0, 180.0, 200.0)),
            ("YL", "反应压力", 0.0, 4.0, (None, None, 2.5, 3.0)),
            ("LL", "进料流量", 0.0, 100.0, (5.0, 10.0, 80.0, 90.0)),
        )  # fmt: skip
    high = 40.0 if chemical.state == "液" else 45.0
    return (
        ("WD", "罐温", -40.0, 80.0, (None, None, high, high + 5)), ("YL", "罐压", 0.0, 2.5, (None, None, 1.6, 1.8)),
        ("YW", "液位", 0.0, 15.0, (0.5, 1.2, 12.0, 13.0)),
    )  # fmt: skip
