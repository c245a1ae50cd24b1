"""A log in memory, a history in memory, and a pipeline that can be killed at any step of its work."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from tests.alarms.support import table

from hazwatch.alarms.facts import PointFacts
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.store import lines_of_record
from hazwatch.history.offsets import OffsetFile, Place
from hazwatch.history.sink import HistorySink
from hazwatch.judge.limits import Limits
from hazwatch.judge.quality import PointKinds
from hazwatch.log.reader import LogMessage
from hazwatch.log.shares import BACKGROUND, CONTROL, LIVE
from hazwatch.records import Sessions, reading
from hazwatch.samples.batch import Origin, SampleBatch
from hazwatch.samples.codec import Frame, encode
from hazwatch.stream import control, state
from hazwatch.stream.pipeline import Pipeline
from hazwatch.vocabulary.lanes import Lane

NOON = 1_795_417_200_000
ARRIVED = NOON + 600_000
SUBJECT = {Lane.LIVE: LIVE, Lane.BACKGROUND: BACKGROUND}


class Crash(BaseException):
    """The process dies here: nothing below may catch it as an error of its work."""


class Fuse:
    """Burns at every step; at the last one the process dies."""

    def __init__(self, steps: int | None = None) -> None:
        self.left = steps
        self.burnt = 0

    def burn(self) -> None:
        self.burnt += 1
        if self.left is not None and self.burnt >= self.left:
            raise Crash


def facts(index: int) -> PointFacts:
    code = f"410902001001G0001YW{index + 1:03d}"
    return PointFacts(
        index, code, f"液位{index}", "YW", "m", "410902001001", "罐区", "410902001", "甲", "/410000/", simulated=False
    )


def limits(points: int, version: int = 1, high: float = 8.0, **delays: int) -> Limits:
    """低低 1 低 2 高 8 高高 9, deadband 0.5."""
    return Limits(
        version, np.tile([1.0, 2.0, high, 9.0], (points, 1)), np.full(points, 0.5),
        np.full(points, delays.get("on_ms", 0)), np.full(points, delays.get("off_ms", 0)),
    )  # fmt: skip


@dataclass
class MemoryLog:
    """Messages as the log would number them."""

    messages: list[LogMessage] = field(default_factory=list)
    limits: Limits = field(default_factory=lambda: Limits.none(0))

    def append(self, subject: str, data: bytes) -> int:
        self.messages.append(LogMessage(len(self.messages) + 1, subject, data))
        return len(self.messages)

    def samples(
        self, *samples: tuple, lane: Lane = Lane.LIVE, sequence: int = -1, gateway: int = 1, received: int = ARRIVED
    ) -> int:
        """One frame of samples (point, seconds, value[, quality])."""
        batch = SampleBatch.of(
            [s[0] for s in samples], [NOON + int(s[1] * 1000) for s in samples], [s[2] for s in samples],
            [s[3] if len(s) > 3 else 0 for s in samples],
        )  # fmt: skip
        return self.append(SUBJECT[lane], encode([Frame(Origin(gateway, sequence, received, lane), batch)]))

    def tick(self, seconds: float) -> int:
        return self.append(CONTROL, control.encode_tick(NOON + int(seconds * 1000)))

    def new_limits(self, new: Limits, seconds: float) -> None:
        for record in control.encode_limits(self.limits, new, NOON + int(seconds * 1000)):
            self.append(CONTROL, record)
        self.limits = new


class FakeLanes:
    """Gives the messages after a place, in batches of random size."""

    def __init__(self, log: MemoryLog, place: Place, rng: random.Random, fuse: Fuse) -> None:
        after = {Lane.LIVE: place.live, Lane.BACKGROUND: place.background}
        self._waiting = {
            lane: [m for m in log.messages if (m.subject == BACKGROUND) == (lane is Lane.BACKGROUND) and m.sequence > n]
            for lane, n in after.items()
        }
        self._rng = rng
        self._fuse = fuse

    def start(self) -> None: ...

    async def stop(self) -> None: ...

    def backlog(self, lane: Lane) -> int:
        return len(self._waiting[lane])

    async def next(self, until: Place | None, patience_s: float) -> tuple[Lane, list[LogMessage]] | None:
        del patience_s
        self._fuse.burn()
        for lane in self._rng.sample(list(self._waiting), 2):
            ready = self._waiting[lane]
            end = None if until is None else until.live if lane is Lane.LIVE else until.background
            most = self._rng.randint(1, 6)
            batch = [m for m in ready[:most] if end is None or m.sequence <= end]
            if batch:
                del ready[: len(batch)]
                return lane, batch
        return None


class MemoryStore:
    """The contract of the store: the same token inserts once, also when a crash fell between the two tables."""

    def __init__(self) -> None:
        self.samples: dict[str, SampleBatch] = {}
        self.minutes: dict[str, bytes] = {}
        self.fuse = Fuse()

    async def insert_async(self, batch: SampleBatch, minutes: np.ndarray, token: str) -> None:
        self.fuse.burn()
        self.samples.setdefault(token, batch)
        self.fuse.burn()
        self.minutes.setdefault(token, [row.tobytes() for row in minutes])
        self.fuse.burn()

    def content(self) -> tuple[Counter, Counter]:
        rows: Counter = Counter()
        for batch in self.samples.values():
            columns = (batch.point, batch.ts, batch.value, batch.quality)
            rows.update((int(p), int(t), repr(float(v)), int(q)) for p, t, v, q in zip(*columns, strict=True))
        minutes: Counter = Counter()
        for block in self.minutes.values():
            minutes.update(block)
        return rows, minutes


class FusedOffsets(OffsetFile):
    """The note on disk, with a crash before or after each writing."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self._fuse = fuse

    def intend(self, place: Place) -> str:
        self._fuse.burn()
        token = super().intend(place)
        self._fuse.burn()
        return token

    def finish(self) -> None:
        self._fuse.burn()
        super().finish()
        self._fuse.burn()


