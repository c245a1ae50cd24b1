"""Modbus TCP: polls the register map of one link.

``LinkConfig.address`` is ``modbus://host:port`` or ``host:port`` (default port 502); points are addressed as in
``registers.py``. Options:
    unit: default unit id, 1.
    poll_s: seconds between two reads, 1. poll_s.hr, poll_s.ir, poll_s.co, poll_s.di: the same for one table.
    gap: unused registers that a read may span, 0.
    timeout_s: time for an answer, 3.

Reads are grouped by unit, table and adjacency. A read that the device refuses (exception response) marks its points
DISCONNECTED once and is tried again at the next turn; the other reads go on. No answer at all means the line is dead:
it is dialled again with growing delays.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from hazwatch.access.backoff import Backoff
from hazwatch.access.columns import mark_unusable
from hazwatch.access.directory import LinkConfig
from hazwatch.access.port import Intake, StatusBoard
from hazwatch.access.registers import Read, plan
from hazwatch.access.retained import Retained
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.moments import Clock
from hazwatch.vocabulary.quality import Quality

_log = logging.getLogger(__name__)
_METHODS = {
    "co": "read_coils",
    "di": "read_discrete_inputs",
    "hr": "read_holding_registers",
    "ir": "read_input_registers",
}


class _LineDeadError(ConnectionError):
    """Nothing came back: dial again."""


class ModbusAdapter:
    """Serves one ``modbus`` link.

    Args:
        link: the gateway.
        intake: where samples go.
        board: link statuses.
        clock: epoch ms.
    """

    def __init__(self, link: LinkConfig, intake: Intake, board: StatusBoard, clock: Clock) -> None:
        self._link = link
        self._intake = intake
        self._status = board.of(link)
        self._clock = clock
        options = link.options
        url = urlsplit(link.address if "//" in link.address else f"//{link.address}")
        if not url.hostname:
            raise ValueError(f"Modbus 地址 {link.address!r} 应为 主机:端口")
        self._host, self._port = url.hostname, url.port or 502
        self._timeout_s = float(options.get("timeout_s", "3"))
        self._reads, self._faults = plan(link.points, int(options.get("unit", "1")), int(options.get("gap", "0")))
        self._retained = Retained(link, intake, self._status, clock)
        self._refused: set[int] = set()  # reads that the device refuses at present

    async def run(self) -> None:
        """Poll until cancelled."""
        for fault in self._faults:
            self._status.fault(fault, self._clock())
            self._intake.refuse(DeadLetter(self._link.code, Refusal.UNKNOWN_POINT, fault, self._clock()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._retained.run())
            tasks.create_task(self._keep_polling())

    async def _keep_polling(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._session(backoff)
            except* (OSError, ModbusException, TimeoutError) as errors:
                text = "; ".join(str(e) for e in errors.exceptions)
                self._status.fault(f"Modbus 连接失败: {text}", self._clock())
            if self._status.connected:
                self._status.connected = False
                self._status.gaps += 1
            await backoff.wait()

    async def _session(self, backoff: Backoff) -> None:
        client = AsyncModbusTcpClient(
            self._host, port=self._port, timeout=self._timeout_s, retries=0, reconnect_delay=0
        )
        try:
            if not await client.connect():
                raise _LineDeadError(f"{self._host}:{self._port} 无法连接")
            self._status.connected = True
            async with asyncio.TaskGroup() as tasks:
                for number, read in enumerate(self._reads):
                    tasks.create_task(self._poll(client, number, read, backoff))
                if not self._reads:
                    tasks.create_task(asyncio.sleep(3600))
        finally:
            client.close()

    def _period(self, table: str) -> float:
        options = self._link.options
        return float(options.get(f"poll_s.{table}", options.get("poll_s", "1")))

    async def _poll(self, client: Any, number: int, read: Read, backoff: Backoff) -> None:
        loop = asyncio.get_running_loop()
        period = self._period(read.table)
        due = loop.time()
        while True:
            if not client.connected:
                raise _LineDeadError("对端关闭了连接")
            answer = await getattr(client, _METHODS[read.table])(read.address, count=read.count, device_id=read.unit)
            backoff.reset()
            self._take(number, read, answer)
            due = max(due + period, loop.time())
            await asyncio.sleep(due - loop.time())

    def _take(self, number: int, read: Read, answer: Any) -> None:
        if answer.isError():
            self._refuse(number, read, f"异常码 {getattr(answer, 'exception_code', '?')}")
            return
        bits = read.table in ("co", "di")
        try:
            values = read.values(answer.bits if bits else answer.registers)
        except ValueError as error:
            self._refuse(number, read, str(error))
            return
        self._refused.discard(number)
        n = len(values)
        now = self._clock()
        batch = SampleBatch(read.points, np.full(n, now, np.int64), values, np.zeros(n, np.uint8))
        self._retained.put(mark_unusable(batch))

    def _refuse(self, number: int, read: Read, why: str) -> None:
        now = self._clock()
        last = read.address + read.count - 1
        self._status.fault(f"单元 {read.unit} {read.table} {read.address}–{last} 读取被拒: {why}", now)
        self._status.rejected += len(read.points)
        if number in self._refused:
            return
        self._refused.add(number)
        n = len(read.points)
        lost = np.full(n, Quality.DISCONNECTED, np.uint8)
        self._retained.put(SampleBatch(read.points, np.full(n, now, np.int64), np.full(n, np.nan), lost))
