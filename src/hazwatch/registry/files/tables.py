"""Tables of files. What is in force stands in rows, what happened in changes; a past day is rows less later changes.

Documents keep every version; their bytes stand once by digest.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class FileHead(Scoped, Base):
    """One file: the version it is at, and its score as long as that holds (``due``, epoch ms)."""

    __tablename__ = "file_head"

    owner: Mapped[str] = mapped_column(code_text(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[int | None] = mapped_column(BigInteger)
    score: Mapped[float]
    gaps: Mapped[int] = mapped_column(Integer)
    expired: Mapped[int] = mapped_column(Integer)
    ending: Mapped[int] = mapped_column(Integer)
    due: Mapped[int] = mapped_column(BigInteger, index=True)


class FileRow(Scoped, Base):
    """One row of a group as it is in force. ``ends``: the first day on which a validity in it ends, as ISO text."""

    __tablename__ = "file_row"

    owner: Mapped[str] = mapped_column(code_text(16), primary_key=True)
    group: Mapped[str] = mapped_column(code_text(24), primary_key=True, index=True)
    row: Mapped[str] = mapped_column(code_text(36), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    ends: Mapped[str | None] = mapped_column(code_text(10), index=True)


class FileChange(Scoped, Base):
    """One batch of edits: who, when, why, from what, and who approved it. ``ops`` is JSON, see ``merge.Op``.

    ``version``: the file's version that it made, None while it waits or when it was refused.
    ``registry_version``: the version of the registry that it made, where it touched the registry's own columns.
    """

    __tablename__ = "file_change"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    owner: Mapped[str] = mapped_column(code_text(16), index=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    version: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(1000))
    source: Mapped[str] = mapped_column(String(200))
    ops: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(String(1000))
    registry_version: Mapped[int | None] = mapped_column(Integer)


class FileDocument(Scoped, Base):
    """One version of a document. The newest version of a ``series`` counts; ``withdrawn_at`` takes the series away."""

    __tablename__ = "file_document"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    owner: Mapped[str] = mapped_column(code_text(16), index=True)
    series: Mapped[int] = mapped_column(Integer, index=True)
    version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(24))
    title: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    media: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(ForeignKey("file_blob.sha256"))
    valid_to: Mapped[str | None] = mapped_column(String(10))
    at: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(1000))
    withdrawn_at: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_by: Mapped[str | None] = mapped_column(String(64))


class FileBlob(Base):
    """The bytes of documents, once by digest. Reached through a document only."""

    __tablename__ = "file_blob"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RowChange(Scoped, Base):
    """One row of the registry that an import made or changed. ``old`` is JSON of the columns before; None = made."""

    __tablename__ = "registry_row_change"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sheet: Mapped[str] = mapped_column(String(12), primary_key=True)
    code: Mapped[str] = mapped_column(code_text(22), primary_key=True, index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    old: Mapped[str | None] = mapped_column(Text)
