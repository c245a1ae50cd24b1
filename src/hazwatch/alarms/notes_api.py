"""Routes of comments and hand-over notes (docs/api.md)."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from hazwatch.alarms import notes
from hazwatch.alarms.command_api import clean
from hazwatch.identity import audit
from hazwatch.identity.deps import Gate, Paging
from hazwatch.identity.model import Principal, Role
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary import moments


class CommentBody(BaseModel):
    """What is written on an alarm."""

    text: str = Field(min_length=1, max_length=2000)


class HandoverBody(BaseModel):
    """Who takes over, which shift ends, and what the next one must know."""

    to_user: str = Field(min_length=1, max_length=64)
    shift: str = Field("", max_length=40)
    note: str = Field("", max_length=10_000)


class AcceptBody(BaseModel):
    """A remark of the successor."""

    remark: str = Field("", max_length=500)


def router(sessions: Sessions, gate: Gate, clock: moments.Clock) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
    Viewer = Annotated[Principal, Depends(gate.current())]  # noqa: N806  # a type, local because the gate is
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # same

    @routes.post("/{alarm_id}/comments")
    def comment_alarm(alarm_id: str, body: CommentBody, who: Operator) -> dict[str, Any]:
        with unit_of_work(sessions) as session:
            return notes.comment(session, who, alarm_id, clean(body.text), clock())

    @routes.get("/handovers")
    def list_handovers(request: Paging, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            return notes.page(session, who, request).form()

    @routes.get("/handovers/successors")
    def list_successors(who: Operator) -> list[dict[str, str]]:
        with reading(sessions) as session:
            return notes.successors(session, who)

    @routes.get("/handovers/{number}")
    def show_handover(number: int, who: Viewer) -> dict[str, Any]:
        with reading(sessions) as session:
            return notes.show(session, who, number)

    @routes.post("/handovers")
    def write_handover(body: HandoverBody, who: Operator) -> dict[str, Any]:
        with unit_of_work(sessions) as session:
            made = notes.hand_over(
                session, who, to_user=body.to_user, shift=clean(body.shift), note=clean(body.note), at=clock()
            )
            detail = {"to": made["to_user"], "open": made["open_count"], "sha256": made["sha256"]}
            audit.record(session, clock(), who, "alarm.handover", f"交班单 {made['id']}", who.scope, detail)
            return made

    @routes.post("/handovers/{number}/accept")
    def accept_handover(number: int, body: AcceptBody, who: Operator) -> dict[str, Any]:
        with unit_of_work(sessions) as session:
            taken = notes.accept(session, who, number, clean(body.remark), clock())
            audit.record(session, clock(), who, "alarm.handover.accept", f"交班单 {number}", who.scope)
            return taken

    return routes
