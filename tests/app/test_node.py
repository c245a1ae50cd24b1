"""A whole node, driven as its users drive it. Times in the tests are what a person would measure with a watch."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest
from tests.nodes import ENTERPRISE, SOURCE, TestGateway, TestNode, events, level_point, node, plant

from hazwatch.app.node import clock
from hazwatch.registry.sheets import workbook

POINT = level_point(1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    with node(tmp_path_factory.mktemp("node"), plant(20)) as one:
        yield one


@pytest.fixture
def gateway(running: TestNode):
    one = TestGateway(running.settings.national_tcp_port, running.secret())
    yield one
    one.close()


def now_s() -> int:
    return clock() // 1000 * 1000


def alarms_of(running: TestNode, point: str, show: str = "all") -> list[dict]:
    with running.client() as client:
        return client.get("/api/v1/alarms", params={"show": show, "point": point, "page_size": 500}).json()["items"]


async def until(what, patience_s: float = 5.0):
    """Ask again until the answer is truthy."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        answer = await asyncio.to_thread(what)
        if answer:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {patience_s} s")


async def test_at_1_s_push_hh_and_before_2_s_the_console_rings(running: TestNode, gateway: TestGateway):
    with running.client() as signed_in:
        cookies = dict(signed_in.cookies)
    async with httpx.AsyncClient(base_url=running.url, cookies=cookies) as page:
        stream = events(page, f"?source={SOURCE}")
        assert (await anext(stream))[0] == "hello"
        await gateway.send(now_s() - 2000, {POINT: 5.0})
        pushed = time.monotonic()
        await gateway.send(now_s(), {POINT: 9.5})
        async with asyncio.timeout(2.0):
            async for name, data in stream:
                if name == "alarm" and data["point"] == POINT:
                    break
        rang = time.monotonic() - pushed

    assert data["level"] == "HH"
    assert data["state"] == "unacknowledged"
    assert (data["value"], data["limit"], data["found_late"]) == (9.5, 9.0, False)
    assert rang < 1.0


async def test_one_record_an_excursion_and_the_second_operator_is_told(running: TestNode, gateway: TestGateway):
    point = level_point(2)
    start = now_s() - 60_000
    for second, value in enumerate((5.0, 8.5, 9.5, 8.5, 5.0, 9.5)):
        await gateway.send(start + second * 1000, {point: value})
    first, second = await until(
        lambda: len(found := alarms_of(running, point)) == 2 and sorted(found, key=lambda a: a["event_time"])
    )

    assert (first["level"], first["worst_level"], first["state"]) == ("normal", "HH", "returned_unacknowledged")
    assert (second["level"], second["state"]) == ("HH", "unacknowledged")
    with running.client() as client:
        body = {"ids": [first["id"], second["id"]], "note": "现场核实"}
        one = client.post("/api/v1/alarms/acknowledge", json=body).json()
        again = client.post("/api/v1/alarms/acknowledge", json=body).json()
        life = client.get(f"/api/v1/alarms/{first['id']}").json()["events"]
        trail = client.get("/api/v1/audit").json()["items"]
    assert one == {"acknowledged": [first["id"], second["id"]], "refused": []}
    assert [r["by"] for r in again["refused"]] == ["admin", "admin"]
    assert [e["what"] for e in life] == ["raise", "escalate", "ease", "return", "acknowledge"]
    assert trail[0]["action"] == "alarm.acknowledge"
    states = {a["id"]: a["state"] for a in alarms_of(running, point)}
    assert states == {first["id"]: "normal", second["id"]: "acknowledged"}


async def test_backfilled_data_amends_history_and_never_rings(running: TestNode, gateway: TestGateway):
    """The link was cut for 8 min; live goes on first, then `continues` tells of an excursion in between."""
    point = level_point(3)
    start = now_s() - 600_000
    await gateway.send(start, {point: 5.0})
    await gateway.send(start + 480_000, {point: 5.0})
    for second in range(100, 200):
        await gateway.send(start + second * 1000, {point: 9.2 if 120 <= second < 150 else 5.0}, "continues")

    found = await until(lambda: alarms_of(running, point), 10.0)
    assert [(a["worst_level"], a["state"], a["found_late"]) for a in found] == [("HH", "normal", True)]
    with running.client() as client:
        rows = client.get(
            f"/api/v1/points/{point}/history", params={"from": start, "to": start + 481_000, "step": 0}
        ).json()
    assert len(rows["rows"]) >= 4
    assert rows["source"] == "raw"


