"""Tables of the alarm room."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class Alarm(Scoped, Base):
    """One excursion. Names of point, source and enterprise are those of the moment: a record is read years later."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index("ix_alarm_state_event_time", "state", "event_time"),
        Index("ix_alarm_point_event_time", "point", "event_time"),
        Index("ix_alarm_event_time", "event_time"),
        Index("ix_alarm_enterprise_event_time", "enterprise", "event_time"),
        Index("ix_alarm_enterprise_returned_at", "enterprise", "returned_at"),
    )

    id: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    point: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    level: Mapped[int] = mapped_column(Integer)
    worst_level: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(32))
    priority: Mapped[int] = mapped_column(Integer)
    value: Mapped[float | None]
    limit: Mapped[float | None]
    limit_version: Mapped[int] = mapped_column(Integer)
    event_time: Mapped[int] = mapped_column(BigInteger)
    arrived_at: Mapped[int] = mapped_column(BigInteger)
    returned_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_by: Mapped[str | None] = mapped_column(String(64))
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(String(500))
    level_since: Mapped[int] = mapped_column(BigInteger)
    found_late: Mapped[bool]
    revoked: Mapped[bool]
    simulated: Mapped[bool]
    point_code: Mapped[str] = mapped_column(code_text(22))
    point_name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[str] = mapped_column(String(2))
    unit: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(code_text(12), index=True)
    source_name: Mapped[str] = mapped_column(String(200))
    enterprise: Mapped[str] = mapped_column(code_text(9), index=True)
    enterprise_name: Mapped[str] = mapped_column(String(200))


class AlarmEvent(Base):
    """One line in the life of a record. Seen through its alarm."""

    __tablename__ = "alarm_event"
    __table_args__ = (
        Index("ix_alarm_event_point_event_time", "point", "event_time"),
        Index("ix_alarm_event_cause_event_time", "cause", "event_time"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    alarm_id: Mapped[str] = mapped_column(ForeignKey("alarm.id"), index=True)
    point: Mapped[int] = mapped_column(Integer)
    event_time: Mapped[int] = mapped_column(BigInteger)
    arrived_at: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[str] = mapped_column(String(32))
    to_state: Mapped[str] = mapped_column(String(32))
    level: Mapped[int] = mapped_column(Integer)
    value: Mapped[float | None]
    limit: Mapped[float | None]
    limit_version: Mapped[int] = mapped_column(Integer)
    who: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(String(500))
    found_late: Mapped[bool]
    superseded: Mapped[bool]


class StreamOffset(Base):
    """How far into the log the alarm records are; changes in the same transaction as they do."""

    __tablename__ = "stream_offset"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    live: Mapped[int] = mapped_column(BigInteger)
    background: Mapped[int] = mapped_column(BigInteger)
