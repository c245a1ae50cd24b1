"""The listener against a real nats-server, with a plain MQTT client playing the edge node."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.access.sparkplug.datatypes import DataType
from hazwatch.access.sparkplug.listener import Broker, SparkplugListener, broker_of

OPTIONS = {"group": "puyang", "node": "te-01"}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Edge:
    """A hand-driven edge node."""

    def __init__(self, port: int, user: str, password: str, node: str = "te-01") -> None:
        self.node = node
        self.commands: list[pb.Payload] = []
        self.states: list[dict[str, Any]] = []
        self.seq = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"edge-{node}")
        self.client.username_pw_set(user, password)
        self.client.on_message = self._on_message
        self.client.on_connect = lambda c, *_: c.subscribe([(f"spBv1.0/+/NCMD/{node}", 1), ("spBv1.0/STATE/#", 1)])
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if "/STATE/" in message.topic:
            self.states.append(json.loads(message.payload))
        else:
            self.commands.append(pb.Payload.FromString(message.payload))

    def send(self, kind: str, payload: pb.Payload, qos: int = 0) -> mqtt.MQTTMessageInfo:
        topic = f"spBv1.0/puyang/{kind}/{self.node}"
        return self.client.publish(topic, payload.SerializeToString(), qos=qos)

    def birth(self) -> None:
        self.seq = 0
        payload = pb.Payload(timestamp=now_ms(), seq=0)
        payload.metrics.add(name="bdSeq", datatype=DataType.INT64, long_value=0)
        payload.metrics.add(name="XMEAS(1)", alias=1, timestamp=now_ms(), datatype=DataType.DOUBLE, double_value=1.0)
        self.send("NBIRTH", payload)

    def data(self, value: float, *, skip: int = 0, qos: int = 0) -> None:
        self.seq = (self.seq + 1 + skip) % 256
        payload = pb.Payload(timestamp=now_ms(), seq=self.seq)
        payload.metrics.add(alias=1, timestamp=now_ms(), double_value=value)
        self.send("NDATA", payload, qos)


@contextmanager
def edge_of(nats: Any, node: str = "te-01") -> Iterator[Edge]:
    edge = Edge(nats.mqtt_port, nats.user, nats.password, node)
    try:
        yield edge
    finally:
        edge.client.disconnect()
        edge.client.loop_stop()


@pytest.fixture
def listen(nats: Any, intake: Any, board: Any, clock: Any, link: Any, holder: Any) -> Callable[..., SparkplugListener]:
    def make(**changes: Any) -> SparkplugListener:
        broker = Broker("127.0.0.1", nats.mqtt_port, "hazwatch", nats.user, nats.password)
        links = holder(link(["XMEAS(1)"], "sparkplug", options={**OPTIONS, **changes}))
        return SparkplugListener(broker, links, intake, board, clock)

    return make


async def test_a_node_is_asked_for_its_birth_and_its_data_arrive(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any, board: Any
) -> None:
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        async with running(listen()):
            await eventually(lambda: edge.states and edge.states[-1]["online"])
            await eventually(lambda: edge.commands)
            assert edge.commands[0].metrics[0].name == "Node Control/Rebirth"
            edge.birth()
            edge.data(5.0)
            await eventually(lambda: intake.of(0) == [1.0, 5.0])
            assert board.all()[0].connected
        await eventually(lambda: not edge.states[-1]["online"])  # STATE offline on an orderly end


async def test_a_sequence_gap_brings_a_rebirth_request_within_a_second(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any
) -> None:
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        async with running(listen(rebirth_s="0.5")):
            await eventually(lambda: edge.commands)
            edge.birth()
            await eventually(lambda: intake.frames)
            await asyncio.sleep(0.6)
            edge.commands.clear()
            edge.data(2.0, skip=1)
            await eventually(lambda: edge.commands, 1.0)
            assert intake.of(0) == [1.0, 2.0]


async def test_qos_1_is_not_acknowledged_before_the_samples_are_durable(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any
) -> None:
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        intake.closed = True
        async with running(listen()):
            await eventually(lambda: edge.states and edge.states[-1]["online"])
            edge.birth()
            edge.data(7.0, qos=1)
            # The log is away: the host tells the edge nodes to keep their data.
            await eventually(lambda: not edge.states[-1]["online"])
        assert not intake.frames
        intake.closed = False  # a new process: the broker still has the unacknowledged message
        async with running(listen()):
            await eventually(lambda: edge.states[-1]["online"])
            edge.birth()
            await eventually(lambda: 7.0 in intake.of(0), 8.0)


async def test_the_host_is_online_again_when_the_log_is_back(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any
) -> None:
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        async with running(listen()):
            await eventually(lambda: edge.states and edge.states[-1]["online"])
            intake.closed = True
            edge.birth()
            edge.data(3.0)
            await eventually(lambda: not edge.states[-1]["online"])
            intake.closed = False
            await eventually(lambda: edge.states[-1]["online"])
            assert intake.of(0) == [1.0, 3.0]  # the frame in hand was kept


async def test_strangers_and_garbage_become_dead_letters(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any
) -> None:
    with edge_of(nats, "fremd") as stranger, edge_of(nats) as edge:
        await eventually(lambda: stranger.client.is_connected() and edge.client.is_connected())
        async with running(listen()):
            await eventually(lambda: edge.commands)
            stranger.birth()
            edge.client.publish("spBv1.0/puyang/NDATA/te-01", b"\xff\xff\xff")
            await eventually(lambda: {"unknown_gateway", "malformed"} <= set(intake.reasons()))


async def test_a_broker_that_comes_back_is_used_again(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any
) -> None:
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        async with running(listen()):
            await eventually(lambda: edge.commands)
            edge.birth()
            await eventually(lambda: intake.frames)
            await asyncio.to_thread(nats.stop)
            await asyncio.to_thread(nats.start)
            edge.commands.clear()
            await eventually(lambda: edge.commands, 15.0)  # asked for a birth after the reconnect
            edge.birth()
            edge.data(9.0)
            await eventually(lambda: 9.0 in intake.of(0))


async def test_an_external_broker(
    nats: Any, intake: Any, board: Any, clock: Any, link: Any, holder: Any, running: Any, eventually: Any
) -> None:
    """Protocol ``sparkplug-external``: the node dials a broker that somebody else runs, one link a connection."""
    config = link(
        ["XMEAS(1)"],
        "sparkplug-external",
        address=f"mqtt://127.0.0.1:{nats.mqtt_port}",
        options={**OPTIONS, "user": nats.user},
        secret=nats.password.encode(),
    )
    broker = broker_of(config)
    assert broker.host_id == "hazwatch-41090090101"
    listener = SparkplugListener(broker, holder(config), intake, board, clock, lambda k: k.code == config.code)
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        async with running(listener):
            await eventually(lambda: edge.commands)
            edge.birth()
            edge.data(4.0)
            await eventually(lambda: intake.of(0) == [1.0, 4.0])


async def test_a_refused_password_is_a_fault_on_the_link(
    nats: Any, intake: Any, board: Any, clock: Any, link: Any, holder: Any, running: Any, eventually: Any
) -> None:
    config = link(["XMEAS(1)"], "sparkplug", options=OPTIONS)
    broker = Broker("127.0.0.1", nats.mqtt_port, "hazwatch", nats.user, "wrong")
    async with running(SparkplugListener(broker, holder(config), intake, board, clock)):
        await eventually(lambda: board.of(config).last_error)
        assert not board.of(config).connected


async def test_a_thousand_messages_share_few_appends(
    nats: Any, intake: Any, listen: Any, running: Any, eventually: Any
) -> None:
    """Every append waits for the disk: messages that queue up meanwhile are made durable together."""

    async def slow(frame: Any) -> None:
        await asyncio.sleep(0.05)
        intake.frames.append(frame)

    intake.submit = slow
    with edge_of(nats) as edge:
        await eventually(edge.client.is_connected)
        async with running(listen()):
            await eventually(lambda: edge.commands)
            edge.birth()
            began = asyncio.get_running_loop().time()
            for i in range(1000):
                edge.data(float(i))
            await eventually(lambda: len(intake.of(0)) == 1001, 15.0)
            assert asyncio.get_running_loop().time() - began < 10  # one by one it would take 50 s
            assert intake.of(0)[1:] == [float(i) for i in range(1000)]
