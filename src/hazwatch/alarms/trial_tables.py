"""Tables of what-ifs and of true events that people marked."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class WhatIf(Scoped, Base):
    """A what-if: what was asked, how far it is, what came out. ``path`` is the lowest node that holds its points."""

    __tablename__ = "whatif"

    id: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), index=True)
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    progress: Mapped[float]
    message: Mapped[str | None] = mapped_column(String(500))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(Integer)
    spec: Mapped[str] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(Text)


class TrueEvent(Scoped, Base):
    """Something that really happened at a point: no change of limits may silence it."""

    __tablename__ = "true_event"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    point: Mapped[int] = mapped_column(Integer)
    point_code: Mapped[str] = mapped_column(code_text(22), index=True)
    point_name: Mapped[str] = mapped_column(String(200))
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(500))
    alarm: Mapped[str | None] = mapped_column(code_text(36))
    who: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
