"""Recorded files: plays CSV, Parquet and Tennessee Eastman text back as if it were arriving now, or as history.

Options of a ``recorded`` link (``LinkConfig.address`` is the path of the file):
    speed: 1 = as recorded, 60 = sixty times faster, 0 = as fast as the intake takes it. Default 1.
    start: ``original`` keeps the recorded times (background lane); ``now`` shifts the first sample to now (live lane).
        Default ``now``. With ``now`` and a speed the event times are compressed likewise, so that they stay near now.
    loop: ``on`` starts again at the end. Default off.
    step_s: seconds between two rows of a file without times (Tennessee Eastman), 180.
    epoch: time of the first row of such a file, ISO 8601; default 2000-01-01.

Points are addressed by their code, or by tag in wide files and ``XMEAS(1)`` … ``XMV(11)`` in Tennessee Eastman files.
Bad rows become dead letters with row numbers; the rest plays.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import numpy as np

from hazwatch.access.columns import mark_unusable
from hazwatch.access.directory import LinkConfig
from hazwatch.access.port import Intake, IntakeClosedError, StatusBoard
from hazwatch.access.recordings import Recording, load
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame
from hazwatch.vocabulary.faults import DeadLetter
from hazwatch.vocabulary.lanes import Lane
from hazwatch.vocabulary.moments import Clock, parse

_BATCH: Final = 50_000
_SLICE_S: Final = 0.2  # looks at the clock at least so often …
_GATHER_S: Final = 0.05  # … and gathers at least so long
_RETRY_S: Final = 1.0


class RecordedAdapter:
    """Plays one file.

    Args:
        link: the gateway whose points the file holds.
        intake: where samples go.
        board: link statuses.
        clock: epoch ms.
    """

    def __init__(self, link: LinkConfig, intake: Intake, board: StatusBoard, clock: Clock) -> None:
        self._link = link
        self._intake = intake
        self._status = board.of(link)
        self._clock = clock
        options = link.options
        self._speed = float(options.get("speed", "1"))
        self._shift = options.get("start", "now") == "now"
        self._loop = options.get("loop", "off") == "on"
        self._step_ms = round(float(options.get("step_s", "180")) * 1000)
        self._epoch = parse(options.get("epoch", "2000-01-01T00:00:00Z"))

    async def run(self) -> None:
        """Play to the end (and again, if asked to), then stay.

        Raises:
            ValueError: the file is no recording.
        """
        recording = await asyncio.to_thread(load, Path(self._link.address), self._link, self._epoch, self._step_ms)
        for reason, detail, count in recording.faults:
            self._status.rejected += count
            self._status.fault(detail, self._clock())
            self._intake.refuse(DeadLetter(self._link.code, reason, detail, self._clock(), count))
        self._status.connected = True
        try:
            while len(recording.batch):
                await self._play(recording)
                if not self._loop:
                    break
            await asyncio.Event().wait()
        finally:
            self._status.connected = False

    async def _play(self, recording: Recording) -> None:
        batch = mark_unusable(recording.batch)
        first = int(batch.ts[0])
        began = self._clock()
        lane = Lane.LIVE if self._shift else Lane.BACKGROUND
        if self._shift:
            pace = self._speed or 1.0
            ts = began + ((batch.ts - first) / pace).astype(np.int64)
            batch = SampleBatch(batch.point, ts, batch.value, batch.quality)
        elapsed = (recording.batch.ts - first) / (self._speed or np.inf)  # ms of our clock after the start
        at = 0
        while at < len(batch):
            due = int(np.searchsorted(elapsed, self._clock() - began, side="right")) if self._speed else len(batch)
            stop = min(max(due, at), at + _BATCH)
            if stop == at:
                wait_s = (elapsed[at] - (self._clock() - began)) / 1000
                await asyncio.sleep(min(_SLICE_S, max(_GATHER_S, wait_s)))
                continue
            await self._submit(batch.take(slice(at, stop)), lane)
            at = stop

    async def _submit(self, batch: SampleBatch, lane: Lane) -> None:
        while True:
            now = self._clock()
            try:
                await self._intake.submit(Frame(Origin(self._link.gateway, -1, now, lane), batch))
            except IntakeClosedError as error:  # the file does not run away: try again
                self._status.fault(f"日志不可用: {error}", now)
                await asyncio.sleep(_RETRY_S)
            else:
                self._status.received(len(batch), now, int(batch.ts.max()))
                return
