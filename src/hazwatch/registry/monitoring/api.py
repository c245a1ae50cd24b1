"""The routes of completeness of monitoring (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.model import Principal
from hazwatch.records.engine import reading
from hazwatch.records.paging import Page
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files import store
from hazwatch.registry.lists.export import file_of
from hazwatch.registry.monitoring import sheet, views
from hazwatch.registry.monitoring.views import Memory, NatureOf, Wanted


def _wanted(
    enterprise: Annotated[str, Query(max_length=9)] = "", source: Annotated[str, Query(max_length=12)] = "",
    kind: Annotated[str, Query(max_length=12)] = "", missing_only: bool = False,
) -> Wanted:  # fmt: skip
    return Wanted(enterprise, source, kind, missing_only)


Asked = Annotated[Wanted, Depends(_wanted)]


def router(desk: RegistryDesk, gate: Gate, nature_of: NatureOf, memory: Memory) -> APIRouter:
    """The routes. ``memory``: of former answers, may be warm."""
    routes = APIRouter(prefix="/api/v1/monitoring", tags=["monitoring"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("/completeness")
    def show(request: Paging, who: Who, wanted: Asked) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            part = slice(request.offset, request.offset + request.page_size)
            found = views.completeness(session, who, wanted, nature_of, part, memory)
        items, total = found.pop("items"), found.pop("total")
        return Page(items, total, request.page, request.page_size).form() | {"summary": found}

    def export(who: Principal, wanted: Wanted, ending: str) -> Response:
        with reading(desk.sessions) as session:
            items = views.completeness(session, who, wanted, nature_of, memory=memory)["items"]
        return file_of(sheet.TITLE, sheet.COLUMNS, map(sheet.row, items), ending, store.today(desk.clock()))

    @routes.get("/completeness/export.xlsx")
    def export_xlsx(who: Who, wanted: Asked) -> Response:
        return export(who, wanted, "xlsx")

    @routes.get("/completeness/export.csv")
    def export_csv(who: Who, wanted: Asked) -> Response:
        return export(who, wanted, "csv")

    return routes
