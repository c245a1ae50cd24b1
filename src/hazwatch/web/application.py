"""The ASGI application, from parts that the composition root hands in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import FastAPI
from sqlalchemy.orm import Session
from starlette.middleware.gzip import GZipMiddleware

import hazwatch
from hazwatch.access.api import router as access_router
from hazwatch.alarms.api import router as alarms_router
from hazwatch.alarms.kpi_api import router as kpi_router
from hazwatch.alarms.kpi_service import Room
from hazwatch.alarms.settings import place
from hazwatch.alarms.store import open_counts
from hazwatch.alarms.trial_api import router as trial_router
from hazwatch.alarms.trial_service import Scope, evidence
from hazwatch.app.chemistry import gas_facts, nature
from hazwatch.app.notices import cap_alarms
from hazwatch.app.sliproom import other_needs, slip_desk
from hazwatch.chemicals.api import router as chemicals_router
from hazwatch.identity import errors
from hazwatch.identity.api import router as identity_router
from hazwatch.identity.deps import Gate
from hazwatch.identity.desk import Desk
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal
from hazwatch.identity.secrets import master_key
from hazwatch.log.client import Log, RpcError
from hazwatch.notify.api import Tools
from hazwatch.notify.api import router as notices_router
from hazwatch.notify.send import send
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry import queries
from hazwatch.registry.api import Live
from hazwatch.registry.api import router as registry_router
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files.api import router as files_router
from hazwatch.registry.files.book_api import router as file_books_router
from hazwatch.registry.gb18218.api import router as gb18218_router
from hazwatch.registry.gb18218.model import BetaChoice
from hazwatch.registry.limits.api import router as limits_router
from hazwatch.registry.lists.api import router as lists_router
from hazwatch.registry.monitoring.api import router as monitoring_router
from hazwatch.registry.monitoring.views import Memory
from hazwatch.registry.places.api import router as places_router
from hazwatch.registry.setpoints.api import router as setpoints_router
from hazwatch.risk import book
from hazwatch.settings import Settings
from hazwatch.slips.api import router as slips_router
from hazwatch.slips.views import of_warnings
from hazwatch.stream import wire
from hazwatch.vocabulary.moments import Clock
from hazwatch.web import operations, page, points, risk, scenarios, warnings
from hazwatch.web.engines import Engines
from hazwatch.web.hub import Hub
from hazwatch.web.mirror import Mirror
from hazwatch.web.overview import Overview
from hazwatch.web.places import Places


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of."""

    settings: Settings
    sessions: Sessions
    clock: Clock
    log: Log
    engines: Engines
    desk: Desk
    registry: RegistryDesk
    mirror: Mirror
    places: Places
    hub: Hub
    alarm_room_changed: Callable[[], None] = lambda: None
    risk_changed: Callable[[], None] = lambda: None
    warning_rules_changed: Callable[[], None] = lambda: None
    monitoring: Memory = field(default_factory=Memory)


