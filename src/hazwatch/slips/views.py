"""Slips as people see them: lists, one slip with its life, and what waits for me."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session

from hazwatch.identity.model import Principal, Role, may
from hazwatch.identity.scope import scoped
from hazwatch.records.paging import Page, PageRequest, count, like, ordered
from hazwatch.slips import attachments
from hazwatch.slips.clocks import ClockKind, Rules
from hazwatch.slips.model import (
    CAUSES,
    DEEDS,
    FIELDS,
    OPEN_STATES,
    RULES,
    TABLE,
    Action,
    Party,
    Slip,
    State,
    ladder,
)
from hazwatch.slips.model import may as may_do
from hazwatch.slips.service import SlipDesk, found
from hazwatch.slips.store import slip_of, steps
from hazwatch.slips.tables import CLIMBED, SlipRow, SlipStep
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import clock_text, iso
from hazwatch.vocabulary.warnings import Tier, WarningKind, tier_of

_OPEN = tuple(state.value for state in OPEN_STATES)
_OWNERS = (State.MADE.value, State.DELIVERED.value, State.CONFIRMED.value, State.HANDLING.value)
_KEEPERS = (State.ANSWERED.value, State.REVIEW.value)
#: Rows of one answer of what needs me; ``total`` says how many there are.
MOST_DUTY = 500


@dataclass(frozen=True, slots=True)
class SlipFilter:
    """Which slips. ``show``: open, closed, all; ``mine``: those that wait for the asker's own tier."""

    show: str = "open"
    states: tuple[str, ...] = ()
    colours: tuple[int, ...] = ()
    object: str = ""
    q: str = ""
    overdue: bool = False
    mine: bool = False


def page(session: Session, who: Principal, wanted: SlipFilter, request: PageRequest, now: int) -> Page[dict[str, Any]]:
    """Slips in scope; the one that is due first stands first."""
    statement = _select(who, wanted, now)
    sortable = {
        "due_at": SlipRow.due_at, "opened_at": SlipRow.opened_at, "colour": SlipRow.colour, "id": SlipRow.id,
        "name": SlipRow.name, "state": SlipRow.state, "closed_at": SlipRow.closed_at,
    }  # fmt: skip
    asked = ordered(statement, request, sortable, SlipRow.id) if request.sort else statement.order_by(*_by_the_clock())
    rows = session.scalars(asked.offset(request.offset).limit(request.page_size))
    return Page([brief(row, now) for row in rows], count(session, statement), request.page, request.page_size)


def of_warnings(session: Session, who: Principal, ids: Sequence[str], now: int) -> dict[str, dict[str, Any]]:
    """The newest slip of each of these warnings, as on the list."""
    rows = session.scalars(
        scoped(select(SlipRow).where(SlipRow.warning.in_(list(ids))), who, SlipRow).order_by(SlipRow.opened_at)
    )
    return {row.warning: brief(row, now) for row in rows}


def clocks_of_warnings(who: Principal) -> Subquery:
    """Warnings in scope with the clock of their slip that runs out first: ``warning``, ``due_at`` (epoch ms)."""
    due = func.min(SlipRow.due_at).label("due_at")
    running = scoped(select(SlipRow.warning, due), who, SlipRow).where(SlipRow.due_at.is_not(None))
    return running.group_by(SlipRow.warning).subquery()


def everything(session: Session, who: Principal, wanted: SlipFilter, now: int) -> Iterator[dict[str, Any]]:
    """The whole list, for an export."""
    statement = _select(who, wanted, now).order_by(*_by_the_clock()).execution_options(yield_per=500)
    for row in session.scalars(statement):
        yield brief(row, now) | {"form": json.loads(row.body)["form"]}


def _by_the_clock() -> tuple[Any, ...]:
    return case((SlipRow.due_at.is_(None), 1), else_=0), SlipRow.due_at, SlipRow.opened_at.desc(), SlipRow.id


def _select(who: Principal, wanted: SlipFilter, now: int) -> Select[SlipRow]:
    statement = scoped(select(SlipRow), who, SlipRow)
    if wanted.show != "all":
        held = SlipRow.state.in_(_OPEN)
        statement = statement.where(held if wanted.show == "open" else ~held)
    if wanted.states:
        statement = statement.where(SlipRow.state.in_(wanted.states))
    if wanted.colours:
        statement = statement.where(SlipRow.colour.in_(wanted.colours))
    if wanted.object:
        statement = statement.where(SlipRow.object == wanted.object)
    if wanted.q:
        text = like(wanted.q)
        named = or_(*(c.like(text, escape="\\") for c in (SlipRow.name, SlipRow.id, SlipRow.object, SlipRow.warning)))
        statement = statement.where(named)
    if wanted.overdue:
        statement = statement.where(SlipRow.due_at < now)
    return statement.where(_mine(who)) if wanted.mine else statement


