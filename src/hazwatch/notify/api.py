"""Routes of messages (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, not_found
from hazwatch.identity.model import Principal, Role
from hazwatch.identity.secrets import unseal
from hazwatch.notify import cap, desk
from hazwatch.notify.cap import CapAlarm
from hazwatch.notify.send import NotSentError
from hazwatch.notify.service import DUTY, ROUTE, Send
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary.moments import Clock

#: Alarms in scope for CAP: all that stand, or the one of an id.
CapAlarms = Callable[[Session, Principal, str | None], Sequence[CapAlarm]]
#: Path of a node of the tree in scope, by its code.
PathOf = Callable[[Session, Principal, str], str]
_TIME = r"^\d{2}:\d{2}$"
_Days = Literal["all", "working", "off"]
_Ids = Annotated[list[str], Field(max_length=50)]


class ChannelBody(BaseModel):
    """A channel. ``url`` is an Apprise URL; empty keeps the address that is known."""

    name: str = Field(min_length=1, max_length=100)
    url: str = Field("", max_length=1000)
    enabled: bool = False


class ShiftBody(BaseModel):
    """Somebody's turn."""

    channel: str = Field(max_length=36)
    days: _Days = "all"
    start: str = Field("00:00", pattern=_TIME)
    end: str = Field("24:00", pattern=_TIME)


class DutyBody(BaseModel):
    """A duty list."""

    name: str = Field(min_length=1, max_length=100)
    enabled: bool = True
    shifts: list[ShiftBody] = Field(min_length=1, max_length=100)


class RouteBody(BaseModel):
    """A route: alarms at or below ``node`` (its code) of at least ``priority`` (1 = highest)."""

    name: str = Field(min_length=1, max_length=100)
    enabled: bool = True
    node: str = Field(max_length=11)
    priority: int = Field(2, ge=1, le=4)
    days: _Days = "all"
    start: str = Field("00:00", pattern=_TIME)
    end: str = Field("24:00", pattern=_TIME)
    channels: _Ids = Field(default_factory=list)
    duties: _Ids = Field(default_factory=list)
    escalate_after_s: int = Field(0, ge=0, le=86_400)
    escalate_channels: _Ids = Field(default_factory=list)
    escalate_duties: _Ids = Field(default_factory=list)


class DayBody(BaseModel):
    """A day that differs from its weekday."""

    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    working: bool
    name: str = Field("", max_length=50)


class Tools(BaseModel, arbitrary_types_allowed=True):
    """What the routes need of the node."""

    sessions: Sessions
    gate: Gate
    clock: Clock
    key: bytes
    zone: tzinfo
    send: Send
    cap_alarms: CapAlarms
    path_of: PathOf


def router(tools: Tools) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/notices", tags=["notices"])
    _channel_routes(routes, tools)
    _rule_routes(routes, tools)
    _calendar_and_log(routes, tools)
    _cap_routes(routes, tools)
    return routes


def _channel_routes(routes: APIRouter, tools: Tools) -> None:
    Engineer = Annotated[Principal, Depends(tools.gate.current(Role.ENGINEER))]  # noqa: N806  # a type
    Admin = Annotated[Principal, Depends(tools.gate.current(Role.ADMIN))]  # noqa: N806  # a type

    @routes.get("/channels")
    def list_channels(who: Engineer) -> list[dict[str, Any]]:
        with reading(tools.sessions) as session:
            return desk.channels(session, who)

    def write(id_: str | None, body: ChannelBody, who: Principal) -> dict[str, Any]:
        now = tools.clock()
        with unit_of_work(tools.sessions) as session:
            made = desk.write_channel(session, who, tools.key, id_, body.name, body.url, now, enabled=body.enabled)
            detail = {"kind": made["kind"], "enabled": body.enabled, "address": "changed" if body.url else "kept"}
            audit.record(session, now, who, "notice.channel", body.name, who.scope, detail)
            return made

    @routes.post("/channels")
    def new_channel(body: ChannelBody, who: Admin) -> dict[str, Any]:
        return write(None, body, who)

    @routes.put("/channels/{channel}")
    def change_channel(channel: str, body: ChannelBody, who: Admin) -> dict[str, Any]:
        return write(channel, body, who)

    @routes.delete("/channels/{channel}")
    def delete_channel(channel: str, who: Admin) -> dict[str, Any]:
        with unit_of_work(tools.sessions) as session:
            row = desk.channel(session, who, channel)
            audit.record(session, tools.clock(), who, "notice.channel", row.name, row.path, {"deleted": True})
            session.delete(row)
        return {"deleted": channel}

    @routes.post("/channels/{channel}/test")
    def test_channel(channel: str, who: Admin) -> dict[str, Any]:
        with reading(tools.sessions) as session:
            row = desk.channel(session, who, channel)
        text = f"{who.username} 从 Hazwatch 发出的测试消息,收到即说明通道可用。"
        try:
            tools.send(unseal(tools.key, row.sealed, row.id).decode(), "Hazwatch 测试消息", text)
        except NotSentError as error:
            raise ApiError(502, "not_sent", f"没有送达:{error}", "请检查地址、密钥和本机到该服务的网络") from error
        return {"sent": True}


