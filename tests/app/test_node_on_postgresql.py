"""The same node with its records in PostgreSQL, by URL alone."""

from __future__ import annotations

import time
from pathlib import Path

from tests.nodes import TestGateway, level_point, node, plant
from tests.postgres import fresh_database

from hazwatch.app.node import clock


async def test_an_alarm_is_recorded_and_acknowledged_in_postgresql(tmp_path: Path):
    url = fresh_database()
    with node(tmp_path, plant(2), records_url=url) as running:
        gateway = TestGateway(running.settings.national_tcp_port, running.secret())
        await gateway.send(clock() // 1000 * 1000, {level_point(1): 9.5})
        gateway.close()
        with running.client() as client:
            deadline = time.monotonic() + 10
            found = []
            while not found and time.monotonic() < deadline:
                found = client.get("/api/v1/alarms").json()["items"]
            answer = client.post("/api/v1/alarms/acknowledge", json={"ids": [found[0]["id"]], "note": ""}).json()

        assert answer["acknowledged"] == [found[0]["id"]]
        assert not (tmp_path / "records.sqlite").exists()
