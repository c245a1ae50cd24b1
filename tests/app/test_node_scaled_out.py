"""A whole node by configuration alone: two engines, NATS cluster (R3), PostgreSQL, ClickHouse 2×2, real gateways."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from tests.app.engines import enterprises, value_at
from tests.clickhouse import clickhouse_cluster
from tests.figures import Figures
from tests.nats_cluster import nats_cluster
from tests.nodes import TestGateway, TestNode, node
from tests.postgres import fresh_database

from hazwatch.app.node import clock
from hazwatch.log.shares import Share, share_of

ENTERPRISES = [f"4109000{n:02d}" for n in range(1, 5)]
SHARES = 2


def point(enterprise: str) -> str:
    return f"{enterprise}001G0001YW001"


async def _drive(gateways: list[TestGateway], start: int, stop: asyncio.Event) -> list[int]:
    """Every gateway sends one report a second of event time, as fast as it is acknowledged."""
    done = [0] * len(gateways)

    async def one(k: int) -> None:
        while not stop.is_set():
            at = start + done[k] * 1000
            await gateways[k].send(at, {point(gateways[k].enterprise): value_at(done[k])}, patience_s=90.0)
            done[k] += 1
            await asyncio.sleep(0.02)

    await asyncio.gather(*(one(k) for k in range(len(gateways))))
    return done


def _balance(running: TestNode, start: int, done: list[int], patience_s: float = 40.0) -> tuple[int, int]:
    """Lost and doubled samples and alarms as the pages show them, once the engines have caught up."""
    deadline = time.monotonic() + patience_s
    while True:
        lost = doubled = 0
        with running.client() as client:
            for enterprise, n in zip(ENTERPRISES, done, strict=True):
                code = point(enterprise)
                params = {"from": start, "to": start + n * 1000, "step": 0}
                answer = client.get(f"/api/v1/points/{code}/history", params=params)
                kept = [int(row[0]) for row in answer.json().get("rows", [])]
                wanted = {start + m * 1000 for m in range(n) if m == 0 or value_at(m) != value_at(m - 1)}
                found = client.get("/api/v1/alarms", params={"show": "all", "point": code, "page_size": 500}).json()
                excursions = (n + 4) // 20
                lost += len(wanted - set(kept)) + max(0, excursions - len(found["items"]))
                doubled += len(kept) - len(set(kept)) + max(0, len(found["items"]) - excursions)
        if (lost, doubled) == (0, 0) or time.monotonic() > deadline:
            return lost, doubled
        time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_leader_and_an_engine_are_killed_under_a_whole_node(tmp_path: Path, figures: Figures) -> None:
    home = tmp_path / "home"
    with clickhouse_cluster(tmp_path / "history") as history, nats_cluster(tmp_path / "log") as log:
        history.give_login(home)
        log.give_login(home)
        settings = {
            "processes": "engine,engine,access,web", "shares": SHARES, "lease_s": 2.0, "snapshot_s": 3,
            "log_url": log.url, "log_replicas": 3, "log_gib": 0.5, "history_url": history.url,
            "records_url": fresh_database(),
        }  # fmt: skip
        assert {share_of(e, SHARES).number for e in ENTERPRISES} == {0, 1}, "the test itself: both shares have work"
        with node(home, enterprises(4), **settings) as running:
            port = running.settings.national_tcp_port
            gateways = [TestGateway(port, running.secret(f"{e}01"), f"{e}01", e) for e in ENTERPRISES]
            start, stop = clock() // 1000 * 1000 - 4 * 3_600_000, asyncio.Event()
            driving = asyncio.create_task(_drive(gateways, start, stop))
            await asyncio.sleep(2.0)
            log.kill(await log.leader(Share(0, SHARES).stream))
            await asyncio.sleep(1.0)
            engines = [p for p in psutil.Process(running.process.pid).children() if p.cmdline()[-1:] == ["engine"]]
            assert len(engines) == 2
            os.kill(engines[0].pid, signal.SIGKILL)
            await asyncio.sleep(6.5)
            stop.set()
            done = await driving
            began = time.monotonic()
            lost, doubled = await asyncio.to_thread(_balance, running, start, done)
            figures(
                f"whole node (R3, 2 engines, PostgreSQL, ClickHouse 2×2), leader and engine killed: {sum(done)} "
                f"reports acknowledged, {lost} lost, {doubled} doubled; "
                f"pages complete {time.monotonic() - began:.1f} s after the last"
            )
            assert (lost, doubled) == (0, 0)
            assert min(done) > 20, "the test itself: every enterprise had an alarm"
            with running.client() as client:
                found = client.get("/api/v1/alarms", params={"show": "all", "page_size": 500}).json()["items"]
                command = {"ids": [alarm["id"] for alarm in found], "note": ""}
                answer = client.post("/api/v1/alarms/acknowledge", json=command).json()
            assert set(answer["acknowledged"]) | {r["id"] for r in answer["refused"]} == set(command["ids"])
            assert answer["acknowledged"], "commands reach the engines of both shares"
