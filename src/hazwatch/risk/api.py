"""Routes of grades, declared records and model configurations (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.risk import book, declared, schema
from hazwatch.risk.aggregates import AGGREGATES
from hazwatch.risk.book import Desk, NewRecord
from hazwatch.risk.configuration import DEFAULT
from hazwatch.risk.features import SERVICES, TERM_ZH, WORK_ZH
from hazwatch.risk.model import MODEL_ID, VERSION
from hazwatch.vocabulary import moments

#: The enterprises and places of somebody's scope with their grades now.
PlacesOf = Callable[[Principal, str], Mapping[str, Any]]
#: How likely a source reaches 橙 or 红. Raises ApiError 503 when the engine is away.
ForecastOf = Callable[[str], Awaitable[Mapping[str, Any]]]
_WEEK_MS = 7 * moments.DAY


class RecordBody(BaseModel):
    """A declared record."""

    object: str = Field(max_length=16)
    kind: str = Field(max_length=20)
    body: dict[str, Any] = Field(max_length=20)
    start: str = Field("", alias="from", max_length=40)
    end: str = Field(alias="to", max_length=40)


class WhyBody(BaseModel):
    """A reason."""

    why: str = Field(max_length=300)


class DraftBody(BaseModel):
    """A draft of the models' configuration: what differs from the one in force."""

    name: str = Field(max_length=100)
    why: str = Field(max_length=1000)
    parameters: dict[str, Any] = Field(max_length=100)


class PeriodBody(BaseModel):
    """A period."""

    start: str = Field(alias="from", max_length=40)
    end: str = Field(alias="to", max_length=40)


class ShadowBody(BaseModel):
    """Run beside what is in force, or stop."""

    on: bool


class DecideBody(BaseModel):
    """A decision."""

    approve: bool
    why: str = Field(max_length=1000)


