"""Routes of what is set aside, the rules of suppression, and what hangs on the tree (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import select

from hazwatch.alarms import rule_service, settings
from hazwatch.alarms.hold_store import hold_form
from hazwatch.alarms.tables import AlarmHold
from hazwatch.identity import audit
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.model import Principal, Role
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.records.paging import Page, count
from hazwatch.vocabulary import moments

#: Tells the engine that rules or ways of annunciation were changed. Called in a worker thread.
Changed = Callable[[], None]
Topic = Literal["guidance", "policy"]


class SettingBody(BaseModel):
    """What is said for a part; what is left out or empty is inherited."""

    part: str = Field("", max_length=16)
    fields: dict[str, str | int | bool | None] = Field(max_length=10)


class ConditionBody(BaseModel):
    """One thing that must hold of a point."""

    point: str = Field(min_length=22, max_length=22)
    op: Literal["==", "!=", "<", "<=", ">", ">=", "level"]
    value: float | None = Field(None, allow_inf_nan=False)
    level: Literal["LL", "L", "normal", "H", "HH"] | None = None


class TargetBody(BaseModel):
    """An alarm that is suppressed; no levels = all."""

    point: str = Field(min_length=22, max_length=22)
    levels: list[Literal["LL", "L", "H", "HH"]] = Field(default_factory=list, max_length=4)


class RuleBody(BaseModel):
    """A suppression by design, whole: a change is a new version."""

    name: str = Field(min_length=1, max_length=200)
    every: bool = True
    conditions: list[ConditionBody] = Field(min_length=1, max_length=20)
    targets: list[TargetBody] = Field(min_length=1, max_length=200)
    release_s: int = Field(0, ge=0, le=86_400)
    enabled: bool = True
    note: str = Field("", max_length=500)


def router(sessions: Sessions, gate: Gate, clock: moments.Clock, changed: Changed) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/holds")
    def list_holds(
        request: Paging,
        who: Viewer,
        kind: Literal["", "shelved", "suppressed", "out_of_service"] = "",
        status: Literal["standing", "requested", "active", "ended", "refused", "all"] = "standing",
        point: Annotated[str, Query(max_length=22)] = "",
    ) -> dict[str, Any]:
        statement = scoped(select(AlarmHold), who, AlarmHold)
        if kind:
            statement = statement.where(AlarmHold.kind == kind)
        if point:
            statement = statement.where(AlarmHold.point_code == point)
        if status != "all":
            wanted = ("requested", "active") if status == "standing" else (status,)
            statement = statement.where(AlarmHold.status.in_(wanted))
        with reading(sessions) as session:
            page = statement.order_by(AlarmHold.at.desc(), AlarmHold.id).offset(request.offset).limit(request.page_size)
            items = [hold_form(row) for row in session.scalars(page)]
            return Page(items, count(session, statement), request.page, request.page_size).form()

    _rule_routes(routes, sessions, gate, clock, changed)
    _setting_routes(routes, sessions, gate, clock, changed)
    return routes


def _rule_routes(routes: APIRouter, sessions: Sessions, gate: Gate, clock: moments.Clock, changed: Changed) -> None:
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("/rules")
    def list_rules(request: Paging, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            return rule_service.page(session, who, request).form()

    @routes.get("/rules/{rule}/versions")
    def list_versions(rule: str, who: Viewer) -> list[dict[str, Any]]:
        with reading(sessions) as session:
            return rule_service.versions(session, who, rule)

    def write(rule: str | None, body: RuleBody, who: Principal) -> dict[str, Any]:
        with unit_of_work(sessions) as session:
            made = rule_service.write(session, who, rule, body.model_dump(), clock())
            detail = {"rule": made["id"], "version": made["version"], "enabled": body.enabled, "note": body.note}
            audit.record(session, clock(), who, "alarm.rule", body.name, made.pop("path"), detail)
        changed()
        return made

    @routes.post("/rules")
    def new_rule(body: RuleBody, who: Engineer) -> dict[str, Any]:
        return write(None, body, who)

    @routes.put("/rules/{rule}")
    def change_rule(rule: str, body: RuleBody, who: Engineer) -> dict[str, Any]:
        return write(rule, body, who)


def _setting_routes(routes: APIRouter, sessions: Sessions, gate: Gate, clock: moments.Clock, changed: Changed) -> None:
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("/settings/{topic}/{code}")
    def show_settings(topic: Topic, code: str, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            return settings.show(session, who, topic, code)

    @routes.put("/settings/{topic}/{code}")
    def change_settings(topic: Topic, code: str, body: SettingBody, who: Engineer) -> dict[str, Any]:
        with unit_of_work(sessions) as session:
            outcome = settings.change(session, who, topic, code, body.part, body.fields, clock())
            if outcome["changed"]:
                path, _ = settings.place(session, who, code)
                audit.record(session, clock(), who, f"alarm.{topic}", code, path, {"part": body.part, **outcome})
        if outcome["changed"] and topic == settings.POLICY:
            changed()
        return outcome

    @routes.get("/settings/{topic}/{code}/history")
    def settings_history(topic: Topic, code: str, request: Paging, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            return settings.history(session, who, topic, code, request).form()
