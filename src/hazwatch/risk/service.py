"""Grading of all sources and enterprises of the node. One writer; lives in the engine.

A change re-scores only what it touches: an alarm its source, a tick the sources that have alarms, move towards a limit
or wait to fall. A grade is written when its colour changes or its score moves by a point; pages hear of it after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import func, insert, select

from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.risk.model import (
    MODEL_ID,
    VERSION,
    ActiveAlarm,
    Approach,
    Held,
    Score,
    Weights,
    colour_of,
    enterprise_score,
    hold,
    score,
)
from hazwatch.risk.tables import Grade
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import iso

#: A score is written again when it has moved by this much.
_MOVED = 1.0
_MOVED_CONFIDENCE = 0.05


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
    points: tuple[int, ...]


@dataclass(slots=True)
class Graded:
    """The grade of an object as it stands."""

    code: str
    path: str
    colour: Colour
    score: float
    confidence: float
    reason: str
    terms: list[dict[str, Any]]
    at: int
    held: Held = field(default_factory=lambda: Held(Colour.NONE))

    def form(self) -> dict[str, Any]:
        """As in the API."""
        return {
            "code": self.code, "colour": self.colour.word, "score": round(self.score, 1),
            "confidence": self.confidence, "at": iso(self.at), "reason": self.reason, "terms": self.terms,
        }  # fmt: skip


#: Standing alarms of a source, as the model sees them.
AlarmsOf = Callable[[SourceFacts], list[ActiveAlarm]]
#: Share of a source's points whose value may be used, 0…1.
ConfidenceOf = Callable[[SourceFacts], float]


class RiskDesk:
    """Grades in memory, their changes in the records."""

    def __init__(self, sessions: Sessions, alarms_of: AlarmsOf, confidence_of: ConfidenceOf) -> None:
        self._sessions = sessions
        self._alarms_of = alarms_of
        self._confidence_of = confidence_of
        self.weights = Weights()
        self._sources: dict[str, SourceFacts] = {}
        self._of_enterprise: dict[str, list[SourceFacts]] = {}
        self._grades: dict[str, Graded] = {}
        self._restless: set[str] = set()

    def know(self, sources: Iterable[SourceFacts], now: int) -> list[Graded]:
        """Take over the sources of a version of the registry and grade them all."""
        self._sources = {s.code: s for s in sources}
        self._of_enterprise = {}
        for source in self._sources.values():
            self._of_enterprise.setdefault(source.enterprise, []).append(source)
        if not self._grades:
            self._recall()
        enterprises = self._of_enterprise
        for gone in [code for code in self._grades if code not in self._sources and code not in enterprises]:
            del self._grades[gone]
        self._restless &= set(self._sources)
        return self.rescore(self._sources, {}, now)

    def _recall(self) -> None:
        """Take the last grades from the records, so that hysteresis survives a restart."""
        newest = select(func.max(Grade.id)).group_by(Grade.object)
        with reading(self._sessions) as session:
            # scope: node-internal because the desk grades every object of the node
            for row in session.scalars(select(Grade).where(Grade.id.in_(newest))):
                colour = Colour(row.colour)
                self._grades[row.object] = Graded(
                    row.object, row.path, colour, row.score, row.confidence, row.reason, orjson.loads(row.terms),
                    row.at, Held(colour, row.at if colour > colour_of(row.score, self.weights) else None),
                )  # fmt: skip

    @property
    def grades(self) -> Mapping[str, Graded]:
        """All grades by code of source or enterprise."""
        return self._grades

    def restless(self) -> set[str]:
        """Sources whose grade can change by the passing of time alone."""
        return set(self._restless)

    def source_of_points(self) -> dict[int, str]:
        """Code of the source of every point."""
        return {p: s.code for s in self._sources.values() for p in s.points}

    def rescore(self, codes: Iterable[str], approaches: Mapping[str, list[Approach]], now: int) -> list[Graded]:
        """Grade sources anew, and the enterprises they belong to.

        Args:
            codes: of sources; unknown ones are passed over.
            approaches: by source, its points that move towards a limit.
            now: event time, epoch ms.

        Returns:
            Grades that changed enough to be written and told.
        """
        changed: list[Graded] = []
        enterprises: set[str] = set()
        for code in codes:
            facts = self._sources.get(code)
            if facts is None:
                continue
            enterprises.add(facts.enterprise)
            alarms = self._alarms_of(facts)
            near = approaches.get(code, [])
            result = score(facts.r, facts.level, alarms, near, now, self.weights)
            graded = self._source_grade(facts, result, now)
            if alarms or near or graded.held.lower_since is not None or graded.colour > result.colour:
                self._restless.add(code)
            else:
                self._restless.discard(code)
            changed += self._keep(graded)
        for code in enterprises:
            changed += self._keep(self._enterprise_grade(code, now))
        self._write(changed)
        return changed

    def _source_grade(self, facts: SourceFacts, result: Score, now: int) -> Graded:
        before = self._grades.get(facts.code)
        held = hold(before.held, result, now, self.weights) if before else Held(result.colour)
        reason = result.reason
        if held.colour > result.colour:
            reason = f"保持{held.colour.zh}色(低于界限满 {self.weights.fall_after_min:.0f} 分钟后下调);{reason}"
        terms = [{**asdict(t), "x": round(t.x, 4), "contribution": round(t.contribution, 2)} for t in result.terms]
        return Graded(
            facts.code,
            facts.path,
            held.colour,
            result.score,
            round(self._confidence_of(facts), 3),
            reason,
            terms,
            now,
            held,
        )

    def _enterprise_grade(self, code: str, now: int) -> Graded:
        own = [(s, self._grades[s.code]) for s in self._of_enterprise[code] if s.code in self._grades]
        total, colour = enterprise_score([(g.score, g.colour) for _, g in own], self.weights)
        worst = max(own, key=lambda pair: (pair[1].colour, pair[1].score))
        reason = f"最高风险:{worst[0].name},{worst[1].reason}"
        confidence = min(g.confidence for _, g in own)
        return Graded(code, own[0][0].enterprise_path, colour, total, confidence, reason, [], now, Held(colour))

    def _keep(self, new: Graded) -> list[Graded]:
        """Remember a grade; give it back when it has to be written."""
        before = self._grades.get(new.code)
        same = (
            before is not None and before.colour is new.colour and abs(before.score - new.score) < _MOVED
            and abs(before.confidence - new.confidence) < _MOVED_CONFIDENCE
            and [t["x"] > 0 for t in before.terms] == [t["x"] > 0 for t in new.terms]
        )  # fmt: skip
        if same and before is not None:
            # The written score stays the yardstick, so that a slow creep is written too.
            self._grades[new.code] = replace(before, held=new.held)
            return []
        self._grades[new.code] = new
        return [new]

    def _write(self, grades: list[Graded]) -> None:
        if not grades:
            return
        rows = [
            {
                "object": g.code, "at": g.at, "colour": int(g.colour), "score": g.score, "confidence": g.confidence,
                "reason": g.reason, "terms": orjson.dumps(g.terms).decode(), "inputs": "{}", "path": g.path,
                "model": MODEL_ID, "version": VERSION, "configuration": self.weights.digest(),
            }
            for g in grades
        ]  # fmt: skip
        with unit_of_work(self._sessions) as session:
            session.execute(insert(Grade), rows)
