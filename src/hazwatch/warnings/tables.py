"""Warnings, what happened to them, who got them; the rules; how far grades have been taken in; weather warnings."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.drafts import Drafted
from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class WarningRow(Scoped, Base):
    """A warning as it stands. ``terms`` and ``data`` are of the moment it got its colour; ``rules`` the digest."""

    __tablename__ = "warning"
    __table_args__ = (
        Index("ix_warning_object_raised_at", "object", "raised_at"),
        Index("ix_warning_cleared_at_colour", "cleared_at", "colour"),
        Index("ix_warning_changed_at", "changed_at"),
    )

    id: Mapped[str] = mapped_column(code_text(20), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    object: Mapped[str] = mapped_column(code_text(32))
    name: Mapped[str] = mapped_column(String(200))
    cause: Mapped[str] = mapped_column(String(16))
    causes: Mapped[str] = mapped_column(Text)
    colour: Mapped[int] = mapped_column(Integer)
    worst: Mapped[int] = mapped_column(Integer)
    raised_at: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    cleared_at: Mapped[int | None] = mapped_column(BigInteger)
    grade: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    terms: Mapped[str] = mapped_column(Text)
    data: Mapped[str] = mapped_column(Text)
    rules: Mapped[str] = mapped_column(String(12))
    simulated: Mapped[bool]


class WarningEvent(Scoped, Base):
    """One thing that happened to a warning. ``written_at`` = when it became durable, by the node's clock."""

    __tablename__ = "warning_event"
    __table_args__ = (Index("ix_warning_event_warning", "warning"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    warning: Mapped[str] = mapped_column(code_text(20))
    deed: Mapped[str] = mapped_column(String(12))
    at: Mapped[int] = mapped_column(BigInteger)
    written_at: Mapped[int] = mapped_column(BigInteger)
    was: Mapped[int] = mapped_column(Integer)
    colour: Mapped[int] = mapped_column(Integer)
    cause: Mapped[str] = mapped_column(String(16))
    grade: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)


class WarningReceipt(Scoped, Base):
    """A tier that gets a warning. ``node`` is its place on the tree; ``why`` = ``table`` or ``escalated``.

    ``delivered_at``: a channel of the tier took the message, or an account of the tier had it on its page.
    """

    __tablename__ = "warning_receipt"
    __table_args__ = (UniqueConstraint("warning", "tier"), Index("ix_warning_receipt_node_seen_at", "node", "seen_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    warning: Mapped[str] = mapped_column(code_text(20))
    tier: Mapped[int] = mapped_column(Integer)
    node: Mapped[str] = mapped_column(code_text(120))
    act: Mapped[bool]
    why: Mapped[str] = mapped_column(String(300))
    at: Mapped[int] = mapped_column(BigInteger)
    delivered_at: Mapped[int | None] = mapped_column(BigInteger)
    delivered_by: Mapped[str | None] = mapped_column(String(100))
    seen_at: Mapped[int | None] = mapped_column(BigInteger)
    seen_by: Mapped[str | None] = mapped_column(String(64))


class WarningRules(Drafted, Base):
    """A version of the rules; at most one is approved and in force, else the built-in ones are."""

    __tablename__ = "warning_rules"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class WarningOffset(Base):
    """Up to which row somebody has taken something in: grades into warnings, events into messages."""

    __tablename__ = "warning_offset"

    name: Mapped[str] = mapped_column(code_text(32), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class WarningNumber(Base):
    """The last running number of a day."""

    __tablename__ = "warning_number"

    day: Mapped[str] = mapped_column(code_text(8), primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class WeatherSignal(Scoped, Base):
    """A weather warning for one area. ``declared``: the record of the risk room that it became; ``over_at``: lifted."""

    __tablename__ = "weather_signal"
    __table_args__ = (Index("ix_weather_signal_ref", "ref"), Index("ix_weather_signal_end", "end"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    ref: Mapped[str] = mapped_column(String(100))
    origin: Mapped[str] = mapped_column(String(100))
    area: Mapped[str] = mapped_column(code_text(32))
    kind: Mapped[str] = mapped_column(String(16))
    colour: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[int] = mapped_column(BigInteger)
    declared: Mapped[str] = mapped_column(Text)
    over_at: Mapped[int | None] = mapped_column(BigInteger)
    over_why: Mapped[str | None] = mapped_column(String(200))
