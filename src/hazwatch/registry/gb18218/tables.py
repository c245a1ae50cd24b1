"""What was identified, when, by whom: one row a version, never changed."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class Identification(Scoped, Base):
    """One identification of a hazard source. ``version`` counts within the source; ``path`` is that of the source.

    ``unit`` and ``result`` are JSON: what was put in, and what came out with its clauses and chosen symbols.
    """

    __tablename__ = "identification"
    __table_args__ = (UniqueConstraint("source", "version"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source: Mapped[str] = mapped_column(ForeignKey("source.code"))
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String(64))
    unit_kind: Mapped[str] = mapped_column(code_text(12))
    boundary: Mapped[str] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(String(1000))
    beta_choice: Mapped[str] = mapped_column(String(12))
    unit: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(Text)
    adopted: Mapped[bool]
