"""Judging a point again from history: for samples that came later than memory reaches.

The walk begins at a moment of calm before the late sample (no alarm record stands there), so that it may begin from
nothing, and ends where the judge's own memory (the ring) begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from hazwatch.alarms.service import AlarmDesk, Finding
from hazwatch.history import query
from hazwatch.history.port import History
from hazwatch.judge.judge import from_history
from hazwatch.stream.findings import findings
from hazwatch.stream.state import StreamState
from hazwatch.vocabulary.moments import HOUR


class FromHistory:
    """Does it for one node."""

    def __init__(self, store: History, desk: AlarmDesk, kept: Callable[[], StreamState]) -> None:
        self._store = store
        self._desk = desk
        self._kept = kept

    async def __call__(self, point: int, since: int) -> Sequence[Finding]:
        """Findings that hold for a point after late samples from ``since`` (event time, epoch ms) on."""
        start = await asyncio.to_thread(self._desk.calm_before, point, since) - HOUR
        state = self._kept()
        first = await query.value_before(self._store, point, start)
        while True:
            end = self._memory_begins(point)
            ts, value, quality = await query.samples(self._store, point, start, end)
            if end == self._memory_begins(point):
                break
            # Memory moved on while the store was read: what left it has been flushed long since; ask for it too.
        if first is not None:
            ts = np.concatenate([[first[0]], ts])
            value = np.concatenate([[first[1]], value])
            quality = np.concatenate([[first[2]], quality]).astype(np.uint8)
        if not len(ts):
            return []
        rows = from_history(state.judge, state.limits, point, ts, value, quality)
        arrived = int(state.latest.received[point])
        return findings(rows, arrived, state.limits.version, background=True)

    def _memory_begins(self, point: int) -> int:
        ring = self._kept().judge.ring
        if ring.filled[point] == 0:
            return int(self._kept().judge.live.ts[point]) + 1
        return int(ring.ts[ring.start[point], point])
