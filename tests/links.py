"""Shared by the tests of access and simulator: a fake intake, a clock, links, free ports, a real nats-server."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hazwatch.access.directory import Directory, DirectoryHolder, LinkConfig, PointAddress
from hazwatch.access.port import IntakeClosedError, StatusBoard
from hazwatch.samples.batch import SampleBatch
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter
from hazwatch.vocabulary.lanes import Lane


class FakeIntake:
    """Collects frames; ``hold`` delays durability, ``closed`` refuses it."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.letters: list[DeadLetter] = []
        self.closed = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.submitted = 0

    async def submit(self, frame: Frame) -> None:
        self.submitted += 1
        if self.closed:
            raise IntakeClosedError("test: log away")
        await self.gate.wait()
        self.frames.append(frame)

    def refuse(self, letter: DeadLetter) -> None:
        self.letters.append(letter)

    def samples(self, lane: Lane | None = None) -> SampleBatch:
        return SampleBatch.concat([f.batch for f in self.frames if lane in (None, f.origin.lane)])

    def of(self, point: int) -> list[float]:
        batch = self.samples()
        return batch.value[batch.point == point].tolist()

    def reasons(self) -> list[str]:
        return [str(letter.reason) for letter in self.letters]


@pytest.fixture
async def intake() -> FakeIntake:
    return FakeIntake()


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard()


@pytest.fixture
def clock() -> Callable[[], int]:
    return lambda: time.time_ns() // 1_000_000


def make_link(addresses: Iterable[str], protocol: str, **changes: Any) -> LinkConfig:
    points = {a: PointAddress(i, f"410900901001G0001YW{i:03d}", a) for i, a in enumerate(addresses)}
    fields = {"gateway": 1, "code": "41090090101", "name": "试验网关", "enterprise": "410900901", "points": points}
    return LinkConfig(**{**fields, "protocol": protocol, **changes})


def hold(*links: LinkConfig, version: int = 1) -> DirectoryHolder:
    return DirectoryHolder(Directory(version, {link.code: link for link in links}))


@pytest.fixture
def link() -> Callable[..., LinkConfig]:
    return make_link


@pytest.fixture
def holder() -> Callable[..., DirectoryHolder]:
    return hold


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return int(s.getsockname()[1])

    return find


async def wait_for(condition: Callable[[], Any], timeout: float = 5.0) -> Any:  # noqa: ASYNC109  # polling is the point
    end = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError("condition did not come true in time")
        await asyncio.sleep(0.01)
    return found


@pytest.fixture
def eventually() -> Callable[..., Awaitable[Any]]:
    return wait_for


@asynccontextmanager
async def task_of(adapter: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(adapter.run())
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


@pytest.fixture
def running() -> Callable[[Any], Any]:
    return task_of


class NatsServer:
    """A nats-server with JetStream and MQTT on free ports."""

    user, password = "edge", "edge-pass"

    def __init__(self, folder: Path, port: int, mqtt_port: int) -> None:
        self.mqtt_port = mqtt_port
        self._config = folder / "nats.conf"
        self._config.write_text(
            f"""
            host: 127.0.0.1
            port: {port}
            server_name: test
            jetstream {{ store_dir: "{folder / "js"}" }}
            mqtt {{ host: 127.0.0.1, port: {mqtt_port}, ack_wait: "2s" }}
            authorization {{ users: [ {{ user: "{self.user}", password: "{self.password}" }} ] }}
            """
        )
        self.start()

    def start(self) -> None:
        binary = Path(sys.executable).with_name("nats-server")
        self._process = subprocess.Popen([binary, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.mqtt_port), 0.2):
                return
            time.sleep(0.05)
        raise AssertionError("nats-server did not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture
def nats(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path, free_port(), free_port())
    yield server
    server.stop()


@pytest.fixture
def nan() -> float:
    return float(np.nan)
