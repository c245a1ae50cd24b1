"""The history's end of the stream: gathers what is kept, inserts it in blocks, notes the offset after the insert."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hazwatch.history import thinning
from hazwatch.history.offsets import OffsetFile, Place
from hazwatch.history.port import History
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.lanes import Lane


class HistorySink:
    """Takes judged batches in the order of the log."""

    def __init__(self, store: History, offsets: OffsetFile, heartbeat_ms: int, place: Place) -> None:
        self._store = store
        self._offsets = offsets
        self._heartbeat_ms = heartbeat_ms
        self._samples: list[SampleBatch] = []
        self._minutes: list[NDArray[np.void]] = []
        self._place = place
        self.stored = 0

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
        """Where a block ends that a crash interrupted, until it is complete again."""
        return self._offsets.next

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
