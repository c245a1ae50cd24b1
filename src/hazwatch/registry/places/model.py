"""Coordinate systems, and the ring around a site in which people count. Pure: shapes in, shapes and figures out.

CGCS2000 and WGS-84 differ by centimetres, less than any drawing: they are taken as the same. GCJ-02, which Chinese web
maps show, is up to 700 m off; its inverse has no formula and is found by iteration. Distances are measured in a plane
laid onto the ellipsoid at the site: over the kilometre or two of a ring it is right to a decimetre.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from fast_geocn import wgs84_to_gcj02
from numpy.typing import NDArray

Position = tuple[float, float]

#: GB 18218—2018, Table 5: people within this distance beyond the site boundary, m.
RING_M = 500.0
_SEMI_MAJOR_M = 6_378_137.0
_ECCENTRICITY_2 = 0.00669438
_STEPS = 30
_CLOSE_DEG = 1e-9
#: Two entries of the same name nearer than this are the same target.
_SAME_M = 100.0


class Crs(StrEnum):
    """Coordinate systems that people bring."""

    CGCS2000 = "cgcs2000"
    WGS84 = "wgs84"
    GCJ02 = "gcj02"


def convert(position: Position, source: Crs, target: Crs) -> Position:
    """A position (longitude, latitude in degrees) in another system."""
    if (source is Crs.GCJ02) == (target is Crs.GCJ02):
        return position
    if target is Crs.GCJ02:
        lon, lat = wgs84_to_gcj02(*position)
        return float(lon), float(lat)
    return _from_gcj02(position)


def convert_geometry(geometry: Mapping[str, Any], source: Crs, target: Crs) -> dict[str, Any]:
    """A GeoJSON geometry in another system."""

    def walk(part: Sequence[Any]) -> list[Any]:
        if isinstance(part[0], int | float):
            return list(convert((float(part[0]), float(part[1])), source, target))
        return [walk(item) for item in part]

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


def _from_gcj02(position: Position) -> Position:
    """The WGS-84 position whose shifted position this is."""
    lon, lat = position
    for _ in range(_STEPS):
        shifted_lon, shifted_lat = wgs84_to_gcj02(lon, lat)
        step_lon, step_lat = shifted_lon - position[0], shifted_lat - position[1]
        lon, lat = lon - step_lon, lat - step_lat
        if abs(step_lon) < _CLOSE_DEG and abs(step_lat) < _CLOSE_DEG:
            break
    return lon, lat


class Plane:
    """A plane in metres that touches the ellipsoid at one place."""

    def __init__(self, lon: float, lat: float) -> None:
        self._origin = np.array([lon, lat])
        phi = math.radians(lat)
        bend = 1 - _ECCENTRICITY_2 * math.sin(phi) ** 2
        north = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_2) / bend**1.5
        east = _SEMI_MAJOR_M / math.sqrt(bend) * math.cos(phi)
        self._scale = np.radians(1.0) * np.array([east, north])

    def to_metres(self, shape: shapely.Geometry) -> shapely.Geometry:
        """A shape of degrees in metres."""

        def flat(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray((xy - self._origin) * self._scale)

        return shapely.transform(shape, flat)

    def to_degrees(self, shape: shapely.Geometry) -> shapely.Geometry:
        """A shape of metres in degrees."""

        def round_(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(xy / self._scale + self._origin)

        return shapely.transform(shape, round_)


def area_m2(geometry: Mapping[str, Any]) -> float:
    """Area of a polygon of degrees, m²."""
    shape = shapely.geometry.shape(geometry)
    centre = shape.centroid
    return float(Plane(centre.x, centre.y).to_metres(shape).area)


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who lives or stays near a site: a place or an area, with the people there (None = not known)."""

    name: str
    kind: str
    shape: shapely.Geometry
    people: int | None
    filed_by: str


@dataclass(frozen=True, slots=True)
class Found:
    """A target with its distance from the site boundary, m, and whether it counts."""

    target: Target
    distance_m: float
    inside: bool


@dataclass(frozen=True, slots=True)
class Ring:
    """Who is within the ring.

    Attributes:
        people: their number; None when it is not known (``complete`` says why not).
        complete: every target within the ring has a number.
        found: targets within the ring and just beyond, nearest first.
        shape: the ring's outer edge, degrees.
    """

    people: int | None
    complete: bool
    found: tuple[Found, ...]
    shape: shapely.Geometry


def ring(site: shapely.Geometry, targets: Iterable[Target], distance_m: float = RING_M) -> Ring:
    """Count the people within a distance beyond the boundary of a site.

    A target counts whole when any part of it lies within the ring; one that lies wholly on the site itself does not
    (GB 18218 counts who lives beyond the boundary). The result errs on the side of more people.

    Args:
        site: boundary polygon of the site, or its point where no boundary is filed, degrees.
        targets: everybody who might be near, degrees.
        distance_m: width of the ring.
    """
    centre = site.centroid
    plane = Plane(centre.x, centre.y)
    ground = plane.to_metres(site)
    found = []
    for target in _once(targets, plane):
        shape = plane.to_metres(target.shape)
        distance = float(ground.distance(shape))
        on_site = ground.geom_type != "Point" and bool(ground.contains(shape))
        if distance <= 2 * distance_m:
            found.append(Found(target, round(distance, 1), distance <= distance_m and not on_site))
    found.sort(key=lambda one: one.distance_m)
    counted = [one.target.people for one in found if one.inside]
    known = [people for people in counted if people is not None]
    complete = len(known) == len(counted)
    outline = plane.to_degrees(ground.buffer(distance_m, quad_segs=16))
    return Ring(sum(known) if known or complete else None, complete, tuple(found), outline)


def _once(targets: Iterable[Target], plane: Plane) -> list[Target]:
    """Each target once, though park and enterprise may both have filed it; the larger number stands."""
    kept: list[Target] = []
    for target in targets:
        place = plane.to_metres(target.shape.centroid)
        same = next(
            (
                n for n, other in enumerate(kept)
                if other.name == target.name and plane.to_metres(other.shape.centroid).distance(place) < _SAME_M
            ),
            None,
        )  # fmt: skip
        if same is None:
            kept.append(target)
        elif (target.people or 0) > (kept[same].people or 0):
            kept[same] = target
    return kept
