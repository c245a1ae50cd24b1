"""The alarm desk: the one writer of alarm records. It lives in the engine; pages ask it to acknowledge.

What the judge found and how far into the log it had read are written in one transaction, so a crash at any moment
leaves each transition in the records once. Records that are open are held in memory; the table is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from hazwatch.alarms import store
from hazwatch.alarms.facts import FactsOf
from hazwatch.alarms.model import (
    KIND_PROCESS,
    Cause,
    Change,
    Record,
    State,
    Transition,
    acknowledge,
    begin,
    go_on,
    record_id,
    revoke,
)
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary.levels import Level


@dataclass(frozen=True, slots=True)
class Revision:
    """Late data: what was said of a point after ``after_ts`` is void, ``instead`` is what holds.

    ``instead`` is in order of event time. Its first transition starts from the level that held at ``after_ts``.
    """

    point: int
    after_ts: int
    arrived_at: int
    instead: Sequence[Transition]


Finding = Transition | Revision


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Outcome of an acknowledgement: the changed records, and who was refused and why."""

    records: list[Record]
    refused: list[dict[str, object]] = field(default_factory=list)


class AlarmDesk:
    """Open records in memory, use cases around them."""

    def __init__(self, sessions: Sessions, facts: FactsOf) -> None:
        self._sessions = sessions
        self._facts = facts
        self._open: dict[str, Record] = {}
        self._active: dict[tuple[int, str], Record] = {}
        self.offset = (0, 0)
        self._load()

    def _load(self) -> None:
        """Take the open records from the table, which is the truth."""
        self._open.clear()
        self._active.clear()
        with reading(self._sessions) as session:
            for record in store.open_records(session):
                self._remember(record)
            self.offset = store.read_offset(session)

    @property
    def open(self) -> Iterable[Record]:
        """Every record that is not closed."""
        return self._open.values()

    def active(self, point: int, kind: str = KIND_PROCESS) -> Record | None:
        """The record of the excursion that stands at a point now."""
        return self._active.get((point, kind))

    def _remember(self, record: Record) -> None:
        key = (record.point, record.kind)
        if record.state is State.NORMAL:
            self._open.pop(record.id, None)
        else:
            self._open[record.id] = record
        if record.active:
            self._active[key] = record
        elif (held := self._active.get(key)) is not None and held.id == record.id:
            del self._active[key]

    def calm_before(self, point: int, moment: int) -> int:
        """A moment at or before the given one at which no process record of the point stood."""
        with reading(self._sessions) as session:
            return store.calm_before(session, point, moment)

    def apply(self, findings: Sequence[Finding], offset: tuple[int, int], kind: str = KIND_PROCESS) -> list[Record]:
        """Take what the judge found up to ``offset`` into the records, durably.

        Returns:
            The records that changed, as they are after the transaction.
        """
        try:
            return self._apply(findings, offset, kind)
        except BaseException:
            self._load()
            raise

    def _apply(self, findings: Sequence[Finding], offset: tuple[int, int], kind: str) -> list[Record]:
        with unit_of_work(self._sessions) as session:
            changed: dict[str, Record] = {}
            known = set(self._open)
            batch = Change()
            for finding in findings:
                if isinstance(finding, Transition):
                    self._take(finding, batch, kind)
                else:
                    store.save(session, batch, known, self._facts)
                    known |= set(batch.records)
                    changed |= batch.records
                    batch = self._revise(session, finding, kind)
                    known |= store.ids_known(session, batch.records)
            store.save(session, batch, known, self._facts)
            changed |= batch.records
            if kind == KIND_PROCESS:
                store.write_offset(session, *offset)
        if kind == KIND_PROCESS:
            self.offset = offset
        return list(changed.values())

    def _take(self, change: Transition, batch: Change, kind: str) -> None:
        """One transition in order of event time."""
        held = self._active.get((change.point, kind))
        if held is None:
            if change.after is Level.NORMAL:
                return
            held, event = begin(change, record_id(self._facts(change.point).code, change.event_ts, kind), kind)
        else:
            if held.level is change.after:
                return
            # Only a lost log makes a record stand elsewhere than the judge believes; it must not stop the node.
            event = go_on(held, replace(change, before=held.level))
        self._remember(held)
        batch.records[held.id] = held
        batch.events.append(event)

    def _revise(self, session: Session, revision: Revision, kind: str) -> Change:
        """Put what late data showed in the place of what was said before."""
        batch = Change()
        affected = store.records_after(session, revision.point, kind, revision.after_ts)
        told = store.supersede_events(session, revision.point, [r.id for r in affected], revision.after_ts)
        past = {record.id: record for record in affected}
        self._active.pop((revision.point, kind), None)
        for record in affected:
            self._open.pop(record.id, None)
            if record.event_time <= revision.after_ts and not record.revoked:
                self._rewind(session, record, revision.after_ts)
                self._remember(record)
                batch.records[record.id] = record
        for change in revision.instead:
            late = (change.event_ts, int(change.after)) not in told
            self._take(replace(change, late=late), batch, kind)
        for alarm_id, record in past.items():
            again = batch.records.get(alarm_id)
            if again is None:
                if not record.revoked:
                    batch.records[alarm_id] = record
                    batch.events.append(revoke(record, revision.arrived_at))
            elif again is not record:
                _inherit(again, record)
                self._remember(again)
        return batch

    def _rewind(self, session: Session, record: Record, moment: int) -> None:
        """Bring a record back to what it was at a moment; an acknowledgement by a person holds.

        It holds for what that person had seen: an escalation told after it rings on.
        """
        lines = store.lines_of_record(session, record.id)
        told = [e for e in lines if e.cause not in (Cause.ACKNOWLEDGE, Cause.REVOKE) and e.event_time <= moment]
        if not told:
            return
        seen = False
        worst = told[0].level
        for line in lines:
            if line.cause is Cause.ACKNOWLEDGE:
                seen = True
            elif line.cause in (Cause.RAISE, Cause.ESCALATE) and line.event_time <= moment:
                seen = False
                worst = line.level if line.level.severity >= worst.severity else worst
                record.value, record.limit, record.limit_version = line.value, line.limit, line.limit_version
        record.level, record.level_since = told[-1].level, told[-1].event_time
        record.worst_level = worst
        record.returned_at = record.closed_at = None
        record.state = State.ACKNOWLEDGED if seen else State.UNACKNOWLEDGED

    def acknowledge(self, ids: Sequence[str], who: str, note: str, at: int) -> Acknowledged:
        """People acknowledge records. The second of two is told who was first; nothing is lost."""
        try:
            return self._acknowledge(ids, who, note, at)
        except BaseException:
            self._load()
            raise

    def _acknowledge(self, ids: Sequence[str], who: str, note: str, at: int) -> Acknowledged:
        done: list[Record] = []
        refused: list[dict[str, object]] = []
        batch = Change()
        with unit_of_work(self._sessions) as session:
            for alarm_id in dict.fromkeys(ids):
                record = self._open.get(alarm_id)
                event = acknowledge(record, who, note, at) if record else None
                if record is None or event is None:
                    refused.append(_refusal(session, alarm_id, record))
                    continue
                batch.records[alarm_id] = record
                batch.events.append(event)
                done.append(record)
            store.save(session, batch, set(batch.records), self._facts)
        for record in done:
            self._remember(record)
        return Acknowledged(done, refused)