def _rule_routes(routes: APIRouter, tools: Tools) -> None:  # noqa: C901  # one function a route
    Engineer = Annotated[Principal, Depends(tools.gate.current(Role.ENGINEER))]  # noqa: N806  # a type

    def write(kind: str, id_: str | None, body: RouteBody | DutyBody, who: Principal) -> dict[str, Any]:
        fields = body.model_dump(exclude={"name", "enabled"})
        now = tools.clock()
        with unit_of_work(tools.sessions) as session:
            path = tools.path_of(session, who, body.node) if isinstance(body, RouteBody) else who.scope
            made = desk.write_rule(session, who, kind, id_, body.name, path, fields, now, enabled=body.enabled)
            audit.record(session, now, who, f"notice.{kind}", body.name, path, {"enabled": body.enabled, **fields})
            return made

    def delete(kind: str, id_: str, who: Principal) -> dict[str, Any]:
        with unit_of_work(tools.sessions) as session:
            row = desk.rule(session, who, kind, id_)
            audit.record(session, tools.clock(), who, f"notice.{kind}", row.name, row.path, {"deleted": True})
            session.delete(row)
        return {"deleted": id_}

    @routes.get("/routes")
    def list_routes(who: Engineer) -> list[dict[str, Any]]:
        with reading(tools.sessions) as session:
            return desk.rules(session, who, ROUTE)

    @routes.post("/routes")
    def new_route(body: RouteBody, who: Engineer) -> dict[str, Any]:
        return write(ROUTE, None, body, who)

    @routes.put("/routes/{route}")
    def change_route(route: str, body: RouteBody, who: Engineer) -> dict[str, Any]:
        return write(ROUTE, route, body, who)

    @routes.delete("/routes/{route}")
    def delete_route(route: str, who: Engineer) -> dict[str, Any]:
        return delete(ROUTE, route, who)

    @routes.get("/duties")
    def list_duties(who: Engineer) -> list[dict[str, Any]]:
        with reading(tools.sessions) as session:
            return desk.rules(session, who, DUTY)

    @routes.post("/duties")
    def new_duty(body: DutyBody, who: Engineer) -> dict[str, Any]:
        return write(DUTY, None, body, who)

    @routes.put("/duties/{duty}")
    def change_duty(duty: str, body: DutyBody, who: Engineer) -> dict[str, Any]:
        return write(DUTY, duty, body, who)

    @routes.delete("/duties/{duty}")
    def delete_duty(duty: str, who: Engineer) -> dict[str, Any]:
        return delete(DUTY, duty, who)


def _calendar_and_log(routes: APIRouter, tools: Tools) -> None:
    Operator = Annotated[Principal, Depends(tools.gate.current(Role.OPERATOR))]  # noqa: N806  # a type
    Admin = Annotated[Principal, Depends(tools.gate.current(Role.ADMIN))]  # noqa: N806  # a type

    @routes.get("/calendar")
    def show_calendar(_: Operator) -> list[dict[str, Any]]:
        with reading(tools.sessions) as session:
            return desk.calendar(session)

    @routes.put("/calendar")
    def change_calendar(body: Annotated[list[DayBody], Field(max_length=1000)], who: Admin) -> list[dict[str, Any]]:
        with unit_of_work(tools.sessions) as session:
            desk.write_calendar(session, [day.model_dump() for day in body])
            audit.record(session, tools.clock(), who, "notice.calendar", "", who.scope, {"days": len(body)})
            return desk.calendar(session)

    @routes.get("/log")
    def show_log(request: Paging, who: Operator, state: Literal["", "queued", "sent", "failed"] = "") -> dict[str, Any]:
        with reading(tools.sessions) as session:
            return desk.log(session, who, request, state).form()


def _cap_routes(routes: APIRouter, tools: Tools) -> None:
    Viewer = Annotated[Principal, Depends(tools.gate.current())]  # noqa: N806  # a type
    Sender = Annotated[str, Query(max_length=100, pattern=r"^[^\s,<&]+$")]  # noqa: N806  # a type

    @routes.get("/cap")
    def cap_feed(request: Request, who: Viewer) -> Response:
        with reading(tools.sessions) as session:
            alarms = tools.cap_alarms(session, who, None)
        base = str(request.url.replace(query="")).rstrip("/")
        return Response(cap.feed(alarms, base, tools.clock(), tools.zone), media_type="application/atom+xml")

    @routes.get("/cap/{alarm}.xml")
    def cap_alert(alarm: str, who: Viewer, sender: Sender = "hazwatch") -> Response:
        with reading(tools.sessions) as session:
            found = tools.cap_alarms(session, who, alarm)
        if not found:
            raise not_found("报警", alarm)
        return Response(cap.alert(found[0], sender, tools.zone), media_type="application/cap+xml")
