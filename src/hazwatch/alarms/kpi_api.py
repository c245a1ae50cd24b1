"""Routes of the alarm KPIs (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, UploadFile
from fastapi.responses import Response

from hazwatch.alarms import kpi_service
from hazwatch.alarms.kpi_book import room_book, rooms_book
from hazwatch.alarms.kpi_service import Room, RoomsOf
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.records.engine import Sessions
from hazwatch.records.paging import Page, PageRequest, UnknownSortError
from hazwatch.vocabulary import moments

#: A window longer than this is a slip of the pen.
_LONGEST_MS = 3_660 * moments.DAY
#: Largest foreign log that is taken, bytes.
MAX_FILE = 64 << 20
_RANK = {name: place for place, name in enumerate(kpi_service.CLASSES)}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def router(sessions: Sessions, gate: Gate, clock: moments.Clock, rooms_of: RoomsOf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/kpi", tags=["kpi"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Window = Annotated[tuple[int, int], Depends(_window(clock))]  # noqa: N806  # same
    Operators = Annotated[int, Query(ge=1, le=100)]  # noqa: N806  # same
    Top = Annotated[int, Query(ge=1, le=500)]  # noqa: N806  # same

    @routes.get("/rooms")
    def list_rooms(
        request: Paging, who: Who, window: Window, operators: Operators = 1,
        q: Annotated[str, Query(max_length=100)] = "", grade: Annotated[str, Query(max_length=20)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        _known(grade)
        found = kpi_service.all_rooms(sessions, who, _named(rooms_of(who), q), *window, operators)
        items = [item for item in found.pop("items") if not grade or item["class"] == grade]
        return found | _page(items, request).form()

    @routes.get("/rooms/export.xlsx")
    def export_rooms(who: Who, window: Window, operators: Operators = 1) -> Response:
        found = kpi_service.all_rooms(sessions, who, rooms_of(who), *window, operators)
        return _workbook(rooms_book(found["items"]), "报警指标-控制室.xlsx")

    Ask = Annotated[_Ask, Depends(_asked)]  # noqa: N806  # same

    @routes.get("/rooms/{code}")
    def show_room(code: str, who: Who, window: Window, ask: Ask) -> dict[str, Any]:
        room = _room(rooms_of(who), code)
        return kpi_service.room_kpis(sessions, who, room, *window, **asdict(ask))

    @routes.get("/rooms/{code}/export.xlsx")
    def export_room(code: str, who: Who, window: Window, ask: Ask) -> Response:
        found = kpi_service.room_kpis(sessions, who, _room(rooms_of(who), code), *window, **asdict(ask))
        return _workbook(room_book(found), f"报警指标-{code}.xlsx")

    @routes.post("/file", dependencies=[Depends(gate.current())])
    def measure_file(file: UploadFile, operators: Operators = 1, top: Top = 10) -> dict[str, Any]:
        content = file.file.read(MAX_FILE + 1)
        name = (file.filename or "log.csv")[-200:]
        if len(content) > MAX_FILE:
            raise ApiError(413, "too_large", f"文件超过 {MAX_FILE >> 20} MB", "大文件请用命令行 hazwatch alarms kpi")
        try:
            return kpi_service.foreign_kpis(content, name, operators=operators, top=top)
        except ValueError as error:
            raise ApiError(422, "bad_log", str(error), "应为 CSV:timestamp,tag,type") from error

    return routes


@dataclass(frozen=True, slots=True)
class _Ask:
    """What of a room is asked for."""

    operators: int
    top: int
    point: str


def _asked(
    operators: Annotated[int, Query(ge=1, le=100)] = 1, top: Annotated[int, Query(ge=1, le=500)] = 10,
    point: Annotated[str, Query(max_length=22)] = "",
) -> _Ask:  # fmt: skip
    return _Ask(operators, top, point)


def _room(rooms: Sequence[Room], code: str) -> Room:
    found = next((room for room in rooms if room.code == code), None)
    if found is None:
        raise not_found("企业", code)
    return found


def _window(clock: moments.Clock) -> Any:
    def window(
        start: Annotated[str, Query(alias="from", max_length=40)] = "",
        end: Annotated[str, Query(alias="to", max_length=40)] = "",
    ) -> tuple[int, int]:
        """The window; the last 24 hours where nothing is said."""
        try:
            until = moments.parse(end, zone=moments.CHINA) if end else clock()
            begin = moments.parse(start, zone=moments.CHINA) if start else until - moments.DAY
        except ValueError as error:
            raise invalid("from", str(error)) from error
        if not 0 < until - begin <= _LONGEST_MS:
            raise invalid("from", "开始时间应早于结束时间,且不超过十年")
        return begin, until

    return window


def _known(grade: str) -> None:
    if grade and grade not in kpi_service.CLASSES:
        raise invalid("grade", f"应为 {'、'.join(kpi_service.CLASSES)} 之一")


def _named(rooms: Sequence[Room], q: str) -> list[Room]:
    words = q.strip().lower()
    return [r for r in rooms if not words or words in r.name.lower() or words in r.code or words in r.region]


def _sort_key(field: str) -> Callable[[dict[str, Any]], Any]:
    if field in ("class", "class_zh"):
        return lambda item: _RANK[item["class"]]
    empty: Any = "" if field in ("name", "region", "park", "code") else 0
    return lambda item: item[field] or empty


def _page(items: list[dict[str, Any]], request: PageRequest) -> Page[dict[str, Any]]:
    """A page of what had to be measured before it could be sorted; the worst class first unless asked otherwise."""
    if request.field:
        if items and request.field not in items[0]:
            raise UnknownSortError(request.field, sorted(items[0]))
        items = sorted(items, key=_sort_key(request.field), reverse=request.descending)
    else:
        items = sorted(items, key=lambda i: (-_RANK[i["class"]], -i["activations"], i["code"]))
    part = items[request.offset : request.offset + request.page_size]
    return Page(part, len(items), request.page, request.page_size)


def _workbook(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=XLSX, headers=headers)
