"""Tables of the slips: the steps (a hash chain), what they add up to, what was attached, and the rules of regions."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.drafts import Drafted
from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text
from hazwatch.vocabulary.warnings import Tier

#: Tier that a clock can climb to → the column that says so.
CLIMBED: Mapping[Tier, str] = {tier: f"due_{tier.word}" for tier in Tier if tier is not Tier.ENTERPRISE}


def _climbed(column: str) -> Index:
    """Only of what has climbed to the tier, with all that its duty list asks for."""
    there = text(f"{column} IS NOT NULL")
    return Index(f"ix_slip_{column}", column, "path", "state", sqlite_where=there, postgresql_where=there)


class SlipRow(Scoped, Base):
    """A slip as its steps leave it. ``body`` is JSON of what no list asks for; ``version`` is the number of steps.

    ``due_park`` … ``due_ministry``: when the first of the running clocks was due that have climbed to that tier.
    """

    __tablename__ = "slip"
    __table_args__ = (Index("ix_slip_state_due_at", "state", "due_at"), *map(_climbed, CLIMBED.values()))

    id: Mapped[str] = mapped_column(code_text(24), primary_key=True)
    warning: Mapped[str] = mapped_column(code_text(24), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    object: Mapped[str] = mapped_column(code_text(32), index=True)
    name: Mapped[str] = mapped_column(String(200))
    cause: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    colour: Mapped[int] = mapped_column(Integer)
    worst: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[int] = mapped_column(BigInteger, index=True)
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    wake_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    cleared_at: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    due_park: Mapped[int | None] = mapped_column(BigInteger)
    due_county: Mapped[int | None] = mapped_column(BigInteger)
    due_city: Mapped[int | None] = mapped_column(BigInteger)
    due_province: Mapped[int | None] = mapped_column(BigInteger)
    due_ministry: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer)
    body: Mapped[str] = mapped_column(Text)


class SlipStep(Scoped, Base):
    """One deed on a slip. ``id`` numbers all steps of the node without gaps, ``number`` those of one slip."""

    __tablename__ = "slip_step"
    __table_args__ = (Index("ix_slip_step_slip_number", "slip", "number"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    slip: Mapped[str] = mapped_column(code_text(24))
    number: Mapped[int] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    username: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(12))
    before: Mapped[str] = mapped_column(String(12))
    after: Mapped[str] = mapped_column(String(12))
    detail: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))


class SlipHead(Base):
    """The one row that knows how many steps there are and how their chain ends. Writers queue on it."""

    __tablename__ = "slip_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class SlipAttachment(Scoped, Base):
    """A photo or document of a slip. ``original`` is the digest of the file as it came, ``sha256`` of what is kept."""

    __tablename__ = "slip_attachment"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    slip: Mapped[str] = mapped_column(code_text(24), ForeignKey("slip.id"), index=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("slip_blob.sha256"))
    original: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    media: Mapped[str] = mapped_column(String(40))
    size: Mapped[int] = mapped_column(Integer)
    taken: Mapped[str] = mapped_column(String(24))
    at: Mapped[int] = mapped_column(BigInteger)
    username: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))


class SlipBlob(Base):
    """The bytes of attachments, once by digest. Reached through an attachment only."""

    __tablename__ = "slip_blob"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SlipRules(Drafted, Scoped, Base):
    """A version of the clocks and calendar of a region (``slips.clocks``); of a node at most one is approved.

    The lowest node above an object that has its own decides. ``body`` is what differs from the standard, None = no own
    rules any more; ``before`` and ``after``: the rules at the node when it was drafted and as it makes them, whole.
    """

    __tablename__ = "slip_rules"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    node: Mapped[str] = mapped_column(code_text(32), index=True)
    body: Mapped[str | None] = mapped_column(Text)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)


class SlipCheck(Base):
    """A check of the chains, and how far it is; the last row is the last check. ``seen_at``: when it was alive last."""

    __tablename__ = "slip_check"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    steps: Mapped[int] = mapped_column(BigInteger)
    slips: Mapped[int] = mapped_column(Integer)
    attachments: Mapped[int] = mapped_column(Integer)
    findings: Mapped[int] = mapped_column(Integer)
    head: Mapped[str] = mapped_column(String(64))
    audit_length: Mapped[int] = mapped_column(BigInteger)
    audit: Mapped[str] = mapped_column(String(300))


class SlipFinding(Scoped, Base):
    """Something that a check found; ``slip`` is empty when it is about the chain itself."""

    __tablename__ = "slip_finding"
    __table_args__ = (Index("ix_slip_finding_check_slip", "check", "slip"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    check: Mapped[int] = mapped_column(ForeignKey("slip_check.id"))
    slip: Mapped[str] = mapped_column(code_text(24))
    number: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(String(500))
