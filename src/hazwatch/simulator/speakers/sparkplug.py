"""The reaction plant's Sparkplug B edge node: births with aliases, data by alias, store and forward.

While the connection or the primary host (its STATE message) is away, samples are kept in memory, and go out after the
next birth marked ``is_historical``. Data are QoS 0 by standard, so what was sent in the last seconds before a break may
be lost on the way: those samples are kept as well and sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hazwatch.access.sparkplug import sparkplug_b_pb2 as pb
from hazwatch.simulator.rows import PointRow

_KEEPALIVE_S: Final = 10
#: Sparkplug data types.
_INT64, _DOUBLE, _BOOLEAN = 4, 10, 11
_IN_DOUBT_MS: Final = 15_000
_KEPT: Final = 72 * 3600
_AT_ONCE: Final = 5  # history at no more than five times real time
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MqttAccount:
    """How the node signs in to its broker."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    host_id: str = "hazwatch"


#: A row of samples: epoch ms and the values in the order of the points.
Row = tuple[int, tuple[float, ...]]


class SparkplugSpeaker:
    """An edge node.

    Args:
        account: of the broker.
        group, node: its Sparkplug names.
        points: what it publishes; alias = position.
    """

    def __init__(self, account: MqttAccount, group: str, node: str, points: Sequence[PointRow]) -> None:
        self._account = account
        self._base = f"spBv1.0/{group}"
        self._node = node
        self._points = points
        self._lock = threading.Lock()
        self._seq = 0
        self._bd_seq = -1
        self._host_online = False
        self._connected = False
        self._born = False
        self._cut = False
        self._newest: Row | None = None
        self._kept: deque[Row] = deque(maxlen=_KEPT)
        self._in_doubt: deque[Row] = deque()
        self._client: mqtt.Client | None = None

    @property
    def backlog(self) -> int:
        """Rows kept for later."""
        return len(self._kept)

    async def start(self) -> None:
        """Connect, for ever."""
        self._connect()

    async def stop(self) -> None:
        """Say goodbye and disconnect."""
        await asyncio.to_thread(self._disconnect, orderly=True)

    def cut(self) -> None:
        """Take the line away without a goodbye; the broker publishes the death certificate."""
        self._cut = True
        client = self._client
        if client is not None:
            threading.Thread(target=self._disconnect, daemon=True).start()

    def restore(self) -> None:
        """Give it back."""
        self._cut = False
        self._connect()

    async def say(self, now: int, values: Mapping[str, float]) -> None:
        """Publish, or keep, the values of ``now`` (epoch ms)."""
        row: Row = (now, tuple(values[p.tag] for p in self._points))
        with self._lock:
            self._newest = row
            if self._connected and not self._born:
                self._birth()
            if not self._ready():
                self._kept.append(row)
                return
            self._publish([row], historical=False)
            self._in_doubt.append(row)
            while self._in_doubt and self._in_doubt[0][0] < now - _IN_DOUBT_MS:
                self._in_doubt.popleft()
            # History follows behind the live data, a few rows at a time: it must not hold them back.
            part = [self._kept.popleft() for _ in range(min(_AT_ONCE, len(self._kept)))]
            if part:
                self._publish(part, historical=True)

    def _ready(self) -> bool:
        return self._born and self._host_online and not self._cut

    def _connect(self) -> None:
        account = self._account
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"edge-{self._node}", protocol=MQTTProtocolVersion.MQTTv311
        )
        if account.user:
            client.username_pw_set(account.user, account.password)
        if account.ca:
            client.tls_set_context(ssl.create_default_context(cafile=account.ca))
        client.reconnect_delay_set(1, 10)
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._client = client
        client.connect_async(account.host, account.port, _KEEPALIVE_S)
        client.loop_start()

    def _disconnect(self, *, orderly: bool = False) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if orderly:
            client.publish(f"{self._base}/NDEATH/{self._node}", self._death(), qos=1)
            client.disconnect()
        else:
            line = client.socket()
            if line is not None:
                with contextlib.suppress(OSError):
                    line.close()
            client.on_connect = None
            client.disconnect()
        client.loop_stop()
        self._lost()

    def _lost(self) -> None:
        with self._lock:
            if self._born:
                self._kept.extendleft(reversed(self._in_doubt))
                self._in_doubt.clear()
            self._born = self._connected = False
            self._host_online = False

    # --- the MQTT thread ---

    def _death(self) -> bytes:
        payload = pb.Payload()
        payload.metrics.add(name="bdSeq", datatype=_INT64, long_value=self._bd_seq)
        return bytes(payload.SerializeToString())

    def _on_pre_connect(self, client: mqtt.Client, _userdata: Any) -> None:
        self._bd_seq = (self._bd_seq + 1) % 256
        client.will_set(f"{self._base}/NDEATH/{self._node}", self._death(), qos=1)

    def _on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            _log.warning("broker refuses the simulated edge node: %s", reason)
            return
        state = f"spBv1.0/STATE/{self._account.host_id}"
        client.subscribe([(f"{self._base}/NCMD/{self._node}", 1), (state, 1)])
        with self._lock:
            self._connected = True
            self._birth()

    def _on_disconnect(self, client: mqtt.Client, *_: Any) -> None:
        if client is self._client:
            self._lost()

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.startswith("spBv1.0/STATE/"):
            with contextlib.suppress(ValueError), self._lock:
                online = bool(json.loads(message.payload).get("online"))
                if not online and self._host_online:
                    self._kept.extendleft(reversed(self._in_doubt))
                    self._in_doubt.clear()
                self._host_online = online
            return
        with contextlib.suppress(Exception):  # a broken command is no reason to stop
            command = pb.Payload.FromString(bytes(message.payload))
            if any(m.name == "Node Control/Rebirth" and m.boolean_value for m in command.metrics):
                with self._lock:
                    self._birth()

    # --- with the lock held ---

    def _birth(self) -> None:
        if self._newest is None:
            return  # nothing to show yet: the first values bring the birth
        now, values = self._newest
        payload = pb.Payload(timestamp=now, seq=0)
        payload.metrics.add(name="bdSeq", datatype=_INT64, long_value=self._bd_seq)
        payload.metrics.add(name="Node Control/Rebirth", datatype=_BOOLEAN, boolean_value=False)
        for alias, (point, value) in enumerate(zip(self._points, values, strict=True)):
            payload.metrics.add(name=point.address, alias=alias, timestamp=now, datatype=_DOUBLE, double_value=value)
        self._seq = 0
        self._born = True
        self._send("NBIRTH", payload)

    def _publish(self, rows: Sequence[Row], *, historical: bool) -> None:
        self._seq = (self._seq + 1) % 256
        payload = pb.Payload(timestamp=rows[-1][0], seq=self._seq)
        for now, values in rows:
            for alias, value in enumerate(values):
                metric = payload.metrics.add(alias=alias, timestamp=now, double_value=value)
                if historical:
                    metric.is_historical = True
        self._send("NDATA", payload)

    def _send(self, kind: str, payload: pb.Payload) -> None:
        if self._client is not None:
            self._client.publish(f"{self._base}/{kind}/{self._node}", payload.SerializeToString(), qos=0)
