"""What-ifs in the engine process, which owns the history: one after the other, in the background, in small pieces.

A what-if reads at most a million samples at a time, so that the live stream's blocks never wait long. What was asked
and how far it is stand in the records; after a restart unfinished ones begin again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import select, update

from hazwatch.alarms.assistant import Bounds
from hazwatch.alarms.trial import Wanted
from hazwatch.alarms.trial_run import Asked, StoppedError, Subjects, run
from hazwatch.alarms.trial_service import CANCELLED, DONE, FAILED, QUEUED, RUNNING
from hazwatch.alarms.trial_tables import TrueEvent, WhatIf
from hazwatch.alarms.whatif import TrueEvent as Marked
from hazwatch.app.facts import Picture
from hazwatch.history import query
from hazwatch.history.port import History
from hazwatch.judge.limits import Limits
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.risk.model import COMBUSTIBLE, TOXIC
from hazwatch.samples.batch import SampleBatch
from hazwatch.vocabulary.moments import Clock

_log = logging.getLogger(__name__)
#: Samples read in one go.
PIECE = 1_000_000
#: Progress is written no more often than this.
_TOLD_EVERY_MS = 500
_COLUMNS = ("ll", "l", "h", "hh")


class Trials:
    """The queue of what-ifs."""

    def __init__(self, sessions: Sessions, store: History, picture: Callable[[], Picture], clock: Clock) -> None:
        self._sessions = sessions
        self._store = store
        self._picture = picture
        self._clock = clock
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._stopped: set[str] = set()

    async def answer(self, data: bytes) -> bytes:
        """``{do: start | cancel, id}``. The asker has checked role and scope."""
        asked = orjson.loads(data)
        if asked["do"] == "start":
            self._queue.put_nowait(asked["id"])
        else:
            self._stopped.add(asked["id"])
            await asyncio.to_thread(self._cancel_queued, asked["id"])
        return b"{}"

    async def work(self) -> None:
        """Do what is on the list, for ever."""
        for number in await asyncio.to_thread(self._unfinished):
            self._queue.put_nowait(number)
        while True:
            number = await self._queue.get()
            try:
                await self._one(number)
            except Exception:  # noqa: BLE001  # one what-if that fails must not end those after it
                _log.exception("what-if %s failed", number)
                await self._write(number, state=FAILED, message="内部错误,详见服务日志", finished_at=self._clock())

    def _unfinished(self) -> list[str]:
        # scope: node-internal because the engine does the work of everybody
        with reading(self._sessions) as session:
            waiting = select(WhatIf.id).where(WhatIf.state.in_((QUEUED, RUNNING))).order_by(WhatIf.asked_at)
            return list(session.scalars(waiting))

    def _cancel_queued(self, number: str) -> None:
        # scope: node-internal because the asker has checked the scope
        waiting = update(WhatIf).where(WhatIf.id == number, WhatIf.state == QUEUED)
        with unit_of_work(self._sessions) as session:
            session.execute(waiting.values(state=CANCELLED, message="已取消", finished_at=self._clock()))

    async def _write(self, number: str, **values: Any) -> None:
        # scope: node-internal because the engine notes how far it is
        def work() -> None:
            with unit_of_work(self._sessions) as session:
                session.execute(update(WhatIf).where(WhatIf.id == number).values(**values))

        await asyncio.to_thread(work)

    async def _one(self, number: str) -> None:
        asked, subjects, points = await asyncio.to_thread(self._asked, number)
        if asked is None or subjects is None or number in self._stopped:
            return
        await self._write(number, state=RUNNING, started_at=self._clock(), progress=0.0)
        told = 0

        async def progress(share: float, message: str) -> None:
            nonlocal told
            if number in self._stopped:
                raise StoppedError
            if self._clock() - told >= _TOLD_EVERY_MS:
                told = self._clock()
                await self._write(number, progress=share, message=message)

        async def fetch(some: NDArray[np.int64], start: int, end: int) -> AsyncIterator[SampleBatch]:
            async for batch in pieces(self._store, points, some, start, end):
                yield batch

        begun = self._clock()
        try:
            result = await run(asked, subjects, fetch, progress)
        except StoppedError:
            await self._write(number, state=CANCELLED, message="已取消", finished_at=self._clock())
            return
        result["seconds"] = (self._clock() - begun) / 1000
        await self._write(
            number, state=DONE, progress=1.0, message="已完成", finished_at=self._clock(),
            result=json.dumps(result, ensure_ascii=False),
        )  # fmt: skip

    def _asked(self, number: str) -> tuple[Asked | None, Subjects | None, NDArray[np.int64]]:
        # scope: node-internal because the points were found in the asker's scope
        with reading(self._sessions) as session:
            row = session.get(WhatIf, number)
            if row is None or row.state not in (QUEUED, RUNNING):
                return None, None, np.zeros(0, np.int64)
            spec = json.loads(row.spec)
            points = np.array(sorted(spec["points"]), np.int64)
            marked = session.scalars(
                select(TrueEvent).where(TrueEvent.begin < row.end, TrueEvent.end > row.start).order_by(TrueEvent.begin)
            ).all()
        picture = self._picture()
        place = {index: k for k, index in enumerate(points.tolist())}
        events = [
            Marked(str(place[event.point]), event.begin, event.end, event.note)
            for event in marked
            if event.point in place
        ]
        wanted = list(_wanted(spec["changes"], points, picture))
        bounds = Bounds(**spec["bounds"]) if spec["bounds"] else None
        return Asked(row.start, row.end, wanted, bounds, events), subjects_of(picture, points), points


def subjects_of(picture: Picture, points: NDArray[np.int64]) -> Subjects:
    """What a trial knows of its points."""
    limits = picture.limits
    facts = [picture.facts(index) for index in points.tolist()]
    gas = [picture.danger(index) in (TOXIC, COMBUSTIBLE) for index in points.tolist()]
    names = [
        {"point": f.code, "point_name": f.name, "source": f.source, "source_name": f.source_name, "unit": f.unit}
        for f in facts
    ]
    return Subjects(
        Limits(
            limits.version, limits.threshold[points], limits.deadband[points], limits.on_delay_ms[points],
            limits.off_delay_ms[points],
        ),
        picture.span[points], np.array(gas, np.bool_), names,
    )  # fmt: skip


def _wanted(changes: list[dict[str, Any]], points: NDArray[np.int64], picture: Picture) -> Iterator[Wanted]:
    facts = [picture.facts(index) for index in points.tolist()]
    for change in changes:
        values = change["values"]
        which = np.array(
            [change["code"] in ("", f.code) and change["quantity"] in ("", f.quantity) for f in facts], np.bool_
        )  # fmt: skip
        thresholds = {
            column: math.nan if values[name] is None else float(values[name])
            for column, name in enumerate(_COLUMNS)
            if name in values
        }
        ms = [
            None if values.get(name) is None else round(1000 * values[name]) for name in ("on_delay_s", "off_delay_s")
        ]
        yield Wanted(which, thresholds, values.get("deadband"), values.get("deadband_share"), *ms)


async def pieces(
    store: History, points: NDArray[np.int64], some: NDArray[np.int64], start: int, end: int
) -> AsyncIterator[SampleBatch]:
    """Samples of some points of a trial, numbered within it, at most about ``PIECE`` at a time.

    Args:
        store: the history.
        points: dense index of every point of the trial, ascending.
        some: numbers within the trial, ascending.
        start, end: epoch ms.
    """
    counts = await query.sample_counts(store, points[some], start, end)
    group: list[int] = []
    total = 0
    for k in some.tolist():
        n = counts.get(int(points[k]), 0)
        if group and total + n > PIECE:
            async for batch in _group(store, points, group, start, end, total):
                yield batch
            group, total = [], 0
        if n:
            group.append(k)
            total += n
    if group:
        async for batch in _group(store, points, group, start, end, total):
            yield batch


async def _group(
    store: History, points: NDArray[np.int64], group: list[int], start: int, end: int, total: int
) -> AsyncIterator[SampleBatch]:
    """One group of points, cut in time where even one point has more than a piece."""
    cuts = np.linspace(start, end, max(1, math.ceil(total / PIECE)) + 1).astype(np.int64).tolist()
    for a, b in pairwise(cuts):
        found = await query.many_samples(store, points[np.array(group)], a, b)
        if len(found):
            number = np.searchsorted(points, found.point.astype(np.int64)).astype(np.uint32)
            yield SampleBatch(number, found.ts, found.value, found.quality)
