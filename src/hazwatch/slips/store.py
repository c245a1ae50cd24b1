"""Slips in tables: a slip is read, a step is written into the chain, and the row follows. Inside the caller's unit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hazwatch.identity.drafts import APPROVED
from hazwatch.identity.model import SYSTEM, Principal
from hazwatch.records.chain import canonical, link
from hazwatch.slips.clocks import ClockKind, Rules, rules_of
from hazwatch.slips.model import Action, Clock, Slip, State, Step, apply
from hazwatch.slips.tables import CLIMBED, SlipHead, SlipRow, SlipRules, SlipStep
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.warnings import Tier

#: ISO date → whether it is a working day after all: the node's calendar (调休, 节假日).
Special = Callable[[Session], Mapping[str, bool]]


@dataclass(frozen=True, slots=True)
class Books:
    """Where rules come from: the zone of the node, and its calendar."""

    zone: tzinfo
    special: Special

    def rules(self, session: Session, path: str) -> Rules:
        """The rules of the lowest node above an object that has its own; else the standard ones.

        Read once for each path in a unit: a batch of warnings opens many slips.
        """
        known: dict[str, Rules] = session.info.setdefault("slip_rules", {})
        if path not in known:
            known[path] = self.found(session, path)[0]
        return known[path]

    def found(self, session: Session, path: str, without: str = "") -> tuple[Rules, str]:
        """The rules at a path, read anew, and the code of the node whose they are ("" = standard).

        ``without``: as if this node had none of its own.
        """
        codes = [code for code in path.split("/") if code and code != without]
        # scope: node-internal because the rules of a region hold for everything below it
        own = select(SlipRules).where(SlipRules.node.in_(codes), SlipRules.state == APPROVED)
        rows = {row.node: row.body for row in session.scalars(own) if row.body is not None}
        origin = next((code for code in reversed(codes) if code in rows), "")
        return rules_of(json.loads(rows.get(origin, "{}")), self.special(session), self.zone), origin


def slip_of(row: SlipRow) -> Slip:
    """A slip from its row."""
    b = json.loads(row.body)
    clocks = {
        ClockKind(k): Clock(c["started"], c["due"], c["wake"], c["stopped"], tuple(Tier(t) for t in c["told"]))
        for k, c in b["clocks"].items()
    }
    return Slip(
        row.id, row.warning, row.path, State(row.state), Colour(row.colour), row.opened_at,
        frozenset(Tier(t) for t in b["tiers"]), Colour(row.worst), row.version, clocks, b["form"], row.cleared_at,
        row.closed_at, b["merged_into"], b["returns"], b["supervised"], b["escalations"],
    )  # fmt: skip


def columns(slip: Slip) -> dict[str, Any]:
    """What the row of a slip holds of it. ``path`` follows the tree when a node moves, so it is no part of this."""
    clocks = {
        kind.value: {
            "started": c.started, "due": c.due, "wake": c.wake, "stopped": c.stopped, "told": [int(t) for t in c.told],
        }
        for kind, c in slip.clocks.items()
    }  # fmt: skip
    body = {
        "tiers": sorted(map(int, slip.tiers)), "clocks": clocks, "form": dict(slip.form),
        "merged_into": slip.merged_into, "returns": slip.returns, "supervised": slip.supervised,
        "escalations": slip.escalations,
    }  # fmt: skip
    return {
        "warning": slip.warning, "state": slip.state.value, "colour": int(slip.colour), "worst": int(slip.worst),
        "opened_at": slip.opened_at, "due_at": slip.due if slip.open else None,
        "wake_at": slip.wake if slip.open else None, **_climbed(slip), "cleared_at": slip.cleared_at,
        "closed_at": slip.closed_at,
        "version": slip.steps, "body": canonical(body),
    }  # fmt: skip


def _climbed(slip: Slip) -> dict[str, int | None]:
    """By tier, when the first of the clocks was due that have climbed to it and still run."""
    due: dict[str, int | None] = dict.fromkeys(CLIMBED.values())
    for clock in sorted(slip.clocks.values(), key=lambda c: -c.due) if slip.open else ():
        if clock.running:
            due |= {CLIMBED[tier]: clock.due for tier in clock.told}
    return due


def content(row: SlipStep) -> list[Any]:
    """What the chain holds of a step."""
    return [
        row.id, row.slip, row.number, row.at, row.username, row.name, row.action, row.before, row.after, row.detail,
    ]  # fmt: skip


def hold(session: Session) -> SlipHead:
    """The end of the chain; until the end of the transaction other writers of slips wait here.

    Whoever will touch a slip waits here **before** holding anything else that others of them hold: slips, receipts. In
    one order for all nobody waits in a circle (two slips merged into each other, a batch of warnings and a person).
    """
    return session.scalars(select(SlipHead).with_for_update()).one()


def chained(session: Session, slip: Slip, done: Step, who: Principal) -> SlipStep:
    """Write a step as the last one of the chain."""
    head = hold(session)
    row = SlipStep(
        id=head.length + 1, slip=slip.id, number=slip.steps, at=done.at, username=who.username, name=who.name,
        action=done.action.value, before=done.before.value if done.before else "", after=done.after.value,
        detail=canonical(done.detail), digest="", path=slip.path,
    )  # fmt: skip
    row.digest = link(content(row), head.digest)
    head.length, head.digest = row.id, row.digest
    session.add(row)
    return row


def advance(session: Session, row: SlipRow, slip: Slip, done: Step, who: Principal = SYSTEM) -> Slip:
    """Take a step: into the chain, and the row follows."""
    after = apply(slip, done)
    chained(session, after, done, who)
    for name, value in columns(after).items():
        setattr(row, name, value)
    session.flush()
    return after


def locked(session: Session, slip_id: str) -> SlipRow | None:
    """The row of a slip, held until the end of the unit, behind the end of the chain."""
    hold(session)
    # scope: node-internal because whoever asks has found it in scope, or is the node itself
    return session.scalar(
        select(SlipRow).where(SlipRow.id == slip_id).with_for_update(), execution_options={"populate_existing": True}
    )


def newest(session: Session, warning: str) -> SlipRow | None:
    """The newest slip of a warning; of one that was merged, the slip in which it goes on."""
    # scope: node-internal because the node follows its own warnings up
    found = session.scalars(select(SlipRow).where(SlipRow.warning == warning).order_by(SlipRow.opened_at)).all()
    row = max(found, key=lambda r: (r.opened_at, len(r.id), r.id), default=None)
    while row is not None and row.state == State.MERGED.value:
        row = locked(session, json.loads(row.body)["merged_into"])
    return locked(session, row.id) if row is not None else None


def step_of(row: SlipStep) -> Step:
    """A step from its row."""
    before = State(row.before) if row.before else None
    return Step(Action(row.action), row.at, before, State(row.after), json.loads(row.detail))


def steps(session: Session, slip_id: str) -> Iterable[SlipStep]:
    """Steps of a slip that was found in scope, oldest first."""
    # scope: node-internal because the slip was found in scope, and its steps lie with it
    return session.scalars(select(SlipStep).where(SlipStep.slip == slip_id).order_by(SlipStep.number))
