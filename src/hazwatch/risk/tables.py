"""Grades as they were given, what was declared, and the configurations of the models."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class Grade(Scoped, Base):
    """A grade of a source (12 digits), an enterprise (9), a park or a region, written when it moves.

    ``inputs`` holds what is needed to compute it again (``risk.explain``).
    """

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


class RiskDeclared(Scoped, Base):
    """A declared record (``risk.declared``): never deleted, only withdrawn."""

    __tablename__ = "risk_declared"
    __table_args__ = (Index("ix_risk_declared_end", "end"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    object: Mapped[str] = mapped_column(code_text(16), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(Text)
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    withdrawn_by: Mapped[str | None] = mapped_column(String(64))
    withdrawn_at: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_why: Mapped[str | None] = mapped_column(String(300))


class RiskConfiguration(Base):
    """A version of the models' configuration. Body and digest of a version that was in force never change.

    ``state``: ``draft`` → ``approved`` (in force) → ``retired``; or ``rejected``. ``shadow``: it runs beside the one
    in force. ``backtest``: outcome of the last one, with the period.
    """

    __tablename__ = "risk_configuration"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    why: Mapped[str] = mapped_column(String(1000))
    body: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(12), index=True)
    base: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10))
    shadow: Mapped[bool] = mapped_column(Boolean)
    shadow_since: Mapped[int | None] = mapped_column(BigInteger)
    backtest: Mapped[str | None] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_why: Mapped[str | None] = mapped_column(String(1000))


class ShadowGrade(Scoped, Base):
    """Where a shadow sees another colour than the configuration in force, and when it sees the same again."""

    __tablename__ = "risk_shadow"
    __table_args__ = (Index("ix_risk_shadow_configuration_at", "configuration", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    configuration: Mapped[int] = mapped_column(Integer)
    object: Mapped[str] = mapped_column(code_text(12))
    at: Mapped[int] = mapped_column(BigInteger)
    colour: Mapped[int] = mapped_column(Integer)
    score: Mapped[float]
    live_colour: Mapped[int] = mapped_column(Integer)
    live_score: Mapped[float]


class UnitModel(Scoped, Base):
    """A model of the normal operation of one unit (``risk.multivariate``), learned from its own history.

    ``state``: ``learning`` → ``draft`` → ``approved`` (in force) → ``retired``; or ``failed``, ``rejected``.
    ``body``: variables, figures and how it was learned, JSON; it never changes once it is a draft.
    """

    __tablename__ = "risk_unit_model"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    object: Mapped[str] = mapped_column(code_text(12), index=True)
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10), index=True)
    begin: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(String(500))
    body: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[str | None] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decided_why: Mapped[str | None] = mapped_column(String(1000))
