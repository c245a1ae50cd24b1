"""Reading the log from an offset, in order, without a gap, whatever happens to the server meanwhile.

A reader owns a consumer that acknowledges nothing: the offset is kept by whoever made its results durable. Messages
are pulled, so a slow reader holds back nobody else. The consumer numbers what it delivers; a jump in these numbers, or
silence longer than the server's own time-out, makes the reader start a new consumer after the last message it got; so
does a consumer that delivers nothing although messages wait.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from hazwatch.log.client import Log
from hazwatch.log.shares import SAMPLES

_log = logging.getLogger(__name__)
_PULL = 256
_EXPIRES_S = 2.0
_SILENCE_S = 3.5


@dataclass(frozen=True, slots=True)
class LogMessage:
    """One message of the log with its place."""

    sequence: int
    subject: str
    data: bytes


class LogReader:
    """Reads some subjects of a stream after a sequence number."""

    def __init__(self, log: Log, subjects: list[str], after: int, stream: str = SAMPLES) -> None:
        self._log = log
        self._stream = stream
        self._subjects = subjects
        self.at = after
        #: Messages that wait in the log; unknown, so "many", until the server has said.
        self.pending = 1 << 30
        self._inbox: asyncio.Queue[Msg] = asyncio.Queue()

    async def batches(self) -> AsyncIterator[list[LogMessage]]:
        """Messages as they come, for ever; those that wait together come together."""
        while True:
            try:
                async for batch in self._consume():
                    yield batch
            except (NatsError, TimeoutError, OSError) as error:
                _log.info("log reader starts again after %d: %s", self.at, error)
                await asyncio.sleep(0.1)

    async def _consume(self) -> AsyncIterator[list[LogMessage]]:
        js, client = self._log.jetstream, self._log.client
        config = ConsumerConfig(
            name=f"r{uuid.uuid4().hex[:12]}", filter_subjects=self._subjects, ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self.at + 1,
            inactive_threshold=60.0, mem_storage=True, num_replicas=1,
        )  # fmt: skip
        consumer = await js.add_consumer(self._stream, config)
        self.pending = consumer.num_pending or 0
        self._inbox = asyncio.Queue()
        subject = client.new_inbox()

        async def keep(message: Msg) -> None:
            self._inbox.put_nowait(message)

        subscription = await client.subscribe(subject, cb=keep, pending_bytes_limit=1 << 30)
        delivered, stalled = 0, False
        try:
            while True:
                await self._pull(consumer.name, subject)
                wanted = _PULL
                while wanted > 0:
                    batch, over = await self._take(delivered)
                    delivered += len(batch)
                    wanted -= len(batch)
                    if batch:
                        self.at = batch[-1].sequence
                        yield batch
                    if over:
                        break
                if wanted == _PULL:
                    stalled = await self._stalled(consumer.name, stalled)
        finally:
            await subscription.unsubscribe()

    async def _stalled(self, consumer: str, before: bool) -> bool:
        """Whether messages wait although a whole pull brought none.

        Raises:
            NatsError: the same twice in a row: this consumer delivers no more.
        """
        info = await self._log.jetstream.consumer_info(self._stream, consumer)
        self.pending = info.num_pending or 0
        if self.pending and before:
            raise NatsError(f"{self.pending} messages wait and none is delivered")
        return self.pending > 0

    async def _pull(self, consumer: str, inbox: str) -> None:
        request = orjson.dumps({"batch": _PULL, "expires": int(_EXPIRES_S * 1e9)})
        await self._log.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{consumer}", request, reply=inbox)

    async def _take(self, delivered: int) -> tuple[list[LogMessage], bool]:
        """What lies in the inbox; and whether the pull has ended."""
        async with asyncio.timeout(_SILENCE_S):
            waiting = [await self._inbox.get()]
        while not self._inbox.empty():
            waiting.append(self._inbox.get_nowait())
        batch: list[LogMessage] = []
        for message in waiting:
            if message.headers and "Status" in message.headers:
                if message.headers["Status"] in ("404", "408"):
                    return batch, True
                raise NatsError(f"pull ended: {message.headers}")
            place = message.metadata
            if place.sequence.consumer != delivered + len(batch) + 1:
                raise NatsError(f"a delivery is missing before {place.sequence.stream}")
            self.pending = place.num_pending
            batch.append(LogMessage(place.sequence.stream, message.subject, message.data))
        return batch, False
