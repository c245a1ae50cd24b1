"""The history's end of the stream: gathers what is kept, inserts it in blocks, notes the offset after the insert."""

from __future__ import annotations

import asyncio
import logging

import numpy as np
from numpy.typing import NDArray

from hazwatch.history import thinning
from hazwatch.history.offsets import Offsets, Place
from hazwatch.history.port import History
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.lanes import Lane

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 15.0


class HistorySink:
    """Takes judged batches in the order of the log."""

    def __init__(self, store: History, offsets: Offsets, heartbeat_ms: int, place: Place) -> None:
        self._store = store
        self._offsets = offsets
        self._heartbeat_ms = heartbeat_ms
        self._samples: list[SampleBatch] = []
        self._minutes: list[NDArray[np.void]] = []
        self._place = place
        self._interrupted = offsets.next
        self._task: asyncio.Task[None] | None = None
        self.stored = 0
        #: Why the newest block is not in the store yet; empty when all is well.
        self.fault = ""

    @property
    def done(self) -> Place:
        """Up to where the history is on disk."""
        return self._offsets.done

    @property
    def waiting(self) -> int:
        """Samples gathered and not yet inserted."""
        return sum(map(len, self._samples))

    @property
    def interrupted(self) -> Place | None:
        """Where a block ends that a crash interrupted, until it is gathered again and its insert begins."""
        return self._interrupted

    def take(
        self, state: thinning.Thinning, batch: SampleBatch, fate: NDArray[np.uint8], lane: Lane, sequence: int
    ) -> None:
        """Take the judged samples of the log up to ``sequence`` of a lane.

        Args:
            state: what thinning remembers; changed in place.
            batch: N samples.
            fate: what the judge made of each.
            lane, sequence: place of the last message they came from.
        """
        kept, minutes = thinning.thin(state, batch, fate, self._heartbeat_ms)
        self.pass_by(lane, sequence)
        done = self._offsets.done.live if lane is Lane.LIVE else self._offsets.done.background
        if sequence > done:
            if len(kept):
                self._samples.append(kept)
            if len(minutes):
                self._minutes.append(minutes)

    def also(self, batch: SampleBatch, lane: Lane, sequence: int) -> None:
        """Keep samples that thinning had left out and that a late one made necessary."""
        done = self._offsets.done.live if lane is Lane.LIVE else self._offsets.done.background
        if sequence > done and len(batch):
            self._samples.append(batch)

    def pass_by(self, lane: Lane, sequence: int) -> None:
        """Note a place in the log that brought no samples."""
        place = self._place
        self._place = Place(sequence, place.background) if lane is Lane.LIVE else Place(place.live, sequence)

    def begin_flush(self) -> asyncio.Task[None] | None:
        """Begin to insert what was gathered; the stream goes on meanwhile.

        None when there is nothing to insert, when a block is under way, or while an interrupted one is incomplete.
        """
        if self._task is not None and not self._task.done():
            return None
        if self._interrupted is not None and self._place != self._interrupted:
            return None
        if not self._place.covers(self._offsets.done) or self._place == self._offsets.done:
            return None
        self._interrupted = None
        samples, minutes = self._samples, self._minutes
        self._samples, self._minutes = [], []
        self._task = asyncio.create_task(self._insert(self._place, samples, minutes), name="history block")
        return self._task

    async def flush(self) -> None:
        """Insert what was gathered and note the offset. Does nothing while an interrupted block is incomplete."""
        if self._task is not None:
            await self._task
        task = self.begin_flush()
        if task is not None:
            await task

    def check(self) -> None:
        """Raise what ended the last block badly, if anything did."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def abandon(self) -> None:
        """Give up the block that is under way; a start forms it again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _insert(self, place: Place, samples: list[SampleBatch], minutes: list[NDArray[np.void]]) -> None:
        token = await asyncio.to_thread(self._offsets.intend, place)
        batch = SampleBatch.concat(samples)
        rows = np.concatenate(minutes) if minutes else np.zeros(0, thinning.ROLLUP)
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._store.insert_async(batch, rows, token)
            except (RuntimeError, OSError) as error:
                # A full disk, a cluster that is away: the token makes a second attempt safe; the log keeps the rest.
                self.fault = str(error)
                _log.error(
                    "history block %s not inserted, trying again in %.0f s: %s", token, pause, error
                )  # the text says it
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE_S, 2 * pause)
            else:
                break
        self.fault = ""
        await asyncio.to_thread(self._offsets.finish)
        self.stored += len(batch)