def create_app(parts: Parts) -> FastAPI:
    """The application with every room's routes."""
    app = FastAPI(
        title="Hazwatch 危化品安全生产风险监测预警系统", version=hazwatch.__version__, openapi_url="/api/openapi.json",
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    errors.install(app)
    gate = Gate(parts.desk)
    settings, sessions = parts.settings, parts.sessions
    app.include_router(identity_router(parts.desk, gate, lambda: _system(parts)))
    live = Live(
        parts.mirror.grade, lambda code: _terms(sessions, code), lambda codes: _alarm_counts(sessions, codes),
        parts.mirror.forms,
    )  # fmt: skip
    app.include_router(registry_router(parts.registry, gate, live, settings.province))
    app.include_router(chemicals_router(gate))
    app.include_router(setpoints_router(parts.registry, gate, gas_facts))
    app.include_router(monitoring_router(parts.registry, gate, nature, parts.monitoring))
    app.include_router(gb18218_router(parts.registry, gate, BetaChoice(settings.gb18218_beta)))
    app.include_router(files_router(parts.registry, gate))
    app.include_router(file_books_router(parts.registry, gate))
    app.include_router(lists_router(parts.registry, gate))
    app.include_router(places_router(parts.registry, gate, settings.province))
    app.include_router(limits_router(parts.registry, gate, lambda who, number: _evidence(sessions, who, number)))
    app.include_router(
        trial_router(
            sessions, gate, parts.clock, lambda who, scope: _points(sessions, who, scope),
            lambda do, number: _whatif(parts.engines, do, number),
        )
    )  # fmt: skip
    app.include_router(points.router(sessions, gate, parts.mirror, parts.engines, settings.heartbeat_s))
    app.include_router(notices_router(_notice_tools(parts, gate)))
    app.include_router(points.map_router(sessions, gate, parts.mirror))
    app.include_router(points.overview_router(gate, Overview(parts.mirror, parts.places)))
    app.include_router(points.live_router(sessions, gate, parts.hub, parts.mirror))
    app.include_router(
        alarms_router(
            sessions, gate, parts.clock, lambda do, asked: _alarm(parts.engines, do, asked), parts.alarm_room_changed
        )
    )
    app.include_router(kpi_router(sessions, gate, parts.clock, lambda who: _rooms(sessions, who)))
    app.include_router(access_router(sessions, gate, lambda who: _links(parts, who)))
    app.include_router(risk.router(parts.sessions, gate, parts.clock, parts.mirror, parts.risk_changed, parts.engines))
    slips = slip_desk(settings, sessions, parts.clock)

    def slips_of(session: Session, who: Principal, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return of_warnings(session, who, ids, parts.clock())

    app.include_router(
        warnings.router(
            sessions, gate, parts.clock, settings, parts.warning_rules_changed, parts.risk_changed, slips_of
        )
    )
    app.include_router(slips_router(slips, gate, other_needs, lambda who: risk.answers_for_all(sessions, who)))
    app.include_router(scenarios.router(sessions, gate, parts.clock, parts.log))
    app.include_router(operations.router(gate, parts.log, parts.hub, parts.mirror))
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=2)
    page.install(app)
    return app


def _notice_tools(parts: Parts, gate: Gate) -> Tools:
    return Tools(
        sessions=parts.sessions, gate=gate, clock=parts.clock, key=master_key(parts.settings.home),
        zone=ZoneInfo(parts.settings.zone), send=send, cap_alarms=cap_alarms,
        path_of=lambda session, who, code: place(session, who, code)[0],
    )  # fmt: skip


def _system(parts: Parts) -> Mapping[str, Any]:
    return {
        "simulated": parts.places.simulated, "version": hazwatch.__version__, "zone": parts.settings.zone,
        "map_approval": parts.settings.map_approval,
    }  # fmt: skip


def _terms(sessions: Sessions, code: str) -> list[dict[str, Any]]:
    with reading(sessions) as session:
        return book.newest_terms(session, code)


def _alarm_counts(sessions: Sessions, codes: Collection[str]) -> Mapping[str, int]:
    with reading(sessions) as session:
        return open_counts(session, codes)


def _rooms(sessions: Sessions, who: Principal) -> list[Room]:
    """Control rooms in scope: the enterprises."""
    with reading(sessions) as session:
        counts = queries.point_counts(session, who)
        rows = queries.enterprises(session, who)
    return [Room(row.code, row.name, row.region, row.park, counts.get(row.code, 0)) for row in rows]


def _points(sessions: Sessions, who: Principal, scope: Scope) -> list[queries.PointPlace]:
    wanted = queries.PointFilter("", scope.source, scope.enterprise, scope.quantity)
    with reading(sessions) as session:
        return queries.point_places(session, who, wanted, scope.codes)


def _evidence(sessions: Sessions, who: Principal, number: str) -> dict[str, Any] | None:
    with reading(sessions) as session:
        return evidence(session, who, number)


async def _whatif(engines: Engines, do: str, number: str) -> None:
    """The engine does the work; one that is away finds a what-if on the list when it comes back."""
    try:
        await engines.ask(engines.shares[0], wire.RPC_WHATIF, orjson.dumps({"do": do, "id": number}))
    except RpcError as error:
        if do != "start":
            raise ApiError(503, "engine_away", "引擎暂时没有应答,未能取消", "请稍后再试") from error


async def _alarm(engines: Engines, do: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A command on alarms: the engine decides."""
    try:
        return await engines.command(wire.RPC_ALARM, {"do": do, **asked})
    except RpcError as error:
        raise ApiError(503, "engine_away", "报警服务暂时没有应答,操作未生效", "请稍后再试;报警仍在列表中") from error


def _links(parts: Parts, who: Principal) -> list[dict[str, Any]]:
    rows = parts.mirror.links.values()
    shown = [parts.places.link(row) for row in rows if parts.places.path(row["enterprise"]).startswith(who.scope)]
    if not parts.mirror.access_up:
        for row in shown:
            row["state"] = "offline"
    return shown
