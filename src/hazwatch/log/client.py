"""The log as the rooms see it: append durably, read from an offset, tell and ask other processes of the node.

One stream, ``HZ_SAMPLES``: ``hz.samples.live`` · ``hz.samples.background`` · ``hz.samples.control`` (ticks, limits);
one for each share where the enterprises are dealt out (``shares``).
Beside it plain subjects, which keep nothing: ``hz.live.>`` (to the pages) and ``hz.rpc.>`` (requests).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import nats
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from hazwatch.log.shares import SAMPLES, WHOLE, Share

_log = logging.getLogger(__name__)

_APPEND_TIMEOUT_S = 5.0
#: A large stream takes a while to recover after a crash of the server.
_RECOVERY_S = 60.0
#: Word in a stream's metadata that says in how many shares the log is dealt out.
_SHARES = "shares"


class LogAwayError(RuntimeError):
    """The log did not confirm within the time allowed: nothing may be acknowledged."""


class WrongSharesError(RuntimeError):
    """The log was dealt out in another number of shares than this process is told."""


class RpcError(RuntimeError):
    """The other process refused the request; carries its reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class LogConfig:
    """How long the log remembers, and on how many servers of a cluster each message lies.

    ``gib`` is for all shares together.
    """

    hours: int
    gib: float
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class LogAddress:
    """Where the log is and how to sign in.

    Attributes:
        urls: one server, or several of a cluster: whichever is there is used.
        user, password: of the node.
        tls: for servers beyond loopback; None = as the URLs say.
    """

    urls: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = None


Handler = Callable[[bytes], Awaitable[bytes]]


class Log:
    """A connection to the log."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.jetstream: JetStreamContext = client.jetstream(timeout=_APPEND_TIMEOUT_S)

    @classmethod
    async def connect(cls, address: LogAddress, name: str, *, patience_s: float = 20.0) -> Log:
        """Connect, waiting for a server that is only just starting.

        Raises:
            LogAwayError: no server within ``patience_s``.
        """
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                # The client tries for ever by itself (that is wanted once it has been connected), so it is timed here.
                async with asyncio.timeout_at(max(deadline, asyncio.get_running_loop().time() + 0.1)):
                    client = await nats.connect(
                        list(address.urls), user=address.user, password=address.password, name=name, tls=address.tls,
                        max_reconnect_attempts=-1, reconnect_time_wait=0.1, error_cb=_quiet,
                        pending_size=64 * 1024 * 1024,
                    )  # fmt: skip
                return cls(client)
            except (OSError, NatsError, TimeoutError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise LogAwayError(
                        f"日志服务 {','.join(address.urls)} 在 {patience_s:.0f} 秒内没有应答:{error}"
                    ) from error
                await asyncio.sleep(0.1)

    async def ensure_stream(self, config: LogConfig, share: Share = WHOLE) -> None:
        """Create the stream, or bring its limits up to date. Waits while JetStream is still recovering.

        Raises:
            LogAwayError: the server refuses; its reason is in the message.
            WrongSharesError: the log is dealt out in another number of shares.
        """
        wanted = StreamConfig(
            name=share.stream, subjects=[share.subjects], retention=RetentionPolicy.LIMITS, storage=StorageType.FILE,
            discard=DiscardPolicy.OLD, max_age=config.hours * 3600.0,
            max_bytes=int(config.gib * 1024**3 / share.count), num_replicas=config.replicas, duplicate_window=120.0,
            allow_direct=True, metadata={_SHARES: str(share.count)},
        )  # fmt: skip
        deadline = asyncio.get_running_loop().time() + _RECOVERY_S
        while True:
            try:
                there = {info.config.name or "": info.config for info in await self.jetstream.streams_info()}
                _agree(there, share)
                known = share.stream in there
                await (self.jetstream.update_stream(wanted) if known else self.jetstream.add_stream(wanted))
            except (NatsError, TimeoutError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise LogAwayError(f"日志流 {share.stream} 无法建立:{error}") from error
                await asyncio.sleep(0.1)
            else:
                return

    async def append(self, subject: str, data: bytes, *, patience_s: float = 30.0) -> int:
        """Append one message; returns its sequence number once it is on disk.

        It is sent again under the same id while the server is away, so it stands in the log once.

        Raises:
            LogAwayError: not confirmed within ``patience_s``.
        """
        headers = {"Nats-Msg-Id": uuid.uuid4().hex}
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            try:
                ack = await self.jetstream.publish(subject, data, headers=headers, timeout=_APPEND_TIMEOUT_S)
            except (NatsError, TimeoutError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise LogAwayError(f"日志没有确认写入:{error}") from error
                await asyncio.sleep(0.05)
            else:
                return ack.seq

    async def tell(self, subject: str, data: bytes) -> None:
        """Publish to whoever listens now; nothing is kept."""
        try:
            await self.client.publish(subject, data)
        except (NatsError, OSError) as error:
            _log.warning("%s: not told: %s", subject, error)

    async def listen(self, subject: str, callback: Callable[[bytes], Awaitable[None]]) -> None:
        """Call back for every message told to a subject from now on."""

        async def on_message(message: Msg) -> None:
            await callback(message.data)

        await self.client.subscribe(subject, cb=on_message)

    async def serve(self, subject: str, handler: Handler) -> None:
        """Answer requests. A ``RpcError`` of the handler reaches the asker as such; each request is its own task."""
        tasks: set[asyncio.Task[None]] = set()

        async def answer(message: Msg) -> None:
            try:
                await message.respond(b"+" + await handler(message.data))
            except RpcError as error:
                await message.respond(b"-" + orjson.dumps({"code": error.code, "message": str(error)}))
            except Exception as error:  # noqa: BLE001  # one bad request must not end the service
                _log.exception("%s: request failed", subject)
                await message.respond(b"-" + orjson.dumps({"code": "internal", "message": str(error)}))

        async def on_message(message: Msg) -> None:
            task = asyncio.create_task(answer(message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        await self.client.subscribe(subject, cb=on_message)

    async def ask(self, subject: str, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
        """Send a request and wait for its answer.

        Raises:
            RpcError: refused, or nobody answered (code ``away``).
        """
        try:
            reply = await self.client.request(subject, data, timeout=timeout_s)
        except (NatsError, TimeoutError, OSError) as error:
            raise RpcError("away", f"服务 {subject} 没有应答") from error
        if reply.data[:1] == b"+":
            return reply.data[1:]
        refused = orjson.loads(reply.data[1:])
        raise RpcError(refused["code"], refused["message"])

    @property
    def connected(self) -> bool:
        """Whether the server is there at this moment."""
        return self.client.is_connected

    async def close(self) -> None:
        """Close the connection."""
        await self.client.close()


def _agree(there: Mapping[str, StreamConfig], share: Share) -> None:
    """Two processes with different numbers of shares would take the same enterprise for theirs."""
    for name, config in there.items():
        said = (config.metadata or {}).get(_SHARES, "1")
        if name.startswith(SAMPLES) and said != str(share.count):
            raise WrongSharesError(
                f"日志流 {name} 分为 {said} 份,而设置 shares 为 {share.count}:份数在启用后不能改变(见 docs/scale.md)"
            )


async def _quiet(error: Exception) -> None:
    """Connection errors while the server restarts are normal; the client reconnects by itself."""
    _log.debug("log connection: %s", error)
