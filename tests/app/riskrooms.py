"""The risk room on the registry of the park in the box, in process: values and alarms by tag, no node, no gateway."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import orjson
from sqlalchemy import delete, select

from hazwatch.alarms.model import Record, State
from hazwatch.app import facts
from hazwatch.app.prepare import prepare
from hazwatch.app.riskroom import RiskRoom
from hazwatch.history import latest
from hazwatch.notify.tables import NoticeDay
from hazwatch.records import Sessions, reading, unit_of_work
from hazwatch.registry.tables import Point
from hazwatch.risk.service import RiskDesk
from hazwatch.risk.tables import Grade, RiskDeclared
from hazwatch.settings import Settings
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.quality import Quality

NOW = 1_795_417_200_000
MINUTE = 60_000


@dataclass
class Park:
    """The risk room with values and alarms that a test sets by tag."""

    sessions: object
    picture: facts.Picture
    index: dict[str, int]
    values: dict[str, float] = field(default_factory=dict)
    alarms: dict[str, tuple[Level, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        watch = SimpleNamespace(
            picture=self.picture, begun=NOW, approaches_of=lambda _: [], confidence_of=lambda _: 1.0,
            usable=lambda: np.ones(len(self.picture.limits), np.bool_), state=None,
        )  # fmt: skip
        self.watch = watch
        self.room = RiskRoom(self.sessions, SimpleNamespace(active=self._active), watch)
        self.room.risk = self.desk = RiskDesk(self.sessions, self.room.look)
        self.room.know(self.picture)
        self.desk.know(self.picture.sources)
        self.room.reload(NOW)

    def _active(self, point: int, _kind: str) -> Record | None:
        found = next((a for tag, a in self.alarms.items() if self.index[tag] == point), None)
        if found is None:
            return None
        level, at = found
        return Record(
            "a", point, "process", level, level, State.UNACKNOWLEDGED, 1.0, 1.0, 1, at, at, at, found_late=False
        )

    def grade(self, source: str, now: int = NOW) -> dict[str, dict]:
        """Terms of a source after one look around."""
        size = len(self.picture.limits)
        kept = latest.fresh(size)
        recent = np.full(size, np.nan)
        for tag, value in self.values.items():
            recent[self.index[tag]] = kept.value[self.index[tag]] = value
            kept.ts[self.index[tag]] = kept.received[self.index[tag]] = now
            kept.quality[self.index[tag]] = Quality.GOOD
        self.watch.state = SimpleNamespace(latest=kept, limits=self.picture.limits)
        self.room.look_around(self.picture, now, recent)
        code = next(s.code for s in self.picture.sources if source in s.name)
        self.desk.rescore([code], now)
        return {t["id"]: t for t in orjson.loads(self.desk.grades[code].terms)}


def registered(home: Path) -> tuple[Sessions, facts.Picture, dict[str, int]]:
    """The registry of the park: sessions, picture, dense index by tag."""
    settings = Settings(home=home, records_url=f"sqlite:///{home}/records.sqlite", simulator=True)
    sessions = prepare(settings, lambda _: None)
    with reading(sessions) as session:
        index = dict(session.execute(select(Point.tag, Point.index)).tuples().all())
    return sessions, facts.load(sessions), index


def fresh(known: tuple[Sessions, facts.Picture, dict[str, int]]) -> Park:
    """The park without a grade."""
    with unit_of_work(known[0]) as session:
        for table in (Grade, RiskDeclared, NoticeDay):
            session.execute(delete(table))
    return Park(*known)
