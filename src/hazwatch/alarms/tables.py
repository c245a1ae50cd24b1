"""Tables of the alarm room."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
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
        Index("ix_alarm_closed_at", "closed_at"),
        Index("ix_alarm_first_out", "first_out"),
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
    limit_set: Mapped[str | None] = mapped_column(String(12))
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
    latched: Mapped[bool]
    silenced_in: Mapped[str] = mapped_column(Text)
    first_out: Mapped[str] = mapped_column(code_text(36))
    aside_by: Mapped[str | None] = mapped_column(String(200))
    aside_why: Mapped[str | None] = mapped_column(String(500))
    aside_until: Mapped[int | None] = mapped_column(BigInteger)
    aside_mode: Mapped[str | None] = mapped_column(String(16))
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    point_code: Mapped[str] = mapped_column(code_text(22))
    point_name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[str] = mapped_column(String(2))
    unit: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(code_text(12), index=True)
    source_name: Mapped[str] = mapped_column(String(200))
    enterprise: Mapped[str] = mapped_column(code_text(9), index=True)
    enterprise_name: Mapped[str] = mapped_column(String(200))


class AlarmHold(Scoped, Base):
    """One setting aside of an alarm (point and kind): shelved, suppressed by design, out of service."""

    __tablename__ = "alarm_hold"
    __table_args__ = (Index("ix_alarm_hold_status_kind", "status", "kind"),)

    id: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    point: Mapped[int] = mapped_column(Integer, index=True)
    alarm_kind: Mapped[str] = mapped_column(String(16))
    levels: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int | None] = mapped_column(BigInteger)
    approved_by: Mapped[str | None] = mapped_column(String(64))
    approved_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_by: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    end_note: Mapped[str | None] = mapped_column(String(500))
    rule: Mapped[str] = mapped_column(code_text(36))
    rule_version: Mapped[int] = mapped_column(Integer)
    point_code: Mapped[str] = mapped_column(code_text(22))
    point_name: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(code_text(12))
    source_name: Mapped[str] = mapped_column(String(200))
    enterprise: Mapped[str] = mapped_column(code_text(9))
    enterprise_name: Mapped[str] = mapped_column(String(200))


class SuppressionRule(Scoped, Base):
    """One version of a suppression by design. ``path`` is the lowest node that holds every point it names."""

    __tablename__ = "suppression_rule"

    id: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool]
    newest: Mapped[bool]
    note: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)


class AlarmSetting(Scoped, Base):
    """What is said at one node of the tree for one part of a topic (guidance, policy): fields as JSON."""

    __tablename__ = "alarm_setting"

    topic: Mapped[str] = mapped_column(String(16), primary_key=True)
    node: Mapped[str] = mapped_column(code_text(32), primary_key=True)
    part: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)


class AlarmSettingChange(Scoped, Base):
    """Who said what when, with what stood there before."""

    __tablename__ = "alarm_setting_change"
    __table_args__ = (Index("ix_alarm_setting_change_node_topic", "node", "topic"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    topic: Mapped[str] = mapped_column(String(16))
    node: Mapped[str] = mapped_column(code_text(32))
    part: Mapped[str] = mapped_column(String(16))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)


class AlarmComment(Scoped, Base):
    """What somebody wrote on an alarm. Never changed, never removed."""

    __tablename__ = "alarm_comment"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    alarm_id: Mapped[str] = mapped_column(ForeignKey("alarm.id"), index=True)
    by: Mapped[str] = mapped_column(String(64))
    by_name: Mapped[str] = mapped_column(String(100))
    at: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(String(2000))


class Handover(Scoped, Base):
    """A shift note with the lists of its moment frozen in it (JSON, zlib). ``path`` is the control room's scope."""

    __tablename__ = "handover"
    __table_args__ = (Index("ix_handover_at", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    scope_code: Mapped[str] = mapped_column(code_text(32))
    shift: Mapped[str] = mapped_column(String(40))
    from_user: Mapped[str] = mapped_column(String(64))
    from_name: Mapped[str] = mapped_column(String(100))
    to_user: Mapped[str] = mapped_column(String(64))
    to_name: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(Text)
    open_count: Mapped[int] = mapped_column(Integer)
    frozen: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[int | None] = mapped_column(BigInteger)
    accepted_by: Mapped[str | None] = mapped_column(String(64))
    remark: Mapped[str | None] = mapped_column(String(500))


class AlarmExport(Scoped, Base):
    """A file that left the system: whoever holds it can have it verified by its checksum."""

    __tablename__ = "alarm_export"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(10))
    filter: Mapped[str] = mapped_column(Text)
    rows: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)


class AlarmEvent(Base):
    """One line in the life of a record. Seen through its alarm."""

    __tablename__ = "alarm_event"
    __table_args__ = (
        Index("ix_alarm_event_point_event_time", "point", "event_time"),
        Index("ix_alarm_event_cause_event_time", "cause", "event_time"),
        Index("ix_alarm_event_to_state_event_time", "to_state", "event_time"),
        Index("ix_alarm_event_event_time", "event_time"),
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
