"""What people, rules and the passing of time do to alarms. Runs in the engine, on its alarm desk.

Acknowledge, shelve, suppress and silence are four different things:

    acknowledge   somebody has seen it; the record stays on the list
    silence       the horn of one control room stops for this annunciation; nothing else changes
    shelve        a person sets an alarm aside: a reason, an end, no longer than its priority allows
    suppress      a declared rule sets it aside while it means nothing

Whoever comes second is told who was first and when; nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from hazwatch.alarms import hold_store, store
from hazwatch.alarms.holds import ACTIVE, ONE_SHOT, REFUSED, REQUESTED, TIMED, Hold, hold_id, levels_up_to, move
from hazwatch.alarms.model import (
    ASIDE,
    HELD,
    KIND_PROCESS,
    After,
    Cause,
    Change,
    Deed,
    Event,
    Record,
    State,
    acknowledge,
    happen,
)
from hazwatch.alarms.rules import Rule
from hazwatch.alarms.service import AlarmDesk, priority_now
from hazwatch.vocabulary.levels import Level
from hazwatch.vocabulary.moments import SECOND, clock_text

#: A target of a rule: dense index of the point, its levels (empty = all).
RuleTarget = tuple[int, frozenset[Level]]


@dataclass(slots=True)
class Outcome:
    """What came of a command: the changed records and holds, and who was refused and why."""

    records: list[Record] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)


class Commands:
    """Use cases on the desk. ``ids`` are of records; the asker has checked role and scope."""

    def __init__(self, desk: AlarmDesk) -> None:
        self._desk = desk
        self._releasing: dict[str, int] = {}

    # --- seen and heard --------------------------------------------------------------------------------------------

    def acknowledge(self, ids: Sequence[str], who: str, note: str, at: int) -> Outcome:
        """People acknowledge records."""
        return self._each(ids, lambda record: acknowledge(record, who, note, at), _acknowledged_already)

    def reset(self, ids: Sequence[str], who: str, note: str, at: int) -> Outcome:
        """People let go of the latch of alarms that are over."""
        deed = Deed(Cause.RESET, at, who, note or None)
        return self._each(ids, lambda record: happen(record, deed, After.LATCHED), lambda _: "没有锁存,或仍在报警")

    def silence(self, ids: Sequence[str], who: str, room: str, at: int) -> Outcome:
        """The horn of one control room (code of its node) stops for these annunciations."""

        def quiet(record: Record) -> Event | None:
            if room in record.silenced_in:
                return None
            event = happen(record, Deed(Cause.SILENCE, at, who, room), After.STANDS)
            if event is not None:
                record.silenced_in = (*record.silenced_in, room)
            return event

        return self._each(ids, quiet, lambda _: "没有在响")

    def _each(
        self, ids: Sequence[str], act: Callable[[Record], Event | None], reason: Callable[[Record], str]
    ) -> Outcome:
        def work(session: Session) -> Outcome:
            outcome, batch = Outcome(), Change()
            for alarm_id in dict.fromkeys(ids):
                record = self._desk.find(alarm_id)
                event = act(record) if record else None
                if record is None or event is None:
                    outcome.refused.append(_refusal(session, alarm_id, record, reason))
                    continue
                batch.records[alarm_id] = record
                batch.events.append(event)
            self._write(session, batch, outcome)
            return outcome

        return self._desk.guarded(work)

    def _write(self, session: Session, batch: Change, outcome: Outcome) -> None:
        self._desk.save(session, batch)
        hold_store.save_holds(session, outcome.holds, self._desk.facts)
        for record in batch.records.values():
            self._desk.remember(record)
        outcome.records = list(batch.records.values())

    # --- shelving --------------------------------------------------------------------------------------------------

    def shelve(
        self, ids: Sequence[str], who: str, reason: str, at: int, *, seconds: int = 0, one_shot: bool = False
    ) -> Outcome:
        """People set alarms aside until a moment, or until they return; never longer than their priority allows.

        Args:
            ids: records; what is shelved is their alarm: the next excursion too, up to the level seen now.
            who, reason, at: who, why, when (epoch ms).
            seconds: how long; 0 with ``one_shot`` takes the longest that is allowed.
            one_shot: it ends as soon as the alarm returns.
        """

        def work(session: Session) -> Outcome:
            outcome, batch = Outcome(), Change()
            for alarm_id in dict.fromkeys(ids):
                record = self._desk.find(alarm_id) or store.closed_record(session, alarm_id)
                refusal = self._not_to_shelve(alarm_id, record, at, seconds, one_shot=one_shot)
                if record is None or refusal is not None:
                    outcome.refused.append(refusal or _unknown(alarm_id))
                    continue
                longest = self._desk.policy(record.point, priority_now(record)).shelve_max_s
                hold = self._hold(After.SHELVED, record, at, reason, who)
                hold.mode, hold.until = ONE_SHOT if one_shot else TIMED, at + (seconds or longest) * SECOND
                self._add(hold, batch, outcome, Deed(Cause.SHELVE, at, who, reason))
            self._write(session, batch, outcome)
            return outcome

        return self._desk.guarded(work)

    def _not_to_shelve(
        self, alarm_id: str, record: Record | None, at: int, seconds: int, *, one_shot: bool
    ) -> dict[str, object] | None:
        if record is None:
            return _unknown(alarm_id)
        held = next((h for h in self._standing(record) if h.kind is After.SHELVED), None)
        if held is not None:
            return _told(alarm_id, f"已由 {held.by} 搁置至 {clock_text(held.until or at)}", held.by, held.at)
        priority = priority_now(record)
        longest = self._desk.policy(record.point, priority).shelve_max_s
        if seconds > longest:
            return _told(alarm_id, f"优先级 {priority} 最长可搁置 {longest // 60} 分钟", None, None)
        if one_shot and not record.active:
            return _told(alarm_id, "没有在报警,不能一次性搁置", None, None)
        return None

    def unshelve(self, ids: Sequence[str], who: str, note: str, at: int) -> Outcome:
        """People end shelving; ``ids`` are of holds."""
        return self._end(ids, {After.SHELVED}, who, note, at)

    # --- out of service --------------------------------------------------------------------------------------------

    def request_out_of_service(self, ids: Sequence[str], who: str, reason: str, at: int, until: int) -> Outcome:
        """Ask for alarms to be taken out of service until a return date. Nothing changes before the approval."""

        def work(session: Session) -> Outcome:
            outcome = Outcome()
            for alarm_id in dict.fromkeys(ids):
                record = self._desk.find(alarm_id) or store.closed_record(session, alarm_id)
                if record is None:
                    outcome.refused.append(_unknown(alarm_id))
                    continue
                standing = self._desk.holds.get((record.point, record.kind), [])
                held = next((h for h in standing if h.kind is After.OUT_OF_SERVICE), None)
                if held is not None:
                    word = "已停用" if held.status == ACTIVE else "已申请停用"
                    outcome.refused.append(_told(alarm_id, f"{held.by} {word}", held.by, held.at))
                    continue
                hold = self._hold(After.OUT_OF_SERVICE, record, at, reason, who)
                hold.status, hold.levels, hold.until = REQUESTED, frozenset(), until
                self._desk.holds.setdefault((hold.point, hold.alarm_kind), []).append(hold)
                outcome.holds.append(hold)
            hold_store.save_holds(session, outcome.holds, self._desk.facts)
            return outcome

        return self._desk.guarded(work)

    def decide_out_of_service(self, ids: Sequence[str], who: str, note: str, at: int, *, approved: bool) -> Outcome:
        """A second person approves or refuses what stands in these holds; nobody approves their own request."""

        def work(session: Session) -> Outcome:
            outcome, batch = Outcome(), Change()
            for hold_id_ in dict.fromkeys(ids):
                hold = self._find(hold_id_)
                refusal = _not_to_decide(hold_id_, hold, who, at)
                if hold is None or refusal is not None:
                    outcome.refused.append(refusal or _unknown(hold_id_))
                    continue
                hold.approved_by, hold.approved_at = who, at
                if approved:
                    hold.status = ACTIVE
                    self._settle(hold, batch, Deed(Cause.REMOVE, at, who, hold.reason))
                else:
                    hold.end(who, at, note)
                    hold.status = REFUSED
                    self._desk.forget(hold)
                outcome.holds.append(hold)
            self._write(session, batch, outcome)
            return outcome

        return self._desk.guarded(work)

    def restore(self, ids: Sequence[str], who: str, note: str, at: int) -> Outcome:
        """Back in service before the return date; ``ids`` are of holds."""
        return self._end(ids, {After.OUT_OF_SERVICE}, who, note, at)

    # --- suppression by design -------------------------------------------------------------------------------------

    def suppress(self, verdicts: Iterable[tuple[Rule, Sequence[RuleTarget], bool]], at: int) -> Outcome:
        """Bring suppression in step with the rules.

        Args:
            verdicts: every rule in force with its targets, and whether it suppresses now. What is suppressed by a rule
                or a target that is not among them is released.
            at: event time, epoch ms.
        """
        standing = {
            (h.rule, h.point): h for held in self._desk.holds.values() for h in held if h.kind is After.SUPPRESSED
        }
        begin: list[tuple[Rule, RuleTarget]] = []
        for rule, targets, holds in verdicts:
            mine = [(rule.id, point) for point, _ in targets if (rule.id, point) in standing]
            if holds:
                self._releasing.pop(rule.id, None)
            elif mine and at - self._releasing.setdefault(rule.id, at) >= rule.release_s * SECOND:
                continue
            for target in targets:
                held = standing.get((rule.id, target[0]))
                if held is not None and held.rule_version == rule.version:
                    del standing[rule.id, target[0]]
                elif holds:
                    begin.append((rule, target))
        if not standing and not begin:
            return Outcome()
        return self._desk.guarded(lambda session: self._suppress(session, begin, list(standing.values()), at))

    def _suppress(
        self, session: Session, begin: Sequence[tuple[Rule, RuleTarget]], over: Sequence[Hold], at: int
    ) -> Outcome:
        outcome, batch = Outcome(), Change()
        for hold in over:
            hold.end("", at, "抑制条件不再成立")
            self._desk.forget(hold)
            outcome.holds.append(hold)
            self._releasing.pop(hold.rule, None)
        for rule, (point, levels) in begin:
            code = self._desk.facts(point).code
            hold = Hold(
                hold_id(After.SUPPRESSED, code, KIND_PROCESS, at, rule.id), After.SUPPRESSED, point, KIND_PROCESS,
                levels, ACTIVE, "", rule.name, rule.name, at, rule=rule.id, rule_version=rule.version,
            )  # fmt: skip
            self._add(hold, batch, outcome, Deed(Cause.SUPPRESS, at, None, rule.name))
        for hold in over:
            self._settle(hold, batch, Deed(Cause.UNSUPPRESS, at, None, f"{hold.by}:抑制条件不再成立"))
        self._write(session, batch, outcome)
        return outcome

    # --- the passing of time ---------------------------------------------------------------------------------------

    def pass_time(self, now: int) -> Outcome:
        """End what has come to its end, ring again what is due. ``now`` is event time as it comes on the log."""
        over = [
            hold for held in self._desk.holds.values() for hold in held
            if hold.until is not None and hold.until <= now and hold.status in (ACTIVE, REQUESTED)
        ]  # fmt: skip
        due = self._desk.to_ring_again(now)
        if not over and not due:
            return Outcome()
        return self._desk.guarded(lambda session: self._pass(session, over, due, now))

    def _pass(self, session: Session, over: Sequence[Hold], due: Sequence[Record], now: int) -> Outcome:
        outcome, batch = Outcome(), Change()
        for hold in over:
            asked_only = hold.status == REQUESTED
            note = {After.SHELVED: "搁置到期", After.OUT_OF_SERVICE: "停用到期,恢复使用"}.get(hold.kind, "到期")
            hold.end("", hold.until or now, "申请过期,未批准" if asked_only else note)
            self._desk.forget(hold)
            outcome.holds.append(hold)
            if not asked_only:
                self._settle(hold, batch, Deed(HELD[hold.kind][2], hold.until or now, None, note))
        for record in due:
            event = happen(record, Deed(Cause.REALARM, now, None, "已确认而仍在报警,再次提醒"), After.STANDS)
            if event is not None:
                batch.records[record.id] = record
                batch.events.append(event)
        self._write(session, batch, outcome)
        return outcome

    # --- holds and their records -----------------------------------------------------------------------------------

    def _hold(self, kind: After, record: Record, at: int, reason: str, who: str) -> Hold:
        code = self._desk.facts(record.point).code
        seen = record.level if record.level is not Level.NORMAL else record.worst_level
        return Hold(
            hold_id(kind, code, record.kind, at), kind, record.point, record.kind, levels_up_to(seen), ACTIVE, "",
            reason, who, at,
        )  # fmt: skip

    def _add(self, hold: Hold, batch: Change, outcome: Outcome, deed: Deed) -> None:
        self._desk.holds.setdefault((hold.point, hold.alarm_kind), []).append(hold)
        outcome.holds.append(hold)
        self._settle(hold, batch, deed)

    def _find(self, hold_id_: str) -> Hold | None:
        return next((h for held in self._desk.holds.values() for h in held if h.id == hold_id_), None)

    def _standing(self, record: Record) -> list[Hold]:
        return [h for h in self._desk.holds.get((record.point, record.kind), ()) if h.status == ACTIVE]

    def _end(self, ids: Sequence[str], kinds: set[After], who: str, note: str, at: int) -> Outcome:
        def work(session: Session) -> Outcome:
            outcome, batch = Outcome(), Change()
            for hold_id_ in dict.fromkeys(ids):
                hold = self._find(hold_id_)
                if hold is None or hold.kind not in kinds:
                    outcome.refused.append(hold_store.ended(session, hold_id_) or _unknown(hold_id_))
                    continue
                hold.end(who, at, note)
                self._desk.forget(hold)
                outcome.holds.append(hold)
                self._settle(hold, batch, Deed(HELD[hold.kind][2], at, who, note or None))
            self._write(session, batch, outcome)
            return outcome

        return self._desk.guarded(work)

    def _settle(self, hold: Hold, batch: Change, deed: Deed) -> None:
        """A hold came or went: bring the records of its alarm into the state that holds now."""
        for record in self._desk.records_of(hold.point, hold.alarm_kind):
            level = record.level if record.active else record.worst_level
            wanted = self._desk.hold_over(hold.point, hold.alarm_kind, level, deed.at)
            event = move(record, wanted, deed)
            if wanted is not None and record.state is wanted.state:
                record.aside = wanted.aside
                batch.records[record.id] = record
            if event is not None:
                batch.records[record.id] = record
                batch.events.append(event)


def _unknown(id_: str) -> dict[str, object]:
    return _told(id_, "没有这条报警", None, None)


def _told(id_: str, reason: str, by: str | None, at: int | None) -> dict[str, object]:
    return {"id": id_, "reason": reason, "by": by, "at": store.iso_or_none(at)}


def _not_to_decide(id_: str, hold: Hold | None, who: str, at: int) -> dict[str, object] | None:
    if hold is None or hold.kind is not After.OUT_OF_SERVICE:
        return _told(id_, "没有这个停用申请", None, None)
    if hold.status != REQUESTED:
        return _told(id_, f"已由 {hold.approved_by} 批准", hold.approved_by, hold.approved_at)
    if hold.by == who:
        return _told(id_, "不能批准自己的申请,须由另一人批准", hold.by, hold.at)
    if hold.until is not None and hold.until <= at:
        return _told(id_, "已过恢复日期", None, None)
    return None


def _acknowledged_already(record: Record) -> str:
    if record.state in ASIDE:
        aside = record.aside
        word = {State.SHELVED: "搁置", State.SUPPRESSED: "抑制", State.OUT_OF_SERVICE: "停用"}[record.state]
        return f"已{word}({aside.by})" if aside else f"已{word}"
    return f"已由 {record.acknowledged_by} 确认" if record.acknowledged_by else "报警已关闭"


def _refusal(
    session: Session, alarm_id: str, record: Record | None, reason: Callable[[Record], str]
) -> dict[str, object]:
    if record is None:
        known = store.closed_record(session, alarm_id)
        if known is None:
            return _unknown(alarm_id)
        return _told(alarm_id, _acknowledged_already(known), known.acknowledged_by, known.acknowledged_at)
    if record.state in ASIDE:
        return _told(alarm_id, _acknowledged_already(record), record.aside.by if record.aside else None, None)
    return _told(alarm_id, reason(record), record.acknowledged_by, record.acknowledged_at)


def summary_of(outcome: Outcome) -> Mapping[str, object]:
    """The answer to the asker: ids that were done (of records or holds) and who was refused."""
    return {
        "done": [r.id for r in outcome.records], "holds": [h.id for h in outcome.holds], "refused": outcome.refused,
    }  # fmt: skip
