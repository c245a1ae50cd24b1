"""Heat balances of cooled units whose points were declared; their reference comes from the history.

The reference is the day before the declaration began to hold; where that day is not in the history, what came after it
up to a day. So a restart in the middle of a fault does not take the fault for normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hazwatch.app.facts import Picture
from hazwatch.app.sites import ValueOf
from hazwatch.history import query
from hazwatch.history.port import History
from hazwatch.risk.declared import Declared
from hazwatch.risk.heat import HeatBalance, HeatRules, HeatVerdict, reference_of, transfer
from hazwatch.risk.multivariate import on_grid
from hazwatch.risk.trend import STEP_MS
from hazwatch.vocabulary.codes import SOURCE_LENGTH
from hazwatch.vocabulary.moments import DAY, MINUTE

_HOLD = 5 * MINUTE // STEP_MS


@dataclass(frozen=True, slots=True)
class Cooled:
    """What is read of a cooled unit: points by dense index; ``inlet_c`` where the inlet is not measured."""

    flow: int
    outlet: int
    temperature: int
    inlet: int | None
    inlet_c: float

    def value(self, of: ValueOf) -> float | None:
        """The logarithm of the apparent heat transfer now."""
        inlet = self.inlet_c if self.inlet is None else of(self.inlet)
        read = (of(self.flow), inlet, of(self.outlet), of(self.temperature))
        return None if None in read else transfer(*read)  # type: ignore[arg-type]  # looked at just now


@dataclass(slots=True)
class _Unit:
    record: Declared
    cooled: Cooled
    book: HeatBalance | None = None
    verdict: HeatVerdict | None = None


class Heats:
    """Heat balances by record."""

    def __init__(self) -> None:
        self._units: dict[int, _Unit] = {}

    def know(self, records: Iterable[Declared], picture: Picture | None) -> None:
        """Records were declared or withdrawn, or the registry changed. Balances whose record is the same go on."""
        kept: dict[int, _Unit] = {}
        for r in records:
            if r.kind != "heat_balance" or len(r.object) != SOURCE_LENGTH or picture is None:
                continue
            cooled = _cooled(r, picture)
            before = self._units.get(r.id)
            if cooled is not None:
                kept[r.id] = before if before is not None and before.cooled == cooled else _Unit(r, cooled)
        self._units = kept

    async def refer(self, store: History, now: int) -> None:
        """Read the references that are still missing."""
        for unit in list(self._units.values()):
            if unit.book is not None or unit.record.begin > now:
                continue
            c, begin = unit.cooled, unit.record.begin
            points = np.array([p for p in (c.flow, c.outlet, c.temperature, c.inlet) if p is not None], np.int64)
            for start, end in ((begin - DAY, begin), (begin, min(begin + DAY, now))):
                first, steps = start // STEP_MS, (end - start) // STEP_MS
                if steps <= 0:
                    continue
                found = await query.stepped(store, points, start, end, STEP_MS)
                rows = on_grid(points, found, first, steps, _HOLD).tolist()
                values = [c.value(_row(points.tolist(), row)) for row in rows]
                at_s = (first + np.arange(steps)) * (STEP_MS / 1000)
                known = np.array([math.nan if v is None else v for v in values], np.float64)
                reference = reference_of(at_s.astype(np.float64), known, HeatRules())
                if reference is not None:
                    unit.book = HeatBalance(reference)
                    break

    def look(self, at: int, value: ValueOf) -> set[str]:
        """Look at every unit; the sources of those that came to a verdict."""
        moved = set()
        for unit in self._units.values():
            if unit.book is None or not unit.record.begin <= at < unit.record.end:
                continue
            verdict = unit.book.look(at, unit.cooled.value(value))
            if verdict is not None:
                unit.verdict = verdict
                moved.add(unit.record.object)
        return moved

    def live(self, source: str, now: int) -> dict[str, tuple[float, str]]:
        """Input of a source: its worst heat balance."""
        own = [
            u for u in self._units.values()
            if u.record.object == source and u.verdict and u.record.begin <= now < u.record.end
        ]  # fmt: skip
        worst = max(own, key=lambda u: u.verdict.ratio if u.verdict else 0.0, default=None)
        if worst is None or worst.verdict is None:
            return {}
        v = worst.verdict
        way = "高于" if v.off > 0 else "低于"
        note = f"{worst.record.body['name']}热平衡偏差为门槛的 {v.ratio:.1f} 倍:移热能力{way}正常 {abs(v.off):.1%}"
        return {"heat_balance": (round(v.ratio, 3), note)}


def _row(points: list[int], row: list[float]) -> ValueOf:
    of = dict(zip(points, row, strict=True))

    def value(point: int) -> float | None:
        v = of[point]
        return None if math.isnan(v) else v

    return value


def _cooled(r: Declared, picture: Picture) -> Cooled | None:
    """The points of a record; None where one of them is not registered."""
    source = next((s for s in picture.sources if s.code == r.object), None)
    index = {picture.facts(p).code: p for p in source.points} if source else {}
    wanted = [index.get(str(r.body[name])) for name in ("flow", "outlet", "temperature")]
    inlet = index.get(str(r.body["inlet"])) if "inlet" in r.body else None
    flow, outlet, temperature = wanted
    if flow is None or outlet is None or temperature is None or ("inlet" in r.body and inlet is None):
        return None
    return Cooled(flow, outlet, temperature, inlet, float(r.body.get("inlet_c", math.nan)))
