"""The alarm desk: the one writer of alarm records. It lives in the engine; pages ask it to act (``commands``).

What the judge found and how far into the log it had read are written in one transaction, so a crash at any moment
leaves each transition in the records once. Records that are open and holds that stand are kept in memory; the tables
are the truth, and memory is taken from them again after a failed transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy.orm import Session

from hazwatch.alarms import hold_store, store
from hazwatch.alarms.facts import FactsOf
from hazwatch.alarms.holds import Hold, move, strongest
from hazwatch.alarms.inherit import Policy, chain, policy
from hazwatch.alarms.model import (
    ASIDE,
    JUDGED,
    KIND_PROCESS,
    Cause,
    Change,
    Deed,
    Record,
    State,
    Transition,
    begin,
    go_on,
    priority_of,
    record_id,
    revoke,
)
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import MINUTE, SECOND

#: Alarms of one source that follow each other within this belong to one burst; the first of it is marked.
_BURST_MS = 2 * MINUTE
#: How far back a start looks for bursts that may go on.
_RECALL_MS = 10 * MINUTE

T = TypeVar("T")


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


class AlarmDesk:
    """Open records and standing holds in memory, and what the judge finds."""

    def __init__(
        self, sessions: Sessions, facts: FactsOf, name: str = "alarms", owns: store.Owns = store.everything
    ) -> None:
        self.sessions = sessions
        self._name = name
        self._owns = owns
        self.facts = facts
        self.holds: dict[tuple[int, str], list[Hold]] = {}
        self.offset = (0, 0)
        self.seq = 0
        self._open: dict[str, Record] = {}
        self._active: dict[tuple[int, str], Record] = {}
        self._bursts: dict[str, tuple[str, int]] = {}
        self._latched: dict[str, Record] = {}
        self._due: dict[str, int] = {}
        self._policies: dict[tuple[int, int], Policy] = {}
        self._said: dict[tuple[str, str], dict[str, object]] = {}
        self.load()

    # --- memory ----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Take everything from the tables, which are the truth."""
        self._open.clear()
        self._active.clear()
        self.holds.clear()
        self._policies.clear()
        self._due.clear()
        self._latched.clear()
        with reading(self.sessions) as session:
            self._said = hold_store.policies(session)
            for record in store.open_records(session, self._owns):
                self.remember(record)
            self._bursts = store.bursts(session, _RECALL_MS)
            for hold in hold_store.standing_holds(session, self._owns):
                self.holds.setdefault((hold.point, hold.alarm_kind), []).append(hold)
            self.offset = store.read_offset(session, self._name)
            self.seq = store.newest_seq(session)

    def know_policies(self) -> None:
        """How alarms are annunciated was changed."""
        with reading(self.sessions) as session:
            self._said = hold_store.policies(session)
        self._policies.clear()
        for record in self._open.values():
            self._ring_again(record)

    def guarded(self, work: Callable[[Session], T]) -> T:
        """Run a use case in one transaction; after a failure take the truth from the tables again."""
        try:
            with unit_of_work(self.sessions, urgent=True) as session:
                if self._owns is not store.everything:
                    # Others number changes too; the units of all take turns (records.fence).
                    self.seq = store.newest_seq(session)
                return work(session)
        except BaseException:
            self.load()
            raise

    @property
    def open(self) -> Iterable[Record]:
        """Every record that is not closed."""
        return self._open.values()

    def find(self, alarm_id: str) -> Record | None:
        """An open record by id."""
        return self._open.get(alarm_id)

    def active(self, point: int, kind: str = KIND_PROCESS) -> Record | None:
        """The record of the excursion that stands at a point now, set aside or not."""
        return self._active.get((point, kind))

    def records_of(self, point: int, kind: str) -> list[Record]:
        """Open records of an alarm that stand or are latched."""
        standing = self.active(point, kind)
        latched = [r for r in self._latched.values() if (r.point, r.kind) == (point, kind)]
        return ([standing] if standing is not None else []) + latched

    def policy(self, point: int, priority: int) -> Policy:
        """How an alarm is annunciated."""
        key = (point if self._said else -1, priority)
        known = self._policies.get(key)
        if known is None:
            place = self.facts(point) if self._said else None
            nodes = chain(place.path, place.code) if place is not None else []
            known = self._policies[key] = policy(nodes, priority, self._said)
        return known

    def hold_over(self, point: int, kind: str, level: Level, moment: int) -> Hold | None:
        """The strongest hold that covers a level of an alarm at a moment."""
        held = self.holds.get((point, kind))
        return strongest(held, level, moment) if held else None

    def remember(self, record: Record) -> None:
        """Put a changed record in its place in memory."""
        key = (record.point, record.kind)
        if record.state is State.NORMAL:
            self._open.pop(record.id, None)
        else:
            self._open[record.id] = record
        self._ring_again(record)
        if record.latched:
            self._latched[record.id] = record
        else:
            self._latched.pop(record.id, None)
        if record.active:
            self._active[key] = record
        elif (held := self._active.get(key)) is not None and held.id == record.id:
            del self._active[key]

    def _ring_again(self, record: Record) -> None:
        """Note when an acknowledged alarm that stands has to ring again."""
        due = None
        if record.state is State.ACKNOWLEDGED and record.acknowledged_at is not None:
            after = self.policy(record.point, record.priority).realarm_s
            due = None if after is None else record.acknowledged_at + after * SECOND
        if due is None:
            self._due.pop(record.id, None)
        else:
            self._due[record.id] = due

    def to_ring_again(self, now: int) -> list[Record]:
        """Acknowledged records whose time is up."""
        return [self._open[alarm_id] for alarm_id, due in self._due.items() if due <= now and alarm_id in self._open]

    def _join_burst(self, record: Record) -> None:
        """Note which alarm of its source came first in the burst that this record belongs to."""
        if record.kind != KIND_PROCESS or record.found_late:
            return
        source = self.facts(record.point).source
        first, last = self._bursts.get(source, ("", 0))
        if not record.first_out:
            near = first and abs(record.event_time - last) <= _BURST_MS
            record.first_out = first if near else record.id
        self._bursts[source] = (record.first_out, max(last, record.event_time))

    def save(self, session: Session, change: Change) -> None:
        """Number the changes and write them."""
        risen = {event.alarm_id for event in change.events[change.redrawn :] if event.rises}
        for record in change.records.values():
            self.seq += 1
            record.seq = self.seq
            record.rose = record.id in risen and record.state is State.UNACKNOWLEDGED
        store.save(session, change, self.facts)

    def standing(self, kind: str) -> set[int]:
        """Points at which a record of this kind stands now."""
        return {point for point, of in self._active if of == kind}

    def calm_before(self, point: int, moment: int) -> int:
        """A moment at or before the given one at which no process record of the point stood."""
        with reading(self.sessions) as session:
            return store.calm_before(session, point, moment)

    # --- what the judge found --------------------------------------------------------------------------------------

    def apply(self, findings: Sequence[Finding], offset: tuple[int, int], kind: str = KIND_PROCESS) -> list[Record]:
        """Take what the judge found up to ``offset`` into the records, durably.

        Returns:
            The records that changed, as they are after the transaction.
        """
        return self.guarded(lambda session: self._apply(session, findings, offset, kind))

    def _apply(self, session: Session, findings: Sequence[Finding], offset: tuple[int, int], kind: str) -> list[Record]:
        changed: dict[str, Record] = {}
        batch = Change()
        for finding in findings:
            if isinstance(finding, Transition):
                self._take(finding, batch, kind)
            else:
                self.save(session, batch)
                changed |= batch.records
                batch = self._revise(session, finding, kind)
                batch.begun -= store.ids_known(session, batch.begun)
        self.save(session, batch)
        changed |= batch.records
        over, uncovered = self._one_shots_over(changed.values())
        hold_store.save_holds(session, over, self.facts)
        self.save(session, uncovered)
        changed |= uncovered.records
        if kind == KIND_PROCESS:
            store.write_offset(session, self._name, *offset)
            self.offset = offset
        return list(changed.values())

    def _take(self, change: Transition, batch: Change, kind: str) -> None:
        """One transition in order of event time."""
        held = self._active.get((change.point, kind))
        hold = self.hold_over(change.point, kind, change.after, change.event_ts)
        if held is None:
            if change.after is Level.NORMAL:
                return
            alarm_id = record_id(self.facts(change.point).code, change.event_ts, kind)
            held, event = begin(change, alarm_id, kind, hold.kind if hold else None)
            self._join_burst(held)
            batch.begun.add(alarm_id)
        else:
            if held.level is change.after:
                return
            latching = change.after is Level.NORMAL and self.policy(change.point, held.priority).latch
            # Only a lost log makes a record stand elsewhere than the judge believes; it must not stop the node.
            event = go_on(held, replace(change, before=held.level), latching=latching, hold=hold.kind if hold else None)
        if hold is not None and held.state is hold.state:
            held.aside = hold.aside
        self.remember(held)
        batch.records[held.id] = held
        batch.events.append(event)

    def _one_shots_over(self, changed: Iterable[Record]) -> tuple[list[Hold], Change]:
        """End one-shot shelving of alarms that have returned to normal; what is latched comes out from under it."""
        over: list[Hold] = []
        uncovered = Change()
        for record in changed if self.holds else ():
            if record.active:
                continue
            for hold in self.holds.get((record.point, record.kind), ()):
                if hold.one_shot and record.returned_at is not None:
                    hold.end("", record.returned_at, "报警恢复,一次性搁置结束")
                    over.append(hold)
        for hold in over:
            self.forget(hold)
            for record in self.records_of(hold.point, hold.alarm_kind):
                at = hold.ended_at or 0
                left = self.hold_over(hold.point, hold.alarm_kind, record.worst_level, at)
                event = move(record, left, Deed(Cause.UNSHELVE, at, None, hold.end_note))
                if event is not None:
                    if left is not None and record.state is left.state:
                        record.aside = left.aside
                    self.remember(record)
                    uncovered.records[record.id] = record
                    uncovered.events.append(event)
        return over, uncovered

    def forget(self, hold: Hold) -> None:
        """A hold is over."""
        key = (hold.point, hold.alarm_kind)
        rest = [one for one in self.holds.get(key, ()) if one.id != hold.id]
        if rest:
            self.holds[key] = rest
        else:
            self.holds.pop(key, None)

    # --- late data -------------------------------------------------------------------------------------------------

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
                self.remember(record)
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
                self.remember(again)
        batch.redrawn = len(batch.events)
        return batch

    def _rewind(self, session: Session, record: Record, moment: int) -> None:
        """Bring a record back to what it was at a moment; an acknowledgement by a person holds.

        It holds for what that person had seen: an escalation told after it rings on, and so does what came back from
        being set aside. A hold that stands now holds.
        """
        lines = store.lines_of_record(session, record.id)
        told = [e for e in lines if e.cause in JUDGED and e.event_time <= moment]
        if not told:
            return
        seen = False
        worst = told[0].level
        for line in lines:
            if line.cause is Cause.ACKNOWLEDGE:
                seen = True
            elif line.cause in (Cause.RAISE, Cause.ESCALATE):
                if line.event_time <= moment:
                    seen = False
                    worst = line.level if line.level.severity >= worst.severity else worst
                    record.value, record.limit, record.limit_version = line.value, line.limit, line.limit_version
            elif line.cause not in JUDGED and line.to_state in (State.UNACKNOWLEDGED, *ASIDE):
                seen = False
        record.level, record.level_since = told[-1].level, told[-1].event_time
        record.worst_level = worst
        record.returned_at = record.closed_at = None
        record.latched = False
        record.state = State.ACKNOWLEDGED if seen else State.UNACKNOWLEDGED
        hold = self.hold_over(record.point, record.kind, record.level, moment)
        if hold is not None:
            record.state, record.aside = hold.state, hold.aside


def _inherit(again: Record, before: Record) -> None:
    """An excursion that late data only re-drew keeps what people did with it, and its first arrival."""
    again.acknowledged_by, again.acknowledged_at, again.note = (
        before.acknowledged_by,
        before.acknowledged_at,
        before.note,
    )
    again.arrived_at, again.found_late, again.first_out = before.arrived_at, before.found_late, before.first_out
    if again.state in ASIDE:
        return
    # Whoever acknowledged has not seen an escalation that rang after it.
    seen = before.acknowledged_at is not None and before.state in (State.ACKNOWLEDGED, State.NORMAL)
    if again.latched:
        again.state = State.LATCHED_ACKNOWLEDGED if seen else State.LATCHED_UNACKNOWLEDGED
    elif seen and again.returned_at is not None:
        again.state, again.closed_at = State.NORMAL, max(again.returned_at, before.closed_at or 0)
    elif seen:
        again.state = State.ACKNOWLEDGED
    elif again.state is State.NORMAL and not again.found_late:
        again.state, again.closed_at = State.RETURNED, None


def priority_now(record: Record) -> int:
    """Priority of the level that stands now: shelving is limited by what is set aside."""
    return priority_of(record.kind, record.level if record.level is not Level.NORMAL else record.worst_level)
