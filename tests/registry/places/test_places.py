"""Coordinate systems, counties, and who lives within the ring."""

from __future__ import annotations

import json

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.registry.support import SMALL, Office, office

from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import SYSTEM
from hazwatch.records import Sessions, reading
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.service import Reason, change
from hazwatch.registry.places.api import _polygon
from hazwatch.registry.places.model import Crs, Plane, Target, area_m2, convert, ring
from hazwatch.registry.places.service import county_of, locate, population_ring
from hazwatch.registry.service import seed

JIA = "410902001"
LON, LAT = 115.01, 35.71


def east(metres: float, north: float = 0.0) -> tuple[float, float]:
    """A place so many metres east and north of the enterprise."""
    place = Plane(LON, LAT).to_degrees(shapely.Point(metres, north))
    return place.x, place.y


def square(half_m: float) -> dict:
    corners = [east(x, y) for x, y in ((-half_m, -half_m), (half_m, -half_m), (half_m, half_m), (-half_m, half_m))]
    return {"type": "Polygon", "coordinates": [[list(xy) for xy in (*corners, corners[0])]]}


def target(name: str, metres: float, people: int | None) -> Target:
    return Target(name, "居民区", shapely.Point(east(metres)), people, "t")


@settings(max_examples=60, deadline=None)
@given(st.floats(75, 134), st.floats(5, 53))
def test_gcj_02_there_and_back(lon, lat) -> None:
    there = convert((lon, lat), Crs.WGS84, Crs.GCJ02)
    back = convert(there, Crs.GCJ02, Crs.CGCS2000)
    assert back == pytest.approx((lon, lat), abs=2e-8)
    assert 1e-4 < abs(there[0] - lon) + abs(there[1] - lat) < 0.03


def test_gcj_02_of_a_known_place() -> None:
    """The published example of the transformation: Beijing, 116.404, 39.915 → 116.41024, 39.91640."""
    assert convert((116.404, 39.915), Crs.WGS84, Crs.GCJ02) == pytest.approx((116.41024, 39.91640), abs=1e-5)


@pytest.mark.parametrize(("lat", "east_m", "north_m"), [(30, 96_486, 110_852), (45, 78_847, 111_132)])
def test_metres_agree_with_the_ellipsoid(lat, east_m, north_m) -> None:
    """Lengths of a degree on WGS-84, from the usual table."""
    plane = Plane(LON, lat)
    assert plane.to_metres(shapely.Point(LON + 1, lat)).x == pytest.approx(east_m, abs=1)
    assert plane.to_metres(shapely.Point(LON, lat + 1)).y == pytest.approx(north_m, abs=1)


def test_an_area_is_that_of_the_plane() -> None:
    assert area_m2(square(100)) == pytest.approx(40_000, rel=1e-6)


def test_who_counts_at_the_edge_of_the_ring() -> None:
    site = shapely.geometry.shape(square(200))
    found = ring(
        site, [target("近", 699.5, 40), target("外", 700.5, 80), target("厂内", 100, 5), target("远", 1500, 9)]
    )
    assert found.people == 40
    assert found.complete
    assert [(one.target.name, one.inside) for one in found.found] == [("厂内", False), ("近", True), ("外", False)]


def test_an_area_counts_whole_and_a_target_twice_filed_once() -> None:
    site = shapely.geometry.shape(square(200))
    village = shapely.Polygon([east(600, -50), east(2000, -50), east(2000, 50), east(600, 50)])
    twice = [Target("村", "居民区", village, 120, "企业"), Target("村", "居民区", village, 150, "园区档案")]
    assert ring(site, twice).people == 150


def test_a_missing_number_is_never_a_zero() -> None:
    site = shapely.geometry.shape(square(200))
    unknown = ring(site, [target("甲村", 500, None)])
    assert (unknown.people, unknown.complete) == (None, False)
    partly = ring(site, [target("甲村", 500, None), target("乙村", 600, 30)])
    assert (partly.people, partly.complete) == (30, False)


def test_which_county_a_place_lies_in() -> None:
    inside = county_of("410000", LON, LAT)
    assert inside is not None
    assert inside.adcode.startswith("4109")
    assert county_of("410000", 121.47, 31.23) is None
    fine = locate("410000", LON, LAT, inside.adcode)
    assert (fine["verdict"], fine["warning"]) == ("inside", "")
    wrong = locate("410000", LON, LAT, "410502")
    assert wrong["verdict"] == "outside"
    assert inside.name in wrong["warning"]
    assert "天地图" in wrong["attribution"]


def test_without_boundary_data_nothing_is_claimed(monkeypatch) -> None:
    monkeypatch.setattr("hazwatch.registry.places.service._counties", lambda _: ((), None))
    found = locate("410000", LON, LAT, "410902")
    assert (found["verdict"], found["county"], found["attribution"]) == ("unknown", None, "")


@pytest.fixture
def town(records: Sessions) -> Office:
    room = office(records)
    seed(room.desk, SYSTEM, SMALL, "park")
    return room


def people(town: Office) -> dict:
    with reading(town.sessions) as session:
        return population_ring(session, SYSTEM, JIA)


def test_the_ring_of_an_enterprise(town: Office) -> None:
    def edit(*ops: Op, code: str = JIA) -> None:
        change(town.desk, SYSTEM, code, ops, Reason("测试"))

    assert (people(town)["people"], people(town)["boundary"]) == (None, "point")
    edit(Op("surroundings", "@none", "reason", None, "周边无人"))
    assert (people(town)["people"], people(town)["complete"]) == (0, True)
    edit(Op("site", "", "boundary", None, square(200)))
    village = {"name": "王庄", "kind": "居民区", "people": 86, "lon": east(650)[0], "lat": east(650)[1]}
    edit(Op("targets", "v", "", None, village), code="P4109001")
    found = people(town)
    assert (found["people"], found["boundary"], found["targets"][0]["filed_by"]) == (86, "polygon", "园区档案")
    assert found["targets"][0]["distance_m"] == pytest.approx(450, abs=0.2)
    assert found["ring"]["type"] == "Polygon"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"not json", b'{"type": "FeatureCollection", "features": []}',
        b'{"type":"Point","coordinates":[1,2]}',
        json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}).encode(),
        json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}).encode(), b'{"type":"Polygon"}',
        b"[" * 100_000, json.dumps({"type": "Polygon", "coordinates": [["a"]]}).encode(),
    ],
)  # fmt: skip
def test_files_that_are_no_boundary(content) -> None:
    with pytest.raises(ApiError) as refused:
        _polygon(content, Crs.CGCS2000)
    assert refused.value.status == 422


def test_a_boundary_in_gcj_02_is_brought_home() -> None:
    shape = square(100)
    shifted = [list(convert((x, y), Crs.CGCS2000, Crs.GCJ02)) for x, y in shape["coordinates"][0]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [shifted]}}
    kept = _polygon(json.dumps(feature).encode(), Crs.GCJ02)
    assert kept["coordinates"][0][0] == pytest.approx(shape["coordinates"][0][0], abs=1e-7)
