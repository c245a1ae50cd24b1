"""Grading of all sources, enterprises, parks and regions of the node. One writer; lives in the engine.

A change re-scores only what it touches: an alarm its source, a tick the sources that have alarms, move towards a limit
or wait to fall. A grade is written when its colour changes or its score moves by a point; pages hear of it after that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import func, insert, select

from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.risk.configuration import DEFAULT, Configuration
from hazwatch.risk.evidence import at_moment
from hazwatch.risk.features import COLUMN, FAR, NONE, SINCE_COLUMNS, Service
from hazwatch.risk.model import MODEL_ID, VERSION, Held, Member, colour_of, enterprise_score, hold, park_score
from hazwatch.risk.objects import Asked, stored
from hazwatch.risk.scorer import AwayError, Batch, InProcess, Scorer
from hazwatch.risk.shadow import Shadow
from hazwatch.risk.tables import Grade
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import SECOND, clock_text, iso

_log = logging.getLogger(__name__)
#: A score is written again when it has moved by this much.
_MOVED = 1.0
_MOVED_CONFIDENCE = 0.05
#: … or R by the live inventory by this share of the registered R: the page tells it beside a score that stands still.
_MOVED_R = 0.25
#: A model service that was away is asked again after this long.
_AGAIN_MS = 5 * SECOND
#: Sources scored and written at a time: what a nation's worth of them needs on the way would never be given back.
_TOGETHER = 1_000
#: Enterprises from which on parks and regions are graded once a second.
_MANY = 500
#: How a grade came about.
SCORED, FALLBACK, UNKNOWN, REFUSED, ENTERPRISE, PLACE = (
    "scored", "fallback", "unknown", "refused", "enterprise", "place",
)  # fmt: skip
#: Inputs that the node scores by itself when the model service is away: alarms and what is inherent.
_FALLBACK_TERMS = ("A", "B", "F")


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the model needs of a source that does not change by the second."""

    code: str
    name: str
    enterprise: str
    path: str
    enterprise_path: str
    level: int
    r: float
    points: Sequence[int]
    service: Service


@dataclass(slots=True)
class Graded:
    """The grade of an object as it stands.

    Attributes:
        terms, inputs: JSON as it is written and told; a nation's worth of dicts would be gigabytes. Inputs are let go
            once they are written.
        domino: how much of the score comes from neighbours, so that two of them do not hold each other up.
        floored: whether a direct rule of 橙 or 红 holds.
        was: the colour before. r_live: R by the live inventory, as told in its terms.
    """

    code: str
    path: str
    colour: Colour
    score: float
    sure: float
    confidence: float
    reason: str
    terms: bytes
    at: int
    held: Held = field(default_factory=lambda: Held(Colour.NONE))
    mode: str = SCORED
    active: bytes = b""
    inputs: bytes = b"{}"
    configuration: str = ""
    declared: tuple[str, ...] = ()
    domino: float = 0.0
    floored: bool = False
    was: Colour = Colour.NONE
    r_live: float | None = None

    def form(self) -> dict[str, Any]:
        """As in the API."""
        return {
            "code": self.code, "colour": self.colour.word, "score": round(self.score, 1),
            "confidence": self.confidence, "at": iso(self.at), "reason": self.reason,
            "terms": orjson.Fragment(self.terms), "mode": self.mode, "model": MODEL_ID, "version": VERSION,
            "configuration": self.configuration,
        }  # fmt: skip


#: The inputs of a source now, with moments for what stands (``risk.evidence.collect``).
Look = Callable[[SourceFacts, int], Asked]


