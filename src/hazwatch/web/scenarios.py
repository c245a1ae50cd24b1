"""Routes of the simulator's scenarios (docs/api.md). The simulator is a process of its own and may be absent."""

# No postponed annotations: FastAPI could not look up dependencies that are local to a function.
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from hazwatch.identity import audit
from hazwatch.identity.deps import Gate
from hazwatch.identity.errors import ApiError
from hazwatch.identity.model import Principal, Role
from hazwatch.log.client import Log, RpcError
from hazwatch.records.engine import Sessions, unit_of_work
from hazwatch.stream import wire
from hazwatch.vocabulary.moments import Clock


class StartBody(BaseModel):
    """Parameters of a scenario; what is left out takes its default."""

    params: dict[str, float] = Field(default_factory=dict, max_length=20)


def router(sessions: Sessions, gate: Gate, clock: Clock, log: Log) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/scenarios", tags=["scenarios"])
    Engineer = Annotated[Principal, Depends(gate.current(Role.ENGINEER))]  # noqa: N806  # a type, local because the gate is

    @routes.get("", dependencies=[Depends(gate.current())])
    async def list_scenarios() -> dict[str, Any]:
        try:
            return {"available": True, "items": orjson.loads(await log.ask(wire.RPC_SCENARIOS, timeout_s=2.0))}
        except RpcError:
            return {"available": False, "items": []}

    async def change(subject: str, asked: dict[str, Any], who: Principal, what: str) -> dict[str, Any]:
        try:
            answer = orjson.loads(await log.ask(subject, orjson.dumps(asked)))
        except RpcError as error:
            if error.code == "away":
                raise ApiError(
                    503, "simulator_away", "模拟园区没有运行", "用 hazwatch run 启动(不带 --no-simulator)"
                ) from error
            raise ApiError(422, error.code, str(error), "请检查场景编号和参数") from error
        with unit_of_work(sessions) as session:
            audit.record(session, clock(), who, what, asked["id"], who.scope, asked)
        return dict(answer)

    @routes.post("/{scenario}/start")
    async def start_scenario(scenario: str, body: StartBody, who: Engineer) -> dict[str, Any]:
        return await change(wire.RPC_SCENARIO_START, {"id": scenario, "params": body.params}, who, "scenario.start")

    @routes.post("/{scenario}/stop")
    async def stop_scenario(scenario: str, who: Engineer) -> dict[str, Any]:
        return await change(wire.RPC_SCENARIO_STOP, {"id": scenario}, who, "scenario.stop")

    return routes
