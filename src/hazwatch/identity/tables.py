"""Tables of identity: the tree, accounts, sessions, tokens, audit, and the counters whose numbers are never reused."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hazwatch.identity.scope import Scoped
from hazwatch.records.base import Base, Key, code_text


class Node(Scoped, Base):
    """A node of the tree province → city → county → park → enterprise. ``path`` holds its own code last."""

    __tablename__ = "node"

    code: Mapped[str] = mapped_column(code_text(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16))
    parent: Mapped[str | None] = mapped_column(ForeignKey("node.code"), index=True)
    lon: Mapped[float | None]
    lat: Mapped[float | None]


class Account(Scoped, Base):
    """A person who signs in. ``path`` is the path of the scope's node."""

    __tablename__ = "account"

    username: Mapped[str] = mapped_column(code_text(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    scope_code: Mapped[str] = mapped_column(ForeignKey("node.code"))
    password_hash: Mapped[str] = mapped_column(String(200))
    enabled: Mapped[bool]
    must_change_password: Mapped[bool]
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(64))


class WebSession(Base):
    """A signed-in browser. The cookie's value itself is stored nowhere, only its hash."""

    __tablename__ = "web_session"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("account.username"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(64))


class Token(Scoped, Base):
    """A key for programs. Shown once, stored hashed. ``path`` is the path of the scope's node."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    scope_code: Mapped[str] = mapped_column(ForeignKey("node.code"))
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


class Audit(Scoped, Base):
    """Who did what. Rows are numbered without gaps and chained by hash; see ``audit.py``.

    ``path`` is where the deed took place. It decides who may read the row and is not part of the hash, because it
    follows the tree when a node moves.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    username: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    object: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The one row that knows how long the audit log is and how it ends. Writers queue on it."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
