"""Routes of points, their history, sources on the map, and the live stream (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
import csv
import io
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from numpy.typing import NDArray

from hazwatch.alarms.store import open_counts
from hazwatch.history.query import COLUMNS
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.log.client import RpcError
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import queries
from hazwatch.registry.queries import PointFilter, PointView
from hazwatch.stream import wire
from hazwatch.vocabulary import moments
from hazwatch.web.engines import Engines
from hazwatch.web.hub import Client, Hub
from hazwatch.web.mirror import STATES, Mirror
from hazwatch.web.overview import Overview

#: A grade that rests on less than this share of its inputs is shown as out of date.
_CONFIDENT = 0.5
#: A chart asks for at most ten years, so that a slip of the pen does not read the whole store.
_LONGEST_MS = 3_660 * moments.DAY


def router(sessions: Sessions, gate: Gate, mirror: Mirror, engines: Engines, hold_s: int) -> APIRouter:  # noqa: C901  # one function a route
    """Routes of points and their history.

    ``hold_s``: an unchanged value is stored again after this many seconds, so a longer silence is a gap.
    """
    routes = APIRouter(prefix="/api/v1", tags=["points"])
    viewer = gate.current()
    Who = Annotated[Principal, Depends(viewer)]  # noqa: N806  # a type, local because the gate is

    @routes.get("/points")
    def list_points(
        request: Paging, who: Who, q: Annotated[str, Query(max_length=100)] = "",
        source: Annotated[str, Query(max_length=12)] = "", enterprise: Annotated[str, Query(max_length=9)] = "",
        quantity: Annotated[str, Query(max_length=2)] = "", state: Annotated[str, Query(max_length=10)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        if state and state not in STATES:
            raise invalid("state", f"状态应为 {'、'.join(STATES)} 之一")
        keep = _state_filter(mirror, STATES.index(state)) if state else None
        with reading(sessions) as session:
            page = queries.points_page(session, who, request, PointFilter(q, source, enterprise, quantity), keep)
        return page.form() | {"items": mirror.forms(page.items)}

    def one(code: str, who: Principal) -> PointView:
        with reading(sessions) as session:
            point = queries.point_by_code(session, who, code)
        if point is None:
            raise not_found("指标", code)
        return point

    @routes.get("/points/{code}")
    def show_point(code: str, who: Who) -> dict[str, Any]:
        return mirror.forms([one(code, who)])[0]

    async def series(point: PointView, start: str, end: str, step: int | None) -> dict[str, Any]:
        begin, finish = _range(start, end, mirror.clock())
        asked = {"point": point.index, "from": begin, "to": finish, "step": step}
        try:
            answer = orjson.loads(
                await engines.ask_owner(point.enterprise, wire.RPC_SERIES, orjson.dumps(asked), timeout_s=30.0)
            )
        except RpcError as error:
            raise ApiError(503, "engine_away", "历史服务暂时没有应答", "引擎正在启动或恢复,请稍后再试") from error
        return {
            "code": point.code, "unit": point.unit, "step": answer["step"], "source": answer["source"],
            "columns": list(COLUMNS), "rows": answer["rows"], "hold_s": mirror.hold_s(point.gateway, hold_s),
            "truncated": answer["next_from"] is not None,
            "next_from": answer["next_from"],
        }  # fmt: skip

    From = Annotated[str, Query(alias="from", max_length=40)]  # noqa: N806  # a type
    To = Annotated[str, Query(max_length=40)]  # noqa: N806  # a type
    Step = Annotated[int | None, Query(ge=0, le=31 * 86_400)]  # noqa: N806  # a type

    @routes.get("/points/{code}/history")
    async def show_history(code: str, who: Who, start: From = "", to: To = "", step: Step = None) -> dict[str, Any]:
        return await series(one(code, who), start, to, step)

    @routes.get("/points/{code}/history.csv")
    async def export_history(
        code: str, who: Who, start: From = "", to: To = "", step: Step = None
    ) -> StreamingResponse:
        point = one(code, who)
        begin, finish = _range(start, to, mirror.clock())
        first = await series(point, str(begin), str(finish), step)

        async def lines() -> AsyncIterator[bytes]:
            part = first
            yield ("\ufeff" + ",".join(("time", *COLUMNS[1:])) + "\n").encode()
            while True:
                for text in _csv(part["rows"]):
                    yield text
                if not part["truncated"]:
                    return
                part = await series(point, str(part["next_from"]), str(finish), step)

        headers = {"Content-Disposition": f'attachment; filename="{point.code}.csv"'}
        return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)

    return routes


def _csv(rows: list[list[Any]]) -> Iterator[bytes]:
    for start in range(0, len(rows), 1000):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows[start : start + 1000]:
            writer.writerow([moments.iso(int(row[0])), *("" if x is None else x for x in row[1:])])
        yield text.getvalue().encode()


def _state_filter(mirror: Mirror, wanted: int) -> queries.Keep:
    def keep(index: NDArray[np.int64]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = mirror.states(index) == wanted
        return found

    return keep


def _range(start: str, end: str, now: int) -> tuple[int, int]:
    """The asked range in epoch ms; the last hour when nothing is said."""
    times = {}
    for name, text, default in (("from", start, 0), ("to", end, now)):
        try:
            times[name] = moments.parse(text, zone=moments.CHINA) if text else default
        except ValueError as error:
            raise invalid(name, str(error), "例如 2026-11-23T08:00:00+08:00") from error
    begin = times["from"] or times["to"] - moments.HOUR
    if not 0 < times["to"] - begin <= _LONGEST_MS:
        raise invalid("from", "起始时间应早于结束时间,且不超过十年")
    return begin, times["to"]


def map_router(sessions: Sessions, gate: Gate, mirror: Mirror) -> APIRouter:
    """Sources for the map."""
    routes = APIRouter(prefix="/api/v1", tags=["map"])

    @routes.get("/map/sources")
    def map_sources(who: Annotated[Principal, Depends(gate.current())]) -> Response:
        with reading(sessions) as session:
            rows = queries.sources(session, who)
            counts = open_counts(session, [row.code for row in rows])
        features = [_feature(row, mirror, counts.get(row.code, 0)) for row in rows if row.lon is not None]
        body = orjson.dumps({"type": "FeatureCollection", "features": features})
        return Response(body, media_type="application/geo+json")

    return routes


def overview_router(gate: Gate, overview: Overview) -> APIRouter:
    """The state of everything in scope."""
    routes = APIRouter(prefix="/api/v1/overview", tags=["overview"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/sources")
    def listing(who: Who) -> Response:
        return Response(orjson.dumps(overview.listing(who.scope)), media_type="application/json")

    @routes.get("/state")
    def state(who: Who, since: Annotated[str, Query(max_length=40)] = "") -> Response:
        part = overview.part(who.scope, since)
        head = np.array([len(part.sources), len(part.points)], "<u4").tobytes()
        body = head + part.sources.tobytes() + part.points.tobytes()
        headers = {
            "X-Overview-Version": part.version,
            "X-Overview-Whole": str(int(part.whole)),
            "Cache-Control": "no-store",
        }
        return Response(body, media_type="application/octet-stream", headers=headers)

    return routes


def _feature(row: queries.SourceView, mirror: Mirror, alarms: int) -> dict[str, Any]:
    grade = mirror.grade(row.code)
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
        "properties": {
            "code": row.code, "name": row.name, "level": row.level, "colour": grade["colour"] if grade else "none",
            "score": grade["score"] if grade else None, "enterprise": row.enterprise_name, "active_alarms": alarms,
            "stale": grade is None or grade["confidence"] < _CONFIDENT or not mirror.engine_up,
            "simulated": row.simulated,
        },
    }  # fmt: skip


def live_router(sessions: Sessions, gate: Gate, hub: Hub, mirror: Mirror) -> APIRouter:
    """The live stream."""
    routes = APIRouter(prefix="/api/v1", tags=["live"])
    Codes = Annotated[list[str] | None, Query(max_length=500)]  # noqa: N806  # a type

    @routes.get("/live")
    def live(
        request: Request, who: Annotated[Principal, Depends(gate.current())], source: Codes = None, point: Codes = None
    ) -> StreamingResponse:
        with reading(sessions) as session:
            views = queries.points_by_codes(session, who, point or [])
            for code in source or []:
                views += queries.points_of_source(session, who, code)
        wanted = frozenset(v.index for v in views)
        hello = {"server_time": moments.iso(mirror.clock()), "simulated": hub.simulated}
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            hub.stream(Client(who.scope, wanted), hello, lambda: gate.recognise(request) is not None),
            media_type="text/event-stream",
            headers=headers,
        )

    return routes
