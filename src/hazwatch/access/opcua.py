"""OPC UA: subscribes to the points of one link and never trusts the socket.

``LinkConfig.address`` is ``opc.tcp://host:port/path``; points are addressed by NodeId (``ns=2;s=TK-101.PV``). Options:
    publish_ms: publishing and sampling interval, 500.
    watchdog_s: no notification for so long → full read; nothing new and no answer → reconnect. 10.
    security: None | Sign | SignAndEncrypt (policy Basic256Sha256). Default None.
    certificate, private_key: paths (DER, PEM); made on first use when missing.
    server_certificate: path; the only one that is accepted. Without it the one the server shows is believed.
    user: user name; the password is ``LinkConfig.secret``.
    timeout_s: time for an answer, 4.

After every connection all points are read once, so that nothing that changed meanwhile is missing; the subscription
then brings changes. The library's own reconnect is not used: a session whose subscription went silent looks alive to
it. Here a silent subscription leads to a full read; when the read fails, or shows a value the subscription should have
reported, the session is thrown away and made anew.

Quality: Good → good. Uncertain → good as well: the server still vouches for a usable value (OPC 10000-8: sensor not
accurate, engineering units exceeded …), and an alarm on it must not be held back. Bad → DISCONNECTED, value NaN. A good
value that is no number → NOT_A_NUMBER.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from hazwatch.access.backoff import Backoff
from hazwatch.access.columns import Columns
from hazwatch.access.directory import LinkConfig, PointAddress
from hazwatch.access.port import Intake, StatusBoard
from hazwatch.access.retained import Retained
from hazwatch.access.times import believable
from hazwatch.vocabulary.faults import DeadLetter, Refusal
from hazwatch.vocabulary.moments import Clock, to_ms
from hazwatch.vocabulary.quality import Quality

_GATHER_S: Final = 0.03
_READ_AT_ONCE: Final = 1000
_log = logging.getLogger(__name__)


class _SilentError(ConnectionError):
    """The subscription is dead although the session answers."""


class OpcUaAdapter:
    """Serves one ``opcua`` link.

    Args:
        link: the gateway.
        intake: where samples go.
        board: link statuses.
        clock: epoch ms.
    """

    def __init__(self, link: LinkConfig, intake: Intake, board: StatusBoard, clock: Clock) -> None:
        options = link.options
        self._link = link
        self._intake = intake
        self._status = board.of(link)
        self._clock = clock
        self._publish_ms = float(options.get("publish_ms", "500"))
        self._watchdog_s = float(options.get("watchdog_s", "10"))
        self._timeout_s = float(options.get("timeout_s", "4"))
        self._columns = Columns()
        self._retained = Retained(link, intake, self._status, clock)
        self._dirty = asyncio.Event()
        self._heard_at = 0.0
        self._last: dict[int, tuple[int, Quality, float]] = {}  # point index → newest time, quality, value seen
        self._nodes: list[tuple[ua.NodeId, PointAddress]] = []

    async def run(self) -> None:
        """Receive until cancelled."""
        self._nodes = self._resolve()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._retained.run())
            tasks.create_task(self._flush())
            tasks.create_task(self._keep_connected())

    async def _keep_connected(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._session(backoff)
            except (OSError, TimeoutError, ua.UaError) as error:
                self._status.fault(f"OPC UA 会话中断: {str(error) or type(error).__name__}", self._clock())
            if self._status.connected:
                self._status.connected = False
                self._status.gaps += 1
                self._lose()
            await backoff.wait()

    def _lose(self) -> None:
        """The session is gone: say of every known point that its source is disconnected from now on.

        A server reports changes only, so silence after this would otherwise look like a value that holds.
        """
        now = self._clock()
        for index, (ts, quality, value) in self._last.items():
            if quality != Quality.DISCONNECTED:
                moment = max(now, ts + 1)
                self._columns.add(index, moment, math.nan, Quality.DISCONNECTED)
                self._last[index] = (moment, Quality.DISCONNECTED, value)
        self._dirty.set()

    def _resolve(self) -> list[tuple[ua.NodeId, PointAddress]]:
        nodes = []
        for address, point in self._link.points.items():
            try:
                nodes.append((ua.NodeId.from_string(address), point))
            except (ua.UaError, ValueError) as error:
                detail = f"NodeId {address!r} 无效: {error}"
                self._intake.refuse(DeadLetter(self._link.code, Refusal.UNKNOWN_POINT, detail, self._clock()))
                self._status.fault(detail, self._clock())
        return nodes

    async def _session(self, backoff: Backoff) -> None:
        client = await self._dial()
        try:
            # Subscribe first, read after: a change between the two comes twice rather than never.
            await self._subscribe(client)
            await self._read_all(client)
            self._status.connected = True
            backoff.reset()
            await self._watch(client)
        finally:
            with contextlib.suppress(Exception):  # it is being thrown away, in whatever state it is
                await asyncio.wait_for(client.disconnect(), 2.0)

    async def _dial(self) -> Client:
        client = Client(self._link.address, timeout=self._timeout_s, watchdog_intervall=self._timeout_s)
        client.name = "Hazwatch"
        client.application_uri = "urn:hazwatch:access"
        options = self._link.options
        if options.get("user"):
            client.set_user(options["user"])
            client.set_password(self._link.secret.decode())
        mode = options.get("security", "None")
        try:
            if mode != "None":
                await _secure(client, mode, options)
            await client.connect()
        except BaseException:
            with contextlib.suppress(Exception):  # half-open: close what there is
                await asyncio.wait_for(client.disconnect(), 2.0)
            raise
        return client

    async def _subscribe(self, client: Client) -> None:
        params = ua.CreateSubscriptionParameters()
        params.RequestedPublishingInterval = self._publish_ms
        params.RequestedLifetimeCount = 600
        params.RequestedMaxKeepAliveCount = max(1, int(self._watchdog_s * 1000 / self._publish_ms / 2))
        params.MaxNotificationsPerPublish = 10_000
        params.PublishingEnabled = True
        result = await client.uaclient.create_subscription(params, self._on_publish)
        requests = [self._monitor(handle, node) for handle, (node, _) in enumerate(self._nodes)]
        for start in range(0, len(requests), _READ_AT_ONCE):
            items = ua.CreateMonitoredItemsParameters()
            items.SubscriptionId = result.SubscriptionId
            items.TimestampsToReturn = ua.TimestampsToReturn.Both
            items.ItemsToCreate = requests[start : start + _READ_AT_ONCE]
            answers = await client.uaclient.create_monitored_items(items)
            for (node, _), answer in zip(self._nodes[start:], answers, strict=False):
                if not answer.StatusCode.is_good():
                    self._unknown(node, answer.StatusCode)

    def _monitor(self, handle: int, node: ua.NodeId) -> ua.MonitoredItemCreateRequest:
        request = ua.MonitoredItemCreateRequest()
        request.ItemToMonitor.NodeId = node
        request.ItemToMonitor.AttributeId = ua.AttributeIds.Value
        request.MonitoringMode = ua.MonitoringMode.Reporting
        request.RequestedParameters.ClientHandle = handle
        request.RequestedParameters.SamplingInterval = self._publish_ms
        # The server keeps the changes between two publishes instead of only the newest.
        request.RequestedParameters.QueueSize = 100
        request.RequestedParameters.DiscardOldest = True
        return request

    def _unknown(self, node: ua.NodeId, status: ua.StatusCode) -> None:
        detail = f"服务器拒绝订阅 {node.to_string()}: {status.name}"
        self._status.rejected += 1
        self._status.fault(detail, self._clock())
        self._intake.refuse(DeadLetter(self._link.code, Refusal.UNKNOWN_POINT, detail, self._clock()))

    async def _on_publish(self, result: Any) -> None:
        """Notifications go straight into the columns; the library's one-task-per-sample dispatch is left out."""
        parts = result.NotificationMessage.NotificationData or ()
        if parts:
            self._heard_at = asyncio.get_running_loop().time()
        for part in parts:
            for item in getattr(part, "MonitoredItems", ()):
                if item.ClientHandle < len(self._nodes):
                    self._add(self._nodes[item.ClientHandle][1], item.Value)
            if isinstance(part, ua.StatusChangeNotification):
                self._heard_at = float("-inf")  # the subscription is gone: the watchdog acts at once
        self._dirty.set()

    async def _read_all(self, client: Client) -> bool:
        """Read every point. True when a value turned up that the subscription had not brought."""
        fresh = False
        for start in range(0, len(self._nodes), _READ_AT_ONCE):
            part = self._nodes[start : start + _READ_AT_ONCE]
            answers = await client.uaclient.read_attributes([node for node, _ in part], ua.AttributeIds.Value)
            for (_, point), value in zip(part, answers, strict=True):
                fresh |= self._add(point, value)
        self._heard_at = asyncio.get_running_loop().time()
        self._dirty.set()
        return fresh

    def _add(self, point: PointAddress, data: ua.DataValue) -> bool:
        """Put a value into the columns unless it is the one seen last.

        Returns:
            Whether value or quality differ from the last one seen. A new timestamp alone is no change that a
            subscription would report.
        """
        moment = data.SourceTimestamp or data.ServerTimestamp
        ts = self._clock() if moment is None else _epoch_ms(moment)
        value, quality = _judge(data)
        last = self._last.get(point.index)
        if last is not None and last[1] == Quality.DISCONNECTED and quality != last[1]:
            # Read again after the loss: the value may be older than the loss, that it holds is news of now.
            ts = max(ts, last[0] + 1, self._clock())
        # repr, because NaN differs from itself
        changed = last is None or (quality, repr(value)) != (last[1], repr(last[2]))
        if changed or last is None or ts > last[0]:
            self._last[point.index] = (ts, quality, value)
            self._columns.add(point.index, ts, value * point.scale + point.offset, quality)
        return changed

    async def _flush(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(_GATHER_S)
            self._dirty.clear()
            if not len(self._columns):
                continue
            batch, wrong = believable(self._columns.take(), self._clock())
            self._retained.put(batch)
            if wrong:
                self._status.rejected += 1
                self._status.fault(wrong, self._clock())
                self._intake.refuse(DeadLetter(self._link.code, Refusal.BAD_TIME, wrong, self._clock()))

    async def _watch(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(1.0, self._watchdog_s / 4))
            if client.uaclient.state.name != "CONNECTED":
                raise _SilentError("连接被对端关闭")
            if loop.time() - self._heard_at <= self._watchdog_s:
                continue
            if not await self._read_all(client):
                continue
            # A change just made may still be on its way; a living subscription brings it within two intervals.
            read_at = self._heard_at
            await asyncio.sleep(2 * self._publish_ms / 1000)
            if self._heard_at <= read_at:
                raise _SilentError(f"订阅静默 {self._watchdog_s:g} 秒而服务器上的值已变化,重建会话")


def _epoch_ms(moment: datetime) -> int:
    """Epoch ms of an OPC UA time, which is UTC by definition."""
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _judge(data: ua.DataValue) -> tuple[float, Quality]:
    """Value and quality of a DataValue."""
    status = data.StatusCode
    if status is not None and status.is_bad():
        return math.nan, Quality.DISCONNECTED
    raw = data.Value.Value if data.Value is not None else None
    try:
        value = float(raw)  # type: ignore[arg-type]  # what is no number raises, which is the question
    except (TypeError, ValueError, OverflowError):
        return math.nan, Quality.NOT_A_NUMBER
    return (value, Quality.GOOD) if math.isfinite(value) else (math.nan, Quality.NOT_A_NUMBER)


async def _secure(client: Client, mode: str, options: Mapping[str, str]) -> None:
    """Set up message security with a client certificate, made on first use."""
    if mode not in ("Sign", "SignAndEncrypt"):
        raise ValueError(f"OPC UA 安全模式 {mode!r} 应为 None、Sign 或 SignAndEncrypt")
    certificate, private_key = Path(options["certificate"]), Path(options["private_key"])
    await client.setup_self_signed_certificate(private_key, certificate)
    with contextlib.suppress(OSError):
        await asyncio.to_thread(private_key.chmod, 0o600)
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        certificate,
        private_key,
        server_certificate=options.get("server_certificate"),
        mode=getattr(ua.MessageSecurityMode, mode),
    )
