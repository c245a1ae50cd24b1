"""The alarm room on a whole node: a rule over live values, a shelf that outlives a killed engine, changes by number."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.nodes import TestGateway, TestNode, level_point, node, plant

from hazwatch.app.node import clock

PUMP, FLOW, OTHER = level_point(1), level_point(2), level_point(3)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    with node(tmp_path_factory.mktemp("room"), plant(5)) as one:
        yield one


@pytest.fixture
def gateway(running: TestNode):
    one = TestGateway(running.settings.national_tcp_port, running.secret())
    yield one
    one.close()


def alarm_of(running: TestNode, point: str) -> dict:
    with running.client() as client:
        items = client.get("/api/v1/alarms", params={"show": "all", "point": point, "kind": "process"}).json()["items"]
    return items[0] if items else {"state": "none"}


async def until(running: TestNode, point: str, state: str, patience_s: float = 15.0) -> dict:
    deadline = time.monotonic() + patience_s
    while True:
        found = await asyncio.to_thread(alarm_of, running, point)
        if found["state"] == state:
            return found
        assert time.monotonic() < deadline, f"{found['state']}, not {state}"
        await asyncio.sleep(0.2)


def now_s() -> int:
    return clock() // 1000 * 1000


async def test_a_stopped_pump_suppresses_the_flow_alarm_while_it_stands(
    running: TestNode, gateway: TestGateway
) -> None:
    with running.client() as client:
        rule = {
            "name": "泵停抑制", "conditions": [{"point": PUMP, "op": "<", "value": 0.5}],
            "targets": [{"point": FLOW, "levels": ["L"]}],
        }  # fmt: skip
        assert client.post("/api/v1/alarms/rules", json=rule).status_code == 200
    await gateway.send(now_s() - 1000, {PUMP: 0.0, FLOW: 5.0})
    await gateway.send(now_s(), {FLOW: 0.2})
    found = await until(running, FLOW, "suppressed")
    assert found["aside"]["by"] == "泵停抑制"
    with running.client() as client:
        assert client.get("/api/v1/alarms/rules").json()["items"][0]["suppressing"] == 1
    await asyncio.sleep(1.1)
    await gateway.send(now_s(), {PUMP: 5.0})
    await until(running, FLOW, "unacknowledged")


async def test_a_shelf_outlives_a_killed_engine(running: TestNode, gateway: TestGateway) -> None:
    await gateway.send(now_s() - 1000, {OTHER: 5.0})
    await gateway.send(now_s(), {OTHER: 8.5})
    alarm = (await until(running, OTHER, "unacknowledged"))["id"]
    with running.client() as client:
        before = client.get("/api/v1/alarms").json()["seq"]
        body = {"ids": [alarm], "reason": "检修", "minutes": 30}
        (hold,) = client.post("/api/v1/alarms/shelve", json=body).json()["holds"]
        running.kill("engine")
        await asyncio.to_thread(running.wait_healthy)
        changed = client.get("/api/v1/alarms/changes", params={"after": before}).json()
        assert [(a["id"], a["state"]) for a in changed["items"]] == [(alarm, "shelved")]
        await asyncio.sleep(1.0)
        await gateway.send(now_s(), {OTHER: 5.0})
        await until(running, OTHER, "normal")
        await asyncio.sleep(1.0)
        await gateway.send(now_s(), {OTHER: 8.6})
        again = await until(running, OTHER, "shelved")
        assert again["id"] != alarm, "the next excursion is a record of its own, set aside as well"
        assert client.post("/api/v1/alarms/unshelve", json={"ids": [hold]}).json()["holds"] == [hold]
        await until(running, OTHER, "unacknowledged")
