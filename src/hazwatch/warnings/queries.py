"""Warnings as people ask for them: lists, one with its whole history, what a tier has not seen, CAP events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Select, Subquery, func, or_, select
from sqlalchemy.orm import Session

from hazwatch.documents.cap import CapMessage
from hazwatch.identity.errors import not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.records.paging import Page, PageRequest, count, like, ordered
from hazwatch.vocabulary.colours import Colour
from hazwatch.vocabulary.moments import HOUR, iso
from hazwatch.vocabulary.warnings import Tier, WarningKind
from hazwatch.warnings import cap
from hazwatch.warnings.forms import cause_zh, told
from hazwatch.warnings.model import Deed
from hazwatch.warnings.tables import WarningEvent, WarningReceipt, WarningRow

_COLUMNS = [column.name for column in WarningRow.__table__.columns]
_SORT = {
    "raised_at": WarningRow.raised_at, "changed_at": WarningRow.changed_at, "colour": WarningRow.colour,
    "object": WarningRow.object,
}  # fmt: skip
#: Messages of the CAP feed; it tells what stands now, not history.
_CAP = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of the warnings.

    Attributes:
        state: ``standing``, ``cleared`` or empty. unseen: by the asker's own tier.
        due: ``overdue`` or ``soon`` (within the hour): by the clock of the slip, of cleared warnings too.
    """

    state: str = ""
    colour: Colour | None = None
    kind: str = ""
    object: str = ""
    q: str = ""
    start: int | None = None
    end: int | None = None
    unseen: bool = False
    due: str = ""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Running clocks of the slips: ``slips`` has ``warning`` and ``due_at`` (epoch ms); ``now`` in epoch ms."""

    slips: Subquery
    now: int


def _form(row: WarningRow) -> dict[str, Any]:
    return told({name: getattr(row, name) for name in _COLUMNS})


def _statement(who: Principal, wanted: Wanted, clocks: Clocks) -> Select[WarningRow]:
    statement = scoped(select(WarningRow), who, WarningRow)
    if wanted.state == "standing":
        statement = statement.where(WarningRow.cleared_at.is_(None))
    elif wanted.state == "cleared":
        statement = statement.where(WarningRow.cleared_at.is_not(None))
    if wanted.colour is not None:
        statement = statement.where(WarningRow.colour == int(wanted.colour))
    if wanted.kind:
        statement = statement.where(WarningRow.kind == WarningKind(wanted.kind).value)
    if wanted.object:
        # An enterprise's code finds its sources too.
        top = wanted.object
        statement = statement.where(WarningRow.object >= top, WarningRow.object < top + "\uffff")
    if wanted.q:
        text = like(wanted.q)
        found = [c.ilike(text, escape="\\") for c in (WarningRow.name, WarningRow.reason, WarningRow.id)]
        statement = statement.where(or_(*found))
    if wanted.start is not None:
        statement = statement.where(WarningRow.raised_at >= wanted.start)
    if wanted.end is not None:
        statement = statement.where(WarningRow.raised_at < wanted.end)
    if wanted.unseen:
        statement = statement.where(WarningRow.id.in_(_unseen(who)))
    return statement.where(WarningRow.id.in_(_running_out(wanted.due, clocks))) if wanted.due else statement


def _running_out(due: str, clocks: Clocks) -> Select[str]:
    """Warnings whose slip is overdue, or due within the hour."""
    slips = clocks.slips.c
    late, soon = slips.due_at < clocks.now, slips.due_at.between(clocks.now, clocks.now + HOUR)
    return select(slips.warning).where(late if due == "overdue" else soon)


def _unseen(who: Principal) -> Select[str]:
    mine = scoped(select(WarningReceipt.warning), who, WarningReceipt)
    return mine.where(WarningReceipt.node == who.scope, WarningReceipt.seen_at.is_(None))


def page(
    session: Session, who: Principal, request: PageRequest, wanted: Wanted, clocks: Clocks
) -> Page[dict[str, Any]]:
    """Warnings in scope, the worst standing ones first, then the newest; without a clock last when sorted by it."""
    statement = _statement(who, wanted, clocks)
    listed = _listed(statement, request, clocks)
    rows = session.scalars(listed.offset(request.offset).limit(request.page_size)).all()
    mine = receipts_of(session, who, [row.id for row in rows])
    items = [_form(row) | {"receipt": mine.get(row.id)} for row in rows]
    return Page(items, count(session, statement), request.page, request.page_size)


def _listed(statement: Select[WarningRow], request: PageRequest, clocks: Clocks) -> Select[WarningRow]:
    if not request.sort:
        return statement.order_by(
            WarningRow.cleared_at.is_not(None), WarningRow.colour.desc(), WarningRow.changed_at.desc(), WarningRow.id
        )
    due = clocks.slips.c.due_at
    joined = statement.outerjoin(clocks.slips, clocks.slips.c.warning == WarningRow.id)
    if request.field == "due_at":
        joined = joined.order_by(due.is_(None))
    return ordered(joined, request, _SORT | {"due_at": due}, WarningRow.id)


def everything(
    session: Session, who: Principal, request: PageRequest, wanted: Wanted, clocks: Clocks
) -> Sequence[dict[str, Any]]:
    """The whole list in the order that was asked for, for a file; the page is of no account."""
    return [_form(row) for row in session.scalars(_listed(_statement(who, wanted, clocks), request, clocks))]


def receipts_of(session: Session, who: Principal, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of some warnings the receipt of the asker's own tier."""
    mine = scoped(select(WarningReceipt).where(WarningReceipt.warning.in_(ids)), who, WarningReceipt)
    return {r.warning: _receipt(r) for r in session.scalars(mine.where(WarningReceipt.node == who.scope))}


