"""Routes of set points (docs/api.md, "Set points and completeness of monitoring")."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from pydantic import BaseModel, Field

from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.records.paging import Page
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.limits.service import MAX_ITEMS
from hazwatch.registry.queries import PointFilter
from hazwatch.registry.setpoints import views
from hazwatch.registry.setpoints.model import Detector, propose
from hazwatch.registry.setpoints.views import FactsOf
from hazwatch.vocabulary.gases import STANDARD, Air


class PutRightBody(BaseModel):
    """Detectors whose limits are to become those of the standard."""

    codes: list[Annotated[str, Field(max_length=22)]] = Field(min_length=1, max_length=MAX_ITEMS)
    reason: str = Field("", max_length=1000)


def router(desk: RegistryDesk, gate: Gate, facts_of: FactsOf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/setpoints", tags=["setpoints"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("")
    def list_setpoints(
        request: Paging, who: Who, q: Annotated[str, Query(max_length=100)] = "",
        source: Annotated[str, Query(max_length=12)] = "", enterprise: Annotated[str, Query(max_length=9)] = "",
        show: Annotated[str, Query(max_length=12)] = "all",
    ) -> dict[str, Any]:  # fmt: skip
        with reading(desk.sessions) as session:
            part = slice(request.offset, request.offset + request.page_size)
            found = views.detectors(session, who, PointFilter(q, source, enterprise), facts_of, show, part=part)
        return Page(found.items, found.total, request.page, request.page_size).form()

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
        reason = ILLEGAL_CHARACTERS_RE.sub("", body.reason).strip()
        return {"id": views.put_right(desk, who, body.codes, facts_of, reason)}

    return routes
