"""Grades into warnings, exactly once: a batch of grades, the warnings they make and the new offset are one transaction.

One writer for the grades of one engine. After a crash the offset says which grades were taken in; the rest comes again.
Whatever must never be without its warning (the slip) is written by hooks inside the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import CHINA, DAY, from_ms
from hazwatch.vocabulary.warnings import WarningFacts, WarningKind
from hazwatch.warnings import receipts, rules_book
from hazwatch.warnings.book import Book, Step
from hazwatch.warnings.forms import told
from hazwatch.warnings.model import Change, Deed, Standing
from hazwatch.warnings.rules import Rules
from hazwatch.warnings.tables import WarningEvent, WarningNumber, WarningOffset, WarningRow

#: Grades that are taken in together: few, because an alarm waits for one such transaction.
AT_ONCE = 32
_NEVER = 1 << 62
#: Deeds with which a warning gets a colour, and its recipients.
COLOURED = (Deed.RAISED, Deed.UPGRADED, Deed.REOPENED)


@dataclass(frozen=True, slots=True)
class Taken:
    """A grade as the warnings take it; ``reduced``: it was scored without the model service."""

    change: Change
    reduced: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where grades and what stands around them come from.

    Attributes:
        after: grades after an id, in their order, at most so many; and the id up to which this looked.
        newest: of the newest grades of all objects up to an id the places and those scored in part; without an id, at
            the very first start, all that warn.
        mine: whether an object is this desk's.
        points: the points in alarm at an object now, as JSON.
        still: held while grades are read, so that none of ours becomes visible behind one that was read already.
    """

    after: Callable[[Session, int, int, Rules], tuple[Sequence[Taken], int]]
    newest: Callable[[Session, int | None, Rules], tuple[Sequence[Taken], int]]
    mine: Callable[[str], bool]
    points: Callable[[Session, Change], str]
    still: AbstractContextManager[object]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is written in the same transaction as the warning. ``first``: before any row of the warnings is written."""

    raised: Callable[[Session, WarningFacts], None] = lambda _session, _facts: None
    changed: Callable[[Session, WarningFacts, Colour], None] = lambda _session, _facts, _was: None
    cleared: Callable[[Session, WarningFacts, int], None] = lambda _session, _facts, _at: None
    merged: Callable[[Session, WarningFacts, str], None] = lambda _session, _facts, _appended: None
    first: Callable[[Session], object] = lambda _session: None


@dataclass(slots=True)
class _Batch:
    """What one transaction writes."""

    steps: list[Step] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)


class Numbers:
    """Running numbers of days, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last: dict[str, int] = {}
        self._fresh: set[str] = set()

    def next(self, at: int) -> str:
        """The id of a warning born at a moment (epoch ms): its day in China and a running number."""
        day = from_ms(at).astimezone(CHINA).strftime("%Y%m%d")
        if day not in self._last:
            found = self._session.scalar(
                select(WarningNumber.last).where(WarningNumber.day == day).with_for_update()
            )  # fmt: skip
            if found is None:
                self._fresh.add(day)
            self._last[day] = found or 0
        self._last[day] += 1
        return f"YJ{day}{self._last[day]:06d}"

    def write(self) -> None:
        """Keep them."""
        for day, last in self._last.items():
            if day in self._fresh:
                self._session.add(WarningNumber(day=day, last=last))
            else:
                self._session.execute(update(WarningNumber).where(WarningNumber.day == day).values(last=last))


