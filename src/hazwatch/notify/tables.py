"""Tables of messages that leave the node."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class NoticeChannel(Scoped, Base):
    """One address that can be told. Its URL holds passwords and is sealed with the node's master key."""

    __tablename__ = "notice_channel"

    id: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    enabled: Mapped[bool]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)


class NoticeRule(Scoped, Base):
    """A route or a duty list (``kind``); its body as JSON."""

    __tablename__ = "notice_rule"

    id: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool]
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)


class NoticeDay(Base):
    """A day that is a working day, or is not, against its weekday (调休)."""

    __tablename__ = "notice_day"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    working: Mapped[bool]
    name: Mapped[str] = mapped_column(String(50))


class NoticeItem(Scoped, Base):
    """One alarm that one channel is told of. Waits until it becomes part of a message."""

    __tablename__ = "notice_item"
    __table_args__ = (
        UniqueConstraint("alarm_id", "channel", "priority", "escalated"),
        Index("ix_notice_item_message", "message"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    alarm_id: Mapped[str] = mapped_column(code_text(36))
    channel: Mapped[str] = mapped_column(code_text(36))
    route: Mapped[str] = mapped_column(code_text(36))
    priority: Mapped[int] = mapped_column(Integer)
    escalated: Mapped[bool]
    at: Mapped[int] = mapped_column(BigInteger)
    over: Mapped[bool]
    message: Mapped[int | None] = mapped_column(Integer)


class NoticeMessage(Scoped, Base):
    """A message: what it says, to whom, and what became of it. Kept; never sent twice on purpose."""

    __tablename__ = "notice_message"
    __table_args__ = (Index("ix_notice_message_state_due", "state", "due"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel: Mapped[str] = mapped_column(code_text(36))
    channel_name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    alarms: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer)
    due: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(300))


class NoticeOffset(Base):
    """Up to which change of alarms the messages are."""

    __tablename__ = "notice_offset"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
