"""Routes of what people do to alarms (docs/api.md). The engine decides; these check role and scope and pass on."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.alarms import listing
from hazwatch.alarms.tables import AlarmHold
from hazwatch.documents.cells import holdable
from hazwatch.identity import audit
from hazwatch.identity.deps import Gate
from hazwatch.identity.errors import invalid
from hazwatch.identity.model import Principal, Role
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary import moments

#: Asks the engine's alarm room: (command, its arguments) → ``{done, holds, refused}``. Raises ApiError when it is away.
Ask = Callable[[str, dict[str, Any]], Awaitable[Mapping[str, Any]]]

#: Records or holds in one question to the engine.
_TOGETHER = 1000
#: Longest time out of service that may be asked for.
_LONGEST_DAYS = 90


class Ids(BaseModel):
    """Which records (or holds)."""

    ids: list[str] = Field(min_length=1, max_length=1000)


class AcknowledgeBody(Ids):
    """And what the operator wrote."""

    note: str = Field("", max_length=500)


class SilenceBody(BaseModel):
    """Which records; none = everything that rings in the control room."""

    ids: list[str] = Field(default_factory=list, max_length=1000)


class GroupBody(BaseModel):
    """All that wait for a person in one place, as the asker saw them: nothing that changed after ``upto``."""

    source: str = Field("", max_length=12)
    equipment: str = Field("", max_length=17)
    enterprise: str = Field("", max_length=9)
    priority: int = Field(0, ge=0, le=3)
    level: Literal["", "LL", "L", "H", "HH"] = ""
    kind: Literal["", "process", "quality"] = ""
    q: str = Field("", max_length=100)
    upto: int = Field(ge=0)
    note: str = Field(min_length=1, max_length=500)


class ShelveBody(Ids):
    """Why and how long; ``one_shot`` ends with the return to normal."""

    reason: str = Field(min_length=1, max_length=500)
    minutes: int = Field(0, ge=0, le=100_000)
    mode: Literal["timed", "one_shot"] = "timed"


class OutOfServiceBody(Ids):
    """Why, and when it will be back (ISO 8601)."""

    reason: str = Field(min_length=1, max_length=500)
    until: str = Field(max_length=40)


class NoteBody(Ids):
    """And a remark."""

    note: str = Field("", max_length=500)


def clean(text: str) -> str:
    """Without characters that neither PostgreSQL nor a workbook holds."""
    return holdable(text).strip()


def router(sessions: Sessions, gate: Gate, clock: moments.Clock, ask: Ask) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # a type, local because the gate is
    desk = _Desk(sessions, clock, ask)

    @routes.post("/acknowledge")
    async def acknowledge_alarms(body: AcknowledgeBody, who: Operator) -> dict[str, Any]:
        said = await desk.on_records(who, "acknowledge", body.ids, note=clean(body.note))
        return {"acknowledged": said["done"], "refused": said["refused"]}

    @routes.post("/acknowledge-group")
    async def acknowledge_group(body: GroupBody, who: Operator) -> dict[str, Any]:
        fields = body.model_dump(exclude={"note"})
        with reading(sessions) as session:
            ids = listing.ids(session, who, listing.AlarmFilter(show="unacknowledged", **fields))
        said = await desk.on_records(who, "acknowledge", ids, note=_needed(body.note, "note"))
        return {"acknowledged": said["done"], "refused": said["refused"]}

    @routes.post("/reset")
    async def reset_alarms(body: NoteBody, who: Operator) -> dict[str, Any]:
        return await desk.on_records(who, "reset", body.ids, note=clean(body.note))

    @routes.post("/silence")
    async def silence_alarms(body: SilenceBody, who: Operator) -> dict[str, Any]:
        ids = body.ids
        if not ids:
            with reading(sessions) as session:
                ids = listing.ringing_ids(session, who)
        return await desk.on_records(who, "silence", ids, room=who.scope_code)

    @routes.post("/shelve")
    async def shelve_alarms(body: ShelveBody, who: Operator) -> dict[str, Any]:
        one_shot = body.mode == "one_shot"
        if not one_shot and body.minutes < 1:
            raise invalid("minutes", "请给出搁置时长(分钟)")
        return await desk.on_records(
            who, "shelve", body.ids, reason=_needed(body.reason, "reason"), seconds=body.minutes * 60, one_shot=one_shot
        )

    _end_routes(routes, gate, clock, desk)
    return routes


def _end_routes(routes: APIRouter, gate: Gate, clock: moments.Clock, desk: "_Desk") -> None:
    """Out of service, and the ends of both ways to set an alarm aside."""
    Operator = Annotated[Principal, Depends(gate.current(Role.OPERATOR))]  # noqa: N806  # a type, local because the gate is
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # same

    @routes.post("/unshelve")
    async def unshelve_alarms(body: NoteBody, who: Operator) -> dict[str, Any]:
        return await desk.on_holds(who, "unshelve", body.ids, note=clean(body.note))

    @routes.post("/out-of-service")
    async def request_out_of_service(body: OutOfServiceBody, who: Operator) -> dict[str, Any]:
        until = _return_date(body.until, clock())
        reason = _needed(body.reason, "reason")
        return await desk.on_records(who, "request_out_of_service", body.ids, reason=reason, until=until)

    @routes.post("/out-of-service/approve")
    async def approve_out_of_service(body: NoteBody, who: Engineer) -> dict[str, Any]:
        return await desk.on_holds(who, "decide_out_of_service", body.ids, note=clean(body.note), approved=True)

    @routes.post("/out-of-service/refuse")
    async def refuse_out_of_service(body: NoteBody, who: Engineer) -> dict[str, Any]:
        return await desk.on_holds(who, "decide_out_of_service", body.ids, note=clean(body.note), approved=False)

    @routes.post("/out-of-service/restore")
    async def restore_to_service(body: NoteBody, who: Operator) -> dict[str, Any]:
        return await desk.on_holds(who, "restore", body.ids, note=clean(body.note))


class _Desk:
    """Passes a command on, in parts, and writes the audit log."""

    def __init__(self, sessions: Sessions, clock: moments.Clock, ask: Ask) -> None:
        self._sessions = sessions
        self._clock = clock
        self._ask = ask

    async def on_records(self, who: Principal, do: str, ids: list[str], **more: Any) -> dict[str, Any]:
        """A command on alarm records of the asker's scope."""
        return await self._on(who, do, ids, listing.ids_in_scope, more)

    async def on_holds(self, who: Principal, do: str, ids: list[str], **more: Any) -> dict[str, Any]:
        """A command on holds of the asker's scope."""
        return await self._on(who, do, ids, _holds_in_scope, more)

    async def _on(
        self,
        who: Principal,
        do: str,
        ids: list[str],
        in_scope: Callable[[Session, Principal, list[str]], set[str]],
        more: dict[str, Any],
    ) -> dict[str, Any]:
        done: list[str] = []
        holds: list[str] = []
        refused: list[Any] = []
        for start in range(0, len(ids), _TOGETHER):
            part = ids[start : start + _TOGETHER]
            with reading(self._sessions) as session:
                mine = in_scope(session, who, part)
            refused += [{"id": i, "reason": "没有这条报警", "by": None, "at": None} for i in part if i not in mine]
            asked = [i for i in part if i in mine]
            if asked:
                said = await self._ask(do, {"ids": asked, "who": who.username, **more, "at": self._clock()})
                done += said["done"]
                holds += said["holds"]
                refused = [*said["refused"], *refused]
        if done or holds:
            self._audit(who, do, done, holds, more)
        return {"done": done, "holds": holds, "refused": refused}

    def _audit(self, who: Principal, do: str, done: list[str], holds: list[str], more: dict[str, Any]) -> None:
        detail = {"ids": done, "holds": holds, **more}
        with unit_of_work(self._sessions) as session:
            what = f"{len(holds) or len(done)} 条报警"
            audit.record(session, self._clock(), who, f"alarm.{do}", what, who.scope, detail)


def _holds_in_scope(session: Session, who: Principal, ids: list[str]) -> set[str]:
    return set(session.scalars(scoped(select(AlarmHold.id).where(AlarmHold.id.in_(ids)), who, AlarmHold)))


def _needed(text: str, field: str) -> str:
    """A reason that says something.

    Raises:
        ApiError: 422, nothing is left of it.
    """
    said = clean(text)
    if not said:
        raise invalid(field, "请写明原因")
    return said


def _return_date(text: str, now: int) -> int:
    try:
        until = moments.parse(text, zone=moments.CHINA)
    except ValueError as error:
        raise invalid("until", str(error)) from error
    if not now < until <= now + _LONGEST_DAYS * moments.DAY:
        raise invalid("until", f"恢复日期应在今后 {_LONGEST_DAYS} 天之内")
    return until
