"""The Modbus adapter against a real pymodbus server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hazwatch.access.modbus import ModbusAdapter
from hazwatch.vocabulary.quality import Quality

SPECS = ["hr:0:f32:be", "ir:0:i16", "co:2", "di:1", "hr:500:u16"]


@asynccontextmanager
async def device(port: int) -> AsyncIterator[None]:
    blocks = (
        [SimData(0, values=[False, False, True] + [False] * 13, datatype=DataType.BITS)],
        [SimData(0, values=[False, True] + [False] * 14, datatype=DataType.BITS)],
        [SimData(0, values=[0x3FC0, 0x0000], datatype=DataType.REGISTERS)],  # nothing at 500: exception response
        [SimData(0, values=[0xFFF6], datatype=DataType.REGISTERS)],
    )
    server = ModbusTcpServer(SimDevice(1, simdata=blocks), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()


@pytest.fixture
def port(free_port: Callable[[], int]) -> int:
    return free_port()


@pytest.fixture
def adapter(link: Any, intake: Any, board: Any, clock: Any, port: int) -> ModbusAdapter:
    options = {"poll_s": "0.05", "timeout_s": "0.5"}
    return ModbusAdapter(link(SPECS, "modbus", address=f"127.0.0.1:{port}", options=options), intake, board, clock)


async def test_polls_every_table_and_an_exception_stops_only_its_own_group(
    adapter: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    async with device(port), running(adapter):
        await eventually(lambda: all(len(intake.of(i)) > 3 for i in range(4)))
    assert set(intake.of(0)) == {1.5}
    assert set(intake.of(1)) == {-10.0}
    assert set(intake.of(2)) == {1.0}
    assert set(intake.of(3)) == {1.0}
    batch = intake.samples()
    refused = batch.quality[batch.point == 4].tolist()
    assert refused == [Quality.DISCONNECTED]  # said once, not at every turn
    assert "hr 500" in board.all()[0].last_error


async def test_comes_back_after_the_device_restarted(
    adapter: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    async with running(adapter):
        async with device(port):
            await eventually(lambda: intake.of(0))
        await eventually(lambda: not board.all()[0].connected)
        seen = len(intake.of(0))
        async with device(port):
            await eventually(lambda: len(intake.of(0)) > seen, 8)
    assert board.all()[0].gaps == 1


async def test_a_bad_address_is_a_dead_letter_and_the_others_are_polled(
    link: Any, intake: Any, board: Any, clock: Any, port: Any, running: Any, eventually: Any
) -> None:
    config = link(["hr:0:f32", "nonsense"], "modbus", address=f"modbus://127.0.0.1:{port}", options={"poll_s": "0.05"})
    async with device(port), running(ModbusAdapter(config, intake, board, clock)):
        await eventually(lambda: intake.of(0))
    assert intake.reasons() == ["unknown_point"]


async def test_what_was_polled_while_the_log_was_away_is_kept(
    adapter: Any, port: Any, intake: Any, running: Any, eventually: Any, board: Any
) -> None:
    intake.closed = True
    async with device(port), running(adapter):
        await eventually(lambda: "暂存" in board.all()[0].last_error)
        await asyncio.sleep(0.5)
        intake.closed = False
        await eventually(lambda: len(intake.of(0)) >= 8)
    assert len(intake.frames) < 8  # what waited went out together
    assert board.all()[0].gaps == 0