class WarningDesk:
    """Takes grades in; lives in the engine.

    Args:
        sessions: of the records.
        source: of grades.
        hooks: what else is written.
        name: whose grades; the name of the offset.
    """

    def __init__(self, sessions: Sessions, source: Source, hooks: Hooks, name: str = "grades") -> None:
        self._sessions = sessions
        self._source = source
        self._hooks = hooks
        self._name = name
        self._book: Book | None = None
        self._offset = 0
        #: What is left of the grades of the very first start, and the last of them.
        self._first: list[Taken] | None = None
        self._upto = 0
        self._rules = Rules()
        self._numbers: Numbers

    def forget(self) -> None:
        """Rules or the registry changed, or a transaction failed: read everything again before the next grade."""
        self._book = None

    def take_in(self, now: int) -> list[dict[str, Any]]:
        """Take in the next grades; returns what to tell the pages: ``{path, warning}`` each, nothing when done.

        Args:
            now: epoch ms by the node's clock, the time of writing.
        """
        try:
            if self._book is None:
                self._first = self._open()
            if self._first is not None:
                part, rest = self._first[:AT_ONCE], self._first[AT_ONCE:]
                self._first = rest or None
                return self._write(part, part[-1].change.grade if rest else self._upto, now)
            with self._source.still, reading(self._sessions) as session:
                taken, upto = self._source.after(session, self._offset, AT_ONCE, self._rules)
            return self._write(taken, upto, now) if upto > self._offset else []
        except BaseException:
            self.forget()
            raise

    @property
    def offset(self) -> int:
        """Id of the last grade that was taken in."""
        return self._offset

    def _open(self) -> list[Taken] | None:
        """Read what is known. At the very first start what stands now is taken in: those grades; else None."""
        with self._source.still, reading(self._sessions) as session:
            self._rules = rules_book.in_force(session)
            offset = session.scalar(select(WarningOffset.seq).where(WarningOffset.name == self._name))
            newest, upto = self._source.newest(session, offset, self._rules)
            book = Book(self._number, self._rules.window_ms)
            if offset is not None:
                places = [t.change for t in newest if t.change.kind in (WarningKind.PARK, WarningKind.REGION)]
                reduced = {t.change.object: t.change.path for t in newest if t.reduced}
                known = _standing(session, self._source.mine, self._rules.window_ms)
                book.recall(known, places, reduced)
        self._book, self._offset, self._upto = book, offset or 0, upto
        return sorted(newest, key=lambda t: t.change.grade) if offset is None else None

    def _number(self, at: int) -> str:
        return self._numbers.next(at)

    def _write(self, taken: Sequence[Taken], upto: int, now: int) -> list[dict[str, Any]]:
        assert self._book is not None  # noqa: S101  # ``take_in`` has opened it
        batch = _Batch()
        with unit_of_work(self._sessions) as session:
            self._numbers = Numbers(session)
            for one in taken:
                for step in self._book.take(one.change, reduced=one.reduced):
                    if step.deed in COLOURED:
                        batch.data[step.warning.id] = self._source.points(session, step.change)
                    batch.steps.append(step)
            self._numbers.write()
            self._keep_offset(session, upto)
            rows = self._keep(session, batch, now)
        self._offset = upto
        return rows

    def _keep_offset(self, session: Session, upto: int) -> None:
        done = update(WarningOffset).where(WarningOffset.name == self._name).values(seq=upto)
        if session.execute(done).rowcount == 0:  # type: ignore[attr-defined]  # an update's result has it
            session.add(WarningOffset(name=self._name, seq=upto))

    def _keep(self, session: Session, batch: _Batch, now: int) -> list[dict[str, Any]]:
        if not batch.steps:
            return []
        final = {step.warning.id: step for step in batch.steps}
        fresh = {step.warning.id for step in batch.steps if step.deed is Deed.RAISED}
        digest = self._rules.digest()
        rows = {id_: _row(step.warning, batch.data.get(id_), digest) for id_, step in final.items()}
        self._hooks.first(session)
        if fresh:
            session.execute(insert(WarningRow), [rows[id_] for id_ in rows if id_ in fresh])
        # scope: node-internal because the desk keeps the warnings of every object of the node
        # Without their points those that were not coloured anew keep what they had.
        for with_data in (True, False):
            changed = [
                row if with_data else {k: v for k, v in row.items() if k != "data"}
                for id_, row in rows.items()
                if id_ not in fresh and (id_ in batch.data) is with_data
            ]
            if changed:
                session.execute(update(WarningRow), changed)
        session.execute(insert(WarningEvent), [_event(step, now) for step in batch.steps])
        receipts.address(session, batch.steps, self._rules, fresh, now)
        for step in batch.steps:
            self._call(session, step, batch.data.get(step.warning.id, "{}"))
        return [{"path": row["path"], "warning": told(row)} for row in rows.values()]

    def _call(self, session: Session, step: Step, data: str) -> None:
        """Let the others write what belongs to it."""
        facts = facts_of(step.warning, data, self._rules)
        match step.deed:
            case Deed.RAISED:
                self._hooks.raised(session, facts)
            case Deed.CLEARED:
                self._hooks.cleared(session, facts, step.change.at)
            case Deed.MERGED | Deed.REOPENED:
                self._hooks.merged(session, facts, f"{step.deed.zh}:{step.change.reason}")
                if step.warning.colour is not step.was:
                    self._hooks.changed(session, facts, step.was)
            case _:
                self._hooks.changed(session, facts, step.was)


def facts_of(warning: Standing, data: str, rules: Rules) -> WarningFacts:
    """A warning in the words that other rooms understand."""
    to = rules.recipients(warning.path, warning.colour)
    return WarningFacts(
        warning.id, warning.kind, warning.object, warning.name, warning.path, warning.causes[0], warning.colour,
        warning.raised_at, warning.grade, warning.reason, warning.terms.encode(), data.encode(), to.act, to.inform,
    )  # fmt: skip


def _row(w: Standing, data: str | None, digest: str) -> dict[str, Any]:
    return {
        "id": w.id, "kind": w.kind.value, "object": w.object, "name": w.name, "path": w.path, "cause": w.causes[0],
        "causes": orjson.dumps(w.causes).decode(), "colour": int(w.colour), "worst": int(w.worst),
        "raised_at": w.raised_at, "changed_at": w.changed_at, "cleared_at": w.cleared_at, "grade": w.grade,
        "reason": w.reason, "terms": w.terms, "data": data or "{}", "rules": digest, "simulated": w.simulated,
    }  # fmt: skip


def _event(step: Step, now: int) -> dict[str, Any]:
    c = step.change
    return {
        "warning": step.warning.id, "deed": step.deed.value, "at": c.at, "written_at": now, "was": int(step.was),
        "colour": int(Colour.NONE if step.deed is Deed.CLEARED else step.warning.colour), "cause": c.cause,
        "grade": c.grade, "reason": c.reason, "path": step.warning.path,
    }  # fmt: skip


def _standing(session: Session, mine: Callable[[str], bool], window_ms: int) -> list[Standing]:
    """Of each object the warning that stands, else the one cleared last, if that may still matter."""
    newest = session.scalar(select(func.max(WarningRow.changed_at))) or 0
    # scope: node-internal because the desk keeps the warnings of every object of the node
    rows = session.scalars(
        select(WarningRow)
        .where(WarningRow.cleared_at.is_(None) | (WarningRow.cleared_at >= newest - window_ms - DAY))
        .order_by(func.coalesce(WarningRow.cleared_at, _NEVER), WarningRow.id)
    )
    return [
        Standing(
            r.id, WarningKind(r.kind), r.object, r.name, r.path, tuple(orjson.loads(r.causes)), Colour(r.colour),
            Colour(r.worst), r.raised_at, r.changed_at, r.cleared_at, r.grade, r.reason, r.terms, r.data, r.simulated,
        )
        for r in rows
        if mine(r.object)
    ]  # fmt: skip
