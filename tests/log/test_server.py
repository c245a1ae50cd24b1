"""The configuration of the embedded server: secrets stay secret, an edge node speaks under its own name only."""

from __future__ import annotations

import queue
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests.log.support import PASSWORD, Server

from hazwatch.log.server import MqttUser, ServerConfig, executable, pending, write

ONE = MqttUser("edge-1", 'se"cret\\1', "hz", "EDGE1")
TWO = MqttUser("edge-2", "secret2", "hz", "EDGE2")


class Edge:
    """An MQTT 3.1.1 client that hears what it may."""

    def __init__(self, port: int, user: str, password: str, subscribe: list[str] | None = None) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.connected: queue.Queue[int] = queue.Queue()
        self.subscribed: queue.Queue[list[int]] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{user}-{id(self)}", protocol=mqtt.MQTTv311)
        self.client.username_pw_set(user, password)
        self.client.on_connect = lambda *a: self.connected.put(a[3].value)
        self.client.on_message = lambda *a: self.heard.put((a[2].topic, a[2].payload))
        self.client.on_subscribe = lambda *a: self.subscribed.put([code.value for code in a[3]])
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.code = self.connected.get(timeout=10)
        if self.code == 0:
            for topic in subscribe or []:
                self.client.subscribe(topic, 1)
                self.subscribed.get(timeout=10)

    def says(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, 1)

    def until(self, payload: bytes) -> list[tuple[str, bytes]]:
        """Everything heard up to a payload."""
        found = []
        deadline = time.monotonic() + 10
        while True:
            found.append(self.heard.get(timeout=max(0.01, deadline - time.monotonic())))
            if found[-1][1] == payload:
                return found

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path):
    server = Server(tmp_path, mqtt=True, users=(ONE, TWO))
    yield server
    server.kill()


@pytest.fixture
def edges(broker):
    opened: list[Edge] = []

    def connect(user: str, password: str, subscribe: list[str] | None = None) -> Edge:
        opened.append(Edge(broker.mqtt_port, user, password, subscribe))
        return opened[-1]

    yield connect
    for edge in opened:
        edge.close()


def test_an_edge_node_cannot_speak_as_another(edges) -> None:
    node = edges("hazwatch-node", PASSWORD, ["spBv1.0/#"])
    one, two = edges(ONE.name, ONE.password), edges(TWO.name, TWO.password)
    one.says("spBv1.0/hz/NDATA/EDGE2", b"forged")
    one.says("spBv1.0/other/NDATA/EDGE1", b"forged group")
    one.says("spBv1.0/hz/DDATA/EDGE2/dev", b"forged device")
    one.says("spBv1.0/STATE/host", b"forged host state")
    one.says("spBv1.0/hz/NDATA/EDGE1", b"mine")
    one.says("spBv1.0/hz/DDATA/EDGE1/dev", b"my device")
    two.says("spBv1.0/hz/NDATA/EDGE2", b"last")
    heard = node.until(b"my device")
    assert [h for h in heard if h[1] != b"last"] == [
        ("spBv1.0/hz/NDATA/EDGE1", b"mine"), ("spBv1.0/hz/DDATA/EDGE1/dev", b"my device"),
    ]  # fmt: skip


def test_an_edge_node_hears_its_own_commands_only(edges) -> None:
    node = edges("hazwatch-node", PASSWORD)
    one = edges(
        ONE.name, ONE.password,
        ["spBv1.0/hz/NCMD/EDGE1", "spBv1.0/hz/NCMD/EDGE2", "spBv1.0/#", "spBv1.0/hz/NDATA/EDGE2", "#"],
    )  # fmt: skip
    node.says("spBv1.0/hz/NCMD/EDGE2", b"not for you")
    node.says("spBv1.0/hz/NDATA/EDGE2", b"not yours")
    node.says("spBv1.0/hz/NCMD/EDGE1", b"rebirth")
    assert one.until(b"rebirth") == [("spBv1.0/hz/NCMD/EDGE1", b"rebirth")]


@pytest.mark.parametrize(("user", "password"), [("edge-1", "secret2"), ("edge-1", ""), ("nobody", "x"), ("", "")])
def test_who_is_not_known_is_not_let_in(edges, user, password) -> None:
    assert edges(user, password).code != 0


async def test_an_edge_user_cannot_open_the_log_itself(broker) -> None:
    from hazwatch.log.client import Log, LogAddress, LogAwayError

    with pytest.raises(LogAwayError):
        await Log.connect(LogAddress((broker.url,), TWO.name, TWO.password), "edge", patience_s=0.3)


def test_names_with_quotes_do_not_break_out(tmp_path) -> None:
    """The registry hands names in; the server itself says whether the file is still what it should be."""
    hostile = 'x", permissions: {publish: ">"}}, {user: "y'
    path = write(ServerConfig(tmp_path, 4222, 'p"}', mqtt_port=1883, mqtt_users=(MqttUser(hostile, "p", "g", "n"),)))
    subprocess.run([executable(), "-t", "-c", str(path)], check=True, capture_output=True)
    text = path.read_text()
    assert 'user: "x\\", permissions' in text, "the quote stays inside"


@pytest.mark.parametrize(("gib", "mib"), [(1, 256), (4, 512), (8, 1024), (64, 1024)])
def test_what_may_wait_for_a_reader_follows_the_machine(tmp_path, gib: int, mib: int) -> None:
    """A peak waits, but not in memory that the machine does not have."""
    text = write(ServerConfig(tmp_path, 4222, "p", pending=pending(gib << 30))).read_text()
    assert f"max_pending: {mib << 20}\n" in text


def test_the_file_is_for_its_owner_only(tmp_path) -> None:
    path = write(ServerConfig(tmp_path, 4222, "p"))
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert "host: 127.0.0.1" in text
    assert "sync_interval: always" in text
    assert "mqtt" not in text
