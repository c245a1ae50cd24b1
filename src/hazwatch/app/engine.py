"""An engine: reads the log, judges, keeps history, alarm records and grades, and answers the pages.

It is the one writer of the alarm records and grades of what its ``Seat`` says: a whole node, or a share of many.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import orjson

from hazwatch.alarms.facts import PointFacts
from hazwatch.alarms.service import AlarmDesk
from hazwatch.app import facts
from hazwatch.app.alarmroom import AlarmRoom
from hazwatch.app.cap_out import CapOut
from hazwatch.app.node import clock, models_token, run_process, side_by_side
from hazwatch.app.notices import Notices
from hazwatch.app.riskroom import RiskRoom
from hazwatch.app.seat import Seat
from hazwatch.app.sliproom import hooks, run_clocks, slip_desk
from hazwatch.app.trials import Trials
from hazwatch.app.unitmodels import UnitLearner
from hazwatch.app.warningroom import WarningRoom
from hazwatch.app.watch import Watch
from hazwatch.app.weather import WeatherSources
from hazwatch.history import latest, query, thinning
from hazwatch.history.port import History
from hazwatch.history.sink import HistorySink
from hazwatch.log.client import Log, RpcError
from hazwatch.log.shares import CONTROL
from hazwatch.risk.scorer import Scorer
from hazwatch.risk.service import RiskDesk
from hazwatch.settings import Settings
from hazwatch.stream import control, packed, state, wire
from hazwatch.stream.lanes import Lanes
from hazwatch.stream.pipeline import Pipeline
from hazwatch.stream.rejudge import FromHistory
from hazwatch.vocabulary.lanes import Lane

_log = logging.getLogger(__name__)
#: Ticks run this far behind the clock, so that samples on their way are judged before time passes for their point.
_TICK_BEHIND_MS = 2_000
_VALUES_EVERY_S = 0.25
#: Rows in one message to the pages; keeps it well below the log's message size.
_ROWS_TOLD = 100_000
#: Messages that may wait without the engine counting as behind: less than a second of group commits.
_BEHIND = 20


class Engine:
    """Everything of the engine process, wired."""

    def __init__(self, settings: Settings, log: Log, store: History, seat: Seat) -> None:
        self._log = log
        self._seat = seat
        self.sessions = seat.sessions
        self.picture = facts.load(self.sessions, seat.owns)
        self.store = store
        kept = state.load(seat.folder)
        self.desk = AlarmDesk(self.sessions, self._facts, seat.share.named("alarms"), seat.owns)
        sink = HistorySink(self.store, seat.offsets, settings.heartbeat_s * 1000, kept.place)
        lanes = Lanes(log, kept.place, seat.share)
        lock = asyncio.Lock()
        self.watch = Watch(log, self.desk, lock, clock())
        self.look = RiskRoom(self.sessions, self.desk, self.watch)
        scorer = _scorer(settings)
        self.risk = RiskDesk(self.sessions, self.look.look, scorer, places=seat.share.count == 1)
        self.look.risk = self.watch.risk = self.risk
        self.watch.look = self.look
        self.room = AlarmRoom(self.desk, lock, self.watch)
        self.watch.room = self.room
        self.pipeline = Pipeline(
            kept, lanes, sink, self.desk, kinds=self.picture.kinds, folder=seat.folder,
            snapshot_s=settings.snapshot_s, announce=self.watch.announce, on_tick=self.watch.on_tick,
            rejudge=FromHistory(self.store, self.desk, lambda: self.pipeline.kept), saved_at=seat.saved_at,
        )  # fmt: skip
        self.pipeline.desk_lock = lock
        self.watch.state, self.watch.picture = kept, self.picture
        self.slips = slip_desk(settings, self.sessions)
        self.warnings = WarningRoom(log, seat, self.risk.writing, hooks(self.slips))
        self.watch.graded = self.warnings.wake
        self.notices = Notices(settings, self.sessions)
        self.weather = WeatherSources(settings, self.sessions, lambda: self._log.tell(wire.SUBJECT_RISK, b""))
        self.cap_out = CapOut(settings, self.sessions)
        self.trials = Trials(self.sessions, self.store, self._whole_picture, clock)
        self.learner = UnitLearner(
            self.sessions, self.store, lambda: self.picture, clock, settings.unit_model_days, self.look.heats
        )
        self.ready = asyncio.Event()
        self._limits_asked = kept.limits

    def _whole_picture(self) -> facts.Picture:
        """The registry whole, also where the engine's own picture holds a share of it."""
        return self.picture if self._seat.share.count == 1 else facts.load(self.sessions)

    def _facts(self, index: int) -> PointFacts:
        return self.picture.facts(index)

    async def begin(self) -> None:
        """Answer requests and put the registry's limits in force."""
        for subject, handler in self._handlers().items():
            await self._log.serve(self._seat.share.named(subject), handler)
        await self._log.listen(wire.SUBJECT_REGISTRY, self._on_registry)
        await self._log.listen(wire.SUBJECT_ALARM_ROOM, lambda _: self.room.reload())
        await self._log.listen(wire.SUBJECT_RISK, self._on_risk)
        await self._log.listen(wire.SUBJECT_WARNING_RULES, self._on_warning_rules)
        await self.room.reload()
        self.pipeline.make_room(len(self.picture.limits))
        await self._put_limits_in_force()
        async with self.watch.grading, self.pipeline.desk_lock:
            await asyncio.to_thread(self.look.know, self.picture)
            await asyncio.to_thread(self.look.recall, clock())
            await asyncio.to_thread(self.look.reload, clock())
            await asyncio.to_thread(self.risk.know, self.picture.sources)
        # Judging does not wait for the grades of a nation.
        self.watch.regrade(self.risk.codes, clock())

    async def _on_risk(self, _: bytes) -> None:
        """Records were declared or withdrawn, or the models have another configuration."""
        async with self.watch.grading, self.pipeline.desk_lock:
            touched = await asyncio.to_thread(self.look.reload, clock())
        self.watch.regrade(touched, clock())
        self.learner.wake()

    async def _on_warning_rules(self, _: bytes) -> None:
        """Other rules of warnings are in force."""
        self.warnings.changed()

    async def _on_registry(self, _: bytes) -> None:
        """The registry has a new version."""
        self.warnings.changed()
        self.picture = await asyncio.to_thread(facts.load, self.sessions, self._seat.owns)
        self.watch.picture = self.picture
        self.pipeline.kinds = self.picture.kinds
        self.pipeline.make_room(len(self.picture.limits))
        await self._put_limits_in_force()
        async with self.watch.grading, self.pipeline.desk_lock:
            await asyncio.to_thread(self.look.know, self.picture)
            await asyncio.to_thread(self.risk.know, self.picture.sources)
        self.watch.regrade(self.risk.codes, clock())

    async def _put_limits_in_force(self) -> None:
        """Write new limits to the log, where they have their place between two samples."""
        new = self.picture.limits
        if new.version == self._limits_asked.version and len(new) == len(self._limits_asked):
            # The snapshot brought the same ones: one copy of a nation's limits is enough.
            self.picture = self.watch.picture = replace(self.picture, limits=self._limits_asked)
            return
        for record in control.encode_limits(self._limits_asked, new, clock()):
            self.pipeline.limits_due = await self._log.append(self._seat.share.named(CONTROL), record)
        self._limits_asked = new

    # --- work that goes on -----------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Once a second, say on the log that time has passed; but only when what is there has been judged."""
        lanes = self.pipeline.lanes
        while lanes.backlog(Lane.LIVE) > _BEHIND:  # noqa: ASYNC110  # a figure to watch, not an event to wait for
            await asyncio.sleep(0.05)
        self.ready.set()
        while True:
            await asyncio.sleep(1.0)
            if lanes.backlog(Lane.LIVE) <= _BEHIND:
                tick = control.encode_tick(clock() - _TICK_BEHIND_MS)
                await self._log.append(self._seat.share.named(CONTROL), tick)

    async def tell_values(self) -> None:
        """Four times a second, tell the pages what changed, and in turns how old the rest is."""
        turn = 0
        while True:
            await asyncio.sleep(_VALUES_EVERY_S)
            kept = self.pipeline.kept
            told = latest.news(kept.latest, turn)
            turn += 1
            for start in range(0, len(told), _ROWS_TOLD):
                rows = packed.pack(kept.latest, kept.judge, told[start : start + _ROWS_TOLD])
                await self._log.tell(wire.SUBJECT_VALUES, rows)

    async def beat(self) -> None:
        """Once a second, say how far we are."""
        while True:
            counters, lanes = self.pipeline.counters, self.pipeline.lanes
            beat: dict[str, Any] = {
                "server_time": clock(), "judged_to": counters.newest_event,
                "lag_ms": max(0, clock() - counters.newest_received) if lanes.backlog(Lane.LIVE) else 0,
                "backlog": {"live": lanes.backlog(Lane.LIVE), "background": lanes.backlog(Lane.BACKGROUND)},
                "ready": self.ready.is_set(), "samples": counters.samples, "late": counters.late,
                "older": counters.older, "duplicates": counters.duplicates, "frames_twice": counters.frames_twice,
                "damaged": counters.damaged, "transitions": counters.transitions, "owed": len(self.pipeline.kept.owed),
                "points": self.pipeline.kept.points, "alarm_seq": self.desk.seq, "waiting": self.pipeline.waiting,
                "history": self.pipeline.history_fault, "share": self._seat.share.number,
            }  # fmt: skip
            await self._log.tell(wire.SUBJECT_BEAT, orjson.dumps(beat))
            await asyncio.sleep(1.0)

    # --- requests --------------------------------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Callable[[bytes], Awaitable[bytes]]]:
        return {
            wire.RPC_VALUES: self._values,
            wire.RPC_GRADES: self._grades,
            wire.RPC_SERIES: self._series,
            wire.RPC_ALARM: self._alarm,
            wire.RPC_LEDGER: self._ledger,
            wire.RPC_WHATIF: self.trials.answer,
            wire.RPC_FORECAST: self._forecast,
        }

    async def _values(self, data: bytes) -> bytes:
        """Latest of all points, in parts: ``[first, count]`` → packed rows."""
        first, count = orjson.loads(data)
        kept = self.pipeline.kept
        points = np.arange(first, min(first + count, len(kept.latest.ts)))
        return packed.pack(kept.latest, kept.judge, points)

    async def _grades(self, data: bytes) -> bytes:
        """Grades of all objects, in parts: ``[first, count]``."""
        first, count = orjson.loads(data)
        part = islice(self.risk.grades.values(), first, first + count)
        return orjson.dumps([{"path": g.path, "grade": g.form()} for g in part])

    async def _series(self, data: bytes) -> bytes:
        """History of one point: ``{point, from, to, step}`` → JSON."""
        asked = orjson.loads(data)
        point = asked["point"]
        kept = self.pipeline.kept.thinning
        running = thinning.running(kept, point) if point < len(kept.ts) else None
        series = await query.series(self.store, point, asked["from"], asked["to"], asked["step"], running)
        rows = [[None if math.isnan(x) else x for x in row] for row in series.rows.tolist()]
        return orjson.dumps(
            {"step": series.step_s, "source": series.source, "rows": rows, "next_from": series.next_from}
        )

    async def _forecast(self, data: bytes) -> bytes:
        """How likely a source reaches 橙 or 红: its code → JSON."""
        return orjson.dumps(await self.look.forecast(data.decode(), self.store))

    async def _ledger(self, _: bytes) -> bytes:
        """How many good samples there are in all, their sum and a weighted sum: the node's side of a check."""
        await self.pipeline.flush()
        kept = self.pipeline.kept.thinning
        names = ("samples", "total", "weighted")
        weight = np.arange(len(kept.counted)) % query.LEDGER_WEIGHTS + 1.0
        some = kept.counted > 0
        running = (int(kept.counted.sum()), float(kept.total[some].sum()), float((kept.total * weight)[some].sum()))
        stored = await query.ledger(self.store)
        tables = await query.stored(self.store)
        # Engines of several shares have one store, and each its own running minute.
        return orjson.dumps(
            {"store": dict(zip(names, stored, strict=True)), "running": dict(zip(names, running, strict=True))}
            | {"tables": tables}
        )

    async def _alarm(self, data: bytes) -> bytes:
        """A command of a person on alarms. The asker has checked role and scope."""
        if not self.ready.is_set():
            raise RpcError("not_ready", "引擎正在追赶日志,请稍后再试")
        return await self.room.answer(data)

    async def work(self) -> None:
        """Everything that goes on; ends with the first piece that fails."""
        pieces = [
            self.pipeline.run(),
            self.tick(),
            self.tell_values(),
            self.beat(),
            self.watch.run(),
            self.warnings.run(),
            self.learner.run(),
        ]
        if self._seat.share.number == 0:
            # What-ifs, messages and clocks of slips reach over all shares; one engine does them all.
            pieces += [self.trials.work(), self.notices.run(), self.weather.run(), self.cap_out.run()]
            pieces.append(run_clocks(self.slips))
        await side_by_side(*pieces)


def _scorer(settings: Settings) -> Scorer | None:
    """The model service that is asked instead of our own; None where there is none."""
    if not settings.models_url:
        return None
    from hazwatch.risk.remote import Remote

    return Remote(settings.models_url, models_token(settings))


def main(settings: Settings) -> None:
    """Entry point of the child process."""
    from hazwatch.app.worker import serve

    run_process("engine", lambda: serve(settings))
