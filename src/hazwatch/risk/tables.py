"""Grades as they were given."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class Grade(Scoped, Base):
    """A grade of a source (12 digits) or an enterprise (9), written when the colour changes or the score moves."""

    __tablename__ = "grade"
    __table_args__ = (Index("ix_grade_object_at", "object", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    object: Mapped[str] = mapped_column(code_text(12))
    at: Mapped[int] = mapped_column(BigInteger)
    colour: Mapped[int] = mapped_column(Integer)
    score: Mapped[float]
    confidence: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    terms: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(16))
    configuration: Mapped[str] = mapped_column(String(64))
