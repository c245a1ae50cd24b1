"""Routes of what-ifs and marked true events (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from hazwatch.alarms import trial_service as service
from hazwatch.alarms.assistant import Bounds
from hazwatch.alarms.trial_service import AskedFor, ChangeOf, Mark, PointsOf, Scope
from hazwatch.documents.cells import holdable
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import Sessions, reading
from hazwatch.vocabulary import moments

#: Tells the engine to begin or to stop a what-if: (``start`` or ``cancel``, id). Raises ApiError when it is away.
Tell = Callable[[str, str], Awaitable[None]]


class ScopeBody(BaseModel):
    """Which points."""

    enterprise: str = Field("", max_length=9)
    source: str = Field("", max_length=12)
    quantity: str = Field("", max_length=2)
    points: list[Annotated[str, Field(max_length=22)]] = Field(default_factory=list, max_length=service.MAX_POINTS)


class ChangeBody(BaseModel):
    """New values for a quantity or a point."""

    quantity: str = Field("", max_length=2)
    code: str = Field("", max_length=22)
    values: dict[str, float | None] = Field(min_length=1, max_length=10)


class AssistantBody(BaseModel):
    """Bounds of the assistant."""

    remove: float = Field(0.8, ge=0, le=1)
    bound_s: float = Field(30, ge=0, le=3600)
    max_off_s: float = Field(1800, ge=0, le=7200)
    max_on_s: float = Field(0, ge=0, le=600)
    max_deadband: float = Field(0.05, ge=0, le=0.2)
    max_widen: float = Field(0, ge=0, le=0.2)


class WhatIfBody(BaseModel):
    """What is to be tried."""

    name: str = Field("", max_length=200)
    start: str = Field(alias="from", max_length=40)
    end: str = Field(alias="to", max_length=40)
    scope: ScopeBody = Field(default_factory=lambda: ScopeBody())  # noqa: PLW0108  # pydantic's mypy plugin wants it
    changes: list[ChangeBody] = Field(default_factory=list, max_length=5000)
    assistant: AssistantBody | None = None


class EventBody(BaseModel):
    """What really happened."""

    point: str = Field(max_length=22)
    start: str = Field(alias="from", max_length=40)
    end: str = Field(alias="to", max_length=40)
    note: str = Field(max_length=500)
    alarm: str = Field("", max_length=36)


def router(sessions: Sessions, gate: Gate, clock: moments.Clock, points_of: PointsOf, tell: Tell) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", tags=["whatif"])
    _whatif_routes(routes, sessions, gate, clock, points_of, tell)
    _event_routes(routes, sessions, gate, clock, points_of)
    return routes


def _whatif_routes(
    routes: APIRouter, sessions: Sessions, gate: Gate, clock: moments.Clock, points_of: PointsOf, tell: Tell
) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("/whatif")
    def list_whatifs(request: Paging, who: Who) -> dict[str, Any]:
        with reading(sessions) as session:
            return service.listed(session, who, request).form()

    @routes.post("/whatif")
    async def start_whatif(body: WhatIfBody, who: Engineer) -> dict[str, Any]:
        asked = AskedFor(
            _clean(body.name).strip(), _moment("from", body.start), _moment("to", body.end),
            Scope(body.scope.enterprise, body.scope.source, body.scope.quantity, tuple(body.scope.points)),
            [ChangeOf(one.values, one.quantity, one.code) for one in body.changes], _bounds(body.assistant),
        )  # fmt: skip
        number = service.ask(sessions, who, clock, points_of, asked)
        await tell("start", number)
        return {"id": number}

    @routes.get("/whatif/{whatif}")
    def show_whatif(whatif: str, who: Who) -> dict[str, Any]:
        with reading(sessions) as session:
            return service.shown(session, who, whatif)

    @routes.post("/whatif/{whatif}/cancel")
    async def cancel_whatif(whatif: str, who: Engineer) -> dict[str, Any]:
        service.to_cancel(sessions, who, whatif)
        await tell("cancel", whatif)
        return {"id": whatif}

    @routes.delete("/whatif/{whatif}")
    def remove_whatif(whatif: str, who: Engineer) -> dict[str, Any]:
        service.removed(sessions, who, clock, whatif)
        return {"id": whatif}


def _event_routes(
    routes: APIRouter, sessions: Sessions, gate: Gate, clock: moments.Clock, points_of: PointsOf
) -> None:  # fmt: skip
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # same

    @routes.get("/true-events")
    def list_events(request: Paging, who: Who, point: Annotated[str, Query(max_length=22)] = "") -> dict[str, Any]:
        with reading(sessions) as session:
            return service.marked(session, who, request, point).form()

    @routes.post("/true-events")
    def mark_event(body: EventBody, who: Operator) -> dict[str, Any]:
        given = Mark(
            body.point, _moment("from", body.start), _moment("to", body.end), _clean(body.note), _clean(body.alarm)
        )  # fmt: skip
        return {"id": service.mark(sessions, who, clock, points_of, given)}

    @routes.delete("/true-events/{number}")
    def unmark_event(number: int, who: Operator) -> dict[str, Any]:
        service.unmark(sessions, who, clock, number)
        return {"id": number}


def _bounds(body: AssistantBody | None) -> Bounds | None:
    if body is None:
        return None
    bound, off, on = (round(1000 * seconds) for seconds in (body.bound_s, body.max_off_s, body.max_on_s))
    return Bounds(body.remove, bound, off, on, body.max_deadband, body.max_widen)


def _moment(field: str, text: str) -> int:
    try:
        return moments.parse(text, zone=moments.CHINA)
    except ValueError as error:
        raise invalid(field, str(error)) from error


def _clean(text: str) -> str:
    """Databases hold no control characters."""
    return holdable(text)
