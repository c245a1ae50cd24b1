"""What is told to whom: taking alarms in, grouping them into messages, sending, and the log of it.

Every step is a transaction of its own: (1) alarms after the offset become items, with the new offset; (2) items of a
channel become one message; (3) a message is sent, then its outcome written. A crash between sending and writing sends
again: at least once. Whoever runs this is the only one (the engine of share 0).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import tzinfo

import orjson
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from hazwatch.identity.secrets import unseal
from hazwatch.notify.model import MOST_ATTEMPTS, Book, Handed, Route, Shift, Told, due, hours_of, message, pause_ms
from hazwatch.notify.send import NotSentError
from hazwatch.notify.tables import NoticeChannel, NoticeDay, NoticeItem, NoticeMessage, NoticeOffset, NoticeRule
from hazwatch.records.engine import Sessions, reading, unit_of_work

_log = logging.getLogger(__name__)
QUEUED, SENT, FAILED = "queued", "sent", "failed"
ROUTE, DUTY = "route", "duty"
_OFFSET, _HANDED = "alarms", "warnings"
_AT_ONCE = 2_000

#: Alarms whose newest change is after a number, in the order of these numbers, at most so many.
AlarmsAfter = Callable[[Session, int, int], Sequence[Told]]
#: Alarms by id.
AlarmsById = Callable[[Session, Collection[str]], Mapping[str, Told]]
#: What a room hands over for tiers of the tree, after a number, at most so many; with 0 only the newest.
HandedAfter = Callable[[Session, int, int], Sequence[Handed]]
#: Told in the transaction that writes that a channel took a message: ids, path and name of the channel, when.
Sent = Callable[[Session, Sequence[str], str, str, int], None]
#: Sends (url, title, text); raises ``NotSentError``.
Send = Callable[[str, str, str], None]


def read_book(session: Session, zone: tzinfo) -> Book:
    """Routes and duty lists that are enabled, and the calendar."""
    # scope: node-internal because messages are made for the whole node; each rule tells within its own path only
    rows = session.scalars(select(NoticeRule).where(NoticeRule.enabled).order_by(NoticeRule.name)).all()
    routes, duties = [], {}
    for row in rows:
        body = orjson.loads(row.body)
        if row.kind == DUTY:
            duties[row.id] = tuple(Shift(s["channel"], hours_of(s)) for s in body["shifts"])
        else:
            routes.append(
                Route(
                    row.id, row.path, row.name, body["priority"], hours_of(body), tuple(body["channels"]),
                    tuple(body["duties"]), body["escalate_after_s"], tuple(body["escalate_channels"]),
                    tuple(body["escalate_duties"]),
                )
            )  # fmt: skip
    special = {row.day: row.working for row in session.scalars(select(NoticeDay))}
    return Book(tuple(routes), duties, special, zone)


class Notifier:
    """Does it, a step at a time."""

    def __init__(
        self, sessions: Sessions, after: AlarmsAfter, by_id: AlarmsById, send: Send, key: bytes, zone: tzinfo,
        handed: HandedAfter = lambda _session, _seq, _most: (), sent: Sent = lambda _session, *_: None,
    ) -> None:  # fmt: skip
        self._sessions = sessions
        self._after = after
        self._by_id = by_id
        self._send = send
        self._key = key
        self._zone = zone
        self._handed = handed
        self._on_sent = sent

    def anybody(self) -> bool:
        """Whether any channel is enabled."""
        with reading(self._sessions) as session:
            return bool(self._channels(session))

    def _nothing_new(self) -> bool:
        with reading(self._sessions) as session:
            row = session.get(NoticeOffset, _OFFSET)
            newest = max((a.seq for a in self._after(session, -1, 0)), default=0)
            # scope: node-internal because messages are made for the whole node
            waits = select(NoticeItem.id).where(NoticeItem.over.is_(False), NoticeItem.escalated.is_(False)).limit(1)
            return row is not None and row.seq == newest and session.scalar(waits) is None

    def take_in(self, now: int) -> int:
        """Make items of alarms that changed, and of those that nobody acknowledged; returns how many."""
        if self._nothing_new():
            return 0
        with unit_of_work(self._sessions) as session:
            row = session.get(NoticeOffset, _OFFSET)
            if row is None:
                # What was there before the first start is history: nobody is told of it.
                newest = self._after(session, -1, 0)
                session.add(NoticeOffset(name=_OFFSET, seq=max((a.seq for a in newest), default=0)))
                return 0
            book = read_book(session, self._zone)
            enabled = {c.id: c.path for c in self._channels(session)}
            # Where nobody is told, what happened is passed by and not read.
            alarms = self._after(session, row.seq, _AT_ONCE) if enabled else self._after(session, -1, 0)
            wanted = [
                self._item(alarm, channel, route, now, escalated=False)
                for alarm in alarms
                for channel, route in book.recipients(alarm, now).items()
                if channel in enabled
            ]
            wanted += self._escalations(session, book, enabled, now)
            row.seq = max((a.seq for a in alarms), default=row.seq)
            known = self._known(session, {str(item["alarm_id"]) for item in wanted})
            fresh = {
                key: item
                for item in wanted
                if (key := (item["alarm_id"], item["channel"], item["priority"], item["escalated"])) not in known
            }
            if fresh:
                session.execute(insert(NoticeItem), list(fresh.values()))
            return len(fresh)

    def take_over(self, now: int) -> int:
        """Make items of what was handed over for tiers: every channel of the tier's own node; returns how many."""
        with reading(self._sessions) as session:
            row = session.get(NoticeOffset, _HANDED)
            newest = max((h.seq for h in self._handed(session, -1, 0)), default=0)
            if row is not None and row.seq >= newest:
                return 0
        with unit_of_work(self._sessions) as session:
            row = session.get(NoticeOffset, _HANDED)
            if row is None:
                session.add(NoticeOffset(name=_HANDED, seq=newest))
                return 0
            handed = self._handed(session, row.seq, _AT_ONCE)
            of: dict[str, list[str]] = {}
            for channel in self._channels(session):
                of.setdefault(channel.path, []).append(channel.id)
            # Each event is told once: its number stands where alarms have their priority. Nobody acknowledges it here.
            items = [
                {"alarm_id": h.id, "channel": channel, "route": "", "priority": h.seq, "escalated": h.again, "at": now,
                 "over": True, "message": None, "path": h.node}
                for h in handed
                for channel in of.get(h.node, ())
            ]  # fmt: skip
            row.seq = max((h.seq for h in handed), default=newest)
            if items:
                session.execute(insert(NoticeItem), items)
            return len(items)

    @staticmethod
    def _item(alarm: Told, channel: str, route: str, now: int, *, escalated: bool) -> dict[str, object]:
        return {
            "alarm_id": alarm.id, "channel": channel, "route": route, "priority": alarm.priority,
            "escalated": escalated, "at": now, "over": False, "message": None, "path": alarm.path,
        }  # fmt: skip

    def _escalations(self, session: Session, book: Book, enabled: Collection[str], now: int) -> list[dict[str, object]]:
        """Of items not over yet: the next in line where nobody acknowledged; those acknowledged are over."""
        # scope: node-internal because messages are made for the whole node
        waiting = select(NoticeItem).where(NoticeItem.over.is_(False), NoticeItem.escalated.is_(False))
        items = session.scalars(waiting.order_by(NoticeItem.id).limit(_AT_ONCE)).all()
        alarms = self._by_id(session, {item.alarm_id for item in items})
        found = []
        for item in items:
            alarm = alarms.get(item.alarm_id)
            nobody = next((r for r in book.routes if r.id == item.route and r.escalate_after_s), None) is None
            if alarm is None or not alarm.open or nobody:
                item.over = True
                continue
            channels = book.next_in_line(item.route, item.at, now)
            if channels:
                item.over = True
                found += [self._item(alarm, c, item.route, now, escalated=True) for c in channels if c in enabled]
        return found

    @staticmethod
    def _known(session: Session, ids: Collection[str]) -> set[tuple[str, str, int, bool]]:
        # scope: node-internal because messages are made for the whole node
        known = select(NoticeItem.alarm_id, NoticeItem.channel, NoticeItem.priority, NoticeItem.escalated)
        return set(session.execute(known.where(NoticeItem.alarm_id.in_(ids))).tuples())

    @staticmethod
    def _channels(session: Session) -> Sequence[NoticeChannel]:
        # scope: node-internal because messages are made for the whole node
        return session.scalars(select(NoticeChannel).where(NoticeChannel.enabled)).all()

    def group(self, now: int) -> int:
        """Make messages of waiting items whose channel may be told now; returns how many."""
        made = 0
        with unit_of_work(self._sessions) as session:
            # scope: node-internal because messages are made for the whole node
            items = session.scalars(
                select(NoticeItem).where(NoticeItem.message.is_(None)).order_by(NoticeItem.id).limit(20 * _AT_ONCE)
            ).all()
            by_channel: dict[str, list[NoticeItem]] = {}
            for item in items:
                by_channel.setdefault(item.channel, []).append(item)
            for channel in self._channels(session) if by_channel else ():
                own = by_channel.get(channel.id)
                if own and due(max(item.at for item in own), self._sent(session, channel.id), now):
                    self._make(session, channel, own, now)
                    made += 1
        return made

    @staticmethod
    def _sent(session: Session, channel: str) -> list[int]:
        # scope: node-internal because messages are made for the whole node
        newest = select(NoticeMessage.at).where(NoticeMessage.channel == channel).order_by(NoticeMessage.id.desc())
        return list(session.scalars(newest.limit(2)))[::-1]

    def _make(self, session: Session, channel: NoticeChannel, items: Sequence[NoticeItem], now: int) -> None:
        alarms = self._by_id(session, {item.alarm_id for item in items})
        told = [(alarms[item.alarm_id], item.escalated) for item in items if item.alarm_id in alarms]
        if not told:
            for item in items:
                item.message, item.over = 0, True
            return
        title, text = message(told, self._zone)
        row = NoticeMessage(
            channel=channel.id, channel_name=channel.name, title=title[:300], text=text, alarms=len(told),
            state=QUEUED, attempts=0, due=now, at=now, sent_at=None, outcome="", path=channel.path,
        )  # fmt: skip
        session.add(row)
        session.flush()
        for item in items:
            item.message = row.id

    def waiting(self, now: int) -> list[tuple[int, str]]:
        """Messages that are due, with their channel; one a channel, oldest first."""
        with reading(self._sessions) as session:
            # scope: node-internal because messages are made for the whole node
            first = (
                select(func.min(NoticeMessage.id))
                .where(NoticeMessage.state == QUEUED, NoticeMessage.due <= now)
                .group_by(NoticeMessage.channel)
            )
            rows = select(NoticeMessage.id, NoticeMessage.channel).where(NoticeMessage.id.in_(first))
            return [row.tuple() for row in session.execute(rows)]

    def deliver(self, number: int, clock: Callable[[], int]) -> bool:
        """Send one message and write what became of it; True when the service took it."""
        with reading(self._sessions) as session:
            # scope: node-internal because messages are made for the whole node
            row = session.get_one(NoticeMessage, number)
            channel = session.get(NoticeChannel, row.channel)
        outcome, taken = "", True
        if channel is None or not channel.enabled:
            outcome, taken = "通道已停用或删除", False
        else:
            try:
                self._send(unseal(self._key, channel.sealed, channel.id).decode(), row.title, row.text)
            except (NotSentError, ValueError) as error:
                outcome, taken = str(error)[:300], False
        self._note(number, row.attempts + 1, outcome, clock(), taken=taken, gone=channel is None)
        if taken:
            with unit_of_work(self._sessions) as session:
                # scope: node-internal because messages are made for the whole node
                told = session.scalars(select(NoticeItem.alarm_id).where(NoticeItem.message == number)).all()
                self._on_sent(session, told, row.path, row.channel_name, clock())
        return taken

    def _note(self, number: int, attempts: int, outcome: str, now: int, *, taken: bool, gone: bool) -> None:
        values: dict[str, object] = {"attempts": attempts, "outcome": outcome}
        if taken:
            values |= {"state": SENT, "sent_at": now}
        elif gone or attempts >= MOST_ATTEMPTS:
            values |= {"state": FAILED}
            _log.error("message %d is given up after %d attempts: %s", number, attempts, outcome)
        else:
            values |= {"due": now + pause_ms(attempts)}
        with unit_of_work(self._sessions) as session:
            # scope: node-internal because messages are made for the whole node
            session.execute(update(NoticeMessage).where(NoticeMessage.id == number).values(**values))