def _mine(who: Principal) -> ColumnElement[bool]:
    """What waits for the asker's tier: as the owner, or as the one directly above."""
    depth = who.scope.count("/")
    slashes = func.length(SlipRow.path) - func.length(func.replace(SlipRow.path, "/", ""))
    owner = and_(SlipRow.path == who.scope, SlipRow.state.in_(_OWNERS))
    keeper = and_(slashes == depth + 1, SlipRow.path != who.scope, SlipRow.state.in_(_KEEPERS))
    return or_(owner, keeper)


def brief(row: SlipRow, now: int) -> dict[str, Any]:
    """A slip on a list."""
    slip = slip_of(row)
    kind = _due_clock(slip)
    return {
        "id": row.id, "warning": row.warning, "kind": row.kind, "kind_zh": WarningKind(row.kind).zh,
        "object": row.object, "name": row.name, "cause": row.cause, "state": row.state, "state_zh": slip.state.zh,
        "colour": slip.colour.word, "worst": slip.worst.word, "opened_at": iso(row.opened_at),
        "due_at": _iso(row.due_at), "due_clock": kind, "due_zh": ClockKind(kind).zh if kind else "",
        "overdue": row.due_at is not None and row.due_at < now, "cleared_at": _iso(row.cleared_at),
        "closed_at": _iso(row.closed_at), "version": row.version, "owner": tier_of(row.path).word,
        "returns": slip.returns, "supervised": slip.supervised, "escalations": slip.escalations,
        "merged_into": slip.merged_into, "false_alarm": slip.form.get("cause_class") == "false_alarm",
    }  # fmt: skip


def whole(session: Session, desk: SlipDesk, who: Principal, slip_id: str) -> dict[str, Any]:
    """One slip with its form, clocks, life, and what the asker may do to it now.

    Raises:
        ApiError: 404.
    """
    row = found(session, who, slip_id)
    slip, rules = slip_of(row), desk.books.rules(session, row.path)
    life = list(steps(session, row.id))
    first = json.loads(life[0].detail) if life else {}
    above = ladder(row.path)
    return brief(row, desk.clock()) | {
        "server_time": iso(desk.clock()), "reason": first.get("reason", ""), "terms": first.get("terms", []),
        "data": first.get("data", {}), "grade": first.get("grade"), "raised_at": _iso(first.get("raised_at")),
        "required": required_action(slip, life, rules), "recipients": _tiers(slip.tiers),
        "informed": _tiers(frozenset(Tier(t) for t in first.get("informed", ())) - slip.tiers),
        "owner_zh": tier_of(row.path).zh, "supervisor_zh": above[0].zh if above else "部",
        "clocks": [
            {
                "clock": kind.value, "zh": kind.zh, "started": iso(c.started), "due": iso(c.due),
                "stopped": _iso(c.stopped), "late": (c.stopped or desk.clock()) > c.due, "told": _tiers(c.told),
            }
            for kind, c in sorted(slip.clocks.items(), key=lambda item: list(ClockKind).index(item[0]))
        ],
        "form": {**slip.form, "cause_zh": CAUSES.get(str(slip.form.get("cause_class", "")), "")},
        "archive_no": archive_no(slip), "attachments": attachments.listed(session, row.id),
        "steps": [step_form(step) for step in life], "allowed": allowed(slip, who, rules),
        "digest": life[-1].digest if life else "",
    }  # fmt: skip


def archive_no(slip: Slip) -> str:
    """Number in the archive, of a closed slip."""
    return f"GD{slip.id[2:]}" if slip.state is State.CLOSED else ""


def required_action(slip: Slip, life: list[SlipStep], rules: Rules) -> str:
    """What the form asks of the owner, with the deadlines that were set at the opening."""
    due = json.loads(life[0].detail)["due"] if life else {}
    words = [f"{clock_text(due[k.value])} 前{k.zh}" for k in ClockKind if k.value in due]
    again = rules.spans[slip.worst].again
    more = f";{slip.worst.zh}色预警关闭前每 {again.minutes // 60 or 1} 小时续报一次" if again else ""
    return f"请核实原因、采取措施消除风险,{'、'.join(words)}{more}"