def _receipt(r: WarningReceipt) -> dict[str, Any]:
    tier = Tier(r.tier)
    return {
        "tier": tier.word, "tier_zh": tier.zh, "node": r.node.strip("/").rpartition("/")[2], "act": r.act,
        "why": r.why, "at": iso(r.at), "delivered_at": iso(r.delivered_at) if r.delivered_at else None,
        "delivered_by": r.delivered_by, "seen_at": iso(r.seen_at) if r.seen_at else None, "seen_by": r.seen_by,
    }  # fmt: skip


def summary(session: Session, who: Principal) -> dict[str, Any]:
    """Standing warnings by colour, and how many of them the asker's tier has not seen."""
    standing = scoped(select(WarningRow.colour, func.count()), who, WarningRow).where(WarningRow.cleared_at.is_(None))
    counts = dict(session.execute(standing.group_by(WarningRow.colour)).tuples().all())
    open_ = scoped(select(WarningRow), who, WarningRow).where(WarningRow.cleared_at.is_(None))
    return {
        "counts": {c.word: counts.get(int(c), 0) for c in sorted(Colour, reverse=True) if c is not Colour.NONE},
        "unseen": count(session, open_.where(WarningRow.id.in_(_unseen(who)))),
    }


def one(session: Session, who: Principal, warning_id: str) -> dict[str, Any]:
    """A warning with its history, receipts, terms and the points in alarm at that moment.

    Raises:
        ApiError: 404.
    """
    row = session.scalar(scoped(select(WarningRow).where(WarningRow.id == warning_id), who, WarningRow))
    if row is None:
        raise not_found("预警", warning_id)
    terms = orjson.loads(row.terms)
    told_to = scoped(select(WarningReceipt).where(WarningReceipt.warning == row.id), who, WarningReceipt)
    events = scoped(select(WarningEvent).where(WarningEvent.warning == row.id), who, WarningEvent)
    return _form(row) | {
        "terms": terms, "data": orjson.loads(row.data), "rules": row.rules,
        "receipts": [_receipt(r) for r in session.scalars(told_to.order_by(WarningReceipt.tier))],
        "receipt": receipts_of(session, who, [row.id]).get(row.id),
        "history": [
            {
                "id": e.id, "deed": e.deed, "deed_zh": Deed(e.deed).zh, "at": iso(e.at),
                "written_at": iso(e.written_at), "was": Colour(e.was).word, "colour": Colour(e.colour).word,
                "cause": e.cause, "cause_zh": cause_zh(e.cause, terms), "grade": e.grade, "reason": e.reason,
            }
            for e in session.scalars(events.order_by(WarningEvent.id))
        ],
    }  # fmt: skip


# --- CAP -----------------------------------------------------------------------------------------------------------


def cap_messages(
    session: Session, who: Principal, sender: str, warning_id: str | None = None, upto: int | None = None
) -> list[CapMessage]:
    """The newest CAP message of each standing warning, newest first; or of the one of an id.

    Args:
        session: of the records.
        who: asks.
        sender: of the messages.
        warning_id: only this one, standing or not.
        upto: the message as of this event.
    """
    statement = scoped(select(WarningRow), who, WarningRow)
    if warning_id is None:
        statement = statement.where(WarningRow.cleared_at.is_(None)).order_by(WarningRow.changed_at.desc()).limit(_CAP)
    else:
        statement = statement.where(WarningRow.id == warning_id)
    rows = session.scalars(statement).all()
    events = scoped(select(WarningEvent), who, WarningEvent).where(
        WarningEvent.warning.in_([r.id for r in rows]), WarningEvent.deed.in_([d.value for d in cap.TOLD])
    )
    if upto is not None:
        events = events.where(WarningEvent.id <= upto)
    of: dict[str, list[cap.CapEvent]] = {}
    for e in session.scalars(events.order_by(WarningEvent.id)):
        of.setdefault(e.warning, []).append(
            cap.CapEvent(e.id, Deed(e.deed), e.written_at, Colour(e.colour), e.cause, e.reason)
        )
    return [
        cap.message(
            r.id, WarningKind(r.kind), r.object, r.name, r.raised_at, of[r.id], sender, exercise=r.simulated
        )
        for r in rows
        if r.id in of
    ]  # fmt: skip
