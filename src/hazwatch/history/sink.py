"""The history's end of the stream: gathers what is kept, inserts it in blocks, notes the offset after the insert."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hazwatch.history import thinning
from hazwatch.history.offsets import OffsetFile, Place
from hazwatch.history.store import Store
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.lanes import Lane


class HistorySink:
    """Takes judged batches in the order of the log."""

    def __init__(self, store: Store, offsets: OffsetFile, heartbeat_ms: int, points: int) -> None:
        self._store = store
        self._offsets = offsets
        self._heartbeat_ms = heartbeat_ms
        self.state = thinning.fresh(points)
        self._samples: list[SampleBatch] = []
        self._minutes: list[NDArray[np.void]] = []
        self._place = offsets.done
        self.stored = 0

    @property
    def done(self) -> Place:
        """Up to where the history is on disk."""
        return self._offsets.done

    @property
    def waiting(self) -> int:
        """Samples gathered and not yet inserted."""
        return sum(map(len, self._samples))

    def grow(self, points: int) -> None:
        """Make room for more points."""
        if points > len(self.state.ts):
            self.state = thinning.grown(self.state, points)

    def take(self, batch: SampleBatch, fate: NDArray[np.uint8], lane: Lane, sequence: int) -> bool:
        """Take the judged samples of one log message.

        Returns:
            True when a block that a crash interrupted is complete and must be flushed now.
        """
        kept, minutes = thinning.thin(self.state, batch, fate, self._heartbeat_ms)
        before = self._place
        self._place = (
            Place(sequence, before.background) if lane is Lane.LIVE else Place(before.live, sequence)
        )
        done = self._offsets.done.live if lane is Lane.LIVE else self._offsets.done.background
        if sequence > done:
            if len(kept):
                self._samples.append(kept)
            if len(minutes):
                self._minutes.append(minutes)
        return self._offsets.next is not None and self._place == self._offsets.next

    def admits(self, lane: Lane, sequence: int) -> bool:
        """Whether a message may be taken now: an interrupted block is finished before anything after it."""
        ends = self._offsets.next
        if ends is None:
            return True
        return sequence <= (ends.live if lane is Lane.LIVE else ends.background)

    async def flush(self) -> None:
        """Insert what was gathered and note the offset. Does nothing while an interrupted block is incomplete."""
        if self._offsets.next is not None and self._place != self._offsets.next:
            return
        if not self._place.covers(self._offsets.done) or self._place == self._offsets.done:
            return
        token = self._offsets.intend(self._place)
        samples, minutes = self._samples, self._minutes
        self._samples, self._minutes = [], []
        batch = SampleBatch.concat(samples)
        rows = np.concatenate(minutes) if minutes else np.zeros(0, thinning.ROLLUP)
        await self._store.insert_async(batch, rows, token)
        self._offsets.finish()
        self.stored += len(batch)
