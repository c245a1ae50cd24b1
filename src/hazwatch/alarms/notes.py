"""What people write: comments on an alarm, and the hand-over note with the lists of its moment frozen in it."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from hazwatch.alarms import listing
from hazwatch.alarms.hold_store import hold_form
from hazwatch.alarms.holds import ACTIVE, REQUESTED
from hazwatch.alarms.listing import AlarmFilter
from hazwatch.alarms.store import iso_or_none
from hazwatch.alarms.tables import Alarm, AlarmComment, AlarmHold, Handover
from hazwatch.identity.errors import ApiError, invalid, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.tables import Account
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.moments import iso


def comment(session: Session, who: Principal, alarm_id: str, text: str, at: int) -> dict[str, Any]:
    """Write on an alarm.

    Raises:
        ApiError: 404, 422 nothing is said.
    """
    row = session.scalar(scoped(select(Alarm).where(Alarm.id == alarm_id), who, Alarm))
    if row is None:
        raise not_found("报警", alarm_id)
    if not text:
        raise invalid("text", "请写下内容")
    values = {"alarm_id": alarm_id, "by": who.username, "by_name": who.name, "at": at, "text": text, "path": row.path}
    session.execute(insert(AlarmComment), [values])
    return {"by": who.username, "by_name": who.name, "at": iso(at), "text": text}


def comments(session: Session, who: Principal, alarm_id: str) -> list[dict[str, Any]]:
    """What was written on an alarm, oldest first."""
    rows = session.scalars(
        scoped(select(AlarmComment).where(AlarmComment.alarm_id == alarm_id), who, AlarmComment).order_by(
            AlarmComment.id
        )
    )
    return [{"by": r.by, "by_name": r.by_name, "at": iso(r.at), "text": r.text} for r in rows]


def hand_over(
    session: Session, who: Principal, *, to_user: str, shift: str, note: str, at: int
) -> dict[str, Any]:  # fmt: skip
    """Write the note of a shift: everything that is open or set aside in scope is frozen in it.

    Raises:
        ApiError: 422, there is no such successor in scope, or it is the same person.
    """
    heir = session.scalar(scoped(select(Account).where(Account.username == to_user, Account.enabled), who, Account))
    if heir is None:
        raise invalid("to_user", "没有这个接班账号,或不在您的管辖范围内")
    if heir.username == who.username:
        raise invalid("to_user", "交班人与接班人应是两个人")
    frozen = {
        "at": iso(at),
        "summary": listing.summary(session, who),
        "alarms": list(listing.everything(session, who, AlarmFilter())),
        "aside": list(listing.everything(session, who, AlarmFilter(show="aside"))),
        "holds": [hold_form(row) for row in _standing(session, who)],
    }
    data = orjson.dumps(frozen, option=orjson.OPT_SORT_KEYS)
    row = Handover(
        at=at, scope_code=who.scope_code, shift=shift, from_user=who.username, from_name=who.name,
        to_user=heir.username, to_name=heir.name, note=note, open_count=len(frozen["alarms"]),
        frozen=zlib.compress(data), sha256=hashlib.sha256(data).hexdigest(), path=who.scope,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return _form(row)


def _standing(session: Session, who: Principal) -> list[AlarmHold]:
    statement = scoped(select(AlarmHold).where(AlarmHold.status.in_([ACTIVE, REQUESTED])), who, AlarmHold)
    return list(session.scalars(statement.order_by(AlarmHold.kind, AlarmHold.at)))


def accept(session: Session, who: Principal, number: int, remark: str, at: int) -> dict[str, Any]:
    """The successor takes over; nobody else can.

    Raises:
        ApiError: 404, 403 somebody else, 409 taken over already.
    """
    row = _one(session, who, number)
    if row.to_user != who.username:
        raise ApiError(403, "not_the_successor", f"应由 {row.to_name} 接班", "请由交班单上写明的接班人登录后接班")
    if row.accepted_at is not None:
        raise ApiError(409, "accepted_already", f"已由 {row.accepted_by} 接班", "无需再次接班")
    # scope: node-internal because the row was looked up within the scope above
    values = {"accepted_at": at, "accepted_by": who.username, "remark": remark or None}
    session.execute(update(Handover).where(Handover.id == number, Handover.accepted_at.is_(None)).values(**values))
    session.expire_all()
    return _form(_one(session, who, number))


def _one(session: Session, who: Principal, number: int) -> Handover:
    row = session.scalar(scoped(select(Handover).where(Handover.id == number), who, Handover))
    if row is None:
        raise not_found("交班单", str(number))
    return row


def page(session: Session, who: Principal, request: PageRequest) -> Page[dict[str, Any]]:
    """Notes in scope, newest first."""
    statement = scoped(select(Handover), who, Handover)
    rows = session.scalars(statement.order_by(Handover.id.desc()).offset(request.offset).limit(request.page_size))
    return Page([_form(row) for row in rows], count(session, statement), request.page, request.page_size)


def show(session: Session, who: Principal, number: int) -> dict[str, Any]:
    """A note with what is frozen in it, and whether it is still what was written."""
    row = _one(session, who, number)
    data = zlib.decompress(row.frozen)
    return _form(row) | {"frozen": orjson.loads(data), "intact": hashlib.sha256(data).hexdigest() == row.sha256}


def successors(session: Session, who: Principal) -> list[dict[str, str]]:
    """Accounts that may take over here."""
    rows = session.scalars(scoped(select(Account).where(Account.enabled), who, Account).order_by(Account.username))
    return [{"username": r.username, "name": r.name} for r in rows if r.username != who.username]


def _form(row: Handover) -> dict[str, Any]:
    return {
        "id": row.id, "at": iso(row.at), "scope_code": row.scope_code, "shift": row.shift, "from_user": row.from_user,
        "from_name": row.from_name, "to_user": row.to_user, "to_name": row.to_name, "note": row.note,
        "open_count": row.open_count, "sha256": row.sha256, "accepted_at": iso_or_none(row.accepted_at),
        "accepted_by": row.accepted_by, "remark": row.remark,
    }  # fmt: skip