def router(desk: Desk, gate: Gate, places: PlacesOf, forecast: ForecastOf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/risk", tags=["risk"])
    _grade_routes(routes, desk, gate, places, forecast)
    _record_routes(routes, desk, gate)
    _configuration_routes(routes, desk, gate)
    return routes


def _grade_routes(routes: APIRouter, desk: Desk, gate: Gate, places: PlacesOf, forecast: ForecastOf) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/places")
    def list_places(who: Who, code: Annotated[str, Query(max_length=16)] = "") -> dict[str, Any]:
        return dict(places(who, code))

    @routes.get("/objects/{code}/history")
    def grade_history(
        code: str, request: Paging, who: Who, start: Annotated[str, Query(alias="from", max_length=40)] = "",
        end: Annotated[str, Query(alias="to", max_length=40)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        desk.path_of(who, code)
        until = _moment("to", end) if end else desk.clock() + 1
        since = _moment("from", start) if start else until - _WEEK_MS
        with reading(desk.sessions) as session:
            return book.history(session, who, code, since, until, request).form()

    @routes.get("/objects/{code}/forecast")
    async def show_forecast(code: str, who: Who) -> dict[str, Any]:
        desk.path_of(who, code)
        return dict(await forecast(code))

    @routes.get("/grades/{grade}")
    def explain_grade(grade: int, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return book.explained(session, who, grade)

    @routes.get("/models")
    def list_models(who: Who) -> dict[str, Any]:
        del who
        with reading(desk.sessions) as session:
            digest = book.effective(session)[0].digest()
        names = {**{s.id: s.zh for s in SERVICES.values()}, **AGGREGATES}
        items = [
            {"id": name, "name": zh, "model": MODEL_ID, "version": VERSION, "configuration": digest,
             "schema": schema.of(name)}
            for name, zh in names.items()
        ]  # fmt: skip
        return {"items": items, "terms": dict(TERM_ZH)}


def _record_routes(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # same

    @routes.get("/declared")
    def list_declared(
        request: Paging, who: Who, code: Annotated[str, Query(alias="object", max_length=16)] = "",
        kind: Annotated[str, Query(max_length=20)] = "", state: Annotated[str, Query(max_length=8)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        with reading(desk.sessions) as session:
            return book.records(session, who, request, desk.clock(), code=code, kind=kind, state=state).form()

    @routes.get("/declared/kinds")
    def list_kinds(who: Who) -> dict[str, Any]:
        del who
        return {"items": [_kind(kind) for kind in declared.KINDS]}

    @routes.post("/declared")
    def declare(body: RecordBody, who: Operator) -> dict[str, Any]:
        begin = _moment("from", body.start) if body.start else desk.clock()
        new = NewRecord(body.object, body.kind, body.body, begin, _moment("to", body.end))
        return book.declare(desk, who, new)

    @routes.post("/declared/{record}/withdraw")
    def withdraw(record: int, body: WhyBody, who: Operator) -> dict[str, Any]:
        return book.withdraw(desk, who, record, body.why)


def _kind(kind: str) -> dict[str, Any]:
    zh = {**WORK_ZH, **declared.CONDITIONS, **_CHOICES_ZH}
    fields = [
        {
            "name": name, "type": shape.removesuffix("?"), "needed": not shape.endswith("?"),
            "title": _NAMES_ZH.get((kind, name), _FIELD_ZH[name]),
            "choices": [{"value": c, "title": zh.get(c, c)} for c in allowed] if shape.startswith("choice") else None,
            "range": list(allowed) if shape.startswith("number") else None,
        }
        for name, (shape, allowed) in declared.FIELDS[kind].items()
    ]  # fmt: skip
    return {"kind": kind, "title": declared.KINDS[kind], "fields": fields}


_CHOICES_ZH = {
    "ok": "已承诺", "missing": "未承诺", "unsafe": "不安全", "trial_production": "试生产", "start_stop": "开停车",
    "general": "一般", "major": "重大", "blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色",
    "typhoon": "台风", "rainstorm": "暴雨", "snowstorm": "暴雪", "cold_wave": "寒潮", "wind": "大风",
    "sandstorm": "沙尘暴", "heat": "高温", "hail": "冰雹", "frost": "霜冻", "fog": "大雾", "icing": "道路结冰",
}  # fmt: skip
_NAMES_ZH = {("heat_balance", "name"): "换热设备名称"}
_FIELD_ZH = {
    "work": "作业类别与级别", "note": "说明", "state": "状态", "phase": "阶段", "grade": "等级", "count": "数量",
    "missed": "未完成比例(0–1)", "name": "屏障名称", "pfd_design": "设计 PFD", "pfd_now": "当前 PFD",
    "bypassed": "已旁路",
    "point": "其变量的指标编码", "colour": "预警颜色", "text": "预警内容", "condition": "情况", "value": "程度(0–1)",
    "density": "20 ℃ 密度 kg/m³", "expansion": "体积膨胀系数 1/K", "level_sd": "液位计不确定度 m",
    "flow_share": "流量计系统误差(占流量)", "points": "指标或设备编码", "reason": "原因", "equipment": "设备编码",
    "signal": "信号种类", "flow": "冷却介质流量的指标编码(可用阀位)", "outlet": "冷却介质出口温度的指标编码",
    "temperature": "被冷却设备温度的指标编码", "inlet": "冷却介质入口温度的指标编码",
    "inlet_c": "入口温度固定值 ℃(无测点时)",
}  # fmt: skip


def _configuration_routes(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("/configurations")
    def list_configurations(request: Paging, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            live, _ = book.effective(session)
            page = book.configurations(session, request).form()
        return page | {
            "in_force": {"digest": live.digest(), "parameters": live.form()}, "default": DEFAULT.form(),
            "may_edit": who.role >= Role.ENGINEER and desk.whole(who), "terms": dict(TERM_ZH),
        }  # fmt: skip

    @routes.post("/configurations")
    def draft_configuration(body: DraftBody, who: Engineer) -> dict[str, Any]:
        return book.draft(desk, who, body.name, body.why, body.parameters)

    @routes.get("/configurations/{configuration}")
    def show_configuration(configuration: int, who: Who) -> dict[str, Any]:
        if not desk.whole(who):
            # What shadows and back-tests saw reaches over the whole node.
            with reading(desk.sessions) as session:
                return book.configuration_page(session, configuration) | {"backtest": None, "shadow_grades": []}
        with reading(desk.sessions) as session:
            return book.configuration_page(session, configuration)

    @routes.post("/configurations/{configuration}/backtest")
    def test_back(configuration: int, body: PeriodBody, who: Engineer) -> dict[str, Any]:
        return book.test_back(desk, who, configuration, _moment("from", body.start), _moment("to", body.end))

    @routes.post("/configurations/{configuration}/shadow")
    def run_shadow(configuration: int, body: ShadowBody, who: Engineer) -> dict[str, Any]:
        return book.run_shadow(desk, who, configuration, on=body.on)

    @routes.post("/configurations/{configuration}/decide")
    def decide(configuration: int, body: DecideBody, who: Engineer) -> dict[str, Any]:
        return book.decide(desk, who, configuration, approve=body.approve, why=body.why)


def _moment(field: str, text: str) -> int:
    try:
        return moments.parse(text, zone=moments.CHINA)
    except (ValueError, OverflowError) as error:
        raise invalid(field, "时间应为 ISO 8601 或毫秒数") from error