def _inherit(again: Record, before: Record) -> None:
    """An excursion that late data only re-drew keeps what people did with it, and its first arrival."""
    again.acknowledged_by, again.acknowledged_at, again.note = (
        before.acknowledged_by,
        before.acknowledged_at,
        before.note,
    )
    again.arrived_at, again.found_late = before.arrived_at, before.found_late
    # Whoever acknowledged has not seen an escalation that rang after it.
    seen = before.acknowledged_at is not None and before.state in (State.ACKNOWLEDGED, State.NORMAL)
    if seen and again.returned_at is not None:
        again.state, again.closed_at = State.NORMAL, max(again.returned_at, before.closed_at or 0)
    elif seen:
        again.state = State.ACKNOWLEDGED
    elif again.state is State.NORMAL and not again.found_late:
        again.state, again.closed_at = State.RETURNED, None


def _refusal(session: Session, alarm_id: str, record: Record | None) -> dict[str, object]:
    if record is None:
        known = store.closed_record(session, alarm_id)
        if known is None:
            return {"id": alarm_id, "reason": "没有这条报警", "by": None, "at": None}
        record = known
    by = record.acknowledged_by
    reason = f"已由 {by} 确认" if by else "报警已关闭"
    return {"id": alarm_id, "reason": reason, "by": by, "at": store.iso_or_none(record.acknowledged_at)}
