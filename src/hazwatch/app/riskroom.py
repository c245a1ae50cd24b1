"""The risk desk inside the engine: collects what its terms need from the stream, the alarm desk and the records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import select

from hazwatch.alarms.model import KIND_PROCESS, Record
from hazwatch.alarms.service import AlarmDesk
from hazwatch.alarms.tables import Alarm
from hazwatch.app import sites
from hazwatch.app.books import Books
from hazwatch.app.facts import Picture
from hazwatch.app.heats import Heats
from hazwatch.app.inventory import Inventory
from hazwatch.app.stores import Senses, incompatible, ventilation
from hazwatch.app.unitmodels import UnitWatch
from hazwatch.history import query
from hazwatch.history.port import History
from hazwatch.notify import desk as notices
from hazwatch.records.engine import Sessions, reading
from hazwatch.risk import book, forecast
from hazwatch.risk.concerns import concerns, why_not
from hazwatch.risk.confidence import YOUNG_MS
from hazwatch.risk.declared import Declared, is_day_off, signal_of, title
from hazwatch.risk.evidence import ActiveAlarm, Around, collect
from hazwatch.risk.indicators import Indicators
from hazwatch.risk.model import COMBUSTIBLE, MINUTE_MS
from hazwatch.risk.multivariate import on_grid
from hazwatch.risk.objects import Asked
from hazwatch.risk.service import Graded, RiskDesk, SourceFacts
from hazwatch.risk.shadow import Shadow
from hazwatch.stream import packed
from hazwatch.vocabulary.codes import SOURCE_LENGTH
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import DAY
from hazwatch.vocabulary.quality import LAST_JUDGED

if TYPE_CHECKING:
    from hazwatch.app.watch import Watch

#: Values every ten minutes from which on there is a forecast: an hour.
_FEWEST_PAST = 6
_PAST_MS = round(forecast.STEP_MIN * MINUTE_MS)
#: A cut-off valve that is open less than this has closed, %.
_CLOSED = 5.0
#: A live input has to move by this share before its source is scored again.
_LIVE_MOVED = 0.05
#: The calendar of the node is read again after this long.
_CALENDAR_EVERY_MS = 10 * MINUTE_MS
Live = dict[str, tuple[float, str]]


class RiskRoom:
    """Gives the desk the inputs of a source, and says which sources are to be looked at again."""

    def __init__(self, sessions: Sessions, desk: AlarmDesk, watch: Watch) -> None:
        self._sessions = sessions
        self._desk = desk
        self._watch = watch
        self._picture: Picture | None = None
        self._sites: dict[str, sites.Site] = {}
        self._near: dict[str, list[str]] = {}
        self._of_source: dict[str, list[Declared]] = {}
        self._of_place: list[Declared] = []
        self._live: dict[str, Live] = {}
        self._silent: dict[str, float] = {}
        self.indicators = Indicators()
        self._books = Books()
        self._inventory = Inventory()
        self.heats = Heats()
        self._units = UnitWatch()
        self._records_now: list[Declared] = []
        #: Days that differ from their weekday: holidays, and weekends that are worked.
        self._special: dict[str, bool] = {}
        self._calendar_due = 0
        #: The desk; set by the engine right after, because both ask each other.
        self.risk: RiskDesk

    # --- what changes rarely ---------------------------------------------------------------------------------------

    def know(self, picture: Picture) -> None:
        """The registry has a new version."""
        self._picture = picture
        with reading(self._sessions) as session:
            self._sites = sites.read(session, picture.points)
            self._units.know(session, picture)
        self._near = sites.neighbours(self._sites, self.risk.configuration.ring_m)
        self._books.know(self._records_now, self._sites)
        self.heats.know(self._records_now, picture)
        self.indicators.know([s.code for s in picture.sources])

    def recall(self, now: int) -> None:
        """Excursions of the last day, so that alarm quality survives a restart."""
        # scope: node-internal because the engine grades every source
        statement = (
            select(Alarm.source, Alarm.point, Alarm.event_time, Alarm.returned_at)
            .where(Alarm.kind == KIND_PROCESS, Alarm.event_time >= now - DAY, Alarm.revoked.is_(False))
            .order_by(Alarm.event_time)
        )
        with reading(self._sessions) as session:
            for source, point, begun, over in session.execute(statement).tuples():
                self.indicators.begin(source, point, begun)
                if over is not None:
                    self.indicators.end(source, point, over)

    def reload(self, now: int) -> set[str]:
        """Records were declared or withdrawn, or another configuration is in force; codes of the sources it touches."""
        with reading(self._sessions) as session:
            records = book.in_force(session, now)
            live, shadow = book.effective(session)
            learned = self._units.know(session, self._picture) if self._picture else set()
        before, after = ({r.id: r for r in some} for some in (self._records_now, records))
        changed = [r for number, r in (before | after).items() if before.get(number) != after.get(number)]
        self._of_source, self._of_place, self._records_now = {}, [], records
        self._books.know(records, self._sites)
        self.heats.know(records, self._picture)
        for record in records:
            if _of_source(record):
                self._of_source.setdefault(record.object, []).append(record)
            else:
                self._of_place.append(record)
        running = self.risk.shadow
        if shadow is None:
            beside = None
        elif running is not None and (running.number, running.configuration) == shadow:
            beside = running
        else:
            beside = Shadow(*shadow)
        if live.ring_m != self.risk.configuration.ring_m:
            self._near = sites.neighbours(self._sites, live.ring_m)
        if live != self.risk.configuration or beside is not running:
            self.risk.configure(live, beside)
            return set(self.risk.codes)
        touched = {code for r in changed for code in ([r.object] if _of_source(r) else self.risk.under(r.path))}
        return touched | learned

    # --- events ----------------------------------------------------------------------------------------------------

    def note(self, records: Iterable[tuple[str, Record]]) -> None:
        """Alarm records of sources changed."""
        for source, record in records:
            if record.kind != KIND_PROCESS or record.revoked:
                continue
            if record.returned_at is not None:
                self.indicators.end(source, record.point, record.returned_at)
            elif record.active:
                self.indicators.begin(source, record.point, record.event_time)

    def around(self, graded: Iterable[Graded]) -> set[str]:
        """Neighbours of sources that are 橙 or worse, or were."""
        some = (g.code for g in graded if max(g.colour, g.was) >= Colour.ORANGE)
        return {other for code in some for other in self._near.get(code, ())}

    # --- the inputs of a source ------------------------------------------------------------------------------------

    def look(self, source: SourceFacts, now: int) -> Asked:
        """The inputs of a source now."""
        records, elsewhere = self._records(source, now)
        alarms = self._alarms(source, records)
        live = dict(self._live.get(source.code, {}))
        quality = self.indicators.of(source.code, len(source.points), now)
        live |= {name: (round(value, 4), "") for name, value in quality.items()}
        if any(r.kind == "special_work" and r.body["work"] == "hot_special" for r in records):
            live["lel"] = (self._lel(source), "")
        live |= self._books.live(source.code) | self.heats.live(source.code, now)
        worst, name = self._neighbour(source.code)
        if worst:
            live["neighbour"] = (float(worst), f"连锁范围内{name}为{Colour(worst).zh}色")
        around = Around(
            alarms, self._watch.approaches_of(source.code), records, self._watch.confidence_of(source),
            self._silent.get(source.code, 0.0), live, is_day_off(now, self._special),
            self._units.ages(source.code, now), elsewhere,
        )  # fmt: skip
        return collect(source.service, source.code, source.r, source.level, around, now, self.risk.configuration)

    def _records(self, source: SourceFacts, now: int) -> tuple[list[Declared], list[str]]:
        """Records in force for a source, and what is said of weather at its place that does not concern it.

        What somebody declared for this one source counts, whatever it holds.
        """
        site = self._sites.get(source.code)
        traits = site.traits if site else None
        own = [r for r in self._of_source.get(source.code, ()) if r.begin <= now < r.end]
        elsewhere = []
        for r in self._of_place:
            if not (r.begin <= now < r.end and source.path.startswith(r.path)):
                continue
            signal = signal_of(r)
            if concerns(signal, traits):
                own.append(r)
            elif signal is not None:
                elsewhere.append(f"{title(r.kind, r.body)}(不涉及本源:{why_not(signal)})")
        return own, elsewhere

    def declared_sources(self) -> set[str]:
        """Sources whose records begin or end by themselves."""
        found = set(self._of_source)
        if self._of_place:
            sources = self._watch.picture.sources if self._watch.picture else ()
            found |= {s.code for s in sources if any(s.path.startswith(r.path) for r in self._of_place)}
        return found

    def _alarms(self, source: SourceFacts, records: Sequence[Declared]) -> list[ActiveAlarm]:
        """Standing process alarms of a source."""
        picture = self._watch.picture
        if picture is None:
            return []
        site = self._sites.get(source.code)
        cut = {r.body["equipment"] for r in records if r.kind == "cut_off"}
        found = []
        for point in source.points:
            record = self._desk.active(point, KIND_PROCESS)
            if record is None:
                continue
            second = record.level_since if record.level.severity > 1 else None
            facts, equipment = picture.facts(point), picture.equipment(point)
            vessel = equipment[12:14] == "G0" and facts.quantity in {"YW", "YL"}
            must_cut = vessel and record.level is Level.HH
            found.append(
                ActiveAlarm(
                    facts.code, facts.name, equipment, record.level, picture.danger(point), record.event_time, second,
                    record.acknowledged_at is not None, trip=facts.quantity == "KG" and "联锁" in facts.name,
                    must_cut=must_cut, cut=must_cut and (equipment in cut or self._closed(site, equipment)),
                )
            )  # fmt: skip
        return found

    def _closed(self, site: sites.Site | None, equipment: str) -> bool:
        """Whether every inlet of a vessel is known to be shut."""
        valves = site.inlets.get(equipment, []) if site else []
        values = [self._value(p) for p in valves]
        return bool(values) and all(v is not None and v <= _CLOSED for v in values)

    def _value(self, point: int) -> float | None:
        """Newest value of a point, if it may be used."""
        state = self._watch.state
        if state is None or point >= len(state.latest.ts) or state.latest.ts[point] == 0:
            return None
        if state.latest.quality[point] > LAST_JUDGED:
            return None
        return float(state.latest.value[point])

    def _lel(self, source: SourceFacts) -> float:
        picture = self._watch.picture
        if picture is None:
            return 0.0
        values = [self._value(p) for p in source.points if picture.danger(p) == COMBUSTIBLE]
        return max((v for v in values if v is not None), default=0.0)

    def _neighbour(self, code: str) -> tuple[int, str]:
        """The worst colour in the ring, by what the neighbours are without their own neighbours."""
        worst, name = 0, ""
        k = self.risk.configuration
        for other in self._near.get(code, ()):
            g = self.risk.grades.get(other)
            if g is None or g.colour < Colour.ORANGE:
                continue
            if (g.score - g.domino >= k.orange or g.floored) and g.colour > worst:
                worst, name = int(g.colour), self.risk.name(other)
        return worst, name

    def balance(self, until: int) -> set[str]:
        """Look at the books of tanks and the heat of cooled units; the sources of those that came to a verdict."""
        return self._books.look(until, self._sites, self._value) | self.heats.look(until, self._value)

    async def forecast(self, code: str, store: History) -> dict[str, Any]:
        """How likely a source reaches 橙 or 红 within 1, 4 and 24 h; nothing before an hour of values is there.

        The last hours are read from the history when somebody asks: a nation's would be 44 MiB, and a restart forgets.
        """
        picture, state, graded = self._watch.picture, self._watch.state, self.risk.grades.get(code)
        source = next((s for s in picture.sources if s.code == code), None) if picture else None
        terms = orjson.loads(graded.terms) if graded else []
        if source is None or state is None or not terms:
            return {"items": [], "minutes": 0.0, "calibrated": True}
        points = np.array([p for p in source.points if p < len(state.limits.threshold)], np.int64)
        until = int(state.judge.clock[0])
        first = (until - 1) // _PAST_MS - (forecast.KEPT - 1)
        found = await query.stepped(store, points, first * _PAST_MS, until, _PAST_MS)
        own = on_grid(points, found, first, forecast.KEPT, 1).T
        own = own[:, forecast.unbroken(own) :]
        minutes = own.shape[1] * forecast.STEP_MIN
        calibrated = source.service.id == forecast.LEARNED_ON
        if own.shape[1] < _FEWEST_PAST:
            return {"items": [], "minutes": minutes, "calibrated": calibrated}
        x = {t["id"]: t["x"] for t in terms}
        standing = forecast.Standing(x.pop("B"), x)
        level, limits = packed.levels(state.judge, points), state.limits.threshold[points]
        items = await asyncio.to_thread(forecast.outlook, standing, own, limits, level, self.risk.configuration)
        return {"items": items, "minutes": minutes, "calibrated": calibrated}

    # --- what moves without events ---------------------------------------------------------------------------------

    def look_around(self, picture: Picture, until: int, recent: NDArray[np.float64]) -> set[str]:
        """Take the live inputs of all sources anew; those that moved are to be scored.

        Args:
            picture: the registry.
            until: event time.
            recent: value of each point, the median of its last three, NaN = none, float64[P].
        """
        if until >= self._calendar_due:
            self._calendar_due = until + _CALENDAR_EVERY_MS
            with reading(self._sessions) as session:
                self._special = {day["day"]: day["working"] for day in notices.calendar(session)}
        moved: set[str] = set()
        trip = self._trip_shares(picture, recent)
        silent = self._drifted(picture, until)
        values = _Recent(recent)
        for n, source in enumerate(picture.sources):
            site = self._sites.get(source.code)
            live = self._site_live(site, source.r, values, until) if site else {}
            live |= self._units.look(source.code, recent, until)
            if n in trip:
                live["trip_share"] = trip[n]
            if _differs(live, self._live.get(source.code, {})):
                moved.add(source.code)
            self._live[source.code] = live
            if abs(silent[n] - self._silent.get(source.code, 0.0)) > _LIVE_MOVED:
                moved.add(source.code)
                self._silent[source.code] = round(float(silent[n]), 3)
        return moved | self._units.stale(until)

    def _site_live(self, site: sites.Site, r: float, value: _Recent, now: int) -> Live:
        live: Live = {}
        k = self.risk.configuration
        wind = max((v for p in site.wind if (v := value(p)) is not None), default=0.0)
        if wind >= k.wind_ms:
            live["wind"] = (wind, f"园区风速 {wind:.1f} m/s")
        air = max((v for p in site.air if (v := value(p)) is not None), default=-90.0)
        if air >= k.heat_c:
            live["heat"] = (air, f"气温 {air:.1f} ℃")
        found = self._inventory.r_live(site, r, value, self._books.densities)
        if found is not None:
            live["r_live"] = found
        if site.service.id == "warehouse":
            live |= self._store_live(site, value, now)
        return live | self._by_alarm(site)

    def _store_live(self, site: sites.Site, value: _Recent, now: int) -> Live:
        """Stock, ventilation and goods of a warehouse."""
        live: Live = {}
        over = [v / design for p, design in site.stock if (v := value(p)) is not None]
        if over and max(over) > 1:
            live["overstock"] = (max(over), "")
        if site.rooms:
            still = ventilation(site, self._senses(), now)
            if still is not None:
                live["ventilation"] = still
        if site.clashes:
            held = {
                code: sum(known)
                for code, h in site.holders.items()
                if (known := [v for p in h.weight if (v := value(p)) is not None])
            }
            together = incompatible(site, held)
            if together is not None:
                live["incompatible"] = together
        return live

    def _senses(self) -> Senses:
        picture = self._watch.picture
        return Senses(
            self._value, lambda p: self._desk.active(p, KIND_PROCESS), self._first_high,
            lambda p: picture.facts(p).name if picture else "",
        )  # fmt: skip

    def _first_high(self, point: int) -> float | None:
        state = self._watch.state
        if state is None or point >= len(state.limits.threshold):
            return None
        limit = float(state.limits.threshold[point, 2])
        return None if np.isnan(limit) else limit

    def _by_alarm(self, site: sites.Site) -> Live:
        """What alarms say of blanket, climate and ventilation: the first limit half of it, the second all."""
        live: Live = {}
        for name, points in (("blanket_loss", site.blanket), ("climate", site.climate)):
            records = [r for p in points if (r := self._desk.active(p, KIND_PROCESS)) is not None]
            if name == "blanket_loss":
                records = [r for r in records if r.level < Level.NORMAL]
            if records:
                live[name] = (max(r.level.severity for r in records) / 2, "")
        return live

    def _trip_shares(self, picture: Picture, recent: NDArray[np.float64]) -> dict[int, tuple[float, str]]:
        """How far points of production units have gone from their first to their second limit, the worst of each."""
        state = self._watch.state
        if state is None:
            return {}
        limits = state.limits.threshold
        n = min(len(limits), len(recent))
        v = recent[:n]
        with np.errstate(invalid="ignore", divide="ignore"):
            high = (v - limits[:n, 2]) / (limits[:n, 3] - limits[:n, 2])
            low = (limits[:n, 1] - v) / (limits[:n, 1] - limits[:n, 0])
        share = np.nan_to_num(np.fmax(high, low), nan=0.0, posinf=0.0, neginf=0.0)
        out: dict[int, tuple[float, str]] = {}
        hot = set(np.flatnonzero(share > 0).tolist())
        if not hot:
            return out
        for at, source in enumerate(picture.sources):
            if source.service.id != "production-unit":
                continue
            worst = max((p for p in source.points if p in hot), key=lambda p: share[p], default=None)
            if worst is not None:
                x = float(min(1.0, share[worst]))
                out[at] = (round(x, 3), f"{picture.facts(worst).name}已走完到第二限值路程的 {x:.0%}")
        return out

    def _drifted(self, picture: Picture, until: int) -> NDArray[np.float64]:
        """How much of each source is lost: silence beyond 5 min, half of it after 10 more."""
        state = self._watch.state
        inputs = picture.inputs
        out = np.zeros(len(inputs.counts))
        if state is None or not len(inputs.order):
            return out
        good = self._watch.usable()
        size = len(good)
        received = state.latest.received[:size]
        heard = np.where(received > 0, received, self._watch.begun)
        over = np.maximum(until - heard - YOUNG_MS, 0) / MINUTE_MS
        lost = np.where(good, 0.0, 1 - np.exp2(-over / self.risk.configuration.drift_half_life_min))
        some = inputs.counts > 0
        if some.any():
            out[some] = np.add.reduceat(lost[inputs.order], inputs.starts[some]) / inputs.counts[some]
        return out


class _Recent:
    """Values of points as medians of their last three; None where there is none."""

    __slots__ = ("_of",)

    def __init__(self, recent: NDArray[np.float64]) -> None:
        self._of = recent

    def __call__(self, point: int) -> float | None:
        if point >= len(self._of):
            return None
        v = float(self._of[point])
        return v if v == v else None  # noqa: PLR0124  # not NaN


def _of_source(record: Declared) -> bool:
    """Whether a record is about one source, not about all below a place."""
    return len(record.object) == SOURCE_LENGTH


def _differs(new: Live, old: Mapping[str, tuple[float, str]]) -> bool:
    if new.keys() != old.keys():
        return True
    return any(abs(v - old[name][0]) > _LIVE_MOVED * max(1.0, abs(old[name][0])) for name, (v, _) in new.items())
