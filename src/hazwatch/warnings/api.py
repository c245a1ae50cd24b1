"""Routes of warnings (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import Subquery
from sqlalchemy.orm import Session

from hazwatch.documents.cap import Entry, document, feed
from hazwatch.identity import audit
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.drafts import LONGEST_WHY
from hazwatch.identity.errors import forbidden, invalid, not_found
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.records.paging import PageRequest
from hazwatch.vocabulary import moments
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings import export, queries, receipts, rules_book, weather, weather_book
from hazwatch.warnings.queries import Clocks, Wanted

#: Of some warnings what their slips say: state, due times. Passed in by who wires.
SlipsOf = Callable[[Session, Principal, Sequence[str]], Mapping[str, Mapping[str, Any]]]


#: Takes a message with weather warnings in: counts of new, known and lifted areas, and what was refused.
TakeWeather = Callable[[Principal, bytes, str], weather_book.Taken]


class IdsBody(BaseModel):
    """Warnings."""

    ids: list[str] = Field(min_length=1, max_length=500)


class RulesBody(BaseModel):
    """A draft of the rules, whole, and why."""

    rules: dict[str, Any] = Field(max_length=10)
    why: str = Field("", max_length=LONGEST_WHY)


class WhyBody(BaseModel):
    """A reason."""

    why: str = Field(max_length=LONGEST_WHY)


class DecideBody(WhyBody):
    """A decision."""

    approve: bool


class Tools(BaseModel, arbitrary_types_allowed=True):
    """What the routes need of the node."""

    sessions: Sessions
    gate: Gate
    clock: moments.Clock
    zone: tzinfo
    whole: Callable[[Principal], bool]
    rules_changed: Callable[[], None]
    slips_of: SlipsOf
    slip_clocks: Callable[[Principal], Subquery]
    take_weather: TakeWeather


def _wanted(
    state: Literal["", "standing", "cleared"] = "standing",
    colour: Literal["", "red", "orange", "yellow", "blue"] = "",
    kind: Annotated[str, Query(max_length=12)] = "",
    object_: Annotated[str, Query(alias="object", max_length=16)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    end: Annotated[str, Query(alias="to", max_length=40)] = "",
    unseen: bool = False,  # a query parameter
    due: Literal["", "overdue", "soon"] = "",
) -> Wanted:
    if kind and kind not in {k.value for k in WarningKind}:
        raise invalid("kind", f"应为 {'、'.join(WarningKind)} 之一")
    try:
        since, until = (moments.parse(text, zone=moments.CHINA) if text else None for text in (start, end))
    except (ValueError, OverflowError) as error:
        raise invalid("from", str(error)) from error
    return Wanted(state, Colour[colour.upper()] if colour else None, kind, object_, q, since, until, unseen, due)


_Wanted = Annotated[Wanted, Depends(_wanted)]
_Sort = Annotated[str, Query(max_length=40)]
_Number = Annotated[int, Path(ge=1, le=1 << 40)]


def router(tools: Tools) -> APIRouter:
    """The routes. Those with a name of their own stand before ``/{warning}``."""
    routes = APIRouter(prefix="/api/v1/warnings", tags=["warnings"])
    _cap_routes(routes, tools)
    _rule_routes(routes, tools)
    _weather_routes(routes, tools)
    _list_routes(routes, tools)
    return routes


def _list_routes(routes: APIRouter, tools: Tools) -> None:
    Who = Annotated[Principal, Depends(tools.gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(tools.gate.current(Role.OPERATOR))]  # noqa: N806  # same

    def clocks(who: Principal) -> Clocks:
        return Clocks(tools.slip_clocks(who), tools.clock())

    @routes.get("")
    def list_warnings(request: Paging, who: Who, wanted: _Wanted) -> dict[str, Any]:
        with reading(tools.sessions) as session:
            page = queries.page(session, who, request, wanted, clocks(who))
            slips = tools.slips_of(session, who, [item["id"] for item in page.items])
            for item in page.items:
                item["slip"] = slips.get(item["id"])
            return page.form() | {"summary": queries.summary(session, who)}

    def download(who: Principal, wanted: Wanted, sort: str, form: str) -> Response:
        with reading(tools.sessions) as session:
            items = queries.everything(session, who, PageRequest(sort=sort), wanted, clocks(who))
        made = export.make(items, form)
        with unit_of_work(tools.sessions) as session:
            detail = {"rows": len(items), "format": form}
            audit.record(session, tools.clock(), who, "warning.export", f"{len(items)} 条预警", who.scope, detail)
        headers = {"Content-Disposition": f'attachment; filename="warnings.{form}"'}
        return Response(made, media_type=export.KINDS[form], headers=headers)

    @routes.get("/export.csv")
    def export_csv(who: Who, wanted: _Wanted, sort: _Sort = "") -> Response:
        return download(who, wanted, sort, "csv")

    @routes.get("/export.xlsx")
    def export_xlsx(who: Who, wanted: _Wanted, sort: _Sort = "") -> Response:
        return download(who, wanted, sort, "xlsx")

    @routes.post("/delivered")
    def note_delivered(body: IdsBody, who: Who) -> dict[str, Any]:
        with unit_of_work(tools.sessions) as session:
            return {"delivered": receipts.delivered(session, body.ids, who.scope, who.username, tools.clock())}

    @routes.get("/{warning}")
    def show_warning(warning: str, who: Who) -> dict[str, Any]:
        with reading(tools.sessions) as session:
            found = queries.one(session, who, warning)
            return found | {"slip": tools.slips_of(session, who, [warning]).get(warning)}

    @routes.post("/{warning}/seen")
    def note_seen(warning: str, who: Operator) -> dict[str, Any]:
        with unit_of_work(tools.sessions) as session:
            first = receipts.seen(session, who, warning, tools.clock())
            session.flush()
            return {"first": first, "receipt": queries.receipts_of(session, who, [warning]).get(warning)}


def _rule_routes(routes: APIRouter, tools: Tools) -> None:
    Who = Annotated[Principal, Depends(tools.gate.current())]  # noqa: N806  # a type, local because the gate is
    Admin = Annotated[Principal, Depends(tools.gate.current(Role.ADMIN))]  # noqa: N806  # same

    def for_all(who: Principal) -> None:
        if not tools.whole(who):
            raise forbidden("预警规则对整个节点有效", "请由管辖范围覆盖整个节点的管理员修改")

    @routes.get("/rules")
    def list_rules(request: Paging, who: Who) -> dict[str, Any]:
        with reading(tools.sessions) as session:
            found = rules_book.overview(session, who, request)
        return found | {"may_edit": who.role >= Role.ADMIN and tools.whole(who)}

    @routes.post("/rules")
    def draft_rules(body: RulesBody, who: Admin, preview: bool = False) -> dict[str, Any]:  # a query parameter
        for_all(who)
        if preview:
            with reading(tools.sessions) as session:
                rules, changes = rules_book.check(session, who, body.rules)
            return {"digest": rules.digest(), "differences": changes}
        with unit_of_work(tools.sessions) as session:
            return rules_book.draft(session, who, body.rules, body.why, tools.clock())

    @routes.post("/rules/{version}/decide")
    def decide_rules(version: _Number, body: DecideBody, who: Admin) -> dict[str, Any]:
        for_all(who)
        with unit_of_work(tools.sessions) as session:
            made = rules_book.decide(session, who, version, tools.clock(), approve=body.approve, why=body.why)
        tools.rules_changed()
        return made

    @routes.post("/rules/{version}/withdraw")
    def withdraw_rules(version: _Number, body: WhyBody, who: Admin) -> dict[str, Any]:
        for_all(who)
        with unit_of_work(tools.sessions) as session:
            return rules_book.withdraw(session, who, version, tools.clock(), body.why)


def _weather_routes(routes: APIRouter, tools: Tools) -> None:
    Who = Annotated[Principal, Depends(tools.gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(tools.gate.current(Role.OPERATOR))]  # noqa: N806  # same

    @routes.get("/weather")
    def list_weather(request: Paging, who: Who, state: Literal["", "now"] = "now") -> dict[str, Any]:
        with reading(tools.sessions) as session:
            return weather_book.page(session, who, request, tools.clock(), state).form()

    @routes.post("/weather")
    async def take_weather(request: Request, who: Operator) -> dict[str, Any]:
        message = b""
        async for part in request.stream():
            message += part
            if len(message) > weather.LARGEST:
                break
        taken = await run_in_threadpool(tools.take_weather, who, message, who.username)
        refused = [{"reason": b.reason.value, "detail": b.detail} for b in taken.bad]
        return {"new": taken.new, "known": taken.known, "over": taken.over, "refused": refused}


def _cap_routes(routes: APIRouter, tools: Tools) -> None:
    Who = Annotated[Principal, Depends(tools.gate.current())]  # noqa: N806  # a type, local because the gate is
    Sender = Annotated[str, Query(max_length=100, pattern=r"^[^\s,<&]+$")]  # noqa: N806  # a type

    @routes.get("/cap")
    def cap_feed(request: Request, who: Who, sender: Sender = "hazwatch") -> Response:
        with reading(tools.sessions) as session:
            messages = queries.cap_messages(session, who, sender)
        base = str(request.url.replace(query="")).rstrip("/")
        entries = [Entry(m.identifier, m.headline, m.sent, m.parameters[0][1]) for m in messages]
        made = feed(entries, "warnings", "危险化学品安全生产风险预警(CAP 1.2)", base, tools.clock(), tools.zone)
        return Response(made, media_type="application/atom+xml")

    @routes.get("/cap/{warning}.xml")
    def cap_message(warning: str, who: Who, sender: Sender = "hazwatch") -> Response:
        with reading(tools.sessions) as session:
            messages = queries.cap_messages(session, who, sender, warning)
        if not messages:
            raise not_found("预警", warning)
        return Response(document(messages[0], tools.zone), media_type="application/cap+xml")
