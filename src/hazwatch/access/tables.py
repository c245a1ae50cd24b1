"""What was refused, where a person can see it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key


class DeadLetterRow(Scoped, Base):
    """One refusal, or several like it within a second. ``path`` is the owner of the link, or the node's root."""

    __tablename__ = "dead_letter"
    __table_args__ = (Index("ix_dead_letter_at", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    link: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(Integer)
    excerpt: Mapped[str] = mapped_column(Text)
