"""The Sparkplug B host: one MQTT connection that serves every edge node of its broker.

A QoS 1 message is acknowledged only when its samples are durable. Data messages of Sparkplug are QoS 0 by standard, so
durability for them comes from the STATE message: while the log does not take frames the host says that it is offline
and edge nodes with a primary host store and forward; the message in hand is tried again until it is durable.

Link options (``LinkConfig.options``):
    group, node: group id and edge node id. Required.
    rebirth_s: least seconds between two rebirth requests, default 1.
and for protocol ``sparkplug-external``, where ``LinkConfig.address`` is ``mqtt://host:port`` or ``mqtts://host:port``
and ``LinkConfig.secret`` the password:
    user: MQTT user. ca: path of a CA file for mqtts. host_id: Sparkplug host id, default ``hazwatch-<gateway code>``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hazwatch.access.directory import DirectoryHolder, LinkConfig
from hazwatch.access.letters import excerpt
from hazwatch.access.port import Intake, IntakeClosedError, StatusBoard
from hazwatch.access.sparkplug import decode as wire
from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.access.sparkplug.datatypes import DataType
from hazwatch.access.sparkplug.session import EdgeNode, Result
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.moments import Clock
from hazwatch.vocabulary.quality import Quality

_NAMESPACE: Final = "spBv1.0"
_DATA_QUEUE: Final = 20_000
_AT_ONCE: Final = 1_000
_MAX_PAYLOAD: Final = 4 << 20
_RETRY_S: Final = 0.5
_KEEPALIVE_S: Final = 30
_ASK_MOST_S: Final = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """How a broker is reached.

    Attributes:
        host, port: of the broker.
        host_id: our Sparkplug host id; also the MQTT client id.
        user, password: credentials; "" = none.
        ca: path of a CA file; "" = no TLS. ``system`` = the CAs of the machine.
        groups: group ids to subscribe to; empty = all.
    """

    host: str
    port: int
    host_id: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    groups: tuple[str, ...] = ()


def broker_of(link: LinkConfig) -> Broker:
    """The broker that a ``sparkplug-external`` link names.

    Raises:
        ValueError: the address is no mqtt URL.
    """
    url = urlsplit(link.address)
    if url.scheme not in ("mqtt", "mqtts") or not url.hostname:
        raise ValueError(f"Sparkplug 外部代理地址应为 mqtt://主机:端口,收到 {link.address!r}")
    secure = url.scheme == "mqtts"
    return Broker(
        url.hostname,
        url.port or (8883 if secure else 1883),
        link.options.get("host_id", f"hazwatch-{link.code}"),
        link.options.get("user", ""),
        link.secret.decode(),
        link.options.get("ca", "system") if secure else "",
        (link.options["group"],),
    )


class SparkplugListener:
    """Serves the links of one broker.

    Args:
        broker: where to connect.
        holder: the registry in force.
        intake: where samples go.
        board: link statuses.
        clock: epoch ms.
        serves: which links of the directory are behind this broker.
    """

    def __init__(
        self,
        broker: Broker,
        holder: DirectoryHolder,
        intake: Intake,
        board: StatusBoard,
        clock: Clock,
        serves: Callable[[LinkConfig], bool] = lambda link: link.protocol == "sparkplug",
    ) -> None:
        self._broker = broker
        self._holder = holder
        self._intake = intake
        self._board = board
        self._clock = clock
        self._serves = serves
        self._nodes: dict[tuple[str, str], EdgeNode] = {}
        self._version = -1
        self._queue: asyncio.Queue[mqtt.MQTTMessage] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = threading.BoundedSemaphore(_DATA_QUEUE)
        self._client = self._make_client()
        self._born_at = 0
        self._online = False
        self._stopping = False
        self._asking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listen until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        await asyncio.to_thread(wire.warm_up)
        self._client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE_S)
        self._client.loop_start()
        try:
            while True:
                messages = [await self._queue.get()]
                while len(messages) < _AT_ONCE and not self._queue.empty():
                    messages.append(self._queue.get_nowait())
                try:
                    await self._take(messages)
                finally:
                    self._waiting.release(len(messages))
        finally:
            with contextlib.suppress(Exception):  # going away: the will says the same if this does not arrive
                self._say_state(online=False)
                await asyncio.sleep(0.05)
            self._stopping = True
            if self._asking is not None:
                self._asking.cancel()
            self._client.disconnect()
            await asyncio.to_thread(self._client.loop_stop)
            for status in map(self._board.of, self._links()):
                status.connected = False

    # --- the MQTT thread ---

    def _make_client(self) -> mqtt.Client:
        broker = self._broker
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.host_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        if broker.user:
            client.username_pw_set(broker.user, broker.password)
        if broker.ca:
            client.tls_set_context(ssl.create_default_context(cafile=None if broker.ca == "system" else broker.ca))
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        # The will carries the timestamp of our STATE birth, so it is set anew before every connection.
        client.on_pre_connect = self._on_pre_connect
        return client

    def _state_topic(self) -> str:
        return f"{_NAMESPACE}/STATE/{self._broker.host_id}"

    def _say_state(self, *, online: bool) -> None:
        payload = json.dumps({"online": online, "timestamp": self._born_at})
        self._client.publish(self._state_topic(), payload, qos=1, retain=True)
        self._online = online

    def _on_pre_connect(self, client: mqtt.Client, _userdata: Any) -> None:
        self._born_at = self._clock()
        will = json.dumps({"online": False, "timestamp": self._born_at})
        client.will_set(self._state_topic(), will, qos=1, retain=True)

    def _on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._call(self._lost, f"MQTT 代理拒绝连接: {reason}")
            return
        groups = self._broker.groups or ("+",)
        client.subscribe([(f"{_NAMESPACE}/{group}/#", 1) for group in groups])
        self._say_state(online=True)
        self._call(self._connected)

    def _on_disconnect(self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._call(self._lost, f"与 MQTT 代理的连接中断: {reason}")

    def _on_message(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        parts = message.topic.split("/", 3)
        if len(parts) > 2 and (parts[1] == "STATE" or parts[2] in ("NCMD", "DCMD")):  # noqa: PLR2004
            client.ack(message.mid, message.qos)
            return
        # A full queue holds the MQTT thread back, TCP then holds the broker back: bounded memory, nothing dropped here.
        while not self._waiting.acquire(timeout=1.0):
            if self._stopping:
                return
        self._call(self._queue.put_nowait, message)

    def _call(self, function: Callable[..., object], *args: object) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is gone: nobody is left to tell
                self._loop.call_soon_threadsafe(function, *args)

    # --- the event loop ---

    def _links(self) -> Iterable[LinkConfig]:
        return [link for link in self._holder.current.links.values() if self._serves(link)]

    def _connected(self) -> None:
        """Ask every node for its birth certificate: the values of now, and the aliases we need."""
        self._refresh()
        for edge in self._nodes.values():
            edge.expect_birth()
        if self._asking is not None:
            self._asking.cancel()
        self._asking = asyncio.create_task(self._ask_until_born())

    async def _ask_until_born(self) -> None:
        """Requests are QoS 0 and nodes may come back after us: ask again, more and more rarely."""
        delay = 1.0
        while True:
            now = self._clock()
            for (group, node), edge in self._nodes.items():
                if edge.incomplete and edge.wants_rebirth(now):
                    self._ask_rebirth(group, node)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _ASK_MOST_S)

    def _lost(self, text: str) -> None:
        if self._asking is not None:
            self._asking.cancel()
        for status in map(self._board.of, self._links()):
            if status.connected:
                status.gaps += 1
            status.connected = False
            status.fault(text, self._clock())

    def _refresh(self) -> None:
        """Follow the registry: new nodes appear, changed ones are relinked, removed ones go."""
        directory = self._holder.current
        if directory.version == self._version:
            return
        self._version = directory.version
        links = {
            (link.options["group"], link.options["node"]): link
            for link in self._links()
            if {"group", "node"} <= link.options.keys()
        }
        for key, link in links.items():
            edge = self._nodes.get(key)
            if edge is None:
                self._nodes[key] = EdgeNode(link, float(link.options.get("rebirth_s", "1")))
            elif edge.link != link:
                edge.relink(link)
        for key in self._nodes.keys() - links.keys():
            del self._nodes[key]

    def _ask_rebirth(self, group: str, node: str) -> None:
        payload = pb.Payload(timestamp=self._clock())
        payload.metrics.add(name="Node Control/Rebirth", datatype=DataType.BOOLEAN, boolean_value=True)
        self._client.publish(f"{_NAMESPACE}/{group}/NCMD/{node}", payload.SerializeToString(), qos=0)

    async def _take(self, messages: list[mqtt.MQTTMessage]) -> None:
        """Read messages in order, make all they brought durable together, then acknowledge them."""
        self._refresh()
        frames = [(edge, frame) for message in messages for edge, frame in self._read(message)]
        if frames:
            # Submitted in order before any is durable: they share one append.
            await asyncio.gather(*(self._until_durable(edge, frame) for edge, frame in frames))
        for message in messages:
            self._client.ack(message.mid, message.qos)

    def _read(self, message: mqtt.MQTTMessage) -> list[tuple[EdgeNode, Frame]]:
        parts = message.topic.split("/")
        if len(parts) not in (4, 5) or parts[0] != _NAMESPACE:
            return []
        group, kind, node = parts[1:4]
        edge = self._nodes.get((group, node))
        if edge is None:
            self._refuse("", Refusal.UNKNOWN_GATEWAY, f"未登记的边缘节点 {group}/{node}")
            return []
        return [(edge, frame) for frame in self._follow(edge, group, kind, "/".join(parts[4:]), message).frames]

    def _follow(self, edge: EdgeNode, group: str, kind: str, device: str, message: mqtt.MQTTMessage) -> Result:
        payload = bytes(message.payload)
        now = self._clock()
        status = self._board.of(edge.link)
        if len(payload) > _MAX_PAYLOAD:
            status.rejected += 1
            self._refuse(edge.link.code, Refusal.TOO_LARGE, f"载荷 {len(payload)} 字节,上限 {_MAX_PAYLOAD}")
            return Result()
        if kind in ("NBIRTH", "DBIRTH"):
            result = edge.birth(payload, device, now)
        elif kind in ("NDATA", "DDATA"):
            result = edge.data(payload, device, now, repeated=message.dup)
        elif kind in ("NDEATH", "DDEATH"):
            result = edge.death(payload, device, now)
        else:
            return Result()
        status.connected = edge.alive
        status.gaps += result.gap
        status.duplicates += message.dup
        for reason, detail in result.refusals:
            status.rejected += 1
            status.fault(detail, now)
            self._refuse(edge.link.code, reason, detail, payload)
        if result.rebirth:
            self._ask_rebirth(group, edge.link.options["node"])
        return result

    async def _until_durable(self, edge: EdgeNode, frame: Frame) -> None:
        while True:
            try:
                await self._intake.submit(frame)
            except IntakeClosedError as error:
                self._board.of(edge.link).fault(f"日志不可用,已通知边缘节点暂存: {error}", self._clock())
                if self._online:
                    self._say_state(online=False)
                await asyncio.sleep(_RETRY_S)
            else:
                if not self._online and self._client.is_connected():
                    self._say_state(online=True)
                if not (frame.batch.quality == Quality.DISCONNECTED).all():  # a death certificate is no data
                    ts = frame.batch.ts
                    self._board.of(edge.link).received(len(ts), frame.origin.received_at, int(ts.max()))
                return

    def _refuse(self, code: str, reason: Refusal, detail: str, payload: bytes = b"") -> None:
        self._intake.refuse(DeadLetter(code, reason, detail, self._clock(), 1, excerpt(payload)))