class RiskDesk:
    """Grades in memory, their changes in the records.

    Args:
        sessions: of the records.
        look: collects the inputs of a source.
        scorer: who computes; the models in this process unless told otherwise.
        places: whether enterprises are all here, so that parks and regions can be graded.
    """

    def __init__(self, sessions: Sessions, look: Look, scorer: Scorer | None = None, *, places: bool = True) -> None:
        self._sessions = sessions
        self._look = look
        self._scorer: Scorer = scorer or InProcess()
        self._spare = InProcess()
        self._places = places
        self._away_until = 0
        self.away = ""
        self.configuration: Configuration = DEFAULT
        self._digest = DEFAULT.digest()
        self.shadow: Shadow | None = None
        self._sources: dict[str, SourceFacts] = {}
        self._of_enterprise: dict[str, list[SourceFacts]] = {}
        self._of_place: dict[str, list[str]] = {}
        self._place_path: dict[str, str] = {}
        self._asked: dict[str, Asked] = {}
        self._grades: dict[str, Graded] = {}
        self._restless: set[str] = set()
        self._fallen: set[str] = set()
        self._moved: set[str] = set()
        self._ringed: set[str] = set()
        self._places_due = 0
        #: Held while grades are on their way to the records.
        self.writing = threading.Lock()

    # --- what is graded --------------------------------------------------------------------------------------------

    @property
    def codes(self) -> Collection[str]:
        """Of all sources."""
        return self._sources.keys()

    def under(self, path: str) -> set[str]:
        """Codes of the sources at or below a place of the tree."""
        return {code for code, s in self._sources.items() if s.path.startswith(path)}

    def know(self, sources: Iterable[SourceFacts]) -> None:
        """Take over the sources of a version of the registry, with the grades the records have; they want grading."""
        self._sources = {s.code: s for s in sources}
        self._of_enterprise, self._of_place, self._place_path = {}, {}, {}
        for source in self._sources.values():
            self._of_enterprise.setdefault(source.enterprise, []).append(source)
        if self._places:
            self._know_places()
        if not self._grades:
            self._recall()
        known = {*self._sources, *self._of_enterprise, *self._of_place}
        for gone in [code for code in self._grades if code not in known]:
            del self._grades[gone]
        self._asked = {code: a for code, a in self._asked.items() if code in self._sources}
        self._restless &= set(self._sources)
        self._ringed &= set(self._sources)

    def _know_places(self) -> None:
        """Parks and regions above the enterprises: every node of their paths."""
        for enterprise, own in self._of_enterprise.items():
            parts = own[0].enterprise_path.strip("/").split("/")
            for depth, place in enumerate(parts[:-1], start=1):
                self._of_place.setdefault(place, []).append(enterprise)
                self._place_path[place] = "/" + "/".join(parts[:depth]) + "/"

    def configure(self, configuration: Configuration, shadow: Shadow | None) -> None:
        """Put a configuration in force, and a shadow beside it; everything wants grading anew."""
        self.configuration, self._digest, self.shadow = configuration, configuration.digest(), shadow

    def _recall(self) -> None:
        """Take the last grades from the records, so that hysteresis survives a restart."""
        newest = select(func.max(Grade.id)).group_by(Grade.object)
        with reading(self._sessions) as session:
            # scope: node-internal because the desk grades every object of the node
            for row in session.scalars(select(Grade).where(Grade.id.in_(newest))):
                colour = Colour(row.colour)
                inputs = orjson.loads(row.inputs)
                since = inputs.get("held", {}).get("lower_since")
                if since is None and colour > colour_of(row.score, self.configuration):
                    since = row.at
                terms = orjson.loads(row.terms)
                raw = inputs.get("raw", {})
                self._grades[row.object] = Graded(
                    row.object, row.path, colour, row.score, raw.get("sure", row.score), row.confidence, row.reason,
                    row.terms.encode(), row.at, Held(colour, since), inputs.get("mode", SCORED),
                    bytes(t["x"] > 0 for t in terms[1:]), b"", row.configuration,
                    tuple(inputs.get("asked", {}).get("declared", ())), _domino(terms), _floored(raw), colour,
                )  # fmt: skip

    @property
    def grades(self) -> Mapping[str, Graded]:
        """All grades by code of source, enterprise, park or region."""
        return self._grades

    def name(self, code: str) -> str:
        """Name of a source."""
        known = self._sources.get(code)
        return known.name if known else code

    def restless(self) -> set[str]:
        """Sources whose grade can change by the passing of time alone."""
        return self._restless | (self._fallen if self.away else set())

    # --- scoring ---------------------------------------------------------------------------------------------------

    def rescore(self, codes: Iterable[str], now: int, *, look: bool = True) -> list[Graded]:
        """Grade sources anew, and what they belong to.

        Args:
            codes: of sources; unknown ones are passed over.
            now: event time, epoch ms.
            look: take their inputs anew; else they were taken before, or only time has passed.

        Returns:
            Grades that changed enough to be written and told.
        """
        codes = list(codes)
        self.take(codes if look else [code for code in codes if code not in self._asked], now)
        by_service: dict[str, list[SourceFacts]] = {}
        for code in codes:
            facts = self._sources.get(code)
            if facts is not None:
                by_service.setdefault(facts.service.id, []).append(facts)
        written: list[Graded] = []
        changed: list[Graded] = []
        enterprises: set[str] = set()
        for some in by_service.values():
            for start in range(0, len(some), _TOGETHER):
                changed += self._score(some[start : start + _TOGETHER], now)
                if len(changed) >= _TOGETHER:
                    self._write(changed)
                    written += changed
                    changed = []
            enterprises.update(facts.enterprise for facts in some)
        changed += [g for code in enterprises if self._keep(g := self._enterprise_grade(code, now))]
        changed += self._grade_places({g.code for g in (*written, *changed)}, now)
        self._write(changed)
        return written + changed

    def take(self, codes: Iterable[str], now: int) -> None:
        """Take the inputs of sources as they are now; the alarm desk must stand still meanwhile, for scoring not."""
        for code in codes:
            facts = self._sources.get(code)
            if facts is None:
                continue
            asked = self._asked[code] = self._look(facts, now)
            if asked.value[COLUMN[facts.service.id]["neighbour"]] >= Colour.ORANGE:
                self._ringed.add(code)
            else:
                self._ringed.discard(code)

    def _score(self, some: Sequence[SourceFacts], now: int) -> list[Graded]:
        service = some[0].service
        asked = at_moment(service, [self._asked[facts.code] for facts in some], now)
        moving = _moving(service, asked)
        batch, mode = self._batch(service, asked, now)
        if mode == FALLBACK:
            asked = [_only_alarms(service, a) for a in asked]
            self._fallen.update(facts.code for facts in some)
        else:
            self._fallen.difference_update(facts.code for facts in some)
        lost = np.flatnonzero(batch.unknown).tolist()
        seen = [_as_if_heard(service, asked[n]) for n in lost]
        heard = self._spare.score(service, seen, self.configuration) if seen else batch
        place = {n: m for m, n in enumerate(lost)}
        changed: list[Graded] = []
        for n, facts in enumerate(some):
            if n in batch.refused:
                changed += self._refused(facts, batch.refused[n], now)
                continue
            m = place.get(n)
            if m is None:
                new = self._source_grade(facts, service, asked[n], batch, n, mode, now)
            else:
                new = self._unknown(facts, service, seen[m], heard, m, float(batch.confidence[n]), now)
            if moving[n] or new.held.lower_since is not None or new.colour > batch.colour[n]:
                self._restless.add(facts.code)
            else:
                self._restless.discard(facts.code)
            if self._keep(new):
                changed.append(new)
        if self.shadow is not None:
            live = [self._grades[facts.code] for facts in some]
            self.shadow.look(service, asked, [(g.code, g.path, g.colour, g.score) for g in live], now)
        return changed

    def _batch(self, service: Service, asked: Sequence[Asked], now: int) -> tuple[Batch, str]:
        if now >= self._away_until:
            try:
                batch = self._scorer.score(service, asked, self.configuration)
            except AwayError as error:
                if not self.away:
                    _log.warning("model service is away, alarms and inherent risk only: %s", error)
                self.away, self._away_until = str(error), now + _AGAIN_MS
            else:
                if self.away:
                    _log.warning("model service is back")
                self.away = ""
                return batch, SCORED
        reduced = [_only_alarms(service, a) for a in asked]
        return self._spare.score(service, reduced, self.configuration), FALLBACK

    def _source_grade(
        self, facts: SourceFacts, service: Service, asked: Asked, batch: Batch, n: int, mode: str, now: int
    ) -> Graded:
        before = self._grades.get(facts.code)
        k = self.configuration
        score, colour, floor = float(batch.score[n]), Colour(int(batch.colour[n])), Colour(int(batch.floor[n]))
        held = hold(before.held, score, colour, floor, now, k) if before else Held(colour)
        same = before is not None and self._still(before, held.colour, score, float(batch.confidence[n]), mode)
        told = tuple(asked.declared)
        r_live = float(asked.value[service.at("r_live")]) if "r_live" in asked.notes else None
        if (
            same and before is not None and before.active == batch.active[n] and before.declared == told
            and _same_r(before.r_live, r_live, facts.r)
        ):  # fmt: skip
            # The written score stays the yardstick, so that a slow creep is written too.
            before.held = held
            return before
        answer = batch.answer(n)
        reason = answer["reason"]
        if held.colour > colour:
            reason = f"保持{held.colour.zh}色(低于界限满 {k.fall_after_min:.0f} 分钟后下调);{reason}"
        if mode == FALLBACK:
            reason = f"模型服务不可用,仅按报警与固有危险性评估;{reason}"
        inputs = self._inputs(service, asked, mode, before, answer)
        return Graded(
            facts.code, facts.path, held.colour, score, float(batch.sure[n]), round(answer["confidence"], 3), reason,
            orjson.dumps(answer["terms"]), now, held, mode, batch.active[n], inputs, self._digest, told,
            _domino(answer["terms"]), _floored(answer), before.colour if before else Colour.NONE, r_live,
        )  # fmt: skip

    def _unknown(
        self, facts: SourceFacts, service: Service, seen: Asked, heard: Batch, m: int, confidence: float, now: int
    ) -> Graded:
        """More than half is missing: the last grade is held; only what is really seen (``heard[m]``) may raise it."""
        before = self._grades.get(facts.code)
        last = before.colour if before else Colour.NONE
        colour = max(last, Colour(int(heard.colour[m])))
        score = max(before.score if before else 0.0, float(heard.score[m]))
        since = before.at if before and before.mode != UNKNOWN else (before.held.lower_since if before else None)
        if before and before.mode == UNKNOWN and before.colour is colour and abs(before.score - score) < _MOVED:
            return before
        answer = heard.answer(m)
        said = f"状态未知,最近为 {last.zh}({clock_text(since)})" if before and since else "状态未知"
        reason = f"{said}:半数以上输入缺失,等级保持;{answer['reason']}"
        inputs = self._inputs(service, seen, UNKNOWN, before, answer)
        return Graded(
            facts.code, facts.path, colour, score, max(float(heard.sure[m]), before.sure if before else 0.0),
            round(confidence, 3), reason, orjson.dumps(answer["terms"]), now, Held(colour, since), UNKNOWN, b"", inputs,
            self._digest, (), _domino(answer["terms"]), _floored(answer), last,
        )  # fmt: skip

    def _refused(self, facts: SourceFacts, why: str, now: int) -> list[Graded]:
        """The model or its answer is nonsense: the last grade stays, with its age."""
        before = self._grades.get(facts.code)
        if before is None:
            before = Graded(facts.code, facts.path, Colour.NONE, 0.0, 0.0, 0.0, "尚未评估", b"[]", now)
        if before.mode == REFUSED:
            self._grades[facts.code] = before
            return []
        reason = f"{why};保持 {clock_text(before.at)} 的评估:{before.reason}"
        new = Graded(
            before.code, before.path, before.colour, before.score, before.sure, before.confidence, reason[:2000],
            before.terms, before.at, before.held, REFUSED, b"", orjson.dumps({"mode": REFUSED, "why": why}),
            before.configuration, (), before.domino, before.floored, before.colour,
        )  # fmt: skip
        self._grades[facts.code] = new
        self._restless.add(facts.code)
        return [new]

    def _inputs(
        self, service: Service, asked: Asked, mode: str, before: Graded | None, answer: Mapping[str, Any]
    ) -> bytes:
        """What has to be kept so that the grade can be computed again."""
        last = None
        if before:
            last = {"colour": before.colour.word, "lower_since": before.held.lower_since, "score": before.score}
        raw = {name: answer[name] for name in ("score", "sure", "colour", "floor", "confidence")}
        return orjson.dumps(
            {"mode": mode, "service": service.id, "asked": stored(service, asked), "before": last, "raw": raw}
        )

    # --- enterprises, parks, regions -------------------------------------------------------------------------------

    def _enterprise_grade(self, code: str, now: int) -> Graded:
        own = [(s, self._grades[s.code]) for s in self._of_enterprise[code] if s.code in self._grades]
        members = [Member(g.score, g.colour, g.sure) for _, g in own]
        total, colour, sure = enterprise_score(members, self.configuration)
        worst = max(own, key=lambda pair: (pair[1].colour, pair[1].score, pair[0].code))
        reason = f"最高风险:{worst[0].name},{worst[1].reason}"
        confidence = min(g.confidence for _, g in own)
        named = [[s.code, g.score, g.colour.word, g.sure] for s, g in own]
        inputs = orjson.dumps({"mode": ENTERPRISE, "members": named})
        return Graded(
            code, own[0][0].enterprise_path, colour, total, sure, confidence, reason, b"[]", now, Held(colour),
            ENTERPRISE, b"", inputs, self._digest, was=self._colour(code),
        )  # fmt: skip

    def _grade_places(self, moved: set[str], now: int) -> list[Graded]:
        """Parks and regions of what moved; of a nation not at every change, but once a second."""
        self._moved |= moved & self._of_enterprise.keys()
        if not self._moved or (len(self._of_enterprise) > _MANY and now < self._places_due):
            return []
        moved, self._moved, self._places_due = self._moved, set(), now + SECOND
        changed = []
        for place, enterprises in self._of_place.items():
            if moved.isdisjoint(enterprises):
                continue
            own = [self._grades[e] for e in enterprises if e in self._grades]
            members = [Member(g.score, g.colour, g.sure) for g in own]
            share = self._domino_share(place, enterprises)
            park = park_score(members, share, self.configuration)
            said = "、".join(f"{Colour[w.upper()].zh} {n} 家" for w, n in park.counts.items() if n and w != "none")
            named = [[g.code, g.score, g.colour.word, g.sure] for g in own]
            inputs = orjson.dumps({"mode": PLACE, "members": named, "domino_share": share})
            new = Graded(
                place, self._place_path[place], park.colour, park.score, park.score,
                min((g.confidence for g in own), default=0.0), said or "各企业均无预警", b"[]", now, Held(park.colour),
                PLACE, b"", inputs, self._digest, was=self._colour(place),
            )  # fmt: skip
            if self._keep(new):
                changed.append(new)
        return changed

    def _colour(self, code: str) -> Colour:
        """The colour of an object so far."""
        known = self._grades.get(code)
        return known.colour if known else Colour.NONE

    def _domino_share(self, place: str, enterprises: Sequence[str]) -> float:
        """Share of the sources with a neighbour in the ring that is 橙 or 红."""
        total = sum(len(self._of_enterprise[e]) for e in enterprises)
        path = self._place_path[place]
        hit = sum(1 for code in self._ringed if self._sources[code].path.startswith(path))
        return round(hit / total, 6) if total else 0.0

    # --- memory and records ----------------------------------------------------------------------------------------

    def _still(self, before: Graded, colour: Colour, score: float, confidence: float, mode: str) -> bool:
        return (
            before.colour is colour and before.mode == mode and abs(before.score - score) < _MOVED
            and abs(before.confidence - confidence) < _MOVED_CONFIDENCE and before.configuration == self._digest
        )  # fmt: skip

    def _keep(self, new: Graded) -> bool:
        """Remember a grade; whether it has to be written."""
        before = self._grades.get(new.code)
        if before is new:
            return False
        if (
            before is not None
            and new.mode in (ENTERPRISE, PLACE)
            and self._still(before, new.colour, new.score, new.confidence, new.mode)
        ):
            before.sure = new.sure
            return False
        self._grades[new.code] = new
        return True

    def _write(self, grades: list[Graded]) -> None:
        if self.shadow is not None:
            self.shadow.write(self._sessions)
        if not grades:
            return
        rows = [
            {
                "object": g.code, "at": g.at, "colour": int(g.colour), "score": g.score, "confidence": g.confidence,
                "reason": g.reason, "terms": g.terms.decode(), "inputs": _with_held(g.inputs, g.held),
                "path": g.path, "model": MODEL_ID, "version": VERSION, "configuration": g.configuration,
            }
            for g in grades
        ]  # fmt: skip
        with self.writing, unit_of_work(self._sessions) as session:
            session.execute(insert(Grade), rows)
        for g in grades:
            g.inputs = b""


