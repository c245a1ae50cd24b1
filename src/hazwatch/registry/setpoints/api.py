"""Routes of set points (docs/api.md, "Set points and completeness of monitoring")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from hazwatch.documents.cells import holdable
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.records.paging import Page
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.limits.service import MAX_ITEMS
from hazwatch.registry.lists.export import file_of
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.setpoints import sheet, views
from hazwatch.registry.setpoints.model import Detector, propose
from hazwatch.registry.setpoints.views import FactsOf
from hazwatch.vocabulary.gases import STANDARD, Air


class PutRightBody(BaseModel):
    """Detectors whose limits are to become those of the standard."""

    codes: list[Annotated[str, Field(max_length=22)]] = Field(min_length=1, max_length=MAX_ITEMS)
    reason: str = Field("", max_length=1000)


def _filter(
    q: Annotated[str, Query(max_length=100)] = "", source: Annotated[str, Query(max_length=12)] = "",
    enterprise: Annotated[str, Query(max_length=9)] = "",
) -> PointFilter:  # fmt: skip
    return PointFilter(q, source, enterprise)


Wanted = Annotated[PointFilter, Depends(_filter)]
Show = Annotated[str, Query(max_length=12)]


def router(desk: RegistryDesk, gate: Gate, facts_of: FactsOf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/setpoints", tags=["setpoints"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("")
    def list_setpoints(request: Paging, who: Who, wanted: Wanted, show: Show = "all") -> dict[str, Any]:
        with reading(desk.sessions) as session:
            part = slice(request.offset, request.offset + request.page_size)
            found = views.detectors(session, who, wanted, facts_of, show, part=part)
        return Page(found.items, found.total, request.page, request.page_size).form()

    def export(who: Principal, wanted: PointFilter, show: str, ending: str) -> Response:
        with reading(desk.sessions) as session:
            found = views.detectors(session, who, wanted, facts_of, show)
        return file_of(sheet.TITLE, sheet.COLUMNS, map(sheet.row, found.items), ending, store.today(desk.clock()))

    @routes.get("/export.xlsx")
    def export_xlsx(who: Who, wanted: Wanted, show: Show = "all") -> Response:
        return export(who, wanted, show, "xlsx")

    @routes.get("/export.csv")
    def export_csv(who: Who, wanted: Wanted, show: Show = "all") -> Response:
        return export(who, wanted, show, "csv")

    @routes.get("/calculate")
    def calculate(
        _: Who,
        unit: Annotated[str, Query(max_length=20)],
        high: float,
        gas: Annotated[str, Query(max_length=100)] = "",
        low: float = 0.0,
        celsius: float = STANDARD.celsius,
        kpa: float = STANDARD.kpa,
    ) -> dict[str, Any]:
        facts = facts_of(None, gas) if gas else None
        if gas and facts is None:
            raise invalid("gas", f"不能确定物质 {gas!r}", "请写全名或 CAS 号")
        try:
            air = Air(celsius, kpa)
        except ValueError as error:
            raise invalid("celsius", str(error)) from error
        return asdict(propose(Detector(unit, low, high), facts, air)) | {"gas": facts.name if facts else None}

    @routes.post("/propose")
    def put_right(body: PutRightBody, who: Engineer) -> dict[str, Any]:
        reason = holdable(body.reason).strip()
        return {"id": views.put_right(desk, who, body.codes, facts_of, reason)}

    return routes
