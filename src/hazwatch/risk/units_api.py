"""Routes of the models of single units (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import reading
from hazwatch.risk import units
from hazwatch.risk.book import Desk
from hazwatch.vocabulary import moments


class LearnBody(BaseModel):
    """A unit and a period of its normal operation."""

    object: str = Field(max_length=16)
    start: str = Field(alias="from", max_length=40)
    end: str = Field("", alias="to", max_length=40)


class DecideBody(BaseModel):
    """A decision."""

    approve: bool
    why: str = Field(max_length=1000)


#: Names of hazard sources by code.
NamesOf = Callable[[Collection[str]], Mapping[str, str]]


def router(desk: Desk, gate: Gate, names_of: NamesOf) -> APIRouter:
    """The routes. ``names_of`` is asked only for units that were found in scope."""
    routes = APIRouter(prefix="/unit-models")
    Who = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.get("")
    def list_unit_models(
        request: Paging, who: Who, code: Annotated[str, Query(alias="object", max_length=16)] = "",
        state: Annotated[str, Query(max_length=10)] = "",
    ) -> dict[str, Any]:  # fmt: skip
        with reading(desk.sessions) as session:
            page = units.page(session, who, request, code, state).form()
        names = names_of({one["object"] for one in page["items"]})
        for one in page["items"]:
            one["name"] = names.get(one["object"], "")
        return page

    @routes.post("")
    def learn_unit_model(body: LearnBody, who: Engineer) -> dict[str, Any]:
        end = _moment("to", body.end) if body.end else desk.clock()
        return units.ask(desk, who, body.object, _moment("from", body.start), end)

    @routes.get("/{model}")
    def show_unit_model(model: int, who: Who) -> dict[str, Any]:
        with reading(desk.sessions) as session:
            return units.one(session, who, model)

    @routes.post("/{model}/decide")
    def decide_unit_model(model: int, body: DecideBody, who: Engineer) -> dict[str, Any]:
        return units.decide(desk, who, model, approve=body.approve, why=body.why)

    return routes


def _moment(field: str, text: str) -> int:
    try:
        return moments.parse(text, zone=moments.CHINA)
    except (ValueError, OverflowError) as error:
        raise invalid(field, "时间应为 ISO 8601 或毫秒数") from error
