"""Tables of the history: how far it is, where several machines must know."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.records.base import Base


class HistoryOffset(Base):
    """How far into its stream the history of a share is; see ``offsets``."""

    __tablename__ = "history_offset"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    live: Mapped[int] = mapped_column(BigInteger)
    background: Mapped[int] = mapped_column(BigInteger)
    next_live: Mapped[int | None] = mapped_column(BigInteger)
    next_background: Mapped[int | None] = mapped_column(BigInteger)