class FusedDesk(AlarmDesk):
    """The alarm desk, with a crash before or after each transaction."""

    fuse = Fuse()

    def apply(self, *args, **kwargs):
        self.fuse.burn()
        done = super().apply(*args, **kwargs)
        self.fuse.burn()
        return done


@dataclass
class Node:
    """What survives a crash: the log, the records, the history, the folder."""

    log: MemoryLog
    sessions: Sessions
    home: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    ticks: list[tuple[int, bool]] = field(default_factory=list)
    announced: list = field(default_factory=list)
    rejudged: list[tuple[int, int]] = field(default_factory=list)

    def pipeline(self, rng: random.Random, fuse: Fuse, *, desk_class=FusedDesk, rejudge=None) -> Pipeline:
        """A pipeline after a start, as the engine wires it."""
        kept = state.load(self.home / "snapshots")
        self.store.fuse = fuse
        self.desk = desk_class(self.sessions, facts)
        self.desk.fuse = fuse
        sink = HistorySink(self.store, FusedOffsets(self.home / "offset", fuse), 20_000, kept.place)

        async def announce(records) -> None:
            self.announced += records

        async def on_tick(until: int, live: bool) -> None:  # the pipeline's callback has this form
            self.ticks.append((until, live))

        async def nothing(point: int, since: int) -> Sequence:
            self.rejudged.append((point, since))
            return []

        return Pipeline(
            kept, FakeLanes(self.log, kept.place, rng, fuse), sink, self.desk, kinds=PointKinds.unknown(0),
            folder=self.home / "snapshots", snapshot_s=3.0, announce=announce, on_tick=on_tick,
            rejudge=rejudge or nothing,
        )  # fmt: skip

    async def run(self, rng: random.Random | None = None, fuse: Fuse | None = None, **kwargs) -> Pipeline:
        """Work as ``Pipeline.run`` does until the log is read, on a clock of the test's own."""
        rng, fuse = rng or random.Random(1), fuse or Fuse()
        pipe = self.pipeline(rng, fuse, **kwargs)
        now = 0.0
        with pytest.MonkeyPatch.context() as dying:
            dying.setattr(state, "save", _fused_save(fuse))
            try:
                return await self._work(pipe, rng, now)
            finally:
                # Where the fuse burnt out, every further step of what went on beside dies at once, as with the process.
                tasks = [*pipe._beside, *([pipe._sink._task] if pipe._sink._task else [])]
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, pipe: Pipeline, rng: random.Random, now: float) -> Pipeline:
        while True:
            work = await pipe.lanes.next(pipe._until(), 0.0)
            if work is not None:
                await pipe._take(*work)
                pipe._worked = now
            now += rng.choice([0.1, 0.6, 1.1])
            await pipe._keep_house(now)
            if work is None and not any(pipe.lanes.backlog(lane) for lane in Lane):
                await pipe.settle()
                await pipe._sink.flush()
                await pipe._pay_debts()
                return pipe
            if rng.random() < 0.3:
                await pipe.settle()
            await asyncio.sleep(0)

    def outcome(self):
        """Everything a person can see afterwards."""
        rows = table(self.sessions)
        with reading(self.sessions) as session:
            lives = [lines_of_record(session, r.id) for r in rows]
        return rows, lives, self.store.content()


_save = state.save


def _fused_save(fuse: Fuse):
    def saved(kept, folder):
        fuse.burn()
        path = _save(kept, folder)
        fuse.burn()
        return path

    return saved
