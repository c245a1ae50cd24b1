"""Signing in and out, and who a request comes from."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.desk import Desk
from hazwatch.identity.errors import ApiError, invalid
from hazwatch.identity.model import Principal, Role, check_password
from hazwatch.identity.secrets import fingerprint
from hazwatch.identity.tables import Account, Token, WebSession
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.vocabulary.moments import MINUTE

#: ``seen_at`` is written at most this often, so that a page full of requests is not a page full of writes.
_SEEN_STEP_MS = MINUTE

TOKEN_PREFIX = "hzw_"  # noqa: S105 -- the public beginning of every token, not a secret


def sign_in(desk: Desk, username: str, password: str, address: str) -> tuple[Principal, str]:
    """Open a web session. Returns who signed in and the cookie's value.

    Raises:
        ApiError: 401 wrong name or password (which of both is not told), 429 too many failures.
    """
    wait = desk.attempts.begin(username, address, desk.clock())
    if wait:
        raise ApiError(
            429, "too_many_attempts", "登录失败次数过多", f"请在 {wait} 秒后重试", headers={"Retry-After": str(wait)}
        )
    account = _account(desk, username)
    right = desk.passwords.verify(account.password_hash if account else None, password)
    if account is None or not right or not account.enabled:
        if account is not None:
            # An unknown name is not written down: it may be a password typed into the wrong field.
            _note_failure(desk, account, address)
        raise ApiError(401, "wrong_credentials", "用户名或密码不正确", "请检查大小写;忘记密码请联系管理员重置")
    desk.attempts.succeeded(username, address)
    value = secrets.token_urlsafe(32)
    now = desk.clock()
    with unit_of_work(desk.sessions) as session:
        _purge(session, desk, now)
        row = WebSession(id_hash=fingerprint(value), username=username, created_at=now, seen_at=now, address=address)
        session.add(row)
        who = _principal(account, row.id_hash)
        audit.record(session, now, who, "session.open", username, account.path, {"address": address})
    return who, value


def sign_out(desk: Desk, who: Principal) -> None:
    """End the session of this principal; without one nothing happens."""
    with unit_of_work(desk.sessions) as session:
        session.execute(delete(WebSession).where(WebSession.id_hash == who.session))
        audit.record(session, desk.clock(), who, "session.close", who.username, who.scope)


def by_cookie(desk: Desk, value: str) -> Principal | None:
    """Who a cookie belongs to; None when it is unknown, expired, or the account is switched off."""
    # scope: node-internal because this is where a scope is found in the first place
    now = desk.clock()
    key = fingerprint(value)
    with reading(desk.sessions) as session:
        found = session.execute(
            select(WebSession, Account)
            .join(Account, Account.username == WebSession.username)
            .where(WebSession.id_hash == key)
        ).one_or_none()
    if found is None:
        return None
    row, account = found
    if not account.enabled or now >= row.seen_at + desk.idle_ms or now >= row.created_at + desk.absolute_ms:
        return None
    if now >= row.seen_at + _SEEN_STEP_MS:
        with unit_of_work(desk.sessions) as session:
            session.execute(update(WebSession).where(WebSession.id_hash == key).values(seen_at=now))
    return _principal(account, key)


def by_token(desk: Desk, value: str) -> Principal | None:
    """Who a bearer token belongs to; None when it is unknown, expired or revoked."""
    # scope: node-internal because this is where a scope is found in the first place
    if not value.startswith(TOKEN_PREFIX):
        return None
    with reading(desk.sessions) as session:
        token = session.scalar(select(Token).where(Token.secret_hash == fingerprint(value)))
    if token is None or token.revoked_at is not None or desk.clock() >= token.expires_at:
        return None
    return Principal(f"token:{token.name}", token.name, Role.parse(token.role), token.path, token.scope_code)


def change_password(desk: Desk, who: Principal, old: str, new: str) -> None:
    """Change the own password; other sessions of the account end.

    Raises:
        ApiError: 401 the old one is wrong, 422 the new one is not acceptable, 429 too many failures.
    """
    # scope: node-internal because the account is the caller's own
    if not who.session:
        raise ApiError(403, "forbidden", "令牌没有密码", "请用账号登录后修改密码")
    wait = desk.attempts.begin(who.username, "password", desk.clock())
    if wait:
        raise ApiError(
            429, "too_many_attempts", "尝试次数过多", f"请在 {wait} 秒后重试", headers={"Retry-After": str(wait)}
        )
    account = _account(desk, who.username)
    if account is None or not desk.passwords.verify(account.password_hash, old):
        raise ApiError(422, "invalid", "旧密码不正确", "请重新输入", {"old": "旧密码不正确"})
    desk.attempts.succeeded(who.username, "password")
    try:
        check_password(new, old=old, username=who.username)
    except ValueError as error:
        raise invalid("new", str(error)) from error
    hashed = desk.passwords.hash(new)
    with unit_of_work(desk.sessions) as session:
        session.execute(
            update(Account)
            .where(Account.username == who.username)
            .values(password_hash=hashed, must_change_password=False)
        )
        end_sessions(session, who.username, but=who.session)
        audit.record(session, desk.clock(), who, "password.change", who.username, who.scope)
    if who.username == FIRST_USERNAME:
        desk.first_password_file.unlink(missing_ok=True)


#: The account made at the first start.
FIRST_USERNAME = "admin"


def end_sessions(session: Session, username: str, but: str = "") -> None:
    """End all web sessions of an account except one."""
    session.execute(delete(WebSession).where(WebSession.username == username, WebSession.id_hash != but))


def _account(desk: Desk, username: str) -> Account | None:
    # scope: node-internal because nobody is signed in yet
    with reading(desk.sessions) as session:
        return session.get(Account, username)


def _principal(account: Account, session_hash: str) -> Principal:
    return Principal(
        account.username,
        account.name,
        Role.parse(account.role),
        account.path,
        account.scope_code,
        account.must_change_password,
        session_hash,
    )


def _note_failure(desk: Desk, account: Account, address: str) -> None:
    with unit_of_work(desk.sessions) as session:
        who = _principal(account, "")
        audit.record(
            session, desk.clock(), who, "session.refused", account.username, account.path, {"address": address}
        )


def _purge(session: Session, desk: Desk, now: int) -> None:
    """Remove sessions that have ended by themselves."""
    session.execute(
        delete(WebSession).where(
            or_(WebSession.seen_at <= now - desk.idle_ms, WebSession.created_at <= now - desk.absolute_ms)
        )
    )
