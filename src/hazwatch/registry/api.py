"""Routes of the registry (docs/api.md, "Tree and registry", and the boundaries of the map)."""

# No postponed annotations here: the dependencies are local to the functions that add routes, and FastAPI could not look
# them up by name later.
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response, UploadFile

from hazwatch.documents import archive
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, not_found
from hazwatch.identity.model import NodeKind, Principal, Role
from hazwatch.identity.regions import ATTRIBUTION
from hazwatch.records.engine import reading
from hazwatch.records.paging import PageRequest, UnknownSortError
from hazwatch.registry import queries, service
from hazwatch.registry.boundaries import LAYERS, boundaries
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.queries import EnterpriseView, PointView, SourceView
from hazwatch.vocabulary.colours import Colour

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: Fields that a list shows as they stand in the registry; named once, because thousands of rows are made of them.
_ENTERPRISE = tuple(name for name in EnterpriseView.__dataclass_fields__ if name != "path")
_SOURCE = tuple(name for name in SourceView.__dataclass_fields__ if name not in {"path", "enterprise_name"})

_COLOURS = {colour.word: colour.value for colour in Colour}


def _no_grade(_code: str) -> Mapping[str, Any] | None:
    return None


def _no_terms(_: str) -> list[dict[str, Any]]:
    return []


def _no_alarms(_codes: Collection[str]) -> Mapping[str, int]:
    return {}


def _no_values(points: Sequence[PointView]) -> list[dict[str, Any]]:
    """Points of a node that measures nothing yet."""
    empty = {"value": None, "quality": None, "event_time": None, "received_at": None, "age_s": None}
    return [point.form() | empty | {"state": "never", "level": "normal"} for point in points]


@dataclass(frozen=True, slots=True)
class Live:
    """What the registry's pages show and other rooms know.

    Attributes:
        grade: of a hazard source (12 digits) or an enterprise (9 digits):
            ``{colour, score, confidence, at, reason}``; None without a grade.
        terms: of the grade of a source, by its code.
        alarm_counts: open alarms by the codes asked for (sources or enterprises); a missing code has none.
        points: the contract's ``point`` for each, in the same order.
    """

    grade: Callable[[str], Mapping[str, Any] | None] = _no_grade
    terms: Callable[[str], list[dict[str, Any]]] = _no_terms
    alarm_counts: Callable[[Collection[str]], Mapping[str, int]] = _no_alarms
    points: Callable[[Sequence[PointView]], list[dict[str, Any]]] = _no_values


def router(desk: RegistryDesk, gate: Gate, live: Live, province: str) -> APIRouter:
    """The routes of the registry.

    Args:
        desk: sessions, clock, master key, who is told of changes.
        gate: who may come in.
        live: what other rooms know about sources and points.
        province: adcode of the province on the map.
    """
    routes = APIRouter(prefix="/api/v1")
    _object_routes(routes, desk, gate, live)
    _workbook_routes(routes, desk, gate)
    _map_routes(routes, gate, province)
    return routes


def _object_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate, live: Live) -> None:
    viewer = gate.current()

    @routes.get("/enterprises")
    def list_enterprises(
        request: Paging, who: Annotated[Principal, Depends(viewer)], q: Annotated[str, Query(max_length=100)] = ""
    ) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            rows = queries.enterprises(session, who, q=q)
        counts = live.alarm_counts([row.code for row in rows])
        items = [_enterprise(row, live.grade(row.code), counts.get(row.code, 0)) for row in rows]
        return queries.page_of(_sorted(items, request), request).form()

    @routes.get("/sources")
    def list_sources(
        request: Paging,
        who: Annotated[Principal, Depends(viewer)],
        q: Annotated[str, Query(max_length=100)] = "",
        enterprise: Annotated[str, Query(max_length=9)] = "",
        level: Annotated[int | None, Query(ge=1, le=4)] = None,
        colour: Annotated[str, Query(max_length=10)] = "",
    ) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            rows = queries.sources(session, who, q=q, enterprise=enterprise, level=level)
        counts = live.alarm_counts([row.code for row in rows])
        items = [_source(row, live.grade(row.code), counts.get(row.code, 0)) for row in rows]
        if colour:
            items = [item for item in items if (item["grade"] or {}).get("colour", "none") == colour]
        return queries.page_of(_sorted(items, request), request).form()

    @routes.get("/sources/{code}")
    def show_source(code: str, who: Annotated[Principal, Depends(viewer)]) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            found = queries.sources(session, who, code=code)
            if not found:
                raise not_found("重大危险源", code)
            equipment = queries.equipment_of_source(session, who, code)
            points = queries.points_of_source(session, who, code)
        by_equipment: dict[str, list[dict[str, Any]]] = {}
        for form in live.points(points):
            by_equipment.setdefault(form["equipment"], []).append(form)
        grade = live.grade(code)
        item = _source(found[0], grade and {**grade, "terms": live.terms(code)}, live.alarm_counts([code]).get(code, 0))
        item["equipment"] = [asdict(row) | {"points": by_equipment.get(row.code, [])} for row in equipment]
        return item