def step_form(row: SlipStep) -> dict[str, Any]:
    """A step for the timeline."""
    detail = json.loads(row.detail)
    known = Action(row.action)
    shown = {name: detail[name] for name in FIELDS if name in detail}
    if known is Action.ESCALATE:
        shown |= {"clock": ClockKind(detail["clock"]).zh, "was_due": iso(detail["was_due"])}
        shown["tier"] = Tier(detail["tier"]).zh if detail["tier"] is not None else ""
    if known is Action.CHANGE:
        shown |= {"colour": Colour(detail["colour"]).word, "was": Colour(detail["was"]).word}
    return {
        "number": row.number, "at": iso(row.at), "by": row.username, "by_name": row.name, "action": row.action,
        "action_zh": known.zh, "before": row.before, "after": row.after, "detail": shown,
        "attachments": detail.get("attachments", []), "digest": row.digest,
    }  # fmt: skip


def allowed(slip: Slip, who: Principal, rules: Rules) -> list[dict[str, Any]]:
    """What somebody may do to a slip now, in the order of the table."""
    tier = tier_of(who.scope)
    if not may(who.role, Role.OPERATOR):
        return []
    return [
        {"action": a.value, "zh": a.zh, "required": list(RULES[a].required), "optional": list(RULES[a].optional)}
        for a in DEEDS
        if slip.state in RULES[a].states and may_do(slip, RULES[a].party, tier)
        and (a is not Action.REPORT or rules.spans[slip.worst].again is not None)
    ]  # fmt: skip


def machine() -> dict[str, Any]:
    """The table of states, as the service obeys it."""
    return {
        "states": [{"state": s.value, "zh": s.zh, "open": s in OPEN_STATES} for s in State],
        "rules": [
            {
                "action": r.action.value, "zh": r.action.zh, "states": [s.value for s in r.states],
                "to": r.to.value if r.to else None, "party": r.party.value, "party_zh": r.party.zh,
                "required": list(r.required), "optional": list(r.optional), "stops": [k.value for k in r.stops],
                "starts": [k.value for k in r.starts], "person": r.party is not Party.SYSTEM,
            }
            for r in TABLE
        ],
        "fields": {name: {"zh": zh, "most": most} for name, (zh, most) in FIELDS.items()},
        "causes": CAUSES, "clocks": {k.value: k.zh for k in ClockKind},
    }  # fmt: skip


def duty(session: Session, who: Principal, now: int) -> tuple[list[dict[str, Any]], int]:
    """Slips that need the asker's tier now, by the clock: own ones, ones to review, ones that climbed to it."""
    tier = tier_of(who.scope)
    mine = scoped(select(SlipRow), who, SlipRow).where(SlipRow.state.in_(_OPEN), _mine(who))
    items = [_need(row, now, "") for row in session.scalars(mine.order_by(*_by_the_clock()).limit(MOST_DUTY))]
    total = count(session, mine.with_only_columns(SlipRow.id))
    if tier in CLIMBED:
        due = getattr(SlipRow, CLIMBED[tier])
        late = scoped(select(SlipRow), who, SlipRow).where(due.is_not(None), ~_mine(who))
        rows = session.scalars(late.order_by(due, SlipRow.path, SlipRow.id).limit(MOST_DUTY))
        items += [_need(row, now, "已升级至本级,请督办") for row in rows]
        total += count(session, late.with_only_columns(due))
    return items, total


def _need(row: SlipRow, now: int, why: str) -> dict[str, Any]:
    waits = {
        State.MADE: "请签收并确认", State.DELIVERED: "请确认", State.CONFIRMED: "请开始处置", State.HANDLING: "请反馈",
        State.ANSWERED: "请受理审核", State.REVIEW: "请审核",
    }  # fmt: skip
    return {"type": "slip", "why": why or waits.get(State(row.state), "")} | brief(row, now)


def _due_clock(slip: Slip) -> str:
    running: Mapping[ClockKind, Any] = {k: c for k, c in slip.clocks.items() if c.running} if slip.open else {}
    return min(running, key=lambda kind: running[kind].due).value if running else ""


def _tiers(tiers: Any) -> list[dict[str, str]]:
    return [{"tier": t.word, "zh": t.zh} for t in sorted(tiers)]


def _iso(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)
