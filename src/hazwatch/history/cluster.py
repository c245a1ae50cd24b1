"""The store of samples on a ClickHouse cluster: shards of replicas, spoken to over HTTP. The contract is ``Store``'s.

A point lies in one shard (``point % shards``, as the ``Distributed`` tables have it too). A block is cut by shard and
inserted into the shard's own table, at the replica that took the last one, else at the next one that answers. The
servers know a block that they have, by its token or its content (``dialect``), whichever replica it comes to; so the
sink may send a block again until it is confirmed, and it stands there once.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hazwatch.history import native
from hazwatch.history.dialect import MINUTE_DAYS, ClusterDialect
from hazwatch.samples.batch import SampleBatch

_log = logging.getLogger(__name__)
#: Rows of one insert. The server makes one part of each, which it takes or drops as a whole.
_ROWS = 1_000_000
_TIMEOUT = httpx.Timeout(30.0, connect=2.0)
_PAUSE_S = 0.1
#: How long a question waits for a shard that is away before it is refused.
_PATIENCE_S = 5.0
_HOUSE_S = 3600.0
#: How a server says that it lost its keeper in the middle of an insert.
_UNKNOWN_STATUS = "Code: 319"

Columns = Mapping[str, NDArray[Any]]


class StoreAwayError(RuntimeError):
    """No replica of a shard answers."""


@dataclass(frozen=True, slots=True)
class ClusterAddress:
    """Where the cluster is and how to sign in.

    Attributes:
        shards: URLs of the replicas of each shard.
        user, password: of the node.
        name: of the cluster in the servers' configuration.
        quorum: replicas that must have a block before it counts as stored; 0 = the one that took it.
        tls: for https URLs; None = as usual.
    """

    shards: tuple[tuple[str, ...], ...]
    user: str
    password: str = field(repr=False)
    name: str = "hazwatch"
    quorum: int = 0
    tls: ssl.SSLContext | None = None


def shards_of(text: str) -> tuple[tuple[str, ...], ...]:
    """Shards from a setting: shards are separated by semicolons, the replicas of each by commas."""
    groups = [[url.strip() for url in shard.split(",") if url.strip()] for shard in text.split(";")]
    return tuple(tuple(group) for group in groups if group)


class _Shard:
    """Replicas of a shard; remembers which one answered last."""

    def __init__(self, client: httpx.Client, urls: tuple[str, ...]) -> None:
        self._client = client
        self._urls = urls
        self._first = 0
        #: Replicas that lost their keeper in the middle of an insert and do not know themselves what became of it.
        self.doubtful: set[str] = set()

    def ask(self, body: bytes, params: Mapping[str, str]) -> bytes:
        """Send to the replica that answered last, else to the next.

        Raises:
            StoreAwayError: none of them took it; the text says why.
        """
        why = ""
        for turn in range(len(self._urls)):
            number = (self._first + turn) % len(self._urls)
            try:
                answer = self._client.post(self._urls[number], content=body, params=dict(params))
            except httpx.HTTPError as error:
                why = f"{self._urls[number]}: {error!r}"
                continue
            if answer.status_code == httpx.codes.OK:
                self._first = number
                return answer.content
            why = f"{self._urls[number]}: {answer.text[:300].strip()}"
            if _UNKNOWN_STATUS in why:
                self.doubtful.add(self._urls[number])
        raise StoreAwayError(f"历史库分片没有应答:{why}")

    def settle(self, statement: str) -> None:
        """Have doubtful replicas compare what they hold with the keeper; one that is away does so when it starts."""
        for url in tuple(self.doubtful):
            try:
                done = self._client.post(url, content=statement.encode()).status_code == httpx.codes.OK
            except httpx.HTTPError:
                done = True
            if done:
                self.doubtful.discard(url)


class ClusterStore:
    """The open store. Made by ``ClusterStore.open``; any number of processes may hold one."""

    def __init__(self, address: ClusterAddress, raw_days: int, minute_days: int = MINUTE_DAYS) -> None:
        context = address.tls or True
        login = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}
        self._client = httpx.Client(headers=login, timeout=_TIMEOUT, verify=context)
        self._shards = [_Shard(self._client, urls) for urls in address.shards]
        self._workers = ThreadPoolExecutor(2 * len(self._shards) + 2, thread_name_prefix="history")
        self._closed = threading.Event()
        self._quorum = address.quorum
        self._raw_days = raw_days
        self._minute_days = minute_days
        self._house_due = 0.0
        self.dialect = ClusterDialect(tokens=False)

    @classmethod
    def open(cls, address: ClusterAddress, raw_days: int, minute_days: int = MINUTE_DAYS) -> ClusterStore:
        """Connect, and create the tables on every replica that is there.

        Raises:
            StoreAwayError: a shard of which no replica answers or takes the tables.
        """
        store = cls(address, raw_days, minute_days)
        store.dialect = ClusterDialect.of(store._shards[0].ask(b"SELECT version()", {}).decode())
        for urls in address.shards:
            made = [store._prepare(url, address.name) for url in urls]
            if not any(made):
                raise StoreAwayError(f"历史库分片 {','.join(urls)} 没有可用的副本")
        return store

    def _prepare(self, url: str, cluster: str) -> bool:
        """Create the tables on one replica; one that is away gets them at a later start, and data when it is back."""
        try:
            for statement in self.dialect.schema(cluster, self._raw_days, self._minute_days):
                answer = self._client.post(url, content=statement.encode())
                if answer.status_code != httpx.codes.OK:
                    _log.warning("history %s: %s", url, answer.text[:300])
                    return False
        except httpx.HTTPError as error:
            _log.warning("history %s is away: %r", url, error)
            return False
        return True

    # --- inserting -------------------------------------------------------------------------------------------------

    def insert(self, batch: SampleBatch, minutes: NDArray[np.void], token: str) -> None:
        """Insert samples and rollup rows; returns when all shards have them. The same token inserts once.

        Raises:
            StoreAwayError: of a shard no replica took its part; the whole block may come again.
        """
        work = []
        for number, shard in enumerate(self._shards):
            mine = batch.point % len(self._shards) == number
            if mine.any():
                part = batch.take(mine)
                columns: Columns = {"point": part.point, "ts": part.ts, "value": part.value, "quality": part.quality}
                work.append(self._workers.submit(self._insert, shard, "samples", columns, token))
            mine = minutes["point"] % len(self._shards) == number
            if mine.any():
                rows = minutes[mine]
                columns = {name: np.ascontiguousarray(rows[name]) for name in minutes.dtype.names or ()}
                work.append(self._workers.submit(self._insert, shard, "minutes", columns, token))
        wait(work)
        for piece in work:
            piece.result()
        self._keep_house()

    async def insert_async(self, batch: SampleBatch, minutes: NDArray[np.void], token: str) -> None:
        """``insert`` without blocking the event loop."""
        await asyncio.to_thread(self.insert, batch, minutes, token)

    def _insert(self, shard: _Shard, table: str, columns: Columns, token: str) -> None:
        if not self.dialect.tokens:
            columns = _sorted(columns)
        rows = len(columns["point"])
        for start in range(0, rows, _ROWS):
            block = native.encode({name: values[start : start + _ROWS] for name, values in columns.items()})
            query = f"INSERT INTO hazwatch.{table}_local ({', '.join(columns)}) FORMAT Native"
            settings = self.dialect.insert_settings(f"{token}/{table}/{start}", self._quorum)
            shard.ask(block, {"query": query, **settings})
        if shard.doubtful:
            shard.settle(self.dialect.settle(table))

    def _keep_house(self) -> None:
        """Once an hour, drop days that are over where the servers do not do so by themselves."""
        question = self.dialect.expired(self._raw_days)
        if question is None or time.monotonic() < self._house_due:
            return
        self._house_due = time.monotonic() + _HOUSE_S
        for shard in self._shards:
            try:
                days = native.decode(shard.ask(f"{question} FORMAT Native".encode(), {})).get("day", np.zeros(0))
                for day in days.tolist():
                    shard.ask(self.dialect.drop(day).encode(), {})
            except StoreAwayError as error:
                _log.warning("history keeps days that are over for another hour: %s", error)

    # --- asking ----------------------------------------------------------------------------------------------------

    async def select(self, sql: str, point: int | None = None) -> pa.Table:
        """Run a query. The caller builds it from numbers only.

        Args:
            sql: over ``hazwatch.samples`` or ``hazwatch.minutes``.
            point: the only point it asks for; then the replica answers that took the point's last block.

        Raises:
            StoreAwayError: no answer within some seconds.
        """
        return await asyncio.wrap_future(self._workers.submit(self._select, sql, point))

    def _select(self, sql: str, point: int | None) -> pa.Table:
        shard = self._shards[0 if point is None else point % len(self._shards)]
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                data = shard.ask(f"{sql} FORMAT Native".encode(), self.dialect.select_settings())
            except StoreAwayError:
                if time.monotonic() > deadline or self._closed.wait(_PAUSE_S):
                    raise
            else:
                return pa.table(native.decode(data))

    def close(self) -> None:
        """Let go; what waits to be inserted is in the log still."""
        self._closed.set()
        self._workers.shutdown()
        self._client.close()


def _sorted(columns: Columns) -> Columns:
    """Rows in one order that only their content decides: the same rows make the same block, however they came."""
    order = np.lexsort(list(columns.values())[::-1])
    return {name: values[order] for name, values in columns.items()}
