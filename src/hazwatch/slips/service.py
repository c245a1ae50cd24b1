"""Slips: what warnings do to them, what people do, and what happens when nobody does. Each deed is one transaction.

Before any deed the clocks that have run out by then climb. So what is recorded depends on when people acted, never on
when the clockwork happened to look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import ApiError, conflict, invalid, not_found
from hazwatch.identity.model import SYSTEM, Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.engine import Sessions, reading, unit_of_work
from hazwatch.slips.clocks import ClockKind, Rules
from hazwatch.slips.model import (
    Action,
    RefusedStepError,
    Slip,
    State,
    Step,
    expired,
    opening,
    step,
)
from hazwatch.slips.store import Books, Special, advance, chained, columns, locked, newest, slip_of
from hazwatch.slips.tables import SlipAttachment, SlipRow, SlipStep
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import CHINA, Clock
from hazwatch.vocabulary.warnings import Tier, WarningFacts, tier_of

#: Told inside the transaction that a clock of a warning's slip climbed to a tier, and why.
Escalate = Callable[[Session, str, Tier, str], None]
#: Slips that one round of the clockwork looks at.
_AT_ONCE = 500


def nobody(_session: Session, _warning: str, _tier: Tier, _why: str) -> None:
    """Nobody else is told."""


@dataclass(frozen=True, slots=True)
class SlipDesk:
    """What every use case of slips needs at hand.

    Attributes:
        sessions: factory of the records.
        clock: epoch ms of now; deadlines of people begin when the slip is made, not at the event's time.
        escalate: told of every climb, in the same transaction.
        special: the node's calendar.
        zone: in which days begin.
    """

    sessions: Sessions
    clock: Clock
    escalate: Escalate = nobody
    special: Special = lambda _session: {}
    zone: tzinfo = CHINA

    @property
    def books(self) -> Books:
        """Where rules come from."""
        return Books(self.zone, self.special)

    # --- hooks of the warnings: in their transaction -----------------------------------------------------------------

    def opened(self, session: Session, facts: WarningFacts) -> None:
        """A warning was raised: its slip is made."""
        self._open(session, facts, f"BG{facts.id[2:]}")

    def changed(self, session: Session, facts: WarningFacts, was: Colour) -> None:
        """A warning has another colour. Worse: clocks tighten; better: nothing loosens."""
        row = newest(session, facts.id)
        if row is None or (not slip_of(row).open and facts.colour > was):
            self._open(session, facts, self._next_id(session, facts, row))
        elif slip_of(row).open:
            given = {"colour": int(facts.colour), "was": int(was), "tiers": _tiers(facts), "reason": facts.reason}
            self._by_itself(session, row, Action.CHANGE, given)

    def cleared(self, session: Session, facts: WarningFacts, at: int) -> None:
        """A warning cleared. Its slip stays open until somebody closes it."""
        row = newest(session, facts.id)
        if row is not None:
            self._by_itself(session, row, Action.CLEAR, {"event_time": at, "warning": facts.id})

    def appended(self, session: Session, facts: WarningFacts, text: str) -> None:
        """Another cause joined the warning, or it came back; a closed slip has a successor then."""
        row = newest(session, facts.id)
        if row is None or not slip_of(row).open:
            self._open(session, facts, self._next_id(session, facts, row))
        else:
            self._by_itself(session, row, Action.APPEND, {"text": text, "warning": facts.id})

    def delivered(self, session: Session, warning: str) -> None:
        """The owner has received the warning (a receipt): its slip is delivered, if it was not yet."""
        row = newest(session, warning)
        if row is not None and row.state == State.MADE.value:
            self._by_itself(session, row, Action.DELIVER, {"receipt": True})

    @staticmethod
    def _next_id(session: Session, facts: WarningFacts, before: SlipRow | None) -> str:
        first = f"BG{facts.id[2:]}"
        if before is None:
            return first
        # scope: node-internal because the node follows its own warnings up
        known = session.scalars(select(SlipRow.id).where(SlipRow.warning == facts.id)).all()
        return f"{first}-{len(known) + 1}" if known else first

    def _open(self, session: Session, facts: WarningFacts, slip_id: str) -> None:
        at = self.clock()
        told = {
            "warning": facts.id, "kind": facts.kind.value, "object": facts.object, "name": facts.name,
            "path": facts.path, "cause": facts.cause, "colour": int(facts.colour), "raised_at": facts.raised_at,
            "grade": facts.grade, "reason": facts.reason, "terms": json.loads(facts.terms or b"[]"),
            "data": json.loads(facts.data or b"{}"), "tiers": _tiers(facts),
            "informed": sorted(map(int, facts.informed)),
        }  # fmt: skip
        slip, first = opening(slip_id, told, at, self.books.rules(session, facts.path))
        row = SlipRow(
            id=slip.id, kind=facts.kind.value, object=facts.object, name=facts.name, cause=facts.cause,
            path=facts.path, **columns(slip),
        )  # fmt: skip
        session.add(row)
        chained(session, slip, first, SYSTEM)
        session.flush()

    def _by_itself(self, session: Session, row: SlipRow, action: Action, given: Mapping[str, Any]) -> None:
        at = self.clock()
        slip = self._climb(session, row, slip_of(row), at)
        rules = self.books.rules(session, slip.path)
        advance(session, row, slip, step(slip, action, at, given, rules, tier=None))

    # --- the clockwork ------------------------------------------------------------------------------------------

    def tick(self, now: int) -> int:
        """Let every clock climb that has run out by ``now`` (epoch ms); returns how many climbed."""
        climbed = 0
        while due := self._due(now):
            for slip_id in due:
                with unit_of_work(self.sessions) as session:
                    row = locked(session, slip_id)
                    if row is not None:
                        before = slip_of(row)
                        climbed += self._climb(session, row, before, now).steps - before.steps
            if len(due) < _AT_ONCE:
                break
        return climbed

    def _due(self, now: int) -> Sequence[str]:
        with reading(self.sessions) as session:
            # scope: node-internal because the clocks of the whole node run here
            waiting = select(SlipRow.id).where(SlipRow.wake_at <= now).order_by(SlipRow.wake_at, SlipRow.id)
            return session.scalars(waiting.limit(_AT_ONCE)).all()

    def _climb(self, session: Session, row: SlipRow, slip: Slip, now: int) -> Slip:
        if slip.wake is None or slip.wake > now or not slip.open:
            return slip
        rules = self.books.rules(session, slip.path)
        while (late := expired(slip, now, rules)) is not None:
            slip = advance(session, row, slip, late)
            if late.detail["tier"] is not None:
                self.escalate(session, slip.warning, Tier(late.detail["tier"]), _why(slip, late))
        return slip

    # --- people -------------------------------------------------------------------------------------------------

    def do(
        self, who: Principal, slip_id: str, action: Action, version: int, given: Mapping[str, Any],
        attachments: Sequence[int] = (),
    ) -> None:  # fmt: skip
        """A deed of a person.

        Args:
            who: the person; the tier of their scope decides what they may do.
            slip_id: of the slip.
            action: the deed.
            version: of the slip that they saw.
            given: fields of the form.
            attachments: numbers of attachments of this slip that belong to the deed.

        Raises:
            ApiError: 404 not in scope; 403 wrong tier; 409 the slip has moved since; 422 fields.
        """
        with unit_of_work(self.sessions) as session:
            row = found(session, who, slip_id)
            row = locked(session, row.id) or row
            at = self.clock()
            slip = self._climb(session, row, slip_of(row), at)
            people = _peoples_steps(session, row.id, version)
            if people or version > slip.steps:
                raise conflict(f"报告单已被他人更新,现为“{slip.state.zh}”", "请查看最新内容后再操作")
            done = _checked(slip, action, at, given, self.books.rules(session, slip.path), tier_of(who.scope))
            files = _attached(session, slip.id, attachments)
            if files:
                done = Step(done.action, done.at, done.before, done.after, {**done.detail, "attachments": files})
            if action is Action.MERGE:
                self._merge(session, who, slip, str(given.get("into", "")).strip(), at)
            advance(session, row, slip, done, who)

    def _merge(self, session: Session, who: Principal, slip: Slip, into: str, at: int) -> None:
        row = session.scalar(scoped(select(SlipRow).where(SlipRow.id == into), who, SlipRow))
        if row is None or row.id == slip.id:
            raise invalid("into", "没有这张报告单,或它就是本单")
        row = locked(session, row.id) or row
        target = slip_of(row)
        if not target.open or tier_of(target.path) != tier_of(slip.path):
            raise invalid("into", "只能并入同一层级且尚未关闭的报告单")
        target = self._climb(session, row, target, at)
        rules = self.books.rules(session, target.path)
        text = {"text": f"并入报告单 {slip.id}", "merged": slip.id, "warning": slip.warning}
        target = advance(session, row, target, step(target, Action.APPEND, at, text, rules, tier=None), who)
        if slip.worst > target.worst:
            worse = {
                "colour": int(slip.worst), "was": int(target.colour), "tiers": sorted(map(int, slip.tiers)),
                "reason": f"并入的报告单 {slip.id} 级别更高",
            }  # fmt: skip
            advance(session, row, target, step(target, Action.CHANGE, at, worse, rules, tier=None), who)


def found(session: Session, who: Principal, slip_id: str) -> SlipRow:
    """A slip in scope.

    Raises:
        ApiError: 404.
    """
    row = session.scalar(scoped(select(SlipRow).where(SlipRow.id == slip_id), who, SlipRow))
    if row is None:
        raise not_found("报告单", slip_id)
    return row


def _peoples_steps(session: Session, slip_id: str, version: int) -> bool:
    """Whether anything but a clock happened to a slip since a version: a climb alone is no reason to refuse."""
    # scope: node-internal because the slip was found in scope
    since = select(SlipStep.id).where(SlipStep.slip == slip_id, SlipStep.number > version)
    return session.scalar(since.where(SlipStep.action != Action.ESCALATE.value).limit(1)) is not None


def _checked(slip: Slip, action: Action, at: int, given: Mapping[str, Any], rules: Rules, tier: Tier) -> Step:
    try:
        return step(slip, action, at, given, rules, tier=tier)
    except RefusedStepError as error:
        if error.kind == "fields":
            raise ApiError(422, "invalid", str(error), "请补全后再提交", error.fields) from error
        if error.kind == "party":
            raise ApiError(403, "wrong_tier", str(error), "请由该层级的值守人员登录后操作") from error
        raise conflict(str(error), "请查看最新内容后再操作") from error


def _attached(session: Session, slip_id: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    # scope: node-internal because the slip was found in scope
    rows = session.scalars(
        select(SlipAttachment)
        .where(SlipAttachment.slip == slip_id, SlipAttachment.id.in_(numbers))
        .order_by(SlipAttachment.id)
    ).all()
    if len(rows) != len(set(numbers)):
        raise invalid("attachments", "附件不属于这张报告单")
    return [{"id": r.id, "sha256": r.sha256, "file_name": r.file_name} for r in rows]


def _tiers(facts: WarningFacts) -> list[int]:
    return sorted(map(int, facts.tiers))


def _why(slip: Slip, late: Step) -> str:
    return f"报告单 {slip.id} 超时未{ClockKind(late.detail['clock']).zh}"
