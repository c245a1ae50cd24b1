"""Who owns which share: leases in a key-value bucket of the log.

Every worker says four times in a lease's length that it is alive, and renews the leases it holds. No clocks are
compared: a lease is over when its entry has not changed for ``lease_s`` as *we* saw it. Whoever takes it writes the
entry over the very revision it saw, so only one of several can; the revision of that write is the token that fences the
former owner out of the stores (``records.fence``). While the bucket is away nothing is over: nobody could have renewed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nats.errors import Error as NatsError
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError, NotFoundError
from nats.js.kv import KeyValue

from hazwatch.log.client import Log, LogAwayError

_log = logging.getLogger(__name__)
BUCKET = "HZ_LEASES"
_NOBODY = ""
_RECOVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Holding:
    """A lease as it was seen last.

    Attributes:
        owner: of the lease; empty = given back.
        revision: of the entry.
        fresh: whether the entry changed within a lease's length.
    """

    owner: str = _NOBODY
    revision: int = 0
    fresh: bool = False

    @property
    def free(self) -> bool:
        """Whether anybody may take it."""
        return self.owner == _NOBODY or not self.fresh


def plan(holdings: Sequence[Holding], me: str, workers: int) -> tuple[list[int], list[int]]:
    """Which shares I should take and which give back, so that all ``workers`` (me among them) hold about as many.

    Nobody takes more than an equal part, rounded up; whoever has more gives the rest back.
    """
    most = math.ceil(len(holdings) / max(1, workers))
    mine = [number for number, held in enumerate(holdings) if held.owner == me]
    free = [number for number, held in enumerate(holdings) if held.owner != me and held.free]
    return free[: max(0, most - len(mine))], mine[most:]


@dataclass(slots=True)
class _Seen:
    revision: int
    since: float
    value: bytes


#: Begins to work on a share with a token; returns when the work has begun.
Take = Callable[[int, int], Awaitable[None]]
#: Stops to work on a share; returns when nothing of it runs any more.
Give = Callable[[int], Awaitable[None]]


@dataclass(slots=True)
class Leases:
    """Takes part in the dealing out of shares.

    Attributes:
        log: connection.
        me: name of this worker, unique for its life.
        count: of shares.
        lease_s: a silent worker loses its shares after this time.
        take, give: see ``Take``, ``Give``.
    """

    log: Log
    me: str
    count: int
    lease_s: float
    take: Take
    give: Give
    held: dict[int, int] = field(default_factory=dict)
    _seen: dict[str, _Seen] = field(default_factory=dict)

    async def run(self, replicas: int) -> None:
        """Take part until cancelled.

        Raises:
            LogAwayError: the bucket cannot be made.
        """
        bucket = await self._bucket(replicas)
        try:
            while True:
                try:
                    await self._round(bucket)
                except (NatsError, TimeoutError, OSError) as error:
                    _log.info("leases: %s", error)
                    # What nobody could renew meanwhile is not over: begin to watch anew.
                    self._seen.clear()
                await asyncio.sleep(self.lease_s / 4)
        finally:
            for number in list(self.held):
                with contextlib.suppress(NatsError, TimeoutError, OSError):
                    await self._give_back(bucket, number)

    async def _bucket(self, replicas: int) -> KeyValue:
        config = KeyValueConfig(bucket=BUCKET, history=1, storage=StorageType.FILE, replicas=replicas)
        deadline = asyncio.get_running_loop().time() + _RECOVERY_S
        while True:
            try:
                try:
                    return await self.log.jetstream.key_value(BUCKET)
                except NotFoundError:
                    return await self.log.jetstream.create_key_value(config)
            except (NatsError, TimeoutError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise LogAwayError(f"租约桶 {BUCKET} 无法建立:{error}") from error
                await asyncio.sleep(0.1)

    async def _round(self, bucket: KeyValue) -> None:
        for number in list(self.held):
            await self._renew(bucket, number)
        await bucket.put(f"worker.{self.me}", b"")
        seen = await self._look(bucket)
        workers = {key.partition(".")[2] for key, entry in seen.items() if key.startswith("worker.") and entry.fresh}
        holdings = [seen.get(f"share.{number}", Holding()) for number in range(self.count)]
        take, give = plan(holdings, self.me, len(workers | {self.me}))
        for number in give:
            if number in self.held:
                await self._give_back(bucket, number)
        for number in take:
            await self._try(bucket, number, holdings[number].revision)

    async def _look(self, bucket: KeyValue) -> Mapping[str, Holding]:
        """Every entry, and whether it changed within a lease's length as we saw it."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self.lease_s):
                keys = await bucket.keys()
        except (NotFoundError, NoKeysError):
            keys = []
        found: dict[str, Holding] = {}
        for key in keys:
            try:
                entry = await bucket.get(key)
            except KeyNotFoundError:
                continue
            revision = entry.revision or 0
            before = self._seen.get(key)
            if before is None or before.revision != revision:
                before = self._seen[key] = _Seen(revision, now, entry.value or b"")
            fresh = now - before.since < self.lease_s
            found[key] = Holding((entry.value or b"").decode(), revision, fresh)
            if not fresh and key.startswith("worker."):
                await bucket.delete(key)
        return found

    async def _try(self, bucket: KeyValue, number: int, revision: int) -> None:
        key = f"share.{number}"
        try:
            token = await bucket.update(key, self.me.encode(), last=revision)
        except KeyWrongLastSequenceError:
            return  # somebody was faster
        _log.info("share %d is ours, token %d", number, token)
        self.held[number] = token
        await self.take(number, token)

    async def _renew(self, bucket: KeyValue, number: int) -> None:
        key = f"share.{number}"
        try:
            self.held[number] = await bucket.update(key, self.me.encode(), last=self.held[number])
        except KeyWrongLastSequenceError:
            # It may be our own renewal whose answer was lost.
            entry = await bucket.get(key)
            if entry.value == self.me.encode() and entry.revision is not None:
                self.held[number] = entry.revision
                return
            _log.warning("share %d was taken over by %s", number, entry.value)
            del self.held[number]
            await self.give(number)

    async def _give_back(self, bucket: KeyValue, number: int) -> None:
        _log.info("share %d is given back", number)
        await self.give(number)
        revision = self.held.pop(number)
        await bucket.update(f"share.{number}", _NOBODY.encode(), last=revision)
