"""Models of single units in the engine: T² and SPE of what runs, and learning new ones from the history."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hazwatch.alarms.model import KIND_PROCESS
from hazwatch.alarms.tables import Alarm
from hazwatch.app.facts import Picture
from hazwatch.app.heats import Heats
from hazwatch.history import query
from hazwatch.history.port import History
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.risk import multivariate, units
from hazwatch.risk.book import REJECTED, RETIRED
from hazwatch.risk.multivariate import Pca
from hazwatch.risk.service import SourceFacts
from hazwatch.risk.tables import UnitModel
from hazwatch.risk.trend import STEP_MS
from hazwatch.vocabulary.moments import DAY, HOUR, MINUTE, Clock

_log = logging.getLogger(__name__)
#: Quantities that a model does not watch: analyses come late, switches have no spread.
_NOT_WATCHED = ("ZF", "KG")
_FEWEST_VARIABLES = 4
_MOST_ROWS, _ROWS_A_VARIABLE, _FEWEST_ROWS = 40_000, 10, 720
#: A stored value stands for so long: what does not change is stored as a heartbeat only.
_HOLD = 5 * MINUTE // STEP_MS
#: An alarm makes its unit abnormal from so long before it to so long after.
_BEFORE, _AFTER = 10 * MINUTE, 30 * MINUTE
#: Three variables that add most are named, those that add a tenth at least.
_NAMED, _WORTH_NAMING = 3, 0.1
_FAR_BEYOND = 100.0
_LOOK_EVERY_S = 60.0
_PROPOSE_EVERY_MS = HOUR
#: A proposal that failed or was turned down is made again after so long.
_AGAIN = 7 * DAY


@dataclass(frozen=True, slots=True)
class InForce:
    """The approved model of a unit: its version, the points of its variables and their names."""

    version: int
    pca: Pca
    points: NDArray[np.int64]
    names: tuple[str, ...]


def watched(picture: Picture, source: SourceFacts) -> list[int]:
    """Points of a unit that a model of it watches."""
    return [p for p in source.points if picture.facts(p).quantity not in _NOT_WATCHED]


class UnitWatch:
    """T² and SPE of the units whose model is approved. What was last known of one stands, with its age."""

    def __init__(self) -> None:
        self._models: dict[str, InForce] = {}
        self._last: dict[str, tuple[int, dict[str, tuple[float, str]]]] = {}
        self._digest: dict[str, tuple[int, str]] = {}

    def know(self, session: Session, picture: Picture) -> set[str]:
        """Take into force what is approved; the units for which something changed."""
        found = {code: (version, body) for code, version, body in units.in_force(session)}
        mine = {s.code: s for s in picture.sources}
        before = self._models
        self._models = {}
        for code, (version, body) in found.items():
            source = mine.get(code)
            if source is None:
                continue
            model = orjson.loads(body)
            index = {picture.facts(p).code: p for p in source.points}
            points = [index.get(p, -1) for p in model["points"]]
            self._models[code] = InForce(
                version, multivariate.parse(model), np.array(points, np.int64), tuple(model["names"])
            )
        changed = {
            code for code in before.keys() | self._models.keys()
            if _version(before.get(code)) != _version(self._models.get(code))
        }  # fmt: skip
        self._last = {code: last for code, last in self._last.items() if code in self._models and code not in changed}
        return changed

    def look(self, code: str, recent: NDArray[np.float64], now: int) -> dict[str, tuple[float, str]]:
        """Inputs ``t2`` and ``spe`` of a unit; not a number when its model has never seen a whole row of it."""
        model = self._models.get(code)
        if model is None:
            return {}
        known = (model.points >= 0) & (model.points < len(recent))
        row = np.where(known, recent[np.where(known, model.points, 0)], np.nan)
        if np.isnan(row).any():
            # Not scored: the last figure stands and ages, so that the term drifts and the confidence falls.
            last = self._last.get(code)
            return last[1] if last else {"t2": (math.nan, ""), "spe": (math.nan, "")}
        t2, spe = (float(v[0]) for v in multivariate.ratios(model.pca, row[None, :]))
        note = f"多变量监测(第 {model.version} 版模型):T² 为控制限的 {_times(t2)},SPE 为 {_times(spe)}"
        if max(t2, spe) > 1:
            note += f";主要贡献:{'、'.join(_leading(model, row, by_spe=spe >= t2))}"
        told = {"t2": (round(t2, 4), note), "spe": (round(spe, 4), "")}
        self._last[code] = now, told
        return told

    def ages(self, code: str, now: int) -> dict[str, float]:
        """How old the figures of a unit are, s; empty where they are of now or there is no model."""
        last = self._last.get(code)
        if last is None or now - last[0] <= 2 * STEP_MS:
            return {}
        return dict.fromkeys(("t2", "spe"), float((now - last[0]) // 1000))

    def stale(self, now: int) -> set[str]:
        """Units whose figures are not of now."""
        return {code for code in self._last if now - self._last[code][0] > STEP_MS}


def _times(ratio: float) -> str:
    return f"{ratio:.2f} 倍" if ratio < _FAR_BEYOND else f"{_FAR_BEYOND:g} 倍以上"


def _version(model: InForce | None) -> int:
    return model.version if model else 0


def _leading(model: InForce, row: NDArray[np.float64], *, by_spe: bool) -> list[str]:
    """Names of the variables that add most."""
    added = multivariate.shares(model.pca, row)[int(by_spe)]
    total = max(float(added.sum()), 1e-12)
    order = np.argsort(-added)[:_NAMED].tolist()
    return [model.names[k] for n, k in enumerate(order) if n == 0 or added[k] >= _WORTH_NAMING * total]


def _without_shared(names: list[str]) -> list[str]:
    """Names without what all of them begin with: that is the name of the unit."""
    first, last = min(names), max(names)
    shared = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return [name[shared:] or name for name in names]


class UnitLearner:
    """Learns what was asked for, one after the other beside the stream, and proposes models for calm units.

    It also reads from the history what the heat balances take for normal.
    """

    def __init__(
        self, sessions: Sessions, store: History, picture: Callable[[], Picture], clock: Clock, days: int,
        heats: Heats | None = None,
    ) -> None:  # fmt: skip
        self._sessions = sessions
        self._store = store
        self._picture = picture
        self._clock = clock
        self._days = days
        self._heats = heats
        self._due = 0
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something may have been asked for."""
        self._wake.set()

    async def run(self) -> None:
        """Learn for ever."""
        while True:
            self._wake.clear()
            try:
                if self._heats is not None:
                    await self._heats.refer(self._store, self._clock())
                for row in await asyncio.to_thread(self._waiting):
                    await self._learn(row)
                if self._days and self._clock() >= self._due:
                    self._due = self._clock() + _PROPOSE_EVERY_MS
                    await self._propose()
            except Exception:  # noqa: BLE001  # one model that fails must not end those after it
                _log.exception("learning a model failed")
            try:
                await asyncio.wait_for(self._wake.wait(), _LOOK_EVERY_S)
            except TimeoutError:
                continue

    def _waiting(self) -> list[UnitModel]:
        mine = {s.code for s in self._picture().sources}
        with reading(self._sessions) as session:
            found = [row for row in units.waiting(session) if row.object in mine]
            session.expunge_all()
        return found

    async def _learn(self, row: UnitModel) -> None:
        picture = self._picture()
        source = next(s for s in picture.sources if s.code == row.object)
        try:
            body, message = await self.learn(picture, source, row.begin, row.end)
        except Exception:
            await asyncio.to_thread(units.learned, self._sessions, row.id, None, "内部错误,详见服务日志")
            raise
        await asyncio.to_thread(units.learned, self._sessions, row.id, body, message)

    async def learn(
        self, picture: Picture, source: SourceFacts, begin: int, end: int
    ) -> tuple[dict[str, Any] | None, str]:  # fmt: skip
        """The model of a unit from a period, and what to say of it; None where the period does not give one."""
        points = np.array(watched(picture, source), np.int64)
        if len(points) < _FEWEST_VARIABLES:
            return None, f"可用的模拟量指标只有 {len(points)} 个,至少要 {_FEWEST_VARIABLES} 个"
        alarms = await asyncio.to_thread(self._alarms, source.code, begin, end)
        every = max(1, math.ceil((end - begin) / STEP_MS / _MOST_ROWS))
        rows, seen = [], np.zeros(len(points), np.int64)
        for start in range(begin, end, DAY):
            part = await self._normal(points, alarms, start, min(start + DAY, end))
            seen += (~np.isnan(part)).sum(axis=0)
            rows.append(part[::every])
        every_row = np.concatenate(rows)
        # A point that hardly ever had a value must not make every row incomplete.
        kept = np.flatnonzero(seen >= 0.5 * max(1, int(seen.max())))
        whole = every_row[:, kept]
        whole = whole[~np.isnan(whole).any(axis=1)] if len(kept) else whole[:0]
        least = max(_FEWEST_ROWS, _ROWS_A_VARIABLE * len(kept))
        if len(kept) < _FEWEST_VARIABLES or len(whole) < least:
            return None, f"正常工况的完整数据只有 {len(whole)} 行({len(kept)} 个指标),至少要 {least} 行"
        share = await asyncio.to_thread(multivariate.held_out, whole)
        pca = await asyncio.to_thread(multivariate.fit, whole)
        facts = [picture.facts(int(points[k])) for k in kept]
        names = _without_shared([f.name for f in facts])
        body = multivariate.form(pca) | {
            "points": [f.code for f in facts], "names": names, "rows": len(whole), "components": pca.loadings.shape[1],
            "held_out": round(share, 5), "left_out": len(points) - len(kept), "alarms": len(alarms),
        }  # fmt: skip
        return body, (
            f"{len(kept)} 个指标、{len(whole)} 行正常工况,{pca.loadings.shape[1]} 个主元;"
            f"以前五分之四学习时,后五分之一中 {share:.2%} 的时间越过控制限"
        )

    async def _normal(
        self, points: NDArray[np.int64], alarms: Iterable[tuple[int, int]], start: int, end: int
    ) -> NDArray[np.float64]:  # fmt: skip
        """Rows of a day as the live watch sees them, without those near an alarm."""
        first, steps = start // STEP_MS, (end - start) // STEP_MS
        found = await query.stepped(self._store, points, start, end, STEP_MS)
        rows = multivariate.median3(multivariate.on_grid(points, found, first, steps, _HOLD))
        at = (first + np.arange(steps)) * STEP_MS
        normal = np.ones(steps, np.bool_)
        for begun, over in alarms:
            normal &= (at < begun - _BEFORE) | (at > over + _AFTER)
        return rows[normal]

    def _alarms(self, code: str, begin: int, end: int) -> list[tuple[int, int]]:
        # scope: node-internal because the engine learns what somebody asked for within the scope
        begun, over = Alarm.event_time, Alarm.returned_at
        statement = select(begun, over).where(
            Alarm.source == code, Alarm.kind == KIND_PROCESS, Alarm.revoked.is_(False), begun < end + _BEFORE,
            or_(over.is_(None), over > begin - _AFTER),
        )  # fmt: skip
        with reading(self._sessions) as session:
            return [(a, b if b is not None else end) for a, b in session.execute(statement).tuples()]

    async def _propose(self) -> None:
        """Ask for a model of a unit that has none and had no alarm for so many days: one at a time."""
        now = self._clock()
        since = now - self._days * DAY
        if not await query.anything(self._store, since, since + DAY):
            # A young node has ten thousand units and nothing to learn them from.
            return
        picture = self._picture()
        for source in await asyncio.to_thread(self._candidates, picture, since, now):
            points = np.array(watched(picture, source), np.int64)
            if len(points) < _FEWEST_VARIABLES or not await query.sample_counts(
                self._store, points, since, since + DAY
            ):
                continue
            await asyncio.to_thread(self._ask, source, since, now)
            self._wake.set()
            return

    def _ask(self, source: SourceFacts, since: int, now: int) -> None:
        with unit_of_work(self._sessions) as session:
            units.add(session, source.code, source.path, since, now, units.NODE, now)

    def _candidates(self, picture: Picture, since: int, now: int) -> list[SourceFacts]:
        """Units without a model that had no alarm since."""
        with reading(self._sessions) as session:
            newest = units.newest(session)
            # scope: node-internal because the engine proposes models for every unit
            noisy = set(
                session.scalars(
                    select(Alarm.source)
                    .where(
                        Alarm.kind == KIND_PROCESS, Alarm.revoked.is_(False),
                        or_(Alarm.returned_at.is_(None), Alarm.returned_at > since),
                    )
                    .distinct()
                )
            )  # fmt: skip
        found = []
        for source in picture.sources:
            state, at = newest.get(source.code, ("", 0))
            again = state in ("", units.FAILED, REJECTED, RETIRED) and now - at > _AGAIN
            if source.service.id == "production-unit" and source.code not in noisy and again:
                found.append(source)
        return found
