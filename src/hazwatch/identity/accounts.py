"""Accounts: made, changed and listed by an administrator, never beyond the administrator's own role and scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hazwatch.identity import audit
from hazwatch.identity.desk import Desk
from hazwatch.identity.errors import ApiError, conflict, forbidden, invalid, not_found
from hazwatch.identity.model import Principal, Role, check_username, may_grant
from hazwatch.identity.passwords import generate
from hazwatch.identity.scope import scoped
from hazwatch.identity.sign_in import end_sessions
from hazwatch.identity.tables import Account, Node
from hazwatch.identity.tree import node_in_scope
from hazwatch.records.engine import reading, unit_of_work
from hazwatch.records.paging import Page, PageRequest, count, like, ordered


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What a PATCH asks for; None leaves as it is."""

    name: str | None = None
    role: str | None = None
    scope_code: str | None = None
    enabled: bool | None = None
    reset_password: bool = False


def account_form(account: Account, node: Node) -> dict[str, Any]:
    """An account as the contract shows it."""
    return {
        "username": account.username,
        "name": account.name,
        "role": account.role,
        "scope": {"code": node.code, "name": node.name, "kind": node.kind},
        "enabled": account.enabled,
        "must_change_password": account.must_change_password,
    }


def accounts_page(desk: Desk, who: Principal, request: PageRequest, q: str = "") -> Page[dict[str, Any]]:
    """Accounts whose scope lies in the caller's."""
    statement = scoped(select(Account, Node), who, Account).join(Node, Node.code == Account.scope_code)
    if q:
        pattern = like(q)
        statement = statement.where(
            or_(Account.username.like(pattern, escape="\\"), Account.name.like(pattern, escape="\\"))
        )
    sortable = {
        "username": Account.username,
        "name": Account.name,
        "role": Account.role,
        "enabled": Account.enabled,
        "scope": Account.path,
    }
    with reading(desk.sessions) as session:
        rows = session.execute(
            ordered(statement, request, sortable, Account.username).offset(request.offset).limit(request.page_size)
        )
        items = [account_form(account, node) for account, node in rows]
        return Page(
            items, count(session, statement.with_only_columns(Account.username)), request.page, request.page_size
        )


def create_account(
    desk: Desk, who: Principal, *, username: str, name: str, role: str, scope_code: str
) -> tuple[dict[str, Any], str]:
    """Make an account. Returns it and the generated password, which is stored nowhere else.

    Raises:
        ApiError: 422 wrong field, 403 beyond the own role, 409 the name is taken.
    """
    # scope: node-internal because names are unique over all scopes
    try:
        check_username(username)
    except ValueError as error:
        raise invalid("username", str(error)) from error
    wanted = _role(role)
    password = generate()
    hashed = desk.passwords.hash(password)
    with unit_of_work(desk.sessions) as session:
        node = _grantable(session, who, wanted, scope_code)
        if session.get(Account, username) is not None:
            raise conflict(f"用户名 {username} 已被使用", "请换一个用户名")
        account = Account(
            username=username,
            name=name.strip() or username,
            role=wanted.word,
            scope_code=node.code,
            path=node.path,
            password_hash=hashed,
            enabled=True,
            must_change_password=True,
            created_at=desk.clock(),
            created_by=who.username,
        )
        session.add(account)
        session.flush()
        detail = {"role": wanted.word, "scope_code": node.code}
        audit.record(session, desk.clock(), who, "account.create", username, node.path, detail)
        return account_form(account, node), password


def change_account(
    desk: Desk, who: Principal, username: str, change: AccountChange
) -> tuple[dict[str, Any], str | None]:
    """Change an account in scope. Returns it and the new password if one was asked for.

    Raises:
        ApiError: 404 outside the scope, 403 beyond the own role, 422 wrong field, 409 it would lock the caller out.
    """
    password = generate() if change.reset_password else None
    hashed = desk.passwords.hash(password) if password else None
    with unit_of_work(desk.sessions) as session:
        account = session.scalar(scoped(select(Account).where(Account.username == username), who, Account))
        if account is None:
            raise not_found("账号", username)
        _refuse_lockout(who, account, change)
        held = Role.parse(account.role)
        if not may_grant(who, held, account.path):
            raise forbidden("不能修改权限高于自己的账号")
        wanted = _role(change.role) if change.role is not None else held
        node = _grantable(session, who, wanted, change.scope_code or account.scope_code)
        detail = _apply(account, change, wanted, node)
        if hashed is not None:
            account.password_hash, account.must_change_password = hashed, True
            detail["reset_password"] = True
        if hashed is not None or not account.enabled:
            end_sessions(session, username)
        session.flush()
        audit.record(session, desk.clock(), who, "account.change", username, account.path, detail)
        return account_form(account, node), password


def _apply(account: Account, change: AccountChange, role: Role, node: Node) -> dict[str, Any]:
    """Write the wanted values; returns what really changed."""
    wanted: Mapping[str, Any] = {
        "name": (change.name or "").strip() or account.name,
        "role": role.word,
        "scope_code": node.code,
        "path": node.path,
        "enabled": account.enabled if change.enabled is None else change.enabled,
    }
    changed = {key: value for key, value in wanted.items() if getattr(account, key) != value}
    for key, value in changed.items():
        setattr(account, key, value)
    return changed


def _refuse_lockout(who: Principal, account: Account, change: AccountChange) -> None:
    """Nobody takes the own rights away: the last administrator would be gone."""
    if account.username != who.username:
        return
    if change.enabled is False or change.reset_password:
        raise conflict("不能停用或重置自己的账号", "请在修改密码处改自己的密码,或请另一位管理员操作")
    if (change.role or account.role) != account.role or (change.scope_code or account.scope_code) != account.scope_code:
        raise conflict("不能修改自己的角色或管辖范围", "请另一位管理员操作")


def _grantable(session: Session, who: Principal, role: Role, scope_code: str) -> Node:
    """The node on which the caller may give this role."""
    node = node_in_scope(session, who, scope_code)
    if node is None:
        raise invalid("scope_code", f"没有节点 {scope_code}", "请在您的管辖范围内选择")
    if not may_grant(who, role, node.path):
        raise forbidden(f"不能授予高于自己的角色({role.zh})")
    return node


def _role(word: str) -> Role:
    try:
        return Role.parse(word)
    except ValueError as error:
        raise ApiError(422, "invalid", str(error), "请改正后重试", {"role": str(error)}) from error
