"""Two lanes of the log side by side: live first, background when live has nothing to say."""

from __future__ import annotations

import asyncio
from collections import deque

from hazwatch.history.offsets import Place
from hazwatch.log.client import Log
from hazwatch.log.reader import LogMessage, LogReader
from hazwatch.log.shares import CONTROL, WHOLE, Share
from hazwatch.vocabulary.lanes import Lane

#: Messages held ready per lane; beyond it the reader waits, and the log keeps the rest.
_READY = 512
#: Messages judged in one go. More is faster, less is sooner: live data wait for as long as one go of history takes.
_BACKGROUND_BYTES = 1 << 20
_TOGETHER = {Lane.LIVE: 256, Lane.BACKGROUND: 16}


class Lanes:
    """Reads both lanes and gives out messages in the order of each."""

    def __init__(self, log: Log, place: Place, share: Share = WHOLE) -> None:
        live, background = [share.lane(Lane.LIVE), share.named(CONTROL)], [share.lane(Lane.BACKGROUND)]
        self._readers = {
            Lane.LIVE: LogReader(log, live, place.live, share.stream),
            Lane.BACKGROUND: LogReader(log, background, place.background, share.stream),
        }
        self._ready: dict[Lane, deque[LogMessage]] = {lane: deque() for lane in self._readers}
        self._room = {lane: asyncio.Event() for lane in self._readers}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to read."""
        self._tasks = [asyncio.create_task(self._fill(lane), name=f"read {lane.name}") for lane in self._readers]

    async def _fill(self, lane: Lane) -> None:
        async for batch in self._readers[lane].batches():
            self._ready[lane].extend(batch)
            self._news.set()
            while len(self._ready[lane]) >= _READY:
                self._room[lane].clear()
                await self._room[lane].wait()

    def backlog(self, lane: Lane) -> int:
        """Messages of a lane that wait here and in the log."""
        return len(self._ready[lane]) + self._readers[lane].pending

    async def next(self, until: Place | None, patience_s: float) -> tuple[Lane, list[LogMessage]] | None:
        """The next messages of one lane, live first; None when nothing came within ``patience_s``.

        Args:
            until: take nothing beyond this place (an interrupted block of the history comes first).
            patience_s: how long to wait.
        """
        batch = self._pick(until)
        if batch is None:
            self._news.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._news.wait()
            except TimeoutError:
                return None
            batch = self._pick(until)
        return batch

    def _pick(self, until: Place | None) -> tuple[Lane, list[LogMessage]] | None:
        for lane, ready in self._ready.items():
            end = None if until is None else (until.live if lane is Lane.LIVE else until.background)
            batch: list[LogMessage] = []
            size = 0
            while ready and len(batch) < _TOGETHER[lane] and (end is None or ready[0].sequence <= end):
                size += len(ready[0].data)
                if batch and lane is Lane.BACKGROUND and size > _BACKGROUND_BYTES:
                    break
                batch.append(ready.popleft())
            if len(ready) < _READY:
                self._room[lane].set()
            if batch:
                return lane, batch
        return None

    async def stop(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
