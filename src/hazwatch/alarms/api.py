"""Routes of alarm records (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, UploadFile
from fastapi.responses import StreamingResponse

from hazwatch.alarms import (
    command_api,
    export,
    groups,
    inherit,
    listing,
    notes,
    notes_api,
    replay,
    room_api,
    settings,
)
from hazwatch.alarms.command_api import Ask
from hazwatch.alarms.listing import SHOW, AlarmFilter
from hazwatch.alarms.room_api import Changed
from hazwatch.alarms.store import newest_seq
from hazwatch.identity import audit
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary import moments
from hazwatch.vocabulary.levels import Level

_LONGEST_REPLAY = 31 * moments.DAY
_LARGEST_FILE = 1 << 30


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


def router(
    sessions: Sessions, gate: Gate, clock: moments.Clock, ask: Ask, changed: Changed = lambda: None
) -> APIRouter:
    """All routes of the room. Those with a name of their own stand before ``/{alarm_id}``."""
    routes = APIRouter()
    routes.include_router(command_api.router(sessions, gate, clock, ask))
    routes.include_router(room_api.router(sessions, gate, clock, changed))
    routes.include_router(notes_api.router(sessions, gate, clock))
    routes.include_router(_exports(sessions, gate, clock))
    routes.include_router(_records(sessions, gate, clock))
    return routes


def _records(sessions: Sessions, gate: Gate, clock: moments.Clock) -> APIRouter:
    """Lists, groups, replay, and one record with everything that is known of it."""
    routes = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("")
    def list_alarms(request: Paging, who: Viewer, wanted: Wanted) -> dict[str, Any]:
        with reading(sessions) as session:
            page = listing.page(session, who, request, wanted)
            return page.form() | {
                "summary": listing.summary(session, who), "ringing": listing.ringing(session, who),
                "seq": newest_seq(session),
            }  # fmt: skip

    @routes.get("/changes")
    def list_changes(
        who: Viewer, after: Annotated[int, Query(ge=0)], limit: Annotated[int, Query(ge=1, le=500)] = 500
    ) -> dict[str, Any]:
        with reading(sessions) as session:
            return listing.changes(session, who, after, limit)

    @routes.get("/groups")
    def list_groups(who: Viewer, wanted: Wanted) -> dict[str, Any]:
        with reading(sessions) as session:
            return {"groups": groups.groups(session, who, wanted), "flood": groups.flood(session, who, clock())} | {
                "summary": listing.summary(session, who), "seq": newest_seq(session),
            }  # fmt: skip

    @routes.get("/replay")
    def replay_period(
        who: Viewer,
        start: Annotated[str, Query(alias="from", max_length=40)],
        end: Annotated[str, Query(alias="to", max_length=40)],
        source: Annotated[str, Query(max_length=12)] = "",
    ) -> dict[str, Any]:
        try:
            since, until = (moments.parse(text, zone=moments.CHINA) for text in (start, end))
        except ValueError as error:
            raise invalid("from", str(error)) from error
        if not 0 < until - since <= _LONGEST_REPLAY:
            raise invalid("to", "一次回放最长 31 天,且结束应晚于开始")
        with reading(sessions) as session:
            return replay.period(session, who, since, until, source)

    @routes.get("/{alarm_id}")
    def show_alarm(alarm_id: str, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            found = listing.one(session, who, alarm_id)
            if found is None:
                raise not_found("报警", alarm_id)
            nodes = found["chain"]
            part = inherit.part_of(found["kind"], Level.parse(found["worst_level"]))
            return found | {
                "comments": notes.comments(session, who, alarm_id),
                "guidance": settings.resolved(session, settings.GUIDANCE, nodes, part),
                "policy": settings.resolved(session, settings.POLICY, nodes, str(found["priority"])),
            }

    return routes


def _exports(sessions: Sessions, gate: Gate, clock: moments.Clock) -> APIRouter:
    """Files, and whether a file is one of them."""
    routes = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    def download(who: Principal, wanted: AlarmFilter, form: str) -> StreamingResponse:
        made = export.make(sessions, who, wanted, form)
        now = clock()
        with unit_of_work(sessions) as session:
            export.keep(session, who, made, form, wanted, now)
            detail = {"sha256": made.sha256, "rows": made.rows, "format": form}
            audit.record(session, now, who, "alarm.export", f"{made.rows} 条报警", who.scope, detail)
        headers = {"Content-Disposition": f'attachment; filename="alarms.{form}"', "X-Content-SHA256": made.sha256}
        return StreamingResponse(made.parts(), media_type=export.KINDS[form], headers=headers)

    @routes.get("/export.csv")
    def export_csv(who: Viewer, wanted: Wanted) -> StreamingResponse:
        return download(who, wanted, "csv")

    @routes.get("/export.xlsx")
    def export_xlsx(who: Viewer, wanted: Wanted) -> StreamingResponse:
        return download(who, wanted, "xlsx")

    @routes.get("/export.parquet")
    def export_parquet(who: Viewer, wanted: Wanted) -> StreamingResponse:
        return download(who, wanted, "parquet")

    @routes.get("/exports")
    def list_exports(request: Paging, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            return export.page(session, who, request).form()

    @routes.post("/exports/verify")
    def verify_export(who: Viewer, file: UploadFile) -> dict[str, Any]:
        if (file.size or 0) > _LARGEST_FILE:
            raise ApiError(413, "too_large", "文件超过 1 GiB", "大文件请用命令行 hazwatch alarms verify")
        sha256 = export.digest(file.file)
        with reading(sessions) as session:
            return {"sha256": sha256, "export": export.verify(session, who, sha256)}

    return routes
