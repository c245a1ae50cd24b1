"""Tokens for programs: made on the node's console, shown once, with a role, a scope and an end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import select

from hazwatch.identity import audit
from hazwatch.identity.desk import Desk
from hazwatch.identity.errors import forbidden, invalid, not_found
from hazwatch.identity.model import Principal, Role, may_grant
from hazwatch.identity.scope import scoped
from hazwatch.identity.secrets import fingerprint
from hazwatch.identity.sign_in import TOKEN_PREFIX
from hazwatch.identity.tables import Token
from hazwatch.identity.tree import node_in_scope
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.vocabulary.moments import DAY

MAX_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as a list shows it; the secret itself is kept nowhere."""

    id: int
    name: str
    role: str
    scope_code: str
    created_at: int
    created_by: str
    expires_at: int
    revoked_at: int | None


def create_token(desk: Desk, who: Principal, *, name: str, role: Role, scope_code: str, days: int = 365) -> str:
    """Make a token. Returns its secret, ``hzw_…``, which cannot be shown again.

    Raises:
        ApiError: 422 wrong field, 403 beyond the caller's role.
    """
    if not 1 <= days <= MAX_DAYS:
        raise invalid("days", f"有效期应为 1–{MAX_DAYS} 天")
    value = TOKEN_PREFIX + secrets.token_urlsafe(32)
    now = desk.clock()
    with unit_of_work(desk.sessions) as session:
        node = node_in_scope(session, who, scope_code)
        if node is None:
            raise invalid("scope_code", f"没有节点 {scope_code}", "请在您的管辖范围内选择")
        if not may_grant(who, role, node.path):
            raise forbidden(f"不能授予高于自己的角色({role.zh})")
        token = Token(
            name=name,
            secret_hash=fingerprint(value),
            role=role.word,
            scope_code=node.code,
            path=node.path,
            created_at=now,
            created_by=who.username,
            expires_at=now + days * DAY,
        )
        session.add(token)
        session.flush()
        detail = {"name": name, "role": role.word, "scope_code": node.code, "days": days}
        audit.record(session, now, who, "token.create", str(token.id), node.path, detail)
    return value


def list_tokens(desk: Desk, who: Principal) -> list[TokenRow]:
    """Tokens in scope, oldest first."""
    with reading(desk.sessions) as session:
        return [
            TokenRow(t.id, t.name, t.role, t.scope_code, t.created_at, t.created_by, t.expires_at, t.revoked_at)
            for t in session.scalars(scoped(select(Token), who, Token).order_by(Token.id))
        ]


def revoke_token(desk: Desk, who: Principal, token_id: int) -> None:
    """End a token now.

    Raises:
        ApiError: 404 outside the scope.
    """
    with unit_of_work(desk.sessions) as session:
        token = session.scalar(scoped(select(Token).where(Token.id == token_id), who, Token))
        if token is None:
            raise not_found("令牌", str(token_id))
        if token.revoked_at is None:
            token.revoked_at = desk.clock()
            audit.record(session, desk.clock(), who, "token.revoke", str(token.id), token.path, {"name": token.name})