async def test_late_beyond_memory_is_judged_from_history(running: TestNode, gateway: TestGateway):
    """Hundreds of live samples later, an hour-old excursion comes in; it is found all the same, once."""
    point = level_point(4)
    start = now_s() - 7_200_000
    for second in range(60):
        await gateway.send(start + 3_600_000 + second * 1000, {point: 5.0 + second % 2})
    for second, value in enumerate((5.0, 8.5, 8.6, 5.0)):
        await gateway.send(start + second * 1000, {point: value}, "continues")

    found = await until(lambda: alarms_of(running, point), 15.0)
    assert [(a["worst_level"], a["state"], a["found_late"]) for a in found] == [("H", "normal", True)]
    assert found[0]["event_time"].startswith(iso_s(start + 1000))


def iso_s(ms: int) -> str:
    from hazwatch.vocabulary.moments import iso

    return iso(ms)[:19]


async def test_a_point_tells_value_quality_age_and_state(running: TestNode, gateway: TestGateway):
    point = level_point(5)
    ts = now_s()
    await gateway.send(ts, {point: 3.25})

    def told():
        with running.client() as client:
            answer = client.get(f"/api/v1/points/{point}").json()
        return answer if answer["value"] == 3.25 else None

    answer = await until(told)
    assert {"code", "value", "unit", "quality", "event_time", "received_at", "age_s", "state"} <= set(answer)
    assert (answer["state"], answer["unit"], answer["quality"]) == ("good", "m", 0)
    assert answer["age_s"] < 10


async def test_refused_input_is_kept_where_a_person_sees_it(running: TestNode, gateway: TestGateway):
    answer = await gateway.send(now_s(), {level_point(6): 4.0, f"{SOURCE}G0001YW999": 1.0})
    assert answer["data"]["accepted"] == 1
    assert [r["quotaId"] for r in answer["data"]["rejected"]] == [f"{SOURCE}G0001YW999"]

    def letters():
        with running.client() as client:
            return [r for r in client.get("/api/v1/dead-letters").json()["items"] if r["reason"] == "unknown_point"]

    assert (await until(letters))[0]["link"] == gateway.code


async def test_a_grade_follows_the_alarm_and_says_why(running: TestNode, gateway: TestGateway):
    await gateway.send(now_s(), {level_point(7): 9.9})

    def graded():
        with running.client() as client:
            grade = client.get(f"/api/v1/sources/{SOURCE}").json()["grade"]
        return grade if grade and "报警" in grade["reason"] else None

    grade = await until(graded)
    assert grade["colour"] in ("yellow", "orange", "red")
    assert {t["id"] for t in grade["terms"]} >= {"B", "A", "T"}


def test_the_home_folder_holds_no_default_secret(running: TestNode):
    home: Path = running.settings.home
    for name in ("secrets/log.password", "secrets/master.key", "tls/node.key", "log/nats.conf"):
        path = home / name
        assert path.stat().st_mode & 0o077 == 0, name


async def test_an_edge_node_that_is_registered_may_sign_in_also_after_the_log_was_killed(running: TestNode):
    """The supervisor knows no registry: a child writes the listener's users anew when it is told, and after a crash."""
    conf = running.settings.home / "log" / "nats.conf"
    code = f"{ENTERPRISE}77"
    with running.client() as client:
        row = {"code": code, "name": "边缘节点", "protocol": "sparkplug", "options": {"group": "hz", "node": "edge77"}}
        content = workbook({"gateways": [row]})
        answer = client.post("/api/v1/registry/import?dry_run=false", files={"file": ("网关.xlsx", content)})
        assert answer.json()["counts"]["网关"]["new"] == 1, answer.text
    await until(lambda: code in conf.read_text(), 20.0)

    conf.write_text(conf.read_text().replace(code, "nobody"))
    running.kill("log")
    await until(lambda: code in conf.read_text(), 20.0)
    await asyncio.to_thread(running.wait_healthy)
