"""Routes of the slips (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from hazwatch.documents.photos import MAX_ATTACHMENT
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.drafts import LONGEST_WHY
from hazwatch.identity.errors import forbidden
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.records.paging import PageRequest
from hazwatch.slips import attachments, checks, rules_book, views
from hazwatch.slips.clocks import form_of
from hazwatch.slips.export import checked_book, slips_book
from hazwatch.slips.model import Action, State
from hazwatch.slips.service import SlipDesk
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import iso

#: What else needs somebody now (unseen warnings, unacknowledged alarms), and how many of each there are in all.
Others = Callable[[Session, Principal, int], tuple[list[dict[str, Any]], dict[str, int]]]
#: Whether somebody answers for the whole node.
Whole = Callable[[Principal], bool]
_EXPORT_PART = 500
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LOCKED = {
    "Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=3600",
}  # fmt: skip
_Id = Annotated[str, Path(max_length=24)]
_Number = Annotated[int, Path(ge=1, le=1 << 40)]


class StepBody(BaseModel):
    """A deed: which, on which version of the slip, the fields of its form, numbers of attachments that belong to it."""

    action: Action
    version: int = Field(ge=1)
    fields: dict[Annotated[str, Field(max_length=20)], Annotated[str, Field(max_length=4000)]] = Field(
        default_factory=dict, max_length=12
    )
    attachments: list[int] = Field(default_factory=list, max_length=20)


class RulesBody(BaseModel):
    """A draft of the clocks of a node: what differs from the standard (None: no own rules any more), and why."""

    node: str = Field(max_length=32)
    body: dict[str, Any] | None = Field(max_length=10)
    why: str = Field("", max_length=LONGEST_WHY)


class WhyBody(BaseModel):
    """A reason."""

    why: str = Field(max_length=LONGEST_WHY)


class DecideBody(WhyBody):
    """A decision."""

    approve: bool


def _wanted(
    show: Literal["open", "closed", "all"] = "open", state: Annotated[list[State] | None, Query()] = None,
    colour: Annotated[list[Literal["red", "orange", "yellow", "blue"]] | None, Query()] = None,
    object_: Annotated[str, Query(alias="object", max_length=32)] = "", q: Annotated[str, Query(max_length=100)] = "",
    overdue: bool = False, mine: bool = False,
) -> views.SlipFilter:  # fmt: skip
    colours = tuple(int(Colour[word.upper()]) for word in colour or ())
    return views.SlipFilter(show, tuple(s.value for s in state or ()), colours, object_, q, overdue, mine)


def router(desk: SlipDesk, gate: Gate, others: Others, whole: Whole) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/slips", tags=["slips"])
    _list_routes(routes, desk, gate, others)
    _rules_routes(routes, desk, gate)
    _verify_routes(routes, desk, gate, whole)
    _slip_routes(routes, desk, gate)
    _file_routes(routes, desk, gate)
    return routes


def _list_routes(routes: APIRouter, desk: SlipDesk, gate: Gate, others: Others) -> None:
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Wanted = Annotated[views.SlipFilter, Depends(_wanted)]  # noqa: N806  # same

    @routes.get("")
    def list_slips(request: Paging, who: Viewer, wanted: Wanted) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return views.page(session, who, wanted, request, desk.clock()).form() | {"server_time": iso(desk.clock())}

    @routes.get("/table")
    def show_table(_: Viewer) -> dict[str, Any]:
        return views.machine()

    @routes.get("/duty")
    def show_duty(who: Viewer) -> dict[str, Any]:
        now = desk.clock()
        with reading(desk.sessions) as session:
            slips, total = views.duty(session, who, now)
            more, counts = others(session, who, now)
        items = sorted([*slips, *more], key=lambda item: (item["due_at"] is None, item["due_at"] or "", item["id"]))
        return {"items": items, "counts": {"slips": total, **counts}, "server_time": iso(now)}

    @routes.get("/export.xlsx")
    def export_slips(who: Viewer, wanted: Wanted) -> Response:
        with reading(desk.sessions) as session:
            content = slips_book(views.everything(session, who, wanted, desk.clock()))
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote('风险预警处置报告单.xlsx')}"}
        return Response(content, media_type=XLSX, headers=headers)


def _rules_routes(routes: APIRouter, desk: SlipDesk, gate: Gate) -> None:
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("/rules")
    def show_rules(request: Paging, who: Viewer, node: Annotated[str, Query(max_length=32)] = "") -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return rules_book.overview(session, desk, who, node, request)

    @routes.post("/rules")
    def draft_rules(body: RulesBody, who: Engineer, preview: bool = False) -> dict[str, Any]:  # a query parameter
        if preview:
            with reading(desk.sessions) as session:
                _, _, rules, changes = rules_book.check(session, desk, who, body.node, body.body)
            return {"rules": form_of(rules), "differences": changes}
        with unit_of_work(desk.sessions) as session:
            return rules_book.draft(session, desk, who, body.node, body.body, body.why)

    @routes.post("/rules/{version}/decide")
    def decide_rules(version: _Number, body: DecideBody, who: Engineer) -> dict[str, Any]:
        with unit_of_work(desk.sessions) as session:
            return rules_book.decide(session, desk, who, version, approve=body.approve, why=body.why)

    @routes.post("/rules/{version}/withdraw")
    def withdraw_rules(version: _Number, body: WhyBody, who: Engineer) -> dict[str, Any]:
        with unit_of_work(desk.sessions) as session:
            return rules_book.withdraw(session, desk, who, version, body.why)


def _verify_routes(routes: APIRouter, desk: SlipDesk, gate: Gate, whole: Whole) -> None:
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # a type, local because the gate is
    Text = Annotated[str, Query(max_length=100)]  # noqa: N806  # a type

    @routes.get("/verify")
    def show_check(who: Engineer) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return checks.state(session, desk.clock(), whole=whole(who))

    @routes.post("/verify")
    def start_check(who: Engineer) -> dict[str, Any]:
        if not whole(who):
            raise forbidden("核验读取整个节点的记录链", "请由管辖范围覆盖整个节点的人员进行")
        return checks.start(desk, who)

    @routes.get("/verify/slips")
    def list_checked(
        request: Paging, who: Engineer, show: Literal["wrong", "all"] = "all", q: Text = ""
    ) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return checks.of_slips(session, who, request, wrong=show == "wrong", q=q).form()

    @routes.get("/verify/export.xlsx")
    def export_checked(who: Engineer, show: Literal["wrong", "all"] = "all", q: Text = "") -> Response:
        def pages() -> Iterator[dict[str, Any]]:
            with reading(desk.sessions) as session:
                number = 1
                while items := checks.of_slips(
                    session, who, PageRequest(number, _EXPORT_PART), wrong=show == "wrong", q=q
                ).items:
                    yield from items
                    number += 1

        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote('报告单核验.xlsx')}"}
        return Response(checked_book(pages()), media_type=XLSX, headers=headers)


def _slip_routes(routes: APIRouter, desk: SlipDesk, gate: Gate) -> None:
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # same

    @routes.get("/{slip}")
    def show_slip(slip: _Id, who: Viewer) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return views.whole(session, desk, who, slip)

    @routes.post("/{slip}/steps")
    def act_on_slip(slip: _Id, body: StepBody, who: Operator) -> dict[str, Any]:
        desk.do(who, slip, body.action, body.version, body.fields, body.attachments)
        with reading(desk.sessions) as session:
            return views.whole(session, desk, who, slip)


def _file_routes(routes: APIRouter, desk: SlipDesk, gate: Gate) -> None:
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # same

    @routes.post("/{slip}/attachments")
    def attach_to_slip(slip: _Id, who: Operator, file: UploadFile) -> dict[str, Any]:
        content = file.file.read(MAX_ATTACHMENT + 1)
        return attachments.attach(desk, who, slip, content, file.filename or "", file.content_type or "")

    @routes.get("/{slip}/attachments/{number}")
    def show_attachment(slip: _Id, number: _Number, who: Viewer) -> Response:
        with reading(desk.sessions) as session:
            row, content = attachments.one(session, who, slip, number)
        shown = row.media.startswith("image/")
        headers = _LOCKED | {
            "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(row.file_name)}",
            "X-Content-SHA256": row.sha256,
        }
        return Response(content, media_type=row.media if shown else "application/octet-stream", headers=headers)

    @routes.get("/{slip}/paper.pdf")
    def print_slip(slip: _Id, who: Viewer) -> Response:
        with reading(desk.sessions) as session:
            form = views.whole(session, desk, who, slip)
            pictures = [
                (f"{f['id']} {f['file_name']}", attachments.one(session, who, slip, f["id"])[1])
                for f in form["attachments"]
                if f["photo"]
            ]
        from hazwatch.slips.paper import paper

        content = paper(form, pictures, desk.zone, desk.clock())
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'处置报告单-{slip}.pdf')}"}
        return Response(content, media_type="application/pdf", headers=headers)
