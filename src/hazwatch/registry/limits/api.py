"""Routes of limits (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel, Field

from hazwatch.documents import archive
from hazwatch.documents.cells import holdable
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.limits import book, service, sheet, views
from hazwatch.registry.limits.model import LimitSet
from hazwatch.registry.lists.export import file_of
from hazwatch.registry.queries import PointFilter, page_of
from hazwatch.vocabulary.quantities import QUANTITIES

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STATES = (service.OPEN, service.APPROVED, service.REJECTED, service.WITHDRAWN)

#: Gives the outcome of a what-if in somebody's scope, None when there is none.
EvidenceOf = Callable[[Principal, str], Mapping[str, Any] | None]


class ItemBody(BaseModel):
    """New values of one point; null takes a threshold away."""

    code: str = Field(max_length=22)
    values: dict[str, float | None] = Field(max_length=10)


class ProposalBody(BaseModel):
    """A change of limits."""

    set: LimitSet = LimitSet.ENTERPRISE
    items: list[ItemBody] = Field(min_length=1, max_length=service.MAX_ITEMS)
    reason: str = Field("", max_length=1000)
    whatif: str = Field("", max_length=36)


class NoteBody(BaseModel):
    """What the one who decides wrote."""

    note: str = Field("", max_length=1000)


class EvidenceBody(BaseModel):
    """Number of a what-if."""

    whatif: str = Field(min_length=1, max_length=36)


def _filter(
    q: Annotated[str, Query(max_length=100)] = "", source: Annotated[str, Query(max_length=12)] = "",
    enterprise: Annotated[str, Query(max_length=9)] = "", quantity: Annotated[str, Query(max_length=2)] = "",
) -> PointFilter:  # fmt: skip
    return PointFilter(q, source, enterprise, quantity)


Wanted = Annotated[PointFilter, Depends(_filter)]


def router(desk: RegistryDesk, gate: Gate, evidence_of: EvidenceOf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/limits", tags=["limits"])
    _list_routes(routes, desk, gate)
    _book_routes(routes, desk, gate)
    _proposal_routes(routes, desk, gate, evidence_of)
    _decision_routes(routes, desk, gate)
    return routes


def _list_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/points")
    def list_points(request: Paging, who: Who, wanted: Wanted) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return views.points_page(session, who, request, wanted).form()

    @routes.get("/faults")
    def list_faults(request: Paging, who: Who, wanted: Wanted) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            found = views.fault_list(session, who, wanted)
        return page_of(found, request).form()

    @routes.get("/defaults")
    def list_defaults(_: Who) -> dict[str, Any]:
        return {
            "items": [
                {"quantity": q.code, "name": q.name_zh, "unit": q.unit, "deadband_share": q.deadband_share,
                 "on_delay_s": q.on_delay_s, "discrete": q.discrete}
                for q in QUANTITIES.values()
            ]
        }  # fmt: skip

    @routes.get("/points/{code}")
    def show_point(code: str, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            found = views.one_point(session, who, code)
        if found is None:
            raise not_found("指标", code)
        return found


def _book_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # a type, local

    @routes.get("/book.xlsx")
    def export_book(
        who: Annotated[Principal, Depends(gate.current())], wanted: Wanted,
        which: Annotated[LimitSet, Query(alias="set")] = LimitSet.ENTERPRISE,
    ) -> Response:  # fmt: skip
        with reading(desk.sessions) as session:
            content = book.written(which, views.every_point(session, who, wanted))
        name = quote("企业限值.xlsx" if which is LimitSet.ENTERPRISE else "监管限值.xlsx")
        return Response(
            content, media_type=XLSX, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        )  # fmt: skip

    @routes.post("/book")
    def import_book(
        file: UploadFile, who: Engineer, which: Annotated[LimitSet, Query(alias="set")] = LimitSet.ENTERPRISE,
        dry_run: Annotated[bool, Query()] = True, reason: Annotated[str, Query(max_length=1000)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        content = file.file.read(archive.MAX_FILE + 1)
        try:
            with reading(desk.sessions) as session:
                found = book.read(session, who, which, content, file.filename or "")
        except archive.HostileFileError as error:
            status = 413 if len(content) > archive.MAX_FILE else 422
            hint = "请用导出的工作簿修改后另存为 .xlsx 重试"
            raise ApiError(status, "bad_workbook", str(error), hint, {"file": str(error)}) from error
        number = None
        if found.changes and not found.problems and not dry_run:
            number = service.propose(desk, who, which, found.wanted, _clean(reason))
        return found.form() | {"dry_run": dry_run, "proposal": number}


def _proposal_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate, evidence_of: EvidenceOf) -> None:
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.post("/check")
    def check_change(body: ProposalBody, who: Engineer) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            found = service.check(session, who, body.set, _wanted(body))
        return {
            "items": [
                {"code": i.subject.code, "before": i.before, "after": i.after,
                 "faults": found.faults.get(i.subject.code, [])}
                for i in found.items
            ]
        }  # fmt: skip

    @routes.get("/proposals")
    def list_proposals(
        request: Paging, who: Who, state: Annotated[str, Query(max_length=12)] = ""
    ) -> dict[str, Any]:  # fmt: skip
        _known(state)
        with reading(desk.sessions) as session:
            return views.proposals_page(session, who, request, state).form()

    @routes.get("/proposals/export.xlsx")
    def export_proposals(who: Who, state: Annotated[str, Query(max_length=12)] = "") -> Response:
        _known(state)
        with reading(desk.sessions) as session:
            rows = [row for found in views.every_proposal(session, who, state) for row in sheet.rows(found)]
        return file_of(sheet.TITLE, sheet.COLUMNS, rows, "xlsx", store.today(desk.clock()))

    @routes.post("/proposals")
    def make_proposal(body: ProposalBody, who: Engineer) -> dict[str, Any]:
        evidence = _evidence(who, body.whatif, evidence_of) if body.whatif else None
        number = service.propose(desk, who, body.set, _wanted(body), _clean(body.reason))
        if evidence is not None:
            service.attach(desk, who, number, body.whatif, evidence)
        return {"id": number}

    @routes.get("/proposals/{number}")
    def show_proposal(number: int, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            found = views.one_proposal(session, who, number)
        if found is None:
            raise not_found("提案", str(number))
        return found

    @routes.post("/proposals/{number}/evidence")
    def attach_evidence(number: int, body: EvidenceBody, who: Engineer) -> dict[str, Any]:
        service.attach(desk, who, number, body.whatif, _evidence(who, body.whatif, evidence_of))
        return {"id": number}


def _decision_routes(routes: APIRouter, desk: RegistryDesk, gate: Gate) -> None:
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # a type, local

    @routes.post("/proposals/{number}/approve")
    def approve(number: int, body: NoteBody, who: Engineer) -> dict[str, Any]:
        return {"id": number, "version": service.approve(desk, who, number, _clean(body.note))}

    @routes.post("/proposals/{number}/reject")
    def reject(number: int, body: NoteBody, who: Engineer) -> dict[str, Any]:
        service.reject(desk, who, number, _clean(body.note))
        return {"id": number}

    @routes.post("/proposals/{number}/withdraw")
    def withdraw(number: int, who: Engineer) -> dict[str, Any]:
        service.withdraw(desk, who, number)
        return {"id": number}


def _known(state: str) -> None:
    """Refuse a state that no proposal has; empty = all."""
    if state and state not in _STATES:
        raise invalid("state", f"应为 {'、'.join(_STATES)} 之一")


def _clean(text: str) -> str:
    """Databases and workbooks hold no control characters."""
    return holdable(text)


def _wanted(body: ProposalBody) -> dict[str, dict[str, float | None]]:
    return {item.code: item.values for item in body.items}


def _evidence(who: Principal, number: str, evidence_of: EvidenceOf) -> Mapping[str, Any]:
    found = evidence_of(who, number)
    if found is None:
        raise not_found("已完成的试算", number)
    return found
