"""Where things lie: the county of a place, boundaries of a scope, the people around a site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.model import NodeKind, Principal
from hazwatch.identity.regions import ATTRIBUTION, Region, regions
from hazwatch.identity.scope import scoped
from hazwatch.registry.files import store
from hazwatch.registry.files.model import NONE, REASON, SINGLE, Row
from hazwatch.registry.files.store import Rows, owner_in_scope
from hazwatch.registry.files.tables import FileRow
from hazwatch.registry.places.model import RING_M, Target, ring
from hazwatch.registry.tables import Enterprise

#: How a verdict about a place is worded.
INSIDE, OUTSIDE, UNKNOWN = "inside", "outside", "unknown"


@lru_cache(maxsize=2)
def _counties(province: str) -> tuple[tuple[Region, ...], shapely.STRtree | None]:
    """Counties of the province with an index; nothing when the boundary data are not there."""
    try:
        # A city without counties (济源) stands in both layers; here it is one place.
        found = {region.adcode: region for region in regions(NodeKind.COUNTY, province)}
    except (OSError, ValueError, ModuleNotFoundError):
        return (), None
    counties = tuple(found.values())
    return counties, shapely.STRtree([region.geometry for region in counties]) if counties else None


def county_of(province: str, lon: float, lat: float) -> Region | None:
    """The county in which a place lies; None outside the province or without boundary data."""
    counties, tree = _counties(province)
    if tree is None:
        return None
    hits = tree.query(shapely.Point(lon, lat), predicate="intersects")
    return counties[int(hits[0])] if len(hits) else None


def locate(province: str, lon: float, lat: float, expected: str) -> dict[str, Any]:
    """Where a place lies, and whether that is where it is said to lie.

    Args:
        province: of the node.
        lon, lat: CGCS2000.
        expected: 6-digit code of the county or city it should lie in; empty = nothing is expected.

    Returns:
        ``{county, expected, verdict, warning, attribution}``; the verdict is ``unknown`` without boundary data.
    """
    counties, tree = _counties(province)
    by_code = {region.adcode: region.name for region in counties}
    found = county_of(province, lon, lat)
    verdict, warning = UNKNOWN, ""
    if tree is None:
        warning = "没有行政区边界数据,无法核对所在区县"
    elif expected:
        whole_city = expected.endswith("00")
        same = found is not None and (found.adcode[:4] == expected[:4] if whole_city else found.adcode == expected)
        verdict = INSIDE if same else OUTSIDE
        if not same:
            there = f"在{found.name}({found.adcode})" if found else "在本省范围之外"
            warning = f"坐标{there},不在登记的 {by_code.get(expected, '')}({expected}) 内,请核对坐标或坐标系"
    return {
        "county": {"code": found.adcode, "name": found.name} if found else None, "expected": expected or None,
        "verdict": verdict, "warning": warning, "attribution": ATTRIBUTION if tree is not None else "",
    }  # fmt: skip


def population_ring(session: Session, who: Principal, code: str, distance_m: float = RING_M) -> dict[str, Any]:
    """The people within a distance beyond the boundary of an enterprise's site: what α of GB 18218 asks for.

    ``people`` is None where it is not known: nobody has filed the surroundings, or a target has no number. It is 0 only
    when somebody says that there is nobody, or when all that is filed lies farther away.

    Returns:
        ``{people, complete, basis, boundary: polygon|point|none, distance_m, targets: [{name, kind, people, distance_m,
        inside, filed_by}], ring: GeoJSON | None}``; ``basis`` says in Chinese what the number rests on.

    Raises:
        ApiError: 404 there is no such owner in scope.
    """
    owner = owner_in_scope(session, who, code)
    content = store.load(session, code)
    group, boundary_group = ("targets", "boundary") if code.startswith("P") else ("surroundings", "site")
    boundary = content.get(boundary_group, {}).get(SINGLE, {}).get("boundary")
    identity = content.get("identity", {}).get(SINGLE, {})
    common = {"distance_m": distance_m, "targets": [], "ring": None, "people": None, "complete": False}
    if boundary:
        site, kind = shapely.geometry.shape(boundary), "polygon"
    elif identity.get("lon") is not None and identity.get("lat") is not None:
        site, kind = shapely.Point(identity["lon"], identity["lat"]), "point"
    else:
        return common | {"boundary": "none", "basis": "既没有厂区边界,也没有坐标,无法统计"}
    rows = content.get(group, {})
    targets = list(_targets(rows, owner.name))
    park = identity.get("park")
    if park:
        # scope: node-internal because a neighbour's people count for the enterprise whether it may see the file or not
        targets.extend(_targets(store.load(session, park).get("targets", {}), "园区档案"))
    found = ring(site, targets, distance_m)
    declared = rows.get(NONE, {}).get(REASON)
    known = bool(targets) or bool(declared)
    basis = [
        f"自厂区边界外扩 {distance_m:g} m" if kind == "polygon"
        else f"未绘制厂区边界,以企业坐标为中心 {distance_m:g} m(偏少,请补绘边界)"
    ]  # fmt: skip
    if declared:
        basis.append(f"申报周边无目标:{declared}")
    if not known:
        basis.append("周边目标尚未填报,人数未知")
    elif not found.complete:
        basis.append("范围内有目标未填人数,合计为下限")
    return common | {
        "people": found.people if known else None, "complete": known and found.complete, "boundary": kind,
        "basis": ";".join(basis), "ring": shapely.geometry.mapping(shapely.set_precision(found.shape, 1e-7)),
        "targets": [
            {
                "name": one.target.name, "kind": one.target.kind, "people": one.target.people,
                "distance_m": one.distance_m, "inside": one.inside, "filed_by": one.target.filed_by,
                "lon": one.target.shape.centroid.x, "lat": one.target.shape.centroid.y,
            }
            for one in found.found
        ],
    }  # fmt: skip


def _targets(rows: Mapping[str, Row], filed_by: str) -> Iterator[Target]:
    for key, row in rows.items():
        if key == NONE:
            continue
        area = row.get("area")
        if area:
            shape = shapely.geometry.shape(area)
        elif row.get("lon") is not None and row.get("lat") is not None:
            shape = shapely.Point(row["lon"], row["lat"])
        else:
            continue
        yield Target(str(row.get("name", "")), str(row.get("kind", "")), shape, row.get("people"), filed_by)


#: Fields that hold a shape, by group, with the layer they make on the map.
_LAYERS = {
    ("site", "boundary"): "site", ("boundary", "boundary"): "park", ("boundary", "control_line"): "control",
    ("sources", "boundary"): "source", ("surroundings", "area"): "target", ("targets", "area"): "target",
}  # fmt: skip


def boundaries_in_scope(session: Session, who: Principal, code: str = "") -> dict[str, Any]:
    """Everything in scope that has a filed shape, as a FeatureCollection (CGCS2000); of one owner with ``code``."""
    groups = {group for group, _ in _LAYERS}
    columns = (FileRow.owner, FileRow.group, FileRow.row, FileRow.body)
    statement = scoped(select(*columns).where(FileRow.group.in_(groups)), who, FileRow)
    if code:
        statement = statement.where(FileRow.owner == code)
    names = dict(session.execute(scoped(select(Enterprise.code, Enterprise.name), who, Enterprise)).tuples().all())
    features = []
    for owner, group, row, body in session.execute(statement.order_by(FileRow.owner)):
        for (wanted, field), layer in _LAYERS.items():
            if wanted == group and body.get(field):
                properties = {
                    "owner": owner, "owner_name": names.get(owner, ""), "layer": layer, "row": row,
                    "name": body.get("name") or names.get(owner, owner), "people": body.get("people"),
                }  # fmt: skip
                features.append({"type": "Feature", "properties": properties, "geometry": body[field]})
    return _collection(features)


def file_geojson(content: Mapping[str, Rows], owner: str) -> dict[str, Any]:
    """All shapes of one file as a FeatureCollection (CGCS2000)."""
    features = []
    for (group, field), layer in _LAYERS.items():
        for key, row in content.get(group, {}).items():
            if row.get(field):
                properties = {"owner": owner, "layer": layer, "group": group, "row": key, "field": field}
                properties["name"] = row.get("name", "")
                features.append({"type": "Feature", "properties": properties, "geometry": row[field]})
    return _collection(features)


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    return {"type": "FeatureCollection", "crs": crs, "features": features}
