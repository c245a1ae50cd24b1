"""A gateway of the national JSON form: one message a second into a durable outbox, and a sender that empties it.

The newest message goes first as ``report``; whatever is older than five seconds is history and follows as
``continues``, oldest first. A message leaves the outbox when the platform has acknowledged it or will never take it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from hazwatch.access.national.envelope import Keys, seal, sign
from hazwatch.simulator.outbox import Outbox
from hazwatch.simulator.rows import PointRow
from hazwatch.vocabulary.moments import CHINA, Clock, from_ms

#: Where the platform takes reports over HTTPS.
PATH: Final = "/ingest/v1/report"
_FRESH_MS: Final = 5_000
_RETRY_S: Final = 1.0
#: The message itself is at fault: it would be refused for ever.
_HOPELESS: Final = ("bad_time", "malformed", "too_large", "unknown_quota")
_log = logging.getLogger(__name__)


class Carrier(Protocol):
    """How a frame reaches the platform."""

    async def exchange(self, frame: bytes) -> dict[str, Any]:
        """Send a frame, return the reply. Raises OSError or httpx.HTTPError when there is none."""

    async def close(self) -> None:
        """Hang up."""


class HttpsCarrier:
    """POST over one kept connection.

    Args:
        url: of the platform, ``https://host:port``.
        ca: CA file; "" trusts the machine's CAs.
    """

    def __init__(self, url: str, ca: str) -> None:
        self._url = url
        self._ca = ca
        self._client: httpx.AsyncClient | None = None

    async def exchange(self, frame: bytes) -> dict[str, Any]:
        """See ``Carrier``."""
        if self._client is None:
            verify: Any = (
                ssl.create_default_context(cafile=self._ca or None) if self._url.startswith("https") else False
            )
            self._client = httpx.AsyncClient(base_url=self._url, verify=verify, timeout=5.0, trust_env=False)
        response = await self._client.post(PATH, content=frame)
        reply: dict[str, Any] = response.json()
        return reply

    async def close(self) -> None:
        """See ``Carrier``."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


class TcpCarrier:
    """Frames with ``@@`` over one kept connection."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, frame: bytes) -> dict[str, Any]:
        """See ``Carrier``."""
        async with asyncio.timeout(5.0):
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._where)
            reader, writer = self._streams
            writer.write(frame + b"@@")
            await writer.drain()
            try:
                raw = await reader.readuntil(b"@@")
            except asyncio.IncompleteReadError as error:
                raise ConnectionError("连接在应答前关闭") from error
        reply: dict[str, Any] = json.loads(raw[:-2])
        return reply

    async def close(self) -> None:
        """See ``Carrier``."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()


class NationalSpeaker:
    """A gateway.

    Args:
        code: gateway code. points: what it reports.
        secret: key material of the link.
        carrier: how frames travel.
        outbox: path of the outbox file.
        clock: epoch ms.
    """

    def __init__(
        self, code: str, points: Sequence[PointRow], secret: bytes, carrier: Carrier, outbox: Path, clock: Clock
    ) -> None:
        self._code = code
        self._points = points
        self._keys = Keys.of(secret)
        self._carrier = carrier
        self._path = outbox
        self._clock = clock
        self._outbox: Outbox | None = None
        self._sender: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._cut = False
        self._reported = 0  # the newest message that went out live
        self.last_error = ""

    @property
    def backlog(self) -> int:
        """Messages not yet acknowledged."""
        return len(self._outbox) if self._outbox is not None else 0

    async def start(self) -> None:
        """Open the outbox and send."""
        self._outbox = Outbox(self._path)
        self._sender = asyncio.create_task(self._send_for_ever())

    async def stop(self) -> None:
        """Stop sending; what was not acknowledged stays in the file."""
        if self._sender is not None:
            self._sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sender
        await self._carrier.close()
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None

    def cut(self) -> None:
        """Take the line away."""
        self._cut = True

    def restore(self) -> None:
        """Give it back."""
        self._cut = False
        self._wake.set()

    async def say(self, now: int, values: Mapping[str, float]) -> None:
        """Put the values of ``now`` (epoch ms) into the outbox."""
        if self._outbox is None:
            return
        datas = [{"quotaId": p.address, "value": f"{values[p.tag]:.6g}"} for p in self._points]
        message = {
            "collectTime": from_ms(now).astimezone(CHINA).strftime("%Y%m%d%H%M%S"),
            "dataId": str(uuid.uuid4()),
            "dataType": "energy_data",
            "datas": datas,
            "enterpriseId": self._code[:9],
            "gatewayId": self._code,
            "isConnectDataSource": "true",
        }
        self._outbox.put(now, json.dumps(message).encode())
        self._wake.set()

    async def _send_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while not self._cut and await self._send_next():
                    pass
            except (OSError, TimeoutError, ValueError, httpx.HTTPError) as error:
                self.last_error = f"上报失败,数据已暂存: {error}"
                await self._carrier.close()
                await asyncio.sleep(_RETRY_S)
                self._wake.set()

    async def _send_next(self) -> bool:
        """Send the newest if it is fresh and has not been sent, else the oldest; False when nothing is left."""
        assert self._outbox is not None  # noqa: S101  # the sender lives between start and stop
        item = self._outbox.newest()
        if item is None:
            return False
        if item[0] <= self._reported or self._clock() - item[1] > _FRESH_MS:
            item = self._outbox.oldest() or item
        message, at, body = item
        fresh = self._clock() - at <= _FRESH_MS
        reply = await self._carrier.exchange(self._frame(body, "report" if fresh else "continues"))
        if not reply.get("success") and reply.get("code") not in _HOPELESS:
            raise ConnectionError(f"{reply.get('code')}: {reply.get('error')}")
        self._outbox.drop(message)
        self._reported = max(self._reported, message)
        return True

    def _frame(self, body: bytes, kind: str) -> bytes:
        message = json.loads(body)
        message["reportType"] = kind
        text = seal(json.dumps(message).encode(), self._keys)
        outer = {
            "enterpriseId": self._code[:9],
            "gatewayId": self._code,
            "report": text,
            "sign": sign(text, self._keys),
        }
        return json.dumps(outer).encode()
