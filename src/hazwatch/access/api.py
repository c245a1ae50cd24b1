"""Routes of links and refusals (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from hazwatch.access import dead_letters
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import Sessions, reading
from hazwatch.records.paging import Page
from hazwatch.vocabulary.faults import Refusal

#: Links that a principal may see, in the form of the API.
LinksOf = Callable[[Principal], list[dict[str, Any]]]


def router(sessions: Sessions, gate: Gate, links_of: LinksOf) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", tags=["access"])

    @routes.get("/links")
    def list_links(request: Paging, who: Annotated[Principal, Depends(gate.current())]) -> dict[str, Any]:
        rows = sorted(links_of(who), key=lambda row: row["code"])
        if request.field:
            if rows and request.field not in rows[0]:
                raise invalid("sort", f"不能按 {request.field} 排序")
            rows.sort(key=lambda row: (row[request.field] is None, row[request.field]), reverse=request.descending)
        part = rows[request.offset : request.offset + request.page_size]
        return Page(part, len(rows), request.page, request.page_size).form()

    @routes.get("/dead-letters")
    def list_dead_letters(
        request: Paging,
        who: Annotated[Principal, Depends(gate.current(Role.ENGINEER))],
        link: Annotated[str, Query(max_length=64)] = "",
        reason: Annotated[str, Query(max_length=32)] = "",
        q: Annotated[str, Query(max_length=100)] = "",
    ) -> dict[str, Any]:
        if reason and reason not in set(Refusal):
            raise invalid("reason", f"应为 {'、'.join(Refusal)} 之一")
        with reading(sessions) as session:
            return dead_letters.page(session, who, request, link=link, reason=reason, q=q).form()

    return routes
