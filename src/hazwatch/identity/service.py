"""First start, and the names under which other rooms and the composition root find the use cases of identity."""

from __future__ import annotations

from sqlalchemy import func, select

from hazwatch.identity import audit
from hazwatch.identity.accounts import AccountChange, accounts_page, change_account, create_account
from hazwatch.identity.desk import Desk
from hazwatch.identity.model import SYSTEM, NodeKind, Role
from hazwatch.identity.passwords import generate
from hazwatch.identity.regions import seed_regions
from hazwatch.identity.secrets import write_private
from hazwatch.identity.sign_in import FIRST_USERNAME, by_cookie, by_token, change_password, sign_in, sign_out
from hazwatch.identity.tables import Account, Node
from hazwatch.identity.tokens import TokenRow, create_token, list_tokens, revoke_token
from hazwatch.records.engine import unit_of_work

__all__ = [
    "AccountChange",
    "Desk",
    "TokenRow",
    "accounts_page",
    "by_cookie",
    "by_token",
    "change_account",
    "change_password",
    "create_account",
    "create_token",
    "first_start",
    "list_tokens",
    "revoke_token",
    "sign_in",
    "sign_out",
]


def first_start(desk: Desk, province: str) -> str | None:
    """Place the region tree and the account ``admin`` when they are missing.

    Returns:
        The generated password, to be printed once, when the account was made now. It also stands in
        ``home/first-password.txt`` (mode 0600) until it is changed. None when there are accounts already.

    Raises:
        ValueError: there is no such province.
    """
    # scope: node-internal because there is nobody yet who could have a scope
    password = generate()
    hashed = desk.passwords.hash(password)
    with unit_of_work(desk.sessions) as session:
        seed_regions(session, province)
        if session.scalar(select(func.count()).select_from(Account)):
            return None
        node = session.scalars(select(Node).where(Node.code == province, Node.kind == NodeKind.PROVINCE)).one()
        session.add(
            Account(
                username=FIRST_USERNAME,
                name="系统管理员",
                role=Role.ADMIN.word,
                scope_code=node.code,
                path=node.path,
                password_hash=hashed,
                enabled=True,
                must_change_password=False,
                created_at=desk.clock(),
                created_by=SYSTEM.username,
            )
        )
        session.flush()
        audit.record(session, desk.clock(), SYSTEM, "account.create", FIRST_USERNAME, node.path, {"first": True})
        # Written before the commit: an account whose password nobody knows is worse than a file without an account.
        write_private(desk.first_password_file, f"{FIRST_USERNAME} {password}\n".encode())
    return password
