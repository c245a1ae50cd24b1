"""The store of samples: chDB, one process, every statement in one worker thread. ``cluster`` is its larger sister.

Two tables. ``samples`` holds what ``thinning`` keeps; a sample is identified by (point, event time), so what is
inserted twice reads as once. ``minutes`` holds partial rollups that add up. Every insert carries a token: a block that
is inserted again after a crash is recognised and dropped.
"""

from __future__ import annotations

import asyncio
import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hazwatch.history.dialect import MINUTE_DAYS, embedded_schema
from hazwatch.samples.batch import SampleBatch


class Store:
    """The open store. Made by ``Store.open``; only one process may hold it."""

    def __init__(self, session: Any, worker: ThreadPoolExecutor) -> None:
        self._session = session
        self._worker = worker

    @classmethod
    def open(cls, folder: Path, raw_days: int, minute_days: int = MINUTE_DAYS) -> Store:
        """Open or create the store.

        Raises:
            RuntimeError: another process holds it, or the folder is damaged; the text says which.
        """
        from chdb.session import Session

        folder.mkdir(parents=True, exist_ok=True)
        worker = ThreadPoolExecutor(1, thread_name_prefix="history")

        def begin() -> Any:
            session = Session(str(folder))
            for statement in embedded_schema(raw_days, minute_days):
                session.query(statement)
            return session

        try:
            return cls(worker.submit(begin).result(), worker)
        except RuntimeError as error:
            worker.shutdown()
            why = "已被另一个进程打开" if _is_held(folder) else "无法打开,目录可能已损坏"
            raise RuntimeError(f"历史库 {folder} {why}:{error}") from error

    def insert(self, batch: SampleBatch, minutes: NDArray[np.void], token: str) -> None:
        """Insert samples and rollup rows; returns when both are on disk. The same token inserts once."""
        self._worker.submit(self._insert, batch, minutes, token).result()

    async def insert_async(self, batch: SampleBatch, minutes: NDArray[np.void], token: str) -> None:
        """``insert`` without blocking the event loop."""
        await asyncio.wrap_future(self._worker.submit(self._insert, batch, minutes, token))

    def _insert(self, batch: SampleBatch, minutes: NDArray[np.void], token: str) -> None:
        # A gateway that was away for long brings many days in one block; the engine's limit of 100 would stop all.
        options = (
            f"SETTINGS insert_deduplicate = 1, insert_deduplication_token = '{token}', "
            "max_partitions_per_insert_block = 0"
        )
        if len(batch):
            samples = pa.table({"point": batch.point, "ts": batch.ts, "value": batch.value, "quality": batch.quality})
            self._session.query(
                f"INSERT INTO hazwatch.samples SELECT point, ts, value, quality FROM Python(samples) {options}"  # noqa: S608  # no outside text in it
            )
            del samples
        if len(minutes):
            rows = pa.table({name: np.ascontiguousarray(minutes[name]) for name in minutes.dtype.names or ()})
            self._session.query(
                "INSERT INTO hazwatch.minutes SELECT point, minute, low, high, total, last, last_ts, count "  # noqa: S608  # no outside text in it
                f"FROM Python(rows) {options}"
            )
            del rows

    async def select(self, sql: str, point: int | None = None) -> pa.Table:
        """Run a query. The caller builds it from numbers only, and says so when it asks for one ``point`` only."""
        del point  # here everything lies in one place
        return await asyncio.wrap_future(self._worker.submit(self._select, sql))

    def _select(self, sql: str) -> pa.Table:
        data = self._session.query(sql, "ArrowStream").bytes()
        return pa.ipc.open_stream(data).read_all() if data else pa.table({})

    def close(self) -> None:
        """Close the store in good order."""
        self._worker.submit(self._session.close).result()
        self._worker.shutdown()


def _is_held(folder: Path) -> bool:
    """Whether a process holds the lock that the engine takes on an open store."""
    try:
        with (folder / "status").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
