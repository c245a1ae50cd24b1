"""A whole node for tests: real processes in a temporary home, on free ports, and a gateway that speaks to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from hazwatch.access.national.envelope import Keys, seal, sign
from hazwatch.app.node import clock
from hazwatch.identity.model import SYSTEM
from hazwatch.identity.secrets import master_key, unseal
from hazwatch.records import make_engine, make_sessions, reading
from hazwatch.registry import model as rows
from hazwatch.registry import service as registry
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.tables import Gateway
from hazwatch.settings import Settings
from hazwatch.vocabulary.moments import CHINA

ENTERPRISE, SOURCE, GATEWAY = "410900001", "410900001001", "41090000101"
EQUIPMENT = f"{SOURCE}G0001"


def level_point(n: int) -> str:
    """Code of the n-th level point of the test plant, from 1."""
    return f"{EQUIPMENT}YW{n:03d}"


def plant(points: int, *, on_delay_s: float = 0.0) -> rows.Description:
    """One enterprise with one tank and ``points`` level points: 低 1, 高 8, 高高 9 of 0…10 m."""
    return rows.Description(
        enterprises=(rows.EnterpriseRow(ENTERPRISE, "试验化工有限公司", "410900", lon=115.03, lat=35.76),),
        sources=(rows.SourceRow(SOURCE, "试验罐区", "储罐区", 3, 20.0, lon=115.03, lat=35.76),),
        equipment=(rows.EquipmentRow(EQUIPMENT, "试验储罐"),),
        gateways=(rows.GatewayRow(GATEWAY, "试验网关", "national"),),
        points=tuple(
            rows.PointRow(
                level_point(n), f"试验液位{n}", GATEWAY, unit="m", range_low=0.0, range_high=10.0, ll=None, l=1.0,
                h=8.0, hh=9.0, deadband=0.0, on_delay_s=on_delay_s, off_delay_s=0.0,
            )
            for n in range(1, points + 1)
        ),
    )  # fmt: skip


def free_ports(n: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@dataclass
class TestNode:
    """A running ``hazwatch run``."""

    __test__ = False

    settings: Settings
    process: subprocess.Popen[bytes]
    environment: Mapping[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def children(self) -> dict[str, int]:
        """Process ids of the node's processes by name."""
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                line = child.cmdline()
                if not line or line[-1] == "run":
                    continue  # forked, not yet what it will be
                found["log" if "nats-server" in " ".join(line) else line[-1]] = child.pid
        return found

    def kill(self, name: str) -> None:
        """``kill -9`` one process of the node, if it is there at this moment."""
        pid = self.children().get(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def wait_healthy(self, patience_s: float = 60.0) -> float:
        """Wait until every part is up; returns the seconds it took."""
        began = time.monotonic()
        while time.monotonic() - began < patience_s:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/healthz", timeout=2.0).status_code == 200:
                    return time.monotonic() - began
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        logs = "\n".join(p.read_text(errors="replace")[-2000:] for p in (self.settings.home / "logs").glob("*.log"))
        raise AssertionError(f"the node is not healthy after {patience_s} s\n{logs}")

    def client(self) -> httpx.Client:
        """A signed-in client; signing in happens once."""
        if not self.cookies:
            password = (self.settings.home / "first-password.txt").read_text().split()[1]
            answer = httpx.post(f"{self.url}/api/v1/session", json={"username": "admin", "password": password})
            assert answer.status_code == 200, answer.text
            self.cookies = dict(answer.cookies)
        return httpx.Client(base_url=self.url, cookies=self.cookies, timeout=30.0)

    def secret(self, gateway: str = GATEWAY) -> bytes:
        """Key material of a gateway, as its installer would have it."""
        with reading(make_sessions(make_engine(self.settings.records))) as session:
            row = session.query(Gateway).filter_by(code=gateway).one()
            return unseal(master_key(self.settings.home), row.secret, gateway)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def node(
    home: Path, description: rows.Description | None = None, *, simulator: bool = False, **settings: Any
) -> Iterator[TestNode]:
    """Start a node in ``home``; with a description, that registry is there from the start."""
    names = (
        "port", "log_port", "mqtt_port", "national_https_port", "national_tcp_port", "frames_port",
        "simulator_opcua_port", "simulator_modbus_port",
    )  # fmt: skip
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    config = Settings(home=home, simulator=simulator, **(ports | settings))
    if description is not None:
        from hazwatch.app.prepare import prepare

        sessions = prepare(config, lambda _: None)
        registry.seed(RegistryDesk(sessions, clock, master_key(home)), SYSTEM, description, "test")
    environment = {f"HAZWATCH_{k.upper()}": str(v) for k, v in config.model_dump(mode="json").items()}
    process = subprocess.Popen([sys.executable, "-m", "hazwatch", "run"], env={**os.environ, **environment})
    running = TestNode(config, process, environment=environment)
    try:
        running.wait_healthy()
        yield running
    finally:
        running.stop()


@dataclass
class TestGateway:
    """A national gateway over TCP that sends until it is acknowledged, as a real one does."""

    __test__ = False

    port: int
    secret: bytes
    code: str = GATEWAY
    enterprise: str = ENTERPRISE
    sent: int = 0
    retries: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def frame(self, data_id: str, ts: int, values: Mapping[str, float], kind: str) -> bytes:
        keys = Keys.of(self.secret, signed=True)
        assert ts % 1000 == 0, "the national message counts whole seconds"
        stamp = datetime.fromtimestamp(ts / 1000, CHINA).strftime("%Y%m%d%H%M%S")
        inner = {
            "collectTime": stamp, "dataId": data_id, "dataType": "energy_data", "enterpriseId": self.enterprise,
            "gatewayId": self.code, "isConnectDataSource": True, "reportType": kind,
            "datas": [{"quotaId": code, "value": value} for code, value in values.items()],
        }  # fmt: skip
        sealed = seal(json.dumps(inner).encode(), keys)
        outer = {"enterpriseId": self.enterprise, "gatewayId": self.code, "report": sealed, "sign": sign(sealed, keys)}
        return json.dumps(outer).encode() + b"@@"

    async def send(
        self, ts: int, values: Mapping[str, float], kind: str = "report", patience_s: float = 60.0
    ) -> dict[str, Any]:
        """Send one report under one dataId until it is answered."""
        data = self.frame(str(uuid.uuid4()), ts, values, kind)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                async with asyncio.timeout(10.0):
                    if self._streams is None:
                        self._streams = await asyncio.open_connection("127.0.0.1", self.port)
                    reader, writer = self._streams
                    writer.write(data)
                    await writer.drain()
                    answer = json.loads((await reader.readuntil(b"@@"))[:-2])
                if answer["success"]:
                    self.sent += 1
                    return answer
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self.close()
            self.retries += 1
            if time.monotonic() > deadline:
                raise AssertionError(f"no acknowledgement within {patience_s} s")
            await asyncio.sleep(0.05)

    def close(self) -> None:
        if self._streams is not None:
            with contextlib.suppress(RuntimeError):  # the test's event loop may be over
                self._streams[1].close()
            self._streams = None


async def events(client: httpx.AsyncClient, query: str = "") -> AsyncIterator[tuple[str, Any]]:
    """The live stream of a page."""
    async with client.stream("GET", f"/api/v1/live{query}", timeout=None) as answer:
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])


def trusted(home: Path) -> ssl.SSLContext:
    """TLS that trusts the node's own certificate."""
    return ssl.create_default_context(cafile=str(home / "tls" / "node.crt"))
