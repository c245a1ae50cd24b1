from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hazwatch.access import supervisor
from hazwatch.access.directory import Directory, LinkConfig
from hazwatch.access.port import LinkStatus
from hazwatch.access.report import LinkReport, LinkState, Reporter, state_of
from hazwatch.access.supervisor import AccessRoom


class Dummy:
    """An adapter that can be told to crash."""

    alive: list[str]

    def __init__(self, link: LinkConfig, alive: list[str]) -> None:
        self._name = f"{link.code}@{link.address}"
        self._crash = link.options.get("crash") == "on"
        self._alive = alive

    async def run(self) -> None:
        if self._crash:
            raise RuntimeError("kaputt")
        self._alive.append(self._name)
        try:
            await asyncio.Event().wait()
        finally:
            self._alive.remove(self._name)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_PERIOD_S", 0.02)


async def test_adapters_follow_the_directory(
    link: Any, holder: Any, board: Any, clock: Any, running: Any, eventually: Any
) -> None:
    alive: list[str] = []
    first, second = link([], "opcua", code="A", address="1"), link([], "opcua", code="B", address="1")
    passive = link([], "national", code="C")
    directory = holder(first, passive)
    room = AccessRoom(directory, {"opcua": lambda k: Dummy(k, alive)}, {}, board, clock)
    async with running(room):
        await eventually(lambda: alive == ["A@1"])
        directory.current = Directory(2, {"A": first, "B": second})
        await eventually(lambda: sorted(alive) == ["A@1", "B@1"])
        directory.current = Directory(3, {"A": replace(first, address="2"), "B": replace(second)})
        await eventually(lambda: sorted(alive) == ["A@2", "B@1"])
        directory.current = Directory(4, {})
        await eventually(lambda: not alive)
    assert not alive


async def test_an_equal_configuration_does_not_restart_anything(
    link: Any, holder: Any, board: Any, clock: Any, running: Any, eventually: Any
) -> None:
    starts = []
    config = link(["x"], "opcua", code="A")

    def factory(k: LinkConfig) -> Dummy:
        starts.append(k)
        return Dummy(k, [])

    directory = holder(config)
    async with running(AccessRoom(directory, {"opcua": factory}, {}, board, clock)):
        await eventually(lambda: starts)
        directory.current = Directory(2, {"A": link(["x"], "opcua", code="A")})
        await asyncio.sleep(0.1)
    assert len(starts) == 1


async def test_a_crash_is_a_fault_on_its_link_and_nobody_elses_business(
    link: Any, holder: Any, board: Any, clock: Any, running: Any, eventually: Any
) -> None:
    alive: list[str] = []
    bad = link([], "opcua", code="A", options={"crash": "on"})
    good = link([], "opcua", code="B", address="1")
    async with running(AccessRoom(holder(bad, good), {"opcua": lambda k: Dummy(k, alive)}, {}, board, clock)):
        await eventually(lambda: "kaputt" in board.of(bad).last_error)
        assert alive == ["B@1"]


async def test_listeners_run_and_reports_come(
    link: Any, holder: Any, board: Any, clock: Any, running: Any, eventually: Any
) -> None:
    alive: list[str] = []
    seen: list[list[LinkReport]] = []
    config = link([], "national", code="C")
    listener = Dummy(config, alive)
    room = AccessRoom(holder(config), {}, {"tcp": listener}, board, clock, lambda r: seen.append(list(r)))
    async with running(room):
        await eventually(lambda: alive and len(seen) > 2)
        assert room.reports[0].state is LinkState.NEVER
    assert not alive


NOW = 1_795_000_000_000


@pytest.mark.parametrize(
    ("protocol", "connected", "silent_s", "state"),
    [
        ("opcua", False, None, "never"),
        ("opcua", True, None, "stale"),
        ("opcua", True, 5, "online"),
        ("opcua", True, 301, "stale"),
        ("opcua", False, 5, "offline"),
        ("national", True, 89, "online"),
        ("national", True, 91, "offline"),
    ],
)
def test_states(link: Any, protocol: str, connected: bool, silent_s: float | None, state: str) -> None:
    at = 0 if silent_s is None else NOW - int(silent_s * 1000)
    status = LinkStatus("A", connected=connected, last_data_at=at)
    assert state_of(link([], protocol), status, NOW) == state


def test_a_report_is_a_row_of_the_api(link: Any) -> None:
    config = link([], "opcua", code="A", address="opc.tcp://x", simulated=True)
    reporter = Reporter()
    status = LinkStatus("A", connected=True, last_data_at=NOW, last_event_at=NOW - 250)
    status.fault("断线", NOW - 5)
    reporter.reports({"A": config}, {"A": status}, NOW)
    status.samples = 1000
    for second in range(1, 60):
        status.samples += 100
        (row,) = reporter.reports({"A": config}, {"A": status}, NOW + second * 1000)
    fields = row.as_dict()
    assert fields["delay_ms"] == 250
    assert fields["last_error"] == {"at": NOW - 5, "text": "断线"}
    assert 95 < fields["rate"] < 120
    assert set(fields) == {
        "code", "name", "protocol", "enterprise", "state", "delay_ms", "last_data_at", "samples", "rate", "gaps",
        "duplicates", "rejected", "last_error", "simulated", "address",
    }  # fmt: skip
