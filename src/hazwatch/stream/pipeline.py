"""The pipeline: what happens to every message of the log, in this order, and what is durable when.

    decode → drop frames seen before → examine quality → judge → latest values → thin → history block
                                                            └→ findings → alarm records (one transaction with offset)

Inserting a block, writing a snapshot (of a copy of the state) and judging from history go on beside the stream.

Stopping is crashing: a stop saves nothing, because half of a batch may be in the sinks; the next start plays the log
after the last snapshot again, at most ``snapshot_s`` of it.

The pipeline acknowledges nothing to the log. Every sink keeps its own offset with its data; after a crash the newest
snapshot is loaded, the log after it is judged again, and each sink skips what it has. A snapshot is written only after
the history is flushed, so no sink is ever behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hazwatch.alarms.model import KIND_PROCESS, Record
from hazwatch.alarms.service import AlarmDesk, Finding
from hazwatch.history import latest
from hazwatch.history.offsets import Place
from hazwatch.history.sink import HistorySink
from hazwatch.judge import judge as judging
from hazwatch.judge import kernel
from hazwatch.judge.limits import Limits
from hazwatch.judge.quality import PointKinds, examined
from hazwatch.log.reader import LogMessage
from hazwatch.log.shares import CONTROL
from hazwatch.samples import codec
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.stream import control, state
from hazwatch.stream.findings import findings
from hazwatch.stream.lanes import Lanes
from hazwatch.vocabulary.lanes import Lane

_log = logging.getLogger(__name__)
_FLUSH_S = 1.0
_IDLE_S = 0.05
#: Samples that wait for the store beyond which nothing more is judged, 21 bytes each.
_MOST_WAITING = 20_000_000
#: While the log is played again up to a known place: silence after which what is missing is taken for expired.
_MISSED_S = 60.0

#: Called with alarm records that changed, after they are durable.
Announce = Callable[[list[Record]], Awaitable[None]]
#: Called at every tick with its event time, after the judge; ``live`` is False while old ticks are played again.
OnTick = Callable[[int, bool], Awaitable[None]]
#: Judges a point again from history; see ``rejudge``.
Rejudge = Callable[[int, int], Awaitable[Sequence[Finding]]]


@dataclass(slots=True)
class Counters:
    """What the pipeline did since it started; shown on /metrics."""

    samples: int = 0
    duplicates: int = 0
    late: int = 0
    older: int = 0
    frames_twice: int = 0
    damaged: int = 0
    transitions: int = 0
    newest_event: int = 0
    newest_received: int = 0


class Pipeline:
    """Moves batches through the rooms."""

    def __init__(
        self, kept: state.StreamState, lanes: Lanes, sink: HistorySink, desk: AlarmDesk, *, kinds: PointKinds,
        folder: Path, snapshot_s: float, announce: Announce, on_tick: OnTick, rejudge: Rejudge,
        saved_at: Callable[[Path], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.kept = kept
        self.kinds = kinds
        self.counters = Counters()
        #: Place of the newest limits record in the live lane; until it is taken, the background lane waits.
        self.limits_due = 0
        self.desk_lock = asyncio.Lock()
        self.lanes = lanes
        self._sink = sink
        self._desk = desk
        self._folder = folder
        self._snapshot_s = snapshot_s
        self._announce = announce
        self._on_tick = on_tick
        self._rejudge = rejudge
        self._saved_at = saved_at
        self._flushed = 0.0
        self._saved = 0.0
        self._worked = 0.0
        self._told = Place(*desk.offset)
        self._beside: set[asyncio.Task[None]] = set()
        self._spare: state.StreamState | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        self.lanes.start()
        loop = asyncio.get_running_loop()
        self._flushed = self._saved = self._worked = loop.time()
        try:
            while True:
                if self._sink.waiting > _MOST_WAITING:
                    # The store has been away for minutes. The log keeps what comes; memory must not.
                    await asyncio.sleep(_IDLE_S)
                    await self._keep_house(loop.time())
                    continue
                work = await self.lanes.next(self._until(), _IDLE_S)
                if work is not None:
                    await self._take(*work)
                    self._worked = loop.time()
                await self._keep_house(loop.time())
        finally:
            await self.abandon()
            await self.lanes.stop()

    async def settle(self) -> None:
        """Wait for what goes on beside the stream.

        Raises:
            Exception: whatever ended one of these pieces of work.
        """
        await asyncio.gather(*self._beside)

    async def abandon(self) -> None:
        """Give up what goes on beside the stream; a start does it again from the log."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, self._sink.abandon(), return_exceptions=True)

    def _until(self) -> Place | None:
        """How far the log may be played for now; None = as far as there is.

        After a crash both lanes are played again up to the place that the alarm records have, and no further: how the
        lanes interleave is chance, and what one lane brings from beyond would meet records that know more of the other
        than the judge does at that moment. The same holds for a block of the history that the crash interrupted.
        """
        places = [place for place in (self._sink.interrupted,) if place is not None]
        if not self.kept.place.covers(self._told):
            places.append(self._told)
        if not places and self.kept.place.live < self.limits_due:
            # What the background lane brings is judged under the limits that are on their way, not before them.
            places.append(Place(self.limits_due, self.kept.place.background))
        # Both lie on the one way that the crashed run went, so one of them covers the other.
        return min(places, key=lambda place: (place.live, place.background), default=None)

    @property
    def history_fault(self) -> str:
        """Why the history takes nothing at the moment; empty when it does."""
        return self._sink.fault

    @property
    def waiting(self) -> int:
        """Samples that wait for the history."""
        return self._sink.waiting

    async def flush(self) -> None:
        """Bring what the history has gathered to the store."""
        await self._sink.flush()

    async def _keep_house(self, now: float) -> None:
        if now - self._worked > _MISSED_S and not self.kept.place.covers(self._told):
            _log.warning("the log no longer holds everything up to %s; going on from %s", self._told, self.kept.place)
            self._told = self.kept.place
        interrupted = self._sink.interrupted
        if interrupted is not None and self.kept.place.covers(interrupted):
            await self._sink.flush()
        self._sink.check()
        for task in self._beside:
            if task.done():
                task.result()
        self._beside = {task for task in self._beside if not task.done()}
        if now - self._saved >= self._snapshot_s and self._sink.interrupted is None and not self._beside:
            self._saved = now
            self._spare = state.copied(self.kept, self._spare)
            self._begin_beside(self._save(self._sink.begin_flush(), self._spare))
        if now - self._flushed >= _FLUSH_S:
            self._flushed = now
            self._sink.begin_flush()
            if self.kept.owed and not self._beside:
                self._begin_beside(self._pay_debts())

    def _begin_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin work that must not hold up the stream; one piece at a time."""
        self._beside.add(asyncio.create_task(work))

    async def _save(self, flushing: asyncio.Task[None] | None, kept: state.StreamState) -> None:
        """Write a snapshot of the state as it was when the block ended that is being inserted."""
        if flushing is not None:
            await flushing
        if self._sink.done.covers(kept.place):
            self._saved_at(await asyncio.to_thread(state.save, kept, self._folder))

    async def _take(self, lane: Lane, messages: list[LogMessage]) -> None:
        """Messages of one lane in order; samples that lie together are judged together."""
        together: list[LogMessage] = []
        marks = self._marks(lane)
        for message in messages:
            if message.subject.startswith(CONTROL):
                await self._samples(lane, together)
                together = []
                await self._control(message)
                continue
            together.append(message)
            if message.sequence in marks:
                await self._samples(lane, together)
                together = []
        await self._samples(lane, together)

    def _marks(self, lane: Lane) -> set[int]:
        """Places where a sink's own offset lies: batches must not straddle them."""
        interrupted = self._sink.interrupted or self._sink.done
        if lane is Lane.LIVE:
            return {self._sink.done.live, interrupted.live, self._desk.offset[0]}
        return {self._sink.done.background, interrupted.background, self._desk.offset[1]}

    async def _samples(self, lane: Lane, messages: list[LogMessage]) -> None:
        if not messages:
            return
        batch, received = self._decoded(messages)
        sequence = messages[-1].sequence
        kept = self.kept
        self.make_room(int(batch.point.max()) + 1 if len(batch) else 0)
        batch = examined(batch, self.kinds)
        verdict = judging.judge(kept.judge, kept.limits, batch)
        latest.update(kept.latest, batch, received, verdict.fate)
        self._count(batch, verdict, received)
        self._owe(batch, verdict)
        # Followers first: where a follower was itself replaced later in this batch, the later word must stand.
        self._sink.also(verdict.followers, lane, sequence)
        self._sink.take(kept.thinning, batch, verdict.fate, lane, sequence)
        self._advance(lane, sequence)
        if len(verdict.rows):
            arrived = int(received.max())
            found = findings(verdict.rows, arrived, kept.limits.version, background=lane is Lane.BACKGROUND)
            await self._record(found, lane, sequence)

    def _decoded(self, messages: list[LogMessage]) -> tuple[SampleBatch, NDArray[np.int64]]:
        """All samples of the messages, without frames that came twice; and the arrival of each."""
        batches: list[SampleBatch] = []
        received: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        for message in messages:
            try:
                decoded = codec.decode(message.data)
            except ValueError as error:
                # Only a damaged disk leads here: what we append is well-formed.
                self.counters.damaged += 1
                _log.warning("message %d of the log is damaged and skipped: %s", message.sequence, error)
                continue
            new = np.array([self._is_new(origin) for origin in decoded.origins], np.bool_)
            if new.all():
                batches.append(decoded.batch)
                received.append(decoded.received_at())
            elif new.any():
                keep = np.repeat(new, decoded.counts)
                batches.append(decoded.batch.take(keep))
                received.append(decoded.received_at()[keep])
        return SampleBatch.concat(batches), np.concatenate(received)

    def _is_new(self, origin: Origin) -> bool:
        new = self.kept.seen.is_new(origin.gateway, origin.sequence)
        self.counters.frames_twice += not new
        return new

    def make_room(self, points: int) -> None:
        """Know at least so many points; new ones have no limits until a control record brings them."""
        kept = self.kept
        if points > kept.points:
            grown = Limits.none(points, kept.limits.version)
            n = kept.points
            for name in ("threshold", "deadband", "on_delay_ms", "off_delay_ms"):
                getattr(grown, name)[:n] = getattr(kept.limits, name)
            kept.limits = grown
        kept.grow(kept.points)
        if len(self.kinds.low) < kept.points:
            more = PointKinds.unknown(kept.points - len(self.kinds.low))
            self.kinds = PointKinds(
                np.concatenate([self.kinds.low, more.low]),
                np.concatenate([self.kinds.high, more.high]),
                np.concatenate([self.kinds.flow_of, more.flow_of]),
                self.kinds.frozen_after_ms,
            )

    def _count(self, batch: SampleBatch, verdict: judging.Verdict, received: NDArray[np.int64]) -> None:
        counters = self.counters
        fates = np.bincount(verdict.fate, minlength=4)
        counters.samples += len(batch)
        counters.late += int(fates[kernel.LATE])
        counters.duplicates += int(fates[kernel.DUPLICATE])
        counters.older += int(fates[kernel.OLDER])
        if len(batch):
            counters.newest_event = max(counters.newest_event, int(batch.ts.max()))
            counters.newest_received = max(counters.newest_received, int(received.max()))

    def _owe(self, batch: SampleBatch, verdict: judging.Verdict) -> None:
        """Remember points whose samples are older than memory: they are judged from history after the next flush."""
        older = np.flatnonzero(verdict.fate == kernel.OLDER)
        if not len(older):
            return
        points, which = np.unique(batch.point[older], return_inverse=True)
        oldest = np.full(len(points), np.iinfo(np.int64).max)
        np.minimum.at(oldest, which, batch.ts[older])
        for point, ts in zip(points.tolist(), oldest.tolist(), strict=True):
            self.kept.owed[point] = min(ts, self.kept.owed.get(point, ts))

    async def _pay_debts(self) -> None:
        """Judge points from history while no new background work waits; beside the stream, which never waits for it."""
        if self._until() is not None or self.lanes.backlog(Lane.BACKGROUND):
            return
        await self._sink.flush()
        for point in list(self.kept.owed)[:10]:
            since = self.kept.owed.pop(point)
            found = await self._rejudge(point, since)
            if found:
                await self._record(found, Lane.BACKGROUND, None)

    async def _control(self, message: LogMessage) -> None:
        kept = self.kept
        live = message.sequence > self._desk.offset[0]
        self._sink.pass_by(Lane.LIVE, message.sequence)
        self._advance(Lane.LIVE, message.sequence)
        try:
            record = control.decode(message.data)
        except ValueError as error:
            # As with samples: stopping here for ever would help nobody.
            self.counters.damaged += 1
            _log.error(
                "control record %d of the log is damaged and skipped: %s", message.sequence, error
            )  # no trace needed
            return
        if isinstance(record, control.Tick):
            rows = judging.tick(kept.judge, kept.limits, record.until)
            arrived = record.until
        else:
            new = record.applied(kept.limits)
            kept.grow(len(new))
            before = control.LimitsRecord.applied(_nothing_new(record), kept.limits)
            rows = judging.relimit(kept.judge, before, new, record.at)
            kept.limits = new
            self.make_room(len(new))
            arrived = record.at
        if len(rows):
            await self._record(
                findings(rows, arrived, kept.limits.version, background=False), Lane.LIVE, message.sequence
            )
        if isinstance(record, control.Tick):
            await self._on_tick(record.until, live)

    def _advance(self, lane: Lane, sequence: int) -> None:
        place = self.kept.place
        self.kept.place = Place(sequence, place.background) if lane is Lane.LIVE else Place(place.live, sequence)

    async def _record(self, found: Sequence[Finding], lane: Lane, sequence: int | None) -> None:
        """Bring findings into the alarm records, unless they are there since before a restart."""
        if sequence is not None and sequence <= self._desk.offset[0 if lane is Lane.LIVE else 1]:
            return
        self.counters.transitions += len(found)
        # A timer that fired changes a level without a new value: the pages must hear of it all the same.
        self.kept.latest.touched[[finding.point for finding in found]] |= latest.CHANGED
        place = self.kept.place
        async with self.desk_lock:
            offset = self._desk.offset
            if sequence is not None:
                # What history brought says nothing of how far the stream's own findings are in the records.
                offset = (max(place.live, offset[0]), max(place.background, offset[1]))
            records = await asyncio.to_thread(self._desk.apply, found, offset, KIND_PROCESS)
        await self._announce(records)


def _nothing_new(record: control.LimitsRecord) -> control.LimitsRecord:
    """The same record without its changes: only the number of points."""
    return control.LimitsRecord(
        record.version, record.at, record.points, record.index[:0], record.threshold[:0], record.deadband[:0],
        record.on_delay_ms[:0], record.off_delay_ms[:0],
    )  # fmt: skip
