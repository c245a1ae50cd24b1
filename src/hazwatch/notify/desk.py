"""What people say about messages: channels, routes, duty lists, the calendar; and the log of messages."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hazwatch.identity.errors import ApiError, not_found
from hazwatch.identity.model import Principal
from hazwatch.identity.scope import scoped
from hazwatch.identity.secrets import seal
from hazwatch.notify.model import hours_of
from hazwatch.notify.send import kind_of
from hazwatch.notify.service import DUTY, ROUTE
from hazwatch.notify.tables import NoticeChannel, NoticeDay, NoticeMessage, NoticeRule
from hazwatch.records.paging import Page, PageRequest, count
from hazwatch.vocabulary.moments import iso

_WORDS = {ROUTE: "路由", DUTY: "值班表"}


def _refused(error: ValueError) -> ApiError:
    return ApiError(422, "bad_notice", str(error), "请检查填写内容")


def channels(session: Session, who: Principal) -> list[dict[str, Any]]:
    """Channels in scope, without their addresses."""
    rows = session.scalars(scoped(select(NoticeChannel), who, NoticeChannel).order_by(NoticeChannel.name))
    return [_channel_form(row) for row in rows]


def _channel_form(row: NoticeChannel) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "kind": row.kind, "enabled": row.enabled, "by": row.by, "at": iso(row.at),
    }  # fmt: skip


def channel(session: Session, who: Principal, id_: str) -> NoticeChannel:
    """A channel in scope.

    Raises:
        ApiError: 404.
    """
    row = session.scalar(scoped(select(NoticeChannel).where(NoticeChannel.id == id_), who, NoticeChannel))
    if row is None:
        raise not_found("通道", id_)
    return row


def write_channel(
    session: Session, who: Principal, key: bytes, id_: str | None, name: str, url: str, now: int, *, enabled: bool
) -> dict[str, Any]:
    """A new channel, or a change of one; an empty ``url`` keeps the address.

    Raises:
        ApiError: 404, 422.
    """
    if id_ is None and not url:
        raise _refused(ValueError("新通道需要地址"))
    made = id_ is None
    row = NoticeChannel(id=str(uuid.uuid4()), path=who.scope) if id_ is None else channel(session, who, id_)
    if url:
        try:
            row.kind = kind_of(url)
        except ValueError as error:
            raise _refused(error) from error
        row.sealed = seal(key, url.encode(), row.id)
    row.name, row.enabled, row.by, row.at = name, enabled, who.username, now
    if made:
        session.add(row)
    session.flush()
    return _channel_form(row)


def rules(session: Session, who: Principal, kind: str) -> list[dict[str, Any]]:
    """Routes or duty lists in scope."""
    rows = session.scalars(
        scoped(select(NoticeRule).where(NoticeRule.kind == kind), who, NoticeRule).order_by(NoticeRule.name)
    )
    return [_rule_form(row) for row in rows]


def _rule_form(row: NoticeRule) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "enabled": row.enabled, "path": row.path, "by": row.by, "at": iso(row.at),
        **orjson.loads(row.body),
    }  # fmt: skip


def rule(session: Session, who: Principal, kind: str, id_: str) -> NoticeRule:
    """A route or duty list in scope.

    Raises:
        ApiError: 404.
    """
    statement = scoped(select(NoticeRule).where(NoticeRule.id == id_, NoticeRule.kind == kind), who, NoticeRule)
    row = session.scalar(statement)
    if row is None:
        raise not_found(_WORDS[kind], id_)
    return row


def write_rule(
    session: Session, who: Principal, kind: str, id_: str | None, name: str, path: str, body: dict[str, Any], now: int,
    *, enabled: bool,
) -> dict[str, Any]:  # fmt: skip
    """A new route or duty list, or a change of one. What it names must lie in the asker's scope.

    Raises:
        ApiError: 404, 422.
    """
    try:
        for hours in body["shifts"] if kind == DUTY else [body]:
            hours_of(hours)
    except ValueError as error:
        raise _refused(error) from error
    named = [s["channel"] for s in body["shifts"]] if kind == DUTY else body["channels"] + body["escalate_channels"]
    for one in named:
        channel(session, who, one)
    for one in [] if kind == DUTY else body["duties"] + body["escalate_duties"]:
        rule(session, who, DUTY, one)
    made = id_ is None
    row = NoticeRule(id=str(uuid.uuid4()), kind=kind) if id_ is None else rule(session, who, kind, id_)
    row.name, row.path, row.body = name, path, orjson.dumps(body).decode()
    row.enabled, row.by, row.at = enabled, who.username, now
    if made:
        session.add(row)
    session.flush()
    return _rule_form(row)


def calendar(session: Session) -> list[dict[str, Any]]:
    """Days that differ from their weekday."""
    rows = session.scalars(select(NoticeDay).order_by(NoticeDay.day))
    return [{"day": row.day, "working": row.working, "name": row.name} for row in rows]


def write_calendar(session: Session, days: list[dict[str, Any]]) -> None:
    """The calendar, whole."""
    session.execute(delete(NoticeDay))
    session.add_all([NoticeDay(**day) for day in {day["day"]: day for day in days}.values()])


def log(session: Session, who: Principal, request: PageRequest, state: str) -> Page[dict[str, Any]]:
    """Messages, newest first."""
    statement = scoped(select(NoticeMessage), who, NoticeMessage)
    if state:
        statement = statement.where(NoticeMessage.state == state)
    rows = session.scalars(statement.order_by(NoticeMessage.id.desc()).offset(request.offset).limit(request.page_size))
    items = [
        {
            "id": r.id, "channel": r.channel, "channel_name": r.channel_name, "title": r.title, "text": r.text,
            "alarms": r.alarms, "state": r.state, "attempts": r.attempts, "at": iso(r.at),
            "sent_at": iso(r.sent_at) if r.sent_at else None, "due": iso(r.due), "outcome": r.outcome,
        }
        for r in rows
    ]  # fmt: skip
    return Page(items, count(session, statement), request.page, request.page_size)
