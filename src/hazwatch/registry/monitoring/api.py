"""The route of completeness of monitoring (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.model import Principal
from hazwatch.records.engine import reading
from hazwatch.records.paging import Page
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.monitoring import views
from hazwatch.registry.monitoring.views import NatureOf, Wanted


def router(desk: RegistryDesk, gate: Gate, nature_of: NatureOf) -> APIRouter:
    """The route."""
    memory = views.Memory()
    routes = APIRouter(prefix="/api/v1/monitoring", tags=["monitoring"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/completeness")
    def show(
        request: Paging, who: Who, enterprise: Annotated[str, Query(max_length=9)] = "",
        source: Annotated[str, Query(max_length=12)] = "", kind: Annotated[str, Query(max_length=12)] = "",
        missing_only: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        wanted = Wanted(enterprise, source, kind, missing_only)
        with reading(desk.sessions) as session:
            part = slice(request.offset, request.offset + request.page_size)
            found = views.completeness(session, who, wanted, nature_of, part, memory)
        items, total = found.pop("items"), found.pop("total")
        return Page(items, total, request.page, request.page_size).form() | {"summary": found}

    return routes
