"""Routes of coordinates, boundaries and the ring of people (docs/api.md, "Files" and "Map")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
import json
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Depends, Form, Path, Query, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from hazwatch.identity.deps import Gate
from hazwatch.identity.errors import ApiError, invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import service as files
from hazwatch.registry.files import store
from hazwatch.registry.files.merge import Op
from hazwatch.registry.files.model import SINGLE, BadValueError, Kind, checked
from hazwatch.registry.files.model import Field as FileField
from hazwatch.registry.files.store import owner_in_scope
from hazwatch.registry.places import service
from hazwatch.registry.places.model import RING_M, Crs, area_m2, convert, convert_geometry

MAX_GEOJSON = 5 * 1024 * 1024
_SHAPE = FileField("boundary", "边界", Kind.GEOMETRY)

Lon = Annotated[float, Query(ge=-180, le=180)]
Lat = Annotated[float, Query(ge=-90, le=90)]
Code = Annotated[str, Path(max_length=16)]


class Points(BaseModel):
    """Positions in one system, wanted in another."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    points: Annotated[list[tuple[float, float]], Field(max_length=10_000)]
    source: Annotated[Crs, Field(alias="from")]
    target: Annotated[Crs, Field(alias="to")]


def router(desk: RegistryDesk, gate: Gate, province: str) -> APIRouter:
    """The routes. ``province``: adcode of the province whose boundaries are looked at."""
    routes = APIRouter(prefix="/api/v1", tags=["map"])
    _map_routes(routes, desk, gate, province)
    _boundary_routes(routes, desk, gate, province)
    return routes


def _map_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate, province: str) -> None:
    viewer = gate.current()
    Viewer = Annotated[Principal, Depends(viewer)]  # noqa: N806  # a type, local because the gate is

    @routes.post("/map/convert", dependencies=[Depends(viewer)])
    def convert_points(body: Points) -> dict[str, Any]:
        return {"points": [convert(point, body.source, body.target) for point in body.points], "to": body.target}

    @routes.get("/map/locate", dependencies=[Depends(viewer)])
    def locate(
        lon: Lon, lat: Lat, crs: Crs = Crs.CGCS2000, region: Annotated[str, Query(max_length=6)] = ""
    ) -> dict[str, Any]:
        place = convert((lon, lat), crs, Crs.CGCS2000)
        systems = {one.value: convert(place, Crs.CGCS2000, one) for one in Crs}
        return {"lon": place[0], "lat": place[1], "in": systems} | service.locate(province, *place, region)

    @routes.get("/map/sites")
    def list_sites(who: Viewer) -> Response:
        with reading(desk.sessions) as session:
            found = service.boundaries_in_scope(session, who)
        # Written here: the framework would look at each of a province's tens of thousands of coordinates first.
        return Response(orjson.dumps(found), media_type="application/geo+json")

    @routes.get("/files/{code}/population-ring")
    def show_ring(
        code: Code, who: Viewer, distance: Annotated[float, Query(gt=0, le=5_000)] = RING_M
    ) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return service.population_ring(session, who, code, distance)


def _boundary_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate, province: str) -> None:
    viewer, engineer = gate.current(), gate.current(Role.ENGINEER)

    @routes.get("/files/{code}/boundary.geojson")
    def export_boundary(code: Code, who: Annotated[Principal, Depends(viewer)]) -> Response:
        with reading(desk.sessions) as session:
            owner = owner_in_scope(session, who, code)
            found = service.file_geojson(store.load(session, code), code)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(owner.name)}.geojson"}
        text = json.dumps(found, ensure_ascii=False)
        return Response(text, media_type="application/geo+json", headers=headers)

    @routes.post("/files/{code}/boundary")
    def import_boundary(
        code: Code, who: Annotated[Principal, Depends(engineer)], file: UploadFile,
        why: Annotated[str, Form(max_length=1000)] = "",
        crs: Annotated[Crs, Form()] = Crs.CGCS2000, dry_run: Annotated[bool, Query()] = True,
    ) -> dict[str, Any]:  # fmt: skip
        shape = _polygon(file.file.read(MAX_GEOJSON + 1), crs)
        with reading(desk.sessions) as session:
            owner = owner_in_scope(session, who, code)
            content = store.load(session, code)
        group = "boundary" if code.startswith("P") else "site"
        before = content.get(group, {}).get(SINGLE, {}).get("boundary")
        region = content.get("identity", {}).get(SINGLE, {}).get("region", "")
        first = _first(shape["coordinates"])
        answer = {
            "geometry": shape, "area_m2": round(area_m2(shape)), "changes": before != shape,
            "replaces": before is not None,
            "place": service.locate(province, *first, region), "dry_run": dry_run, "outcome": None, "owner": owner.code,
        }  # fmt: skip
        if not dry_run:
            op = Op(group, SINGLE, "boundary", before, shape)
            done = files.change(desk, who, code, [op], files.Reason(why, f"GeoJSON {(file.filename or '')[-100:]}"))
            answer["outcome"] = asdict(done)
        return answer


def _polygon(content: bytes, crs: Crs) -> dict[str, Any]:
    """The one polygon of a GeoJSON file, in CGCS2000.

    Raises:
        ApiError: 413, 422.
    """
    if len(content) > MAX_GEOJSON:
        raise ApiError(413, "too_large", f"文件超过 {MAX_GEOJSON // 1024 // 1024} MiB", "请简化边界后重试")
    try:
        given = json.loads(content)
        features = given.get("features") if given.get("type") == "FeatureCollection" else None
        shapes = [item["geometry"] for item in features] if features else [given.get("geometry", given)]
        polygons = [shape for shape in shapes if shape and shape.get("type") in {"Polygon", "MultiPolygon"}]
        if len(polygons) != 1:
            raise invalid("file", f"文件中应恰有一个面(Polygon 或 MultiPolygon),现有 {len(polygons)} 个")
        kept: dict[str, Any] = checked(_SHAPE, convert_geometry(checked(_SHAPE, polygons[0]), crs, Crs.CGCS2000))
    except BadValueError as error:
        raise invalid("file", str(error)) from error
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise invalid("file", "不是 GeoJSON 文件") from error
    return kept


def _first(part: list[Any]) -> tuple[float, float]:
    while not isinstance(part[0], int | float):
        part = part[0]
    return float(part[0]), float(part[1])
