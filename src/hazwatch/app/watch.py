"""What the engine does at every tick besides judging: quality alarms, risk, and telling the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from hazwatch.alarms.model import KIND_QUALITY, Record, Transition
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.store import form
from hazwatch.app.facts import Picture
from hazwatch.judge.quality import frozen
from hazwatch.log.client import Log
from hazwatch.risk.confidence import shares, usable
from hazwatch.risk.evidence import Approach
from hazwatch.risk.service import Graded, RiskDesk, SourceFacts
from hazwatch.risk.trend import Window
from hazwatch.stream import packed, wire
from hazwatch.stream.state import StreamState
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.quality import Quality

if TYPE_CHECKING:
    from hazwatch.app.riskroom import RiskRoom

#: Qualities that raise an alarm of their own. A silent link is one fault on the links page, not one per point.
_ALARMING = (Quality.OVER_RANGE, Quality.UNDER_RANGE, Quality.NOT_A_NUMBER, Quality.FROZEN)
#: How often grades follow what is known of their inputs, and how much must have changed.
_CONFIDENCE_EVERY_MS = 3_000
_DOUBT = 0.05
#: Sources re-scored at a time, and the pause after each round of work.
_AT_ONCE = 64
_BREATH_S = 0.2
#: Alarm records or grades in one message to the pages; a flood is many messages, each far below the log's largest.
_TOLD_TOGETHER = 500


class Room(Protocol):
    """The alarm room, as far as ticks go."""

    async def on_tick(self, until: int) -> None:
        """Event time has passed up to ``until``."""


class Watch:
    """Keeps quality alarms and grades in step with the stream, and tells what changed."""

    #: Set by the engine right after; both in turn ask us.
    risk: RiskDesk
    room: Room
    look: RiskRoom

    def __init__(self, log: Log, desk: AlarmDesk, lock: asyncio.Lock, begun: int) -> None:
        self._log = log
        self._desk = desk
        self._lock = lock
        #: Held by whoever grades. Comes before the alarm desk's lock, which is held only while inputs are taken.
        self.grading = asyncio.Lock()
        self._window = Window(0)
        self._approaches: dict[str, list[Approach]] = {}
        self._confidence_due = 0
        self._confidence: dict[str, float] = {}
        self._moved: set[str] = set()
        self._moment = self._ticked = self._looked = 0
        #: When this engine began: a point that was never heard has been silent since.
        self.begun = begun
        self._work = asyncio.Event()
        #: Called when grades were written.
        self.graded: Callable[[], None] = lambda: None
        self.picture: Picture | None = None
        self.state: StreamState | None = None

    # --- what the risk desk asks for -------------------------------------------------------------------------------

    def approaches_of(self, source: str) -> list[Approach]:
        """Its points that move towards a limit."""
        return self._approaches.get(source, [])

    def confidence_of(self, source: SourceFacts) -> float:
        """Share of the source's points whose value may be used, as of the last look; 0 when nothing ever came."""
        return self._confidence.get(source.code, 0.0)

    def usable(self) -> NDArray[np.bool_]:
        """Which points have a value that may be used now, bool[P]."""
        state, picture = self.state, self.picture
        if state is None or picture is None:
            return np.zeros(0, np.bool_)
        size = len(picture.inputs.gateway)
        return usable(picture.inputs, state.latest.received[:size], state.latest.quality[:size], self._newest())

    def _look(self) -> None:
        """See which values may be used now."""
        picture = self.picture
        if self.state is None or picture is None:
            return
        good = self.usable()
        shared = shares(picture.inputs, good).tolist()
        self._confidence = {s.code: share for s, share in zip(picture.sources, shared, strict=True)}

    # --- events ----------------------------------------------------------------------------------------------------

    async def announce(self, records: Sequence[Record]) -> None:
        """Alarm records changed and are durable: tell the pages; their sources are re-scored beside the stream."""
        picture = self.picture
        if picture is None or not records:
            return
        named = [(picture.facts(r.point), r) for r in records]
        told = [{"path": f.path, "alarm": form(r, f)} for f, r in named]
        for start in range(0, len(told), _TOLD_TOGETHER):
            await self._log.tell(wire.SUBJECT_ALARMS, orjson.dumps(told[start : start + _TOLD_TOGETHER]))
        self._moved.update(f.source for f, _ in named)
        self.look.note((f.source, r) for f, r in named)
        self._moment = max(self._moment, *(r.arrived_at for r in records))
        self._work.set()

    def regrade(self, sources: Iterable[str], now: int) -> None:
        """The registry, the records or the configuration are others: grade sources anew, beside the stream."""
        self._moved.update(sources)
        self._moment = max(self._moment, now)
        self._work.set()

    async def on_tick(self, until: int, live: bool) -> None:  # the pipeline's callback has this form
        """Event time has passed: quality alarms, trends, the passing of time in grades are looked at beside it."""
        if live:
            self._ticked = until
            self._work.set()

    async def run(self) -> None:
        """Follow what happened, until cancelled. The stream never waits for this."""
        while True:
            await self._work.wait()
            self._work.clear()
            moved, self._moved = self._moved, set()
            await self._grade(moved, max(self._moment, self._newest()))
            if self._ticked > self._looked:
                self._looked = self._ticked
                await self._look_around(self._looked)
            await asyncio.sleep(_BREATH_S)

    async def _look_around(self, until: int) -> None:
        if self.state is None or self.picture is None:
            return
        await self._quality_alarms(until)
        await self.room.on_tick(until)
        self._moved |= self.look.balance(until)
        if until >= self._window.due:
            await self._trends(until)
        elif until >= self._confidence_due:
            self._confidence_due = until + _CONFIDENCE_EVERY_MS
            await self._grade(await asyncio.to_thread(self._doubted), until)

    def _doubted(self) -> set[str]:
        """Sources of which more or less is known than their grade says."""
        picture = self.picture
        if picture is None:
            return set()
        self._look()
        grades = self.risk.grades
        return {
            s.code
            for s in picture.sources
            if s.code in grades and abs(self.confidence_of(s) - grades[s.code].confidence) > _DOUBT
        }

    async def _grade(self, sources: set[str], now: int) -> None:
        """Re-score, a few sources at a time: the alarm desk waits while inputs are taken, not while they are scored."""
        left = sorted(sources)
        for start in range(0, len(left), _AT_ONCE):
            part = left[start : start + _AT_ONCE]
            async with self.grading:
                async with self._lock:
                    await asyncio.to_thread(self.risk.take, part, now)
                graded = await asyncio.to_thread(self.risk.rescore, part, now, look=False)
            await self.tell_grades(graded)
            self._moved |= self.look.around(graded)

    async def tell_grades(self, graded: Sequence[Graded]) -> None:
        """Tell the pages, and whoever makes warnings of grades."""
        if graded:
            self.graded()
        for start in range(0, len(graded), _TOLD_TOGETHER):
            part = [{"path": g.path, "grade": g.form()} for g in graded[start : start + _TOLD_TOGETHER]]
            await self._log.tell(wire.SUBJECT_GRADES, orjson.dumps(part))

    def _newest(self) -> int:
        return int(self.state.judge.clock[0]) if self.state is not None else 0

    async def _trends(self, until: int) -> None:
        state, picture = self.state, self.picture
        if state is None or picture is None:
            return
        before = set(self._approaches)
        self._approaches = await asyncio.to_thread(self._approaching, state, picture, until)
        recent = await asyncio.to_thread(self._window.recent, len(state.latest.ts))
        moved = await asyncio.to_thread(self.look.look_around, picture, until, recent)
        moved |= before | set(self._approaches) | self.risk.restless() | self.look.declared_sources()
        moved |= await asyncio.to_thread(self._doubted)
        await self._grade(moved, until)

    def _approaching(self, state: StreamState, picture: Picture, until: int) -> dict[str, list[Approach]]:
        kept = state.latest
        fresh = (until - kept.ts < 5 * 60_000) & (kept.quality == Quality.GOOD)
        self._window.add(until, np.where(fresh, kept.value, np.nan))
        points = np.arange(len(kept.ts))
        calm = packed.levels(state.judge, points) == 0
        found = self._window.approaches(state.limits.threshold, picture.span, self.risk.configuration.time_horizon_min)
        near: dict[str, list[Approach]] = {}
        for p, approach in found.items():
            if p < len(calm) and calm[p]:
                facts = picture.facts(p)
                near.setdefault(facts.source, []).append(Approach(facts.name, *approach, facts.code))
        return near

    async def _quality_alarms(self, until: int) -> None:
        state, picture = self.state, self.picture
        if state is None or picture is None:
            return
        bad, quality = await asyncio.to_thread(_alarming, state, picture)
        standing = self._desk.standing(KIND_QUALITY)
        begun = [p for p in np.flatnonzero(bad).tolist() if p not in standing]
        over = [p for p in standing if p < len(bad) and not bad[p]]
        found = [self._quality_change(p, int(quality[p]), Level.NORMAL, Level.H, until) for p in begun]
        found += [self._quality_change(p, int(quality[p]), Level.H, Level.NORMAL, until) for p in over]
        if found:
            async with self._lock:
                records = await asyncio.to_thread(self._desk.apply, found, self._desk.offset, KIND_QUALITY)
            await self.announce(records)

    def _quality_change(self, point: int, code: int, before: Level, after: Level, until: int) -> Transition:
        version = self.state.limits.version if self.state is not None else 0
        return Transition(point, until, until, before, after, float(code), float("nan"), version)


def _alarming(state: StreamState, picture: Picture) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which points have a quality that alarms, and which it is."""
    kept = state.latest
    n = min(len(picture.kinds.low), len(kept.ts))
    quality = kept.quality[:n].copy()
    still = frozen(picture.kinds, kept.value, kept.quality, kept.ts, kept.changed)[:n]
    quality[still] = Quality.FROZEN
    alarms = np.zeros(256, np.bool_)
    alarms[[int(q) for q in _ALARMING]] = True
    return alarms[quality] & (kept.ts[:n] > 0), quality
