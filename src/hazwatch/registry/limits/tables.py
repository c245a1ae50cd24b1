"""Tables of limits besides the enterprise's own, which stand with the points."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key


class RegulatorLimit(Scoped, Base):
    """The regulator's thresholds of a point; a point without a row has none. ``path`` is that of the point."""

    __tablename__ = "regulator_limit"

    point: Mapped[int] = mapped_column(ForeignKey("point.index"), primary_key=True, autoincrement=False)
    ll: Mapped[float | None]
    l: Mapped[float | None]  # noqa: E741 -- the name of the limit in the trade
    h: Mapped[float | None]
    hh: Mapped[float | None]


class LimitProposal(Scoped, Base):
    """A change of limits on its way: open, approved, rejected or withdrawn. ``path`` holds all its points."""

    __tablename__ = "limit_proposal"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    which: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12), index=True)
    reason: Mapped[str] = mapped_column(String(1000))
    points: Mapped[int] = mapped_column(Integer)
    proposed_by: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[int] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(String(1000))
    version: Mapped[int | None] = mapped_column(Integer)
    evidence_id: Mapped[str | None] = mapped_column(String(36))
    evidence: Mapped[str | None] = mapped_column(Text)


class LimitProposalItem(Base):
    """One point of a proposal; ``before`` and ``after`` are JSON of the fields that change. Seen through it."""

    __tablename__ = "limit_proposal_item"

    proposal: Mapped[int] = mapped_column(ForeignKey("limit_proposal.id"), primary_key=True, autoincrement=False)
    point: Mapped[int] = mapped_column(ForeignKey("point.index"), primary_key=True, autoincrement=False, index=True)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