def _workbook_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    engineer = gate.current(Role.ENGINEER)
    viewer = gate.current()

    @routes.get("/registry/template.xlsx", dependencies=[Depends(engineer)])
    def show_template() -> Response:
        return _workbook(service.template(), "登记模板.xlsx")

    @routes.get("/registry/export.xlsx")
    def show_export(who: Annotated[Principal, Depends(viewer)]) -> Response:
        return _workbook(service.export(desk, who), "登记导出.xlsx")

    @routes.post("/registry/import")
    def import_workbook(
        file: UploadFile, who: Annotated[Principal, Depends(engineer)], dry_run: Annotated[bool, Query()] = True
    ) -> dict[str, Any]:
        content = file.file.read(archive.MAX_FILE + 1)
        try:
            result = service.import_workbook(desk, who, content, file.filename or "", dry_run=dry_run)
        except archive.HostileFileError as error:
            status = 413 if len(content) > archive.MAX_FILE else 422
            hint = "请从模板另存为 .xlsx 后重试"
            raise ApiError(status, "bad_workbook", str(error), hint, {"file": str(error)}) from error
        return asdict(result)


def _map_routes(routes: APIRouter, gate: Gate, province: str) -> None:
    @routes.get("/map/boundaries/{layer}", dependencies=[Depends(gate.current())])
    def show_boundaries(layer: str) -> Response:
        if layer not in LAYERS:
            raise not_found("图层", layer)
        # A header holds Latin letters only, so the Chinese text travels percent-encoded.
        headers = {"X-Map-Attribution": quote(ATTRIBUTION), "Cache-Control": "private, max-age=86400"}
        return Response(boundaries(NodeKind(layer), province), media_type="application/geo+json", headers=headers)


def _workbook(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=XLSX, headers=headers)


def _enterprise(row: EnterpriseView, grade: Mapping[str, Any] | None, alarms: int) -> dict[str, Any]:
    form = {name: getattr(row, name) for name in _ENTERPRISE}
    colour = grade["colour"] if grade else Colour.NONE.word
    return form | {"colour": colour, "score": grade["score"] if grade else None, "active_alarms": alarms}


def _source(row: SourceView, grade: Mapping[str, Any] | None, alarms: int) -> dict[str, Any]:
    form = {name: getattr(row, name) for name in _SOURCE}
    form["enterprise"] = {"code": row.enterprise, "name": row.enterprise_name}
    return form | {"grade": dict(grade) if grade else None, "active_alarms": alarms}


def _sorted(items: list[dict[str, Any]], request: PageRequest) -> list[dict[str, Any]]:
    """Sort a list that holds live figures; what has no figure stands last either way."""
    if not request.field or not items:
        return items
    allowed = {key for key in items[0] if key not in {"grade", "simulated"}} | {"colour", "score"}
    if request.field not in allowed:
        raise UnknownSortError(request.field, sorted(allowed))
    keyed = [(_sort_value(item, request.field), item) for item in items]
    present = [pair for pair in keyed if pair[0] is not None]
    present.sort(key=lambda pair: pair[0], reverse=request.descending)
    return [item for _, item in present] + [item for value, item in keyed if value is None]


def _sort_value(item: dict[str, Any], field: str) -> Any:
    value = item[field] if field in item else (item.get("grade") or {}).get(field)
    if field == "colour":
        return _COLOURS.get(value or "none", 0)
    return value["name"] if isinstance(value, dict) else value
