"""The warning room inside the engine: grades of the risk room become warnings, and who must know is told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hazwatch.alarms.model import KIND_PROCESS
from hazwatch.alarms.store import Owns, everything
from hazwatch.alarms.tables import Alarm
from hazwatch.app.node import clock
from hazwatch.app.seat import Seat
from hazwatch.identity.model import NodeKind
from hazwatch.identity.tables import Node
from hazwatch.log.client import Log
from hazwatch.records.engine import Sessions, reading
from hazwatch.registry.tables import Enterprise, Park, Source
from hazwatch.risk import book as risk
from hazwatch.risk.configuration import DEFAULT, Configuration
from hazwatch.risk.model import colour_of
from hazwatch.risk.service import FALLBACK, REFUSED, SCORED, UNKNOWN
from hazwatch.risk.tables import Grade
from hazwatch.stream import wire
from hazwatch.vocabulary.codes import ENTERPRISE_LENGTH, SOURCE_LENGTH
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import iso
from hazwatch.vocabulary.warnings import WarningKind
from hazwatch.warnings import service
from hazwatch.warnings.model import CLUSTER, MANY, Change, leading
from hazwatch.warnings.rules import Rules
from hazwatch.warnings.service import Hooks, Taken, WarningDesk

_log = logging.getLogger(__name__)
#: Grades are looked for at least this often, also when nobody says that there are some.
_EVERY_S = 1.0
#: The pause after each round: what comes meanwhile is written together, and alarms find the records free.
_BREATH_S = 0.3
_TOLD_TOGETHER = 500
_POINTS = 20
_PART = 5_000


@dataclass(slots=True)
class Directory:
    """Names and kinds of what can be warned of, and which of it is made up."""

    names: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, NodeKind] = field(default_factory=dict)
    simulated: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, session: Session) -> Directory:
        """All of the node."""
        # scope: node-internal because warnings are made for the whole node and carry the path themselves
        nodes = session.execute(select(Node.code, Node.name, Node.kind)).tuples().all()
        sources = session.execute(select(Source.code, Source.name)).tuples().all()
        made_up = {
            *session.scalars(select(Enterprise.code).where(Enterprise.simulated)),
            *session.scalars(select(Park.code).where(Park.simulated)),
        }
        return cls(
            {code: name for code, name, _ in nodes} | dict(sources),
            {code: NodeKind(kind) for code, _, kind in nodes}, made_up,
        )  # fmt: skip

    def kind(self, code: str, rules: Rules) -> WarningKind | None:
        """As what an object is warned of; None = not at all."""
        if len(code) == SOURCE_LENGTH and code not in self.kinds:
            return WarningKind.SOURCE
        match self.kinds.get(code):
            case NodeKind.ENTERPRISE:
                return WarningKind.ENTERPRISE
            case NodeKind.PARK:
                return WarningKind.PARK
            case None:
                return None
            case _:
                return WarningKind.REGION if code in rules.key_regions else None


class Grades:
    """Grades as the warning room takes them."""

    def __init__(self, sessions: Sessions, owns: Owns, writing: threading.Lock | None = None) -> None:
        self._sessions = sessions
        # Of several engines each writes ids of one table. While none of ours is on its way, all of ours are visible.
        self._still = writing or contextlib.nullcontext()
        self._owns = owns
        self._known: dict[str, Configuration] = {}
        self.directory = Directory()
        self.reload()

    def reload(self) -> None:
        """The registry has a new version."""
        with reading(self._sessions) as session:
            self.directory = Directory.read(session)

    def source(self) -> service.Source:
        """For the desk."""
        return service.Source(self.after, self.newest, self.mine, points_in_alarm, self._still)

    def after(self, session: Session, grade: int, most: int, rules: Rules) -> tuple[Sequence[Taken], int]:
        """Grades after an id."""
        # scope: node-internal because warnings are made for the whole node and carry the path themselves
        rows = session.scalars(select(Grade).where(Grade.id > grade).order_by(Grade.id).limit(most)).all()
        mine = [row for row in rows if self.mine(row.object)]
        return [self._taken(session, row, rules) for row in mine], rows[-1].id if rows else grade

    def newest(self, session: Session, upto: int | None, rules: Rules) -> tuple[Sequence[Taken], int]:
        """What the newest grades say: at the first start those that warn, later what has to be remembered."""
        # scope: node-internal because warnings are made for the whole node and carry the path themselves
        last = select(func.max(Grade.id)).group_by(Grade.object)
        if upto is not None:
            last = last.where(Grade.id <= upto)
        ids = sorted(session.scalars(last))
        found: list[Taken] = []
        for start in range(0, len(ids), _PART):
            part = select(Grade).where(Grade.id.in_(ids[start : start + _PART])).order_by(Grade.id)
            if upto is not None:
                # A nation has tens of thousands of sources; of those only the ones scored in part matter here.
                reduced = Grade.inputs.like(f'{{"mode":"{FALLBACK}"%')
                part = part.where(reduced | func.length(Grade.object).not_in((ENTERPRISE_LENGTH, SOURCE_LENGTH)))
            taken = [self._taken(session, row, rules) for row in session.scalars(part) if self.mine(row.object)]
            found += [t for t in taken if upto is not None or t.change.warned is not Colour.NONE]
        return found, ids[-1] if ids else 0

    def mine(self, code: str) -> bool:
        """Whether an object belongs to our share: parks and regions are graded by nobody else."""
        place = self.directory.kinds.get(code) not in (None, NodeKind.ENTERPRISE)
        return place or self._owns is everything or self._owns(code[:ENTERPRISE_LENGTH])

    def _taken(self, session: Session, row: Grade, rules: Rules) -> Taken:
        kind = self.directory.kind(row.object, rules)
        inputs = orjson.loads(row.inputs)
        mode, colour = inputs.get("mode", SCORED), Colour(row.colour)
        bare, worst, cause = Colour.NONE, Colour.NONE, ""
        if kind is WarningKind.SOURCE:
            floor = Colour[inputs.get("raw", {}).get("floor", "none").upper()]
            terms = orjson.loads(row.terms)
            cause = leading(terms, floor, colour)
            if terms and floor is Colour.NONE:
                bare = colour_of(100 * terms[0]["x"], self._configuration(session, row.configuration))
        elif kind is not None:
            worst = max((Colour[word.upper()] for _, _, word, *_ in inputs.get("members", ())), default=Colour.NONE)
            cause = MANY if kind is WarningKind.ENTERPRISE else CLUSTER
        change = Change(
            row.id, kind, row.object, self.directory.names.get(row.object, row.object), row.path, row.at, colour,
            cause, bare, worst, mode not in (UNKNOWN, REFUSED, FALLBACK), row.reason, row.terms,
            not self.directory.simulated.isdisjoint((row.object, row.object[:ENTERPRISE_LENGTH])),
        )  # fmt: skip
        return Taken(change, mode == FALLBACK)

    def _configuration(self, session: Session, digest: str) -> Configuration:
        if digest not in self._known:
            self._known[digest] = risk.known_configuration(session, digest) or DEFAULT
        return self._known[digest]


def points_in_alarm(session: Session, change: Change) -> str:
    """The points in alarm at an object now, as JSON: the worst first, and how many there are in all."""
    if change.kind not in (WarningKind.SOURCE, WarningKind.ENTERPRISE):
        return "{}"
    column = Alarm.source if change.kind is WarningKind.SOURCE else Alarm.enterprise
    # scope: node-internal because the snapshot stands on a warning that carries the path itself
    mine = select(Alarm).where(
        column == change.object, Alarm.kind == KIND_PROCESS, Alarm.returned_at.is_(None), Alarm.closed_at.is_(None),
        Alarm.revoked.is_(False),
    )  # fmt: skip
    rows = session.scalars(mine.order_by(Alarm.event_time)).all()
    worst = sorted(rows, key=lambda r: (r.priority, r.event_time, r.id))[:_POINTS]
    points = [
        {"point": r.point_code, "name": r.point_name, "level": Level(r.level or r.worst_level).word, "value": r.value,
         "limit": r.limit, "unit": r.unit, "at": iso(r.event_time)}
        for r in worst
    ]  # fmt: skip
    return orjson.dumps({"points": points, "total": len(rows)}).decode()


class WarningRoom:
    """The loop that follows the grades."""

    def __init__(self, log: Log, seat: Seat, writing: threading.Lock, hooks: Hooks) -> None:
        self._log = log
        self._grades = Grades(seat.sessions, seat.owns, writing if seat.share.count > 1 else None)
        self.desk = WarningDesk(seat.sessions, self._grades.source(), hooks, seat.share.named("grades"))
        self._work = asyncio.Event()
        self._stale = False

    def wake(self) -> None:
        """Grades were written."""
        self._work.set()

    def changed(self) -> None:
        """The registry or the rules changed."""
        self._stale = True
        self._work.set()

    async def run(self) -> None:
        """Follow the grades until cancelled. Whatever is wrong with warnings, alarms and grades go on."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), _EVERY_S)
            self._work.clear()
            try:
                await self._follow()
            except asyncio.CancelledError:
                raise
            except Exception:  # noqa: BLE001  # the offset says where to go on
                _log.exception("warnings: trying again")
                await asyncio.sleep(1.0)
            await asyncio.sleep(_BREATH_S)

    async def _follow(self) -> None:
        if self._stale:
            self._stale = False
            await asyncio.to_thread(self._grades.reload)
            self.desk.forget()
        before = -1
        while before != self.desk.offset:
            before = self.desk.offset
            told = await asyncio.to_thread(self.desk.take_in, clock())
            for start in range(0, len(told), _TOLD_TOGETHER):
                await self._log.tell(wire.SUBJECT_WARNINGS, orjson.dumps(told[start : start + _TOLD_TOGETHER]))
