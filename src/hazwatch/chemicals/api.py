"""Routes of the knowledge base (docs/api.md, "Chemicals"). It belongs to nobody: whoever is signed in may read it."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from hazwatch.chemicals import desk
from hazwatch.chemicals.desk import UnknownSubstanceError
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal

_MOST = 12


class MeetBody(BaseModel):
    """Substances by name, alias or CAS number."""

    substances: list[Annotated[str, Field(max_length=100)]] = Field(min_length=2, max_length=_MOST)


def router(gate: Gate) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/chemicals", tags=["chemicals"])
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is

    @routes.get("")
    def search(
        _: Who, q: Annotated[str, Query(max_length=100)] = "", limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> dict[str, Any]:
        return {"items": desk.search(q, limit)}

    @routes.get("/accidents")
    def list_accidents(
        request: Paging, _: Who, q: Annotated[str, Query(max_length=100)] = "",
        cas: Annotated[str, Query(max_length=20)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        found = desk.accidents(q, cas)
        part = found[request.offset : request.offset + request.page_size]
        return {"items": part, "total": len(found), "page": request.page, "page_size": request.page_size}

    @routes.get("/coverage")
    def show_coverage(_: Who) -> dict[str, Any]:
        return desk.coverage()

    @routes.post("/react")
    def react(body: MeetBody, _: Who) -> dict[str, Any]:
        try:
            return desk.meet(body.substances)
        except UnknownSubstanceError as error:
            hint = f"可能是:{'、'.join(error.candidates)}" if error.candidates else "请换用别名或 CAS 号"
            raise ApiError(422, "unknown_substance", str(error), hint, {"substances": str(error)}) from error
        except ValueError as error:
            raise invalid("substances", str(error)) from error

    @routes.get("/{cas}")
    def show(cas: str, _: Who) -> dict[str, Any]:
        found = desk.by_cas(cas)
        if found is None:
            raise not_found("物质", cas)
        return desk.card(found)

    return routes
