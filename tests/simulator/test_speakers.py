"""The simulator against our own access adapters, over the real protocols."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hazwatch.access.directory import Directory, DirectoryHolder, LinkConfig, PointAddress
from hazwatch.access.modbus import ModbusAdapter
from hazwatch.access.national.desk import NationalDesk
from hazwatch.access.national.http import create_app
from hazwatch.access.national.tcp import NationalTcpListener
from hazwatch.access.opcua import OpcUaAdapter
from hazwatch.access.sparkplug.listener import Broker, SparkplugListener
from hazwatch.access.supervisor import AccessRoom
from hazwatch.simulator.main import Simulator, SimulatorConfig
from hazwatch.simulator.outbox import Outbox
from hazwatch.simulator.registry import GATEWAYS, park
from hazwatch.vocabulary.lanes import Lane

SECRET = bytes(range(64))


def links_of(opcua_port: int, modbus_port: int) -> dict[str, LinkConfig]:
    """The park as the registry would hand it to access."""
    description = park(opcua_port, modbus_port)
    index = {p.code: i for i, p in enumerate(description.points)}
    links = {}
    for number, g in enumerate(description.gateways, start=1):
        points = {
            p.address: PointAddress(index[p.code], p.code, p.address, p.scale, p.offset)
            for p in description.points
            if p.gateway == g.code
        }
        links[g.code] = LinkConfig(
            number, g.code, g.name, g.protocol, g.code[:9], g.address or "", dict(g.options), SECRET,
            simulated=True, points=points,
        )  # fmt: skip
    return links


def certificate(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    san = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    cert = builder.add_extension(san, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(cert.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


class Node:
    """The access side of a node with a fake intake."""

    def __init__(self, intake: Any, board: Any, clock: Any, ports: dict[str, int], nats: Any, folder: Path) -> None:
        self.intake, self.board, self.clock, self.ports, self.nats, self.folder = (
            intake,
            board,
            clock,
            ports,
            nats,
            folder,
        )
        self.links = links_of(ports["opcua"], ports["modbus"])
        self.holder = DirectoryHolder(Directory(1, self.links))
        self.desk = NationalDesk(self.holder, intake, board, clock)
        self.cert, self.key = certificate(folder)
        self._server: Any = None

    def config(self, **changes: Any) -> SimulatorConfig:
        base = SimulatorConfig(
            self.folder / "sim",
            {
                GATEWAYS.chlorine: SECRET,
                GATEWAYS.drums: SECRET,
                GATEWAYS.tennessee: self.nats.password.encode() if self.nats else b"",
            },
            opcua_port=self.ports["opcua"],
            modbus_port=self.ports["modbus"],
            https_url=f"https://localhost:{self.ports['https']}",
            tcp_port=self.ports["tcp"],
            mqtt_port=self.ports["mqtt"],
            mqtt_user=self.nats.user if self.nats else "",
            tls_ca=self.cert,
            live_te=False,
        )
        return replace(base, **changes)

    async def open_https(self) -> None:
        config = uvicorn.Config(
            create_app(self.desk), "127.0.0.1", self.ports["https"], ssl_certfile=self.cert, ssl_keyfile=self.key,
            log_level="error", lifespan="off",
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())

    async def close_https(self) -> None:
        self._server.should_exit = True
        await self._task

    def room(self) -> AccessRoom:
        broker = Broker("127.0.0.1", self.ports["mqtt"], "hazwatch", self.nats.user, self.nats.password)
        return AccessRoom(
            self.holder,
            {
                "opcua": lambda k: OpcUaAdapter(k, self.intake, self.board, self.clock),
                "modbus": lambda k: ModbusAdapter(k, self.intake, self.board, self.clock),
            },
            {
                "sparkplug": SparkplugListener(broker, self.holder, self.intake, self.board, self.clock),
                "tcp": NationalTcpListener(self.desk, "127.0.0.1", self.ports["tcp"]),
            },
            self.board,
            self.clock,
        )

    def points_seen(self, lane: Lane | None = None) -> set[int]:
        return set(self.intake.samples(lane).point.tolist())

    def of(self, code: str, lane: Lane | None = None) -> Any:
        indices = [p.index for p in self.links[code].points.values()]
        batch = self.intake.samples(lane)
        return batch.take(np.isin(batch.point, indices))


@pytest.fixture
def node(intake: Any, board: Any, clock: Any, free_port: Any, nats: Any, tmp_path: Path) -> Node:
    ports = {name: free_port() for name in ("opcua", "modbus", "https", "tcp")} | {"mqtt": nats.mqtt_port}
    return Node(intake, board, clock, ports, nats, tmp_path)


@pytest.mark.slow
async def test_every_point_of_the_park_arrives_over_its_own_protocol(node: Node, running: Any, eventually: Any) -> None:
    simulator = Simulator(node.config())
    room = node.room()
    await node.open_https()
    await simulator.start()
    try:
        async with running(room):
            await eventually(lambda: len(node.points_seen()) == len(park().points), 15.0)
            await eventually(lambda: all(r.state == "online" for r in room.reports), 5.0)
    finally:
        await simulator.stop()
        await node.close_https()
    assert not node.intake.letters
    assert not node.intake.samples().quality.any()
    ts = node.intake.samples().ts
    assert abs(int(ts.max()) - node.clock()) < 10_000
    assert simulator.status()["tennessee"].startswith("回放")
    scaled = next(p for p in park().points if p.tag == "WX-P")
    index = next(p.index for k in node.links.values() for p in k.points.values() if p.code == scaled.code)
    assert 950 < node.intake.of(index)[0] < 1060  # tenths of hPa on the wire, hPa here


@pytest.mark.slow
async def test_a_cut_of_the_national_link_is_filled_up_afterwards(node: Node, eventually: Any) -> None:
    simulator = Simulator(node.config())
    await node.open_https()
    await simulator.start()
    try:
        await eventually(lambda: len(node.of(GATEWAYS.chlorine)))
        simulator.start_scenario("link-cut-national", {"minutes": 60})
        await asyncio.sleep(8.0)
        assert simulator.status()["backlog"][GATEWAYS.chlorine] >= 6
        simulator.stop_scenario("link-cut-national")
        await eventually(lambda: simulator.status()["backlog"][GATEWAYS.chlorine] == 0, 10.0)
    finally:
        await simulator.stop()
        await node.close_https()
    first = min(p.index for p in node.links[GATEWAYS.chlorine].points.values())
    whole = node.of(GATEWAYS.chlorine)
    seconds = sorted(whole.ts[whole.point == first].tolist())
    assert len(seconds) == len(set(seconds))
    assert max(b - a for a, b in pairwise(seconds)) <= 2500  # no hole
    history = node.of(GATEWAYS.chlorine, Lane.BACKGROUND)
    assert len(history)
    assert (np.diff(history.ts[history.point == first]) > 0).all()  # oldest first


@pytest.mark.slow
async def test_data_survive_a_node_that_is_away_and_a_simulator_that_restarts(node: Node, eventually: Any) -> None:
    simulator = Simulator(node.config())
    await simulator.start()  # nobody listens on the HTTPS port
    await asyncio.sleep(2.5)
    await simulator.stop()
    simulator = Simulator(node.config(opcua_port=node.ports["opcua"]))
    await node.open_https()
    await simulator.start()
    try:
        await eventually(lambda: simulator.status()["backlog"][GATEWAYS.chlorine] == 0, 10.0)
    finally:
        await simulator.stop()
        await node.close_https()
    first = min(p.index for p in node.links[GATEWAYS.chlorine].points.values())
    batch = node.of(GATEWAYS.chlorine)
    assert (batch.point == first).sum() >= 4


@pytest.mark.slow
async def test_a_cut_of_the_sparkplug_link_is_filled_up_as_history(node: Node, running: Any, eventually: Any) -> None:
    simulator = Simulator(node.config())
    await simulator.start()
    try:
        async with running(node.room()):
            await eventually(lambda: len(node.of(GATEWAYS.tennessee)), 10.0)
            await asyncio.sleep(2.0)
            simulator.start_scenario("link-cut-sparkplug", {"minutes": 60})
            await asyncio.sleep(5.0)
            assert simulator.status()["backlog"][GATEWAYS.tennessee] >= 4
            simulator.stop_scenario("link-cut-sparkplug")
            await eventually(lambda: simulator.status()["backlog"][GATEWAYS.tennessee] == 0, 15.0)
            await asyncio.sleep(1.0)
    finally:
        await simulator.stop()
    history = node.of(GATEWAYS.tennessee, Lane.BACKGROUND)
    assert len(history)
    whole = node.of(GATEWAYS.tennessee)
    good = whole.take(whole.quality == 0)
    first = min(p.index for p in node.links[GATEWAYS.tennessee].points.values())
    seconds = sorted(set(good.ts[good.point == first].tolist()))
    assert max(b - a for a, b in pairwise(seconds)) <= 2500
    assert (whole.quality == 7).any()  # the death certificate marked them meanwhile


@pytest.mark.slow
async def test_the_edge_node_keeps_its_data_while_the_host_is_offline(
    node: Node, running: Any, eventually: Any
) -> None:
    simulator = Simulator(node.config())
    await simulator.start()
    try:
        await asyncio.sleep(2.5)
        assert simulator.status()["backlog"][GATEWAYS.tennessee] >= 2  # no STATE seen: store
        async with running(node.room()):
            await eventually(lambda: simulator.status()["backlog"][GATEWAYS.tennessee] == 0, 10.0)
            await eventually(lambda: len(node.of(GATEWAYS.tennessee, Lane.BACKGROUND)), 5.0)
    finally:
        await simulator.stop()


@pytest.mark.slow
async def test_gateways_without_credentials_stay_silent_and_say_so(node: Node) -> None:
    simulator = Simulator(node.config(credentials={GATEWAYS.drums: b"short"}))
    await simulator.start()
    await simulator.stop()
    silent = simulator.status()["silent"]
    assert set(silent) == {GATEWAYS.chlorine, GATEWAYS.tennessee, GATEWAYS.drums}
    assert "凭据" in silent[GATEWAYS.drums]
    assert {s["id"] for s in simulator.scenarios()} == {"overfill", "ammonia-leak", "stuck-gauge", "te-feed-loss"}
    assert json.dumps([simulator.scenarios(), simulator.status()])


def test_the_outbox_is_durable_ordered_and_bounded(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "o.sqlite", capacity=3)
    for i in range(5):
        box.put(i, str(i).encode())
    assert len(box) == 3
    box.close()
    box = Outbox(tmp_path / "o.sqlite", capacity=3)
    oldest, newest = box.oldest(), box.newest()
    assert oldest is not None
    assert newest is not None
    assert (oldest[2], newest[2]) == (b"2", b"4")
    box.drop(oldest[0])
    assert len(box) == 2
    box.close()