def _with_held(inputs: bytes, held: Held) -> str:
    """Inputs with the hysteresis of the moment of writing."""
    return f'{inputs[:-1].decode()},"held":{{"lower_since":{orjson.dumps(held.lower_since).decode()}}}}}'


def _same_r(before: float | None, now: float | None, r: float) -> bool:
    """Whether R by the live inventory need not be told anew."""
    if before is None or now is None:
        return before is now
    return abs(before - now) <= _MOVED_R * max(1.0, r)


def _domino(terms: Iterable[Mapping[str, Any]]) -> float:
    """How much of a score comes from the neighbours."""
    return float(next((t["contribution"] for t in terms if t["id"] == "D"), 0.0))


def _floored(answer: Mapping[str, Any]) -> bool:
    """Whether a direct rule of 橙 or 红 holds."""
    return answer.get("floor", "none") in (Colour.ORANGE.word, Colour.RED.word)


def _moving(service: Service, asked: Sequence[Asked]) -> NDArray[np.bool_]:
    """Which objects the passing of time alone can change."""
    value = np.array([a.value for a in asked])
    at = COLUMN[service.id]
    stands = (value[:, list(SINCE_COLUMNS[service.id])] > NONE).any(axis=1)
    told = np.array([bool(a.declared) for a in asked])
    return np.asarray(stands | (value[:, at["to_limit"]] < FAR) | (value[:, at["silent"]] > 0) | told)


def _only_alarms(service: Service, asked: Asked) -> Asked:
    """What the node scores by itself: alarms and what is inherent; the rest is calm."""
    value = np.array(
        [v if f.term in (*_FALLBACK_TERMS, "?") else f.calm for f, v in zip(service.features, asked.value, strict=True)]
    )
    return Asked(asked.object, value, asked.age, asked.notes, asked.declared)


def _as_if_heard(service: Service, asked: Asked) -> Asked:
    """What is really seen: as if nothing were missing, so that silence by itself raises nothing."""
    value = asked.value.copy()
    at = COLUMN[service.id]
    value[at["usable"]], value[at["silent"]] = 1.0, 0.0
    value = np.where(np.isnan(value), [f.calm for f in service.features], value)
    return Asked(asked.object, value, np.zeros_like(asked.age), asked.notes, asked.declared)
