"""Routes of alarm records (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from hazwatch.alarms import command_api, listing
from hazwatch.alarms.command_api import Ask
from hazwatch.alarms.listing import SHOW, AlarmFilter
from hazwatch.alarms.store import newest_seq
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.records.engine import Sessions, reading
from hazwatch.vocabulary import moments
from hazwatch.vocabulary.levels import Level

_EXPORT = (
    ("event_time", "报警时间"), ("level", "当前级别"), ("worst_level", "最高级别"), ("state", "状态"), ("kind", "类别"),
    ("enterprise_name", "企业"), ("source_name", "重大危险源"), ("point", "指标编码"), ("point_name", "指标"),
    ("value", "报警值"), ("limit", "限值"), ("unit", "单位"), ("arrived_at", "到达时间"), ("returned_at", "恢复时间"),
    ("acknowledged_by", "确认人"), ("acknowledged_at", "确认时间"), ("note", "备注"), ("closed_at", "关闭时间"),
    ("found_late", "迟到发现"), ("revoked", "已更正撤销"), ("simulated", "模拟"), ("id", "编号"),
)  # fmt: skip


def _filter(
    show: Annotated[str, Query(max_length=20)] = "open",
    q: Annotated[str, Query(max_length=100)] = "",
    source: Annotated[str, Query(max_length=12)] = "",
    enterprise: Annotated[str, Query(max_length=9)] = "",
    point: Annotated[str, Query(max_length=22)] = "",
    level: Annotated[str, Query(max_length=10)] = "",
    kind: Annotated[str, Query(max_length=10)] = "",
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    end: Annotated[str, Query(alias="to", max_length=40)] = "",
    priority: Annotated[int, Query(ge=0, le=3)] = 0,
    equipment: Annotated[str, Query(max_length=17)] = "",
) -> AlarmFilter:
    if show not in SHOW:
        raise invalid("show", f"应为 {'、'.join(SHOW)} 之一")
    try:
        if level:
            Level.parse(level)
        times = [moments.parse(text, zone=moments.CHINA) if text else None for text in (start, end)]
    except ValueError as error:
        raise invalid("level" if "level" in str(error) else "from", str(error)) from error
    return AlarmFilter(show, q, source, enterprise, point, level, kind, times[0], times[1], priority, equipment)


Wanted = Annotated[AlarmFilter, Depends(_filter)]


def router(sessions: Sessions, gate: Gate, clock: moments.Clock, ask: Ask) -> APIRouter:
    """All routes of the room. Those with a name of their own stand before ``/{alarm_id}``."""
    routes = APIRouter()
    routes.include_router(command_api.router(sessions, gate, clock, ask))
    routes.include_router(_records(sessions, gate))
    return routes


def _records(sessions: Sessions, gate: Gate) -> APIRouter:
    """Lists, records and their exports."""
    routes = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("")
    def list_alarms(request: Paging, who: Viewer, wanted: Wanted) -> dict[str, Any]:
        with reading(sessions) as session:
            page = listing.page(session, who, request, wanted)
            return page.form() | {"summary": listing.summary(session, who), "seq": newest_seq(session)}

    @routes.get("/changes")
    def list_changes(
        who: Viewer, after: Annotated[int, Query(ge=0)], limit: Annotated[int, Query(ge=1, le=500)] = 500
    ) -> dict[str, Any]:
        with reading(sessions) as session:
            return listing.changes(session, who, after, limit)

    @routes.get("/export.csv")
    def export_csv(who: Viewer, wanted: Wanted) -> StreamingResponse:
        return _download(_csv(sessions, who, wanted), "text/csv; charset=utf-8", "alarms.csv")

    @routes.get("/export.xlsx")
    def export_xlsx(who: Viewer, wanted: Wanted) -> StreamingResponse:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _download(iter([_xlsx(sessions, who, wanted)]), kind, "alarms.xlsx")

    @routes.get("/{alarm_id}")
    def show_alarm(alarm_id: str, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            found = listing.one(session, who, alarm_id)
        if found is None:
            raise not_found("报警", alarm_id)
        return found

    return routes


def _download(parts: Iterator[bytes], kind: str, name: str) -> StreamingResponse:
    return StreamingResponse(parts, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet program takes for a formula, without characters that a workbook cannot hold."""
    if isinstance(value, bool):
        return "是" if value else ""
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _rows(sessions: Sessions, who: Principal, wanted: AlarmFilter) -> Iterator[list[Any]]:
    with reading(sessions) as session:
        for item in listing.everything(session, who, wanted):
            yield [_cell(item[name]) for name, _ in _EXPORT]


def _csv(sessions: Sessions, who: Principal, wanted: AlarmFilter) -> Iterator[bytes]:
    yield ("\ufeff" + ",".join(zh for _, zh in _EXPORT) + "\r\n").encode()
    for row in _rows(sessions, who, wanted):
        text = io.StringIO()
        # With its own line ends (RFC 4180) the writer also quotes a cell that holds a lone carriage return.
        csv.writer(text).writerow(row)
        yield text.getvalue().encode()


def _xlsx(sessions: Sessions, who: Principal, wanted: AlarmFilter) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("报警")
    sheet.append([zh for _, zh in _EXPORT])
    for row in _rows(sessions, who, wanted):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
